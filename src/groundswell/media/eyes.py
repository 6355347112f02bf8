"""The one place where parts that look at pictures are plugged in; what is not installed is absent, by name.

A part is a module with a function `open_eye()` (or `open_shield()`) that loads what it needs, once, before
the worker is locked. It raises `ImportError` or `FileNotFoundError` where that is not there. Nothing here
looks at a picture itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from groundswell.media.findings import Findings, Hints
from groundswell.media.picture import Picture

__all__ = ["PARTS", "SHIELD", "Eye", "Eyes", "Shield", "open_eyes"]

PARTS = {
    "text": "groundswell.media.ocr",
    "emblems": "groundswell.media.emblems",
    "tags": "groundswell.media.scenes",
}
"""What a part sees, and the module it lives in."""
SHIELD = "groundswell.media.shield"


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
    parts, absent = {}, []
    for name, module in PARTS.items():
        try:
            parts[name] = importlib.import_module(module).open_eye()
        except (ImportError, FileNotFoundError):
            absent.append(name)
    try:
        shield = importlib.import_module(SHIELD).open_shield()
    except (ImportError, FileNotFoundError):
        shield = None
        absent.append("shield")
    return Eyes(parts, shield, tuple(absent))
