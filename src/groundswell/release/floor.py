"""Owns the k-floor: how many distinct speakers anything needs before it may show.

The floor is the operator's to raise and nobody's to lower under ten: the constant below is code, not
configuration. Whether a matter is sensitive is `policy`'s to say; how counts look is `ladder`'s.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from groundswell.config import Settings
from groundswell.errors import ConfigurationError

__all__ = ["CODE_FLOOR", "Floor", "ReleaseSettings"]

CODE_FLOOR = 10


class ReleaseSettings(Settings, frozen=True, kw_only=True):
    """`[release]`: the floors, in distinct speakers; `k` below 10 is refused."""

    k: Annotated[int, msgspec.Meta(ge=CODE_FLOOR, le=1_000_000)] = 20
    sensitive_k: Annotated[int, msgspec.Meta(ge=CODE_FLOOR, le=1_000_000)] = 50

    def __post_init__(self) -> None:
        # Constraints in the annotations hold for decoded tables only; this one holds for Python callers too.
        if self.k < CODE_FLOOR:
            raise ValueError(f"`k` = {self.k} is below {CODE_FLOOR}; set `k` to {CODE_FLOOR} or more")
        if self.sensitive_k < self.k:
            raise ValueError(
                f"`sensitive_k` = {self.sensitive_k} is below `k` = {self.k}; raise it to `k` or more"
            )


class Floor:
    """The two floors in force.

    >>> Floor(20, 50).of(sensitive=True)
    50
    """

    def __init__(self, k: int, sensitive_k: int) -> None:
        if k < CODE_FLOOR or sensitive_k < k:
            raise ConfigurationError(
                "[release]",
                f"`k` = {k}, `sensitive_k` = {sensitive_k}",
                f"set `k` to {CODE_FLOOR} or more and `sensitive_k` to `k` or more",
            )
        self.k = k
        self.sensitive_k = sensitive_k

    def of(self, *, sensitive: bool) -> int:
        """Distinct speakers that a matter needs, in full."""
        return self.sensitive_k if sensitive else self.k
