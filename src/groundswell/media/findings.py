"""What is seen in a picture, as frozen structs that can cross from a worker's process.

Owns the shapes and their bounds: what a worker sends is checked against them, since a file may have taken
the worker over. There is no field for a face, a person or a place.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = ["Box", "Emblem", "Findings", "Hints", "Tag", "Text"]

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Side = Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class Hints(msgspec.Struct, frozen=True):
    """What is known before looking: the languages of the posts that show the picture, likeliest first."""

    languages: Annotated[tuple[Name, ...], msgspec.Meta(max_length=16)] = ()


class Box(msgspec.Struct, frozen=True):
    """An upright rectangle, in pixels from the upper left corner."""

    left: Side
    top: Side
    right: Side
    bottom: Side


Corner = tuple[
    Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)], Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
]


class Text(msgspec.Struct, frozen=True):
    """One line of text; empty where nobody could read it, for whoever has to cover it."""

    text: Annotated[str, msgspec.Meta(max_length=2_000)]
    confidence: Share
    box: Box
    script: Name = ""
    """ISO 15924, such as `Latn`; empty where it is not known."""
    language: Name = ""
    """As `eng_Latn`, where the script or the posts' languages give it away; else empty."""
    corners: Annotated[tuple[Corner, ...], msgspec.Meta(max_length=4)] = ()
    """Of the line as it lies, clockwise from the top left; empty where only the box is known."""

    @property
    def outline(self) -> tuple[Corner, ...]:
        """Its corners, else those of its box."""
        left, top, right, bottom = self.box.left, self.box.top, self.box.right, self.box.bottom
        return self.corners or ((left, top), (right, top), (right, bottom), (left, bottom))


class Emblem(msgspec.Struct, frozen=True):
    """The mark of an organisation, a hazard or a flag, from a gallery."""

    name: Name
    category: Name
    confidence: Share
    box: Box


class Tag(msgspec.Struct, frozen=True):
    """What the picture as a whole shows, such as a flood."""

    name: Name
    confidence: Share


class Findings(msgspec.Struct, frozen=True):
    """All that one part has seen in one picture.

    >>> Findings(tags=(Tag("flood", 0.8),)).merged(Findings(tags=(Tag("boat", 0.7),))).tags[1].name
    'boat'
    """

    texts: Annotated[tuple[Text, ...], msgspec.Meta(max_length=1_000)] = ()
    emblems: Annotated[tuple[Emblem, ...], msgspec.Meta(max_length=200)] = ()
    tags: Annotated[tuple[Tag, ...], msgspec.Meta(max_length=100)] = ()

    def merged(self, other: Findings) -> Findings:
        return Findings(self.texts + other.texts, self.emblems + other.emblems, self.tags + other.tags)
