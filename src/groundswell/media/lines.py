"""Where lines of text are in a picture, and each line straightened into a strip.

The detector is PP-OCRv6's, read as a file out of the package `rapidocr` (Apache-2.0), which is never
imported: it would write logs and look for downloads. It finds lines in every script; what they say is `ocr`'s
matter. The map is turned into boxes as in Liao et al., "Real-time Scene Text Detection with Differentiable
Binarization", 2020: outlines of what is likely text, each a rectangle grown by area x ratio / perimeter.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

__all__ = ["LineFinder", "open_session", "rapidocr_file", "strip"]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

LONG_SIDE = 960
"""Larger pictures are shrunk to this many pixels; smaller ones are left as they are."""
MOST_LINES = 200
"""Lines of a picture, the largest first."""
_LIKELY = 0.3
_MEAN_LIKELY = 0.5
_GROWTH = 1.6
_SMALLEST = 3.0
_UPRIGHT = 1.5
"""A strip this much higher than wide is turned by a quarter: text that runs downwards."""
_WIDEST = 32
"""A strip's width, at most this many times its height."""


def rapidocr_file(name: str) -> Path | None:
    """A model file of `rapidocr`, or None where the package is not installed."""
    found = importlib.util.find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "models" / name
    return path if path.is_file() else None


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """A model on one thread, silent."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


class LineFinder:
    """Finds lines; loads its model once."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)

    def find(self, picture: U8) -> list[F32]:
        """Boxes of lines, largest first: (4, 2) points x, y in the picture's pixels, clockwise from the top
        left."""
        height, width = picture.shape[:2]
        scale = min(1.0, LONG_SIDE / max(height, width))
        rows, columns = (max(32, round(side * scale / 32) * 32) for side in (height, width))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(picture, (columns, rows), interpolation=how)
        planes = (seen[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        (likely,) = self._session.run(None, {"x": np.ascontiguousarray(planes)})
        found = _rectangles(likely[0, 0])
        ratio = np.array([width / columns, height / rows], np.float32)
        edge = np.array([width - 1, height - 1], np.float32)
        boxes = [_in_order(np.clip(box * ratio, 0, edge)) for box in found]
        boxes = [box for box in boxes if min(_sides(box)) > _SMALLEST]
        return sorted(boxes, key=lambda box: -float(np.prod(_sides(box))))[:MOST_LINES]


def _rectangles(likely: F32) -> list[F32]:
    mask = cv2.dilate((likely > _LIKELY).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in outlines:
        centre, (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < _SMALLEST or _mean_inside(likely, (centre, (wide, high), angle)) < _MEAN_LIKELY:
            continue
        grown = 2 * _GROWTH * wide * high / (2 * (wide + high))
        found.append(cv2.boxPoints((centre, (wide + grown, high + grown), angle)).astype(np.float32))
    return found


def _mean_inside(likely: F32, rectangle: tuple[tuple[float, float], tuple[float, float], float]) -> float:
    points = cv2.boxPoints(rectangle)
    left, top = np.maximum(np.floor(points.min(0)), 0).astype(int)
    right, bottom = np.ceil(points.max(0)).astype(int) + 1
    window = likely[top:bottom, left:right]
    inside = np.zeros(window.shape, np.uint8)
    cv2.fillPoly(inside, [(points - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(window, inside)[0])


def _in_order(box: F32) -> F32:
    """The corners clockwise, beginning with the one nearest to where reading begins."""
    by_x = box[np.argsort(box[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]])


def _sides(box: F32) -> tuple[float, float]:
    """Width and height."""
    return float(np.linalg.norm(box[1] - box[0])), float(np.linalg.norm(box[3] - box[0]))


def strip(picture: U8, box: F32, rows: int, beside: float = 0.0, above: float = 0.0) -> U8:
    """The line as a straight strip `rows` pixels high; `beside` and `above` widen the box, in heights of the
    line."""
    wide, high = _sides(box)
    if high >= _UPRIGHT * wide:
        box, (wide, high) = np.roll(box, -1, axis=0), (high, wide)
    along, down = (box[1] - box[0]) / max(wide, 1), (box[3] - box[0]) / max(high, 1)
    out, up = along * beside * high, down * above * high
    grown = box + np.stack([-out - up, out - up, out + up, -out + up])
    wide, high = wide + 2 * beside * high, high * (1 + 2 * above)
    columns = int(np.clip(round(wide * rows / max(high, 1)), rows // 2, rows * _WIDEST))
    there = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    turn = cv2.getPerspectiveTransform(grown.astype(np.float32), there)
    how = cv2.INTER_CUBIC if high < 2 * rows else cv2.INTER_AREA
    return np.asarray(
        cv2.warpPerspective(picture, turn, (columns, rows), flags=how, borderMode=cv2.BORDER_REPLICATE)
    )
