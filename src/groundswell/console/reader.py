"""What the console needs of the published state, and no more.

The console owns no query language: it reads whole published records by kind and id. The store satisfies this
protocol; the console is handed one and never imports it, so a page can be served from any other holder of
records as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from groundswell.published import Bin, Image, Record

__all__ = ["Kind", "Reader"]

Kind = Literal["event", "narrative", "amplification", "coverage", "picture"]


class Reader(Protocol):
    """Read access to published records; called from several threads at once.

    Every method may raise `StoreError`.
    """

    def latest(self, kind: Kind, *, since_us: int | None = None, limit: int = 200) -> list[Record]:
        """The newest version of each record of `kind`, at most `limit`, newest `last_seen` first.

        `since_us` keeps those last seen at or after that time, in microseconds of stream time.
        """
        ...

    def record(self, kind: Kind, id: str) -> Record | None:
        """The newest version of one record, or None when there is none under that id."""
        ...

    def series(self, ids: Sequence[str]) -> dict[str, list[Bin]]:
        """The published bins of each series, oldest first; an event's series is its id."""
        ...

    def image(self, id: str) -> Image | None:
        """The file of a picture that is shown, or None."""
        ...
