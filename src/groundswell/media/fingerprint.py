"""By what a picture is found again: PDQ, difference hashes of several views of it, and a small grey picture.

Owns the numbers, not the search (`families`). PDQ (the hash of the trust-and-safety trade) withstands
packing and scaling and is blind to crops; the difference hash
(https://www.hackerfactor.com/blog/index.php?/archives/529) of views that are a little smaller at one side
or all around finds crops and captions. Both are taken of the picture without its uniform border, and of its
mirror image. No face is looked for, and none could be told from these numbers.
"""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pdqhash

from groundswell.media.picture import Picture

__all__ = ["THUMBNAIL_SIDE", "VIEWS", "Fingerprint", "take", "warm"]

THUMBNAIL_SIDE = 128
WORKING_SIDE = 256
PDQ_SIDE = 128
"""PDQ makes 64 points of a picture in the end; what is left larger costs time alone."""
View = tuple[float, float, float, float]
"""Left, top, right, bottom, in shares of the picture without its border."""
_WHOLE: View = (0.0, 0.0, 1.0, 1.0)
_MIDDLE: View = (0.04, 0.04, 0.96, 0.96)
VIEWS: tuple[View, ...] = (
    _WHOLE, _MIDDLE,
    (0.0, 0.0, 0.92, 0.92), (0.08, 0.0, 1.0, 0.92), (0.0, 0.08, 0.92, 1.0), (0.08, 0.08, 1.0, 1.0),
    (0.0, 0.0, 1.0, 0.865), (0.0, 0.135, 1.0, 1.0),
)  # fmt: skip
"""What is remembered of a picture: the whole, what a crop may leave, what is left without a caption."""
ASKED: tuple[View, ...] = (_WHOLE, _MIDDLE, (0.0, 0.0, 1.0, 0.865), (0.0, 0.135, 1.0, 1.0))
"""What is looked for, beside what is above and below a seam: the whole, its middle, and less a caption."""
SEAM_LEVELS = 14
"""Mean grey levels by which a caption's edge differs from one row to the next at least …"""
SEAMS = (0.05, 0.3)
"""… and how far from the end it may be, in shares of the height."""
BORDER_LEVELS = 10
"""A border's rows and columns differ by no more than this, nine points in ten."""
MAX_BORDERS = 3
MAX_BORDER = 0.3
"""Of a side's length, at either end."""
_MARGIN = 1
"""Neighbours must differ by more than this, so that noise on a plain ground sets no bit."""

Hash64 = Annotated[int, msgspec.Meta(ge=0)]
Hash256 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Hashes = tuple[Hash64, Hash64]
Views = Annotated[tuple[Hashes, ...], msgspec.Meta(min_length=len(VIEWS), max_length=len(VIEWS))]
Asked = Annotated[tuple[Hashes, ...], msgspec.Meta(min_length=len(ASKED) + 2, max_length=len(ASKED) + 2)]
Grey = npt.NDArray[np.uint8]


class Fingerprint(msgspec.Struct, frozen=True):
    """Of one picture; in memory only, and only while its crowd may still grow."""

    pdq: Hash256
    pdq_mirrored: Hash256
    quality: Annotated[int, msgspec.Meta(ge=0, le=100)]
    """How much there is to go by, as PDQ counts it; of a plain ground 0."""
    views: Views
    asked: Asked
    asked_mirrored: Asked
    thumbnail: Annotated[bytes, msgspec.Meta(max_length=THUMBNAIL_SIDE * THUMBNAIL_SIDE)]
    """Grey, row by row, without the border."""
    thumbnail_width: Annotated[int, msgspec.Meta(gt=0, le=THUMBNAIL_SIDE)]

    def grey(self) -> Grey:
        """The thumbnail as an array; raises `ValueError` when its rows are uneven."""
        return np.frombuffer(self.thumbnail, np.uint8).reshape(-1, self.thumbnail_width)


def take(picture: Picture) -> Fingerprint:
    """The fingerprint of a picture of any size."""
    small = _within(picture, WORKING_SIDE)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    left, top, right, bottom = border(grey)
    grey = np.ascontiguousarray(grey[top:bottom, left:right])
    inside = _within(small[top:bottom, left:right], PDQ_SIDE)
    bits, quality = pdqhash.compute(inside)
    mirrored_bits, _ = pdqhash.compute(np.ascontiguousarray(inside[:, ::-1]))
    thumbnail = _within(grey, THUMBNAIL_SIDE)
    return Fingerprint(
        pdq=_packed(bits),
        pdq_mirrored=_packed(mirrored_bits),
        quality=int(min(100, max(0, quality))),
        views=tuple(difference_hashes(seen_as(grey, view)) for view in VIEWS),
        asked=_asked(grey),
        asked_mirrored=_asked(grey[:, ::-1]),
        thumbnail=thumbnail.tobytes(),
        thumbnail_width=thumbnail.shape[1],
    )


def seen_as(grey: Grey, view: View) -> Grey:
    """The part of a picture that a view shows; at least a point."""
    height, width = grey.shape
    left, top = int(view[0] * width), int(view[1] * height)
    return grey[top : max(top + 1, round(view[3] * height)), left : max(left + 1, round(view[2] * width))]


def _asked(grey: Grey) -> tuple[Hashes, ...]:
    seen = [seen_as(grey, view) for view in ASKED]
    top, bottom = seams(grey)
    for part in (grey[top:], grey[:bottom]):
        left, upper, right, lower = border(part)
        seen.append(part[upper:lower, left:right])
    return tuple(map(difference_hashes, seen))


def seams(grey: Grey) -> tuple[int, int]:
    """Where a caption above ends and one below begins: the sharpest edges across; else the whole."""
    height = len(grey)
    nearest, furthest = (int(share * height) for share in SEAMS)
    steps = np.abs(np.diff(grey.astype(np.int16), axis=0)).mean(axis=1)
    found = []
    for part in (steps[nearest:furthest], steps[::-1][nearest:furthest]):
        at = int(part.argmax()) if len(part) else 0
        found.append(nearest + at + 1 if len(part) and part[at] >= SEAM_LEVELS else 0)
    return found[0], height - found[1]


def difference_hashes(grey: Grey) -> Hashes:
    """Twice 64 bits: is each of 8 × 8 points darker than its right neighbour; than the one below?"""
    across, down = (
        cv2.resize(np.ascontiguousarray(grey), size, interpolation=cv2.INTER_AREA).astype(np.int16)
        for size in ((9, 8), (8, 9))
    )
    return _number(np.diff(across, axis=1) > _MARGIN), _number(np.diff(down, axis=0) > _MARGIN)


def _number(bits: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def border(grey: Grey) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is inside uniform borders, one in the other."""
    left, top, right, bottom = 0, 0, grey.shape[1], grey.shape[0]
    for _ in range(MAX_BORDERS):
        first, last = _plain_ends(grey[top:bottom, left:right])
        top, bottom = top + first, top + last
        begin, end = _plain_ends(grey[top:bottom, left:right].T)
        left, right = left + begin, left + end
    return left, top, right, bottom


def _plain_ends(lines: Grey) -> tuple[int, int]:
    """First and last line that is not plain; at most `MAX_BORDER` is taken off at either end."""
    length = lines.shape[1]
    ends = (length // 20, length - 1 - length // 20)
    ordered = np.partition(lines, ends, axis=1).astype(np.int16)
    low, high = ordered[:, ends[0]], ordered[:, ends[1]]
    varied = np.flatnonzero(high - low > BORDER_LEVELS)
    most = int(len(lines) * MAX_BORDER)
    if not len(varied):
        return 0, len(lines)
    first, last = int(varied[0]), int(varied[-1]) + 1
    return (first if first <= most else 0), (last if len(lines) - last <= most else len(lines))


def _within(pixels: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """`pixels`, made so small that no side is longer than `side`; never larger."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size != (width, height):
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(pixels)


def _packed(bits: Any) -> bytes:
    return np.packbits(np.asarray(bits, np.uint8)).tobytes()


def warm() -> None:
    """Load what the first picture would load."""
    take(np.zeros((16, 16, 3), np.uint8))
