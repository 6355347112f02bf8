"""Where in a picture marks may lie: the network over the picture at several sizes, then closer looks.

Owns the geometry between pictures, sizes and places; knows marks as rows of a matrix only.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.embedder import MARK_PX, PLACE_PX, STRIDE_PX, Embedder

__all__ = ["Looks", "closely", "overlap", "propose"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

SHORTEST_PX = 104.0
"""Marks shorter than about this are not looked for."""
STEP = 2**0.5
TYPICAL_PX = 45.0
"""A mark's length at the size at which it is found: from one step to the next, 38 to 53 pixels."""
MOST = 12
CHANCE_WEIGHT = 0.25
SAME = 0.45
"""Two boxes that overlap this much (intersection over union) are one candidate."""
VIEWS = (1.0,)
EDGE_PX = 12
"""How much a picture is drawn out at its edges, so that marks there can be in the middle of a place."""


class Looks(NamedTuple):
    """Candidates looked at closely, best first."""

    boxes: F32
    """(n, 4): left, top, right, bottom in the picture's pixels."""
    likeness: F32
    """(n, marks): cosine with each mark."""
    chances: F32
    """(n): that a mark lies there, whichever."""


def propose(embedder: Embedder, picture: U8, marks: F32) -> F32:
    """At most `MOST` boxes (n, 4), best first, where the picture is like one of the marks (rows of 128)."""
    boxes, scores = [], []
    length = SHORTEST_PX
    longest = max(picture.shape[:2])
    while length < longest * 1.2:
        at_size, likely = _at_size(embedder, picture, marks, TYPICAL_PX / length)
        boxes.append(at_size)
        scores.append(likely)
        length *= STEP
    return _distinct(np.concatenate(boxes), np.concatenate(scores), MOST)


def _at_size(embedder: Embedder, picture: U8, marks: F32, scale: float) -> tuple[F32, F32]:
    """The boxes and scores of all places of the picture at one size."""
    height, width = (max(round(length * scale), 1) for length in picture.shape[:2])
    small = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    full = [max(-(-(length + 2 * EDGE_PX) // STRIDE_PX) * STRIDE_PX, PLACE_PX) for length in (height, width)]
    pad = [(full[0] - height) // 2, (full[1] - width) // 2]
    rest = [full[0] - height - pad[0], full[1] - width - pad[1]]
    edged = cv2.copyMakeBorder(small, pad[0], rest[0], pad[1], rest[1], cv2.BORDER_REPLICATE)
    laid = np.asarray(edged, np.uint8)
    seen = embedder.look(laid[None])
    rows, columns = seen.chances.shape[1:]
    grid: F32 = np.indices((rows, columns)).astype(np.float32)
    down, across = grid * STRIDE_PX + PLACE_PX / 2
    middles = np.stack([across - pad[1], down - pad[0]] * 2, -1).reshape(-1, 4)
    boxes = (middles + seen.boxes.reshape(-1, 4) * PLACE_PX) / np.array([width, height] * 2, np.float32)
    likeness = (seen.embeddings.reshape(-1, seen.embeddings.shape[-1]) @ marks.T).max(1)
    scores = likeness + CHANCE_WEIGHT * seen.chances.reshape(-1)
    whole = np.array([picture.shape[1], picture.shape[0]] * 2)
    return (boxes * whole).astype(np.float32), scores


def closely(embedder: Embedder, picture: U8, boxes: F32, marks: F32) -> Looks:
    """Look at each box with it in the middle, from four places."""
    side = PLACE_PX + STRIDE_PX
    whole = np.array([picture.shape[1], picture.shape[0]] * 2, np.float32)
    windows, scales = _windows(picture, boxes, side)
    seen = embedder.look(windows)
    count = len(boxes)
    mean = seen.embeddings.reshape(count, -1, seen.embeddings.shape[-1]).mean(1)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6)
    off = (np.arange(2) - 0.5) * STRIDE_PX
    middles = np.stack([np.tile(off, 2), np.repeat(off, 2)] * 2, -1)
    within = (seen.boxes.reshape(-1, 4, 4) * PLACE_PX + middles).mean(1) / scales[:, None]
    centre = np.repeat((boxes[:, :2] + boxes[:, 2:]) / 2, len(VIEWS), 0)
    better = (np.tile(centre, 2) + within).reshape(count, len(VIEWS), 4).mean(1)
    return Looks(
        np.clip(better, 0, whole).astype(np.float32),
        np.asarray(mean @ marks.T, np.float32),
        seen.chances.reshape(count, -1).mean(1),
    )


def _windows(picture: U8, boxes: F32, side: int) -> tuple[U8, F32]:
    """Square windows about the boxes, (n, side, side, 3), and the scale of each."""
    windows, scales = [], []
    for left, top, right, bottom in boxes.tolist():
        length = max(right - left, bottom - top, 8.0)
        for view in VIEWS:
            scale = MARK_PX * view / length
            x, y = (left + right) / 2, (top + bottom) / 2
            onto = np.array([[scale, 0, side / 2 - x * scale], [0, scale, side / 2 - y * scale]])
            windows.append(_shrunk(picture, onto, scale, side))
            scales.append(scale)
    return np.stack(windows), np.array(scales, np.float32)


def _shrunk(picture: U8, onto: npt.NDArray[np.float64], scale: float, side: int) -> U8:
    """The window that `onto` gives, without the coarse grain that shrinking by a warp leaves."""
    if scale > 0.7:
        return np.asarray(
            cv2.warpAffine(picture, onto, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8
        )
    finer = min(int(np.ceil(0.7 / scale)), 12)
    large = cv2.warpAffine(
        picture, onto * finer, (side * finer, side * finer), borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _distinct(boxes: F32, scores: F32, most: int) -> F32:
    """The best boxes that are not one another's."""
    kept: list[int] = []
    for at in np.argsort(-scores)[: 40 * most].tolist():
        if all(overlap(boxes[at], boxes[other]) < SAME for other in kept):
            kept.append(at)
            if len(kept) == most:
                break
    return boxes[kept]


def overlap(one: F32, other: F32) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    areas = [float(np.prod(np.maximum(box[2:] - box[:2], 1e-3))) for box in (one, other)]
    return common / max(sum(areas) - common, 1e-6)
