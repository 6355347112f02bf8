"""How each part that looks at pictures is opened, and its answer put into the words of `findings`.

Owns the seam between the parts and the worker: the parts know pictures and their own structs alone. A part
whose module, package or model is not there raises `AbsentError`, and is left out by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from groundswell.errors import GroundswellError
from groundswell.media.findings import Box, Emblem, Findings, Hints, Tag, Text
from groundswell.media.picture import Picture

__all__ = ["PARTS", "AbsentError", "open_shield"]

Corners = tuple[tuple[float, float], ...]


class AbsentError(Exception):
    """A part is not installed."""


class _Line(NamedTuple):
    """What the shield needs of a line of text."""

    text: str
    confidence: float
    box: Corners


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"groundswell.media.{name}")
    except ImportError:
        raise AbsentError(name) from None


def open_text() -> Callable[[Picture, Hints], Findings]:
    """The reader of lines of text."""
    module = _module("ocr")
    try:
        reader = module.Reader()
    except (GroundswellError, ImportError, OSError):
        raise AbsentError("text") from None

    def see(picture: Picture, hints: Hints) -> Findings:
        return Findings(texts=tuple(map(_text, reader.read(picture, hints.languages)[:1_000])))

    return see


def open_emblems() -> Callable[[Picture, Hints], Findings]:
    """The finder of a gallery's emblems."""
    module, gallery = _module("emblems"), _module("gallery")
    try:
        finder = module.Emblems(gallery.Gallery.load(gallery.STARTER))
    except (GroundswellError, ImportError, OSError):
        raise AbsentError("emblems") from None

    def see(picture: Picture, hints: Hints) -> Findings:
        return Findings(emblems=tuple(map(_emblem, finder.find(picture)[:200])))

    return see


def open_tags() -> Callable[[Picture, Hints], Findings]:
    """The teller of scenes."""
    module = _module("scenes")
    try:
        teller = module.Scenes()
    except (GroundswellError, ImportError, OSError):
        raise AbsentError("tags") from None

    def see(picture: Picture, hints: Hints) -> Findings:
        told = teller.tags(picture)[:100]
        return Findings(tags=tuple(Tag(str(tag.tag), _share(tag.precision)) for tag in told))

    return see


PARTS: dict[str, Callable[[], Callable[[Picture, Hints], Findings]]] = {
    "text": open_text,
    "emblems": open_emblems,
    "tags": open_tags,
}
"""What a part sees, and how it is opened."""


def open_shield() -> Callable[[Picture, Hints, Findings], Picture]:
    """What covers faces and plates; it needs the lines that the text part found, unread ones too."""
    module = _module("shield")
    shield = module.Shield()
    if shield.missing is not None:
        raise AbsentError("shield")

    def cover(picture: Picture, hints: Hints, seen: Findings) -> Picture:
        lines = [_Line(text.text, text.confidence, text.outline) for text in seen.texts]
        covered = shield.cover(picture, lines)
        if not isinstance(covered, np.ndarray):
            raise ValueError(str(covered.reason))  # a refusal withholds the picture
        return covered

    return cover


def _text(line: Any) -> Text:
    return Text(
        text=line.text[:2_000],
        confidence=_share(line.confidence),
        box=_around(line.box),
        script=line.script or "",
        language=line.language or "",
        corners=line.box,
    )


def _emblem(hit: Any) -> Emblem:
    left, top, right, bottom = (max(0, int(side)) for side in hit.box)
    return Emblem(hit.name, str(hit.category), _share(hit.score), Box(left, top, right, bottom))


def _around(corners: Corners) -> Box:
    across, down = zip(*corners, strict=True)
    return Box(
        max(0, int(min(across))),
        max(0, int(min(down))),
        max(0, int(max(across)) + 1),
        max(0, int(max(down)) + 1),
    )


def _share(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
