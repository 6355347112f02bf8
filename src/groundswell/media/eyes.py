"""The one place where parts that look at pictures are plugged in; what is not installed is absent, by name.

Owns what a part is: a function from a picture to findings, opened once, before the worker is locked
(`parts` says how). Nothing here looks at a picture itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from groundswell.media import parts
from groundswell.media.findings import Findings, Hints
from groundswell.media.picture import Picture

__all__ = ["Eye", "Eyes", "Shield", "open_eyes"]


class Eye(Protocol):
    """Sees something in a picture."""

    def __call__(self, picture: Picture, hints: Hints, /) -> Findings: ...


class Shield(Protocol):
    """Gives the picture with what may identify somebody covered; raises where it cannot be sure of it."""

    def __call__(self, picture: Picture, hints: Hints, seen: Findings, /) -> Picture: ...


@dataclass(frozen=True)
class Eyes:
    """The parts that are there, in the order they look, and the names of those that are not."""

    parts: Mapping[str, Eye] = field(default_factory=dict)
    shield: Shield | None = None
    absent: tuple[str, ...] = ()

    def look(self, picture: Picture, hints: Hints) -> tuple[Findings, tuple[str, ...]]:
        """What all parts see, and the names of the parts that failed."""
        seen, failed = Findings(), []
        for name, part in self.parts.items():
            try:
                seen = seen.merged(part(picture, hints))
            except MemoryError:
                raise
            except Exception:  # one part's trouble is told by its name and takes no other's findings away
                failed.append(name)
        return seen, tuple(failed)


def open_eyes() -> Eyes:
    """Everything that is installed."""
    opened: dict[str, Eye] = {}
    shield: Shield | None = None
    absent = []
    for name, open_part in parts.PARTS.items():
        try:
            opened[name] = open_part()
        except parts.AbsentError:
            absent.append(name)
    try:
        if "text" in opened:  # without it nobody looks for plates
            shield = parts.open_shield()
    except parts.AbsentError:
        shield = None
    return Eyes(opened, shield, tuple(absent) if shield else (*absent, "shield"))
