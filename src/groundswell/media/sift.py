"""Rich marks by their details: RootSIFT keypoints, one index over all marks, a homography that MAGSAC finds.

Owns what is found by keypoints alone; simple marks, with few of them, are the embedder's. RootSIFT:
Arandjelović and Zisserman 2012; MAGSAC++: Barath and others 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.embedder import over

__all__ = ["Details", "Keypoints", "Match", "keypoints_of"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

PICTURE_SCALE = 0.75
"""Keypoints are looked for in the picture at this size: most of the time goes into finding them."""
A_PICTURE = 700
A_MARK = 60
"""Keypoints kept, the strongest."""
KEPT = 48
"""Of a keypoint's 128 numbers as many are kept, along the directions in which the index varies most."""
SCALES = (1.0, 0.45)
EDGE_PX = 16
RATIO = 0.86
"""A keypoint counts when its nearest is this much nearer than the nearest of another mark."""
LEAST_INLIERS = 7
MOST_MARKS = 8
"""Marks whose geometry is tried, those with the most matches."""
ROWS = 128
"""Keypoints compared with the index at a time."""
MOST_STRETCH = 6.0


class Match(NamedTuple):
    mark: int
    inliers: int
    onto: npt.NDArray[np.float64]
    """The homography from the mark's artwork to the picture."""
    box: F32
    """Left, top, right, bottom of the artwork in the picture."""


class Keypoints(NamedTuple):
    """The keypoints of a gallery's artworks, side by side."""

    points: F32
    """(n, 2), in the artworks' pixels."""
    words: F32
    """(n, 128), RootSIFT."""
    owners: I64
    """(n,), which artwork each is of."""


def keypoints_of(arts: Sequence[U8]) -> Keypoints:
    """Find the keypoints of artworks, RGBA."""
    sift = _sift()
    found = [_of_mark(sift, art) for art in arts]
    return Keypoints(
        np.concatenate([points for points, _ in found] or [np.zeros((0, 2), np.float32)]),
        np.concatenate([words for _, words in found] or [np.zeros((0, 128), np.float32)]),
        np.repeat(np.arange(len(arts)), [len(points) for points, _ in found]),
    )


class Details:
    """The keypoints of a gallery's artworks, to be found again; worked out where they are not given."""

    def __init__(self, arts: Sequence[U8], keypoints: Keypoints | None = None) -> None:
        self._sift = _sift()
        self._reach = [_reach(art) for art in arts]
        self._points, self._words, self._owner = keypoints or keypoints_of(arts)
        _, self._starts = np.unique(self._owner, return_index=True)
        self._onto = _directions(self._words)
        self._words = self._words @ self._onto
        self._norms = (self._words**2).sum(1) / 2

    def find(self, picture: U8) -> list[Match]:
        """Marks that enough keypoints agree on."""
        small = cv2.resize(picture, None, fx=PICTURE_SCALE, fy=PICTURE_SCALE, interpolation=cv2.INTER_AREA)
        points, words = _keypoints(self._sift, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), A_PICTURE)
        points /= np.float32(PICTURE_SCALE)
        if len(words) < LEAST_INLIERS or not len(self._words):
            return []
        nearest, clear = self._nearest(words)
        owners = self._owner[nearest[clear]]
        counts = np.bincount(owners, minlength=1)
        found = []
        for mark in np.argsort(-counts, kind="stable")[:MOST_MARKS].tolist():
            if counts[mark] < LEAST_INLIERS:
                break
            own = np.flatnonzero(clear)[owners == mark]
            match = self._verified(mark, self._points[nearest[own]], points[own])
            if match is not None:
                found.append(match)
        return found

    def _nearest(self, words: F32) -> tuple[I64, npt.NDArray[np.bool_]]:
        """Each keypoint's nearest in the index, and whether that is clearly nearer than other marks'."""
        short = words @ self._onto
        at, clear = np.zeros(len(words), np.int64), np.zeros(len(words), bool)
        for begin in range(0, len(words), ROWS):
            rows = short[begin : begin + ROWS]
            close = rows @ self._words.T - self._norms
            best = np.maximum.reduceat(close, self._starts, axis=1)
            two = np.sort(best, axis=1)[:, -2:] if best.shape[1] > 1 else np.repeat(best, 2, 1) - [[1.0, 0.0]]
            far = np.sqrt(np.maximum((rows**2).sum(1)[:, None] - 2 * two, 0))
            at[begin : begin + ROWS] = close.argmax(1)
            clear[begin : begin + ROWS] = far[:, 1] < RATIO * far[:, 0]
        return at, clear

    def _verified(self, mark: int, drawn: F32, seen: F32) -> Match | None:
        found: Any = cv2.findHomography(drawn, seen, cv2.USAC_MAGSAC, 4.0, maxIters=1000, confidence=0.995)
        onto, kept = found
        if onto is None:
            return None
        inlying = kept.ravel() > 0
        inliers = min(len(np.unique(np.round(side[inlying] / 3), axis=0)) for side in (drawn, seen))
        corners = cv2.perspectiveTransform(self._reach[mark][None], onto)[0]
        if inliers < LEAST_INLIERS or not _sane(corners):
            return None
        return Match(mark, inliers, onto, np.concatenate([corners.min(0), corners.max(0)]).astype(np.float32))


def _sift() -> Any:
    opened: Any = cv2  # the types that OpenCV ships do not know it
    return opened.SIFT_create(nfeatures=A_PICTURE, contrastThreshold=0.03, edgeThreshold=14)


def _keypoints(sift: Any, grey: npt.NDArray[np.generic], most: int) -> tuple[F32, F32]:
    keypoints, words = sift.detectAndCompute(grey, None)
    if words is None or not len(words):
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    order = np.argsort([-point.response for point in keypoints], kind="stable")[:most]
    points = np.array([keypoints[at].pt for at in order], np.float32)
    chosen = words[order]
    return points, np.sqrt(chosen / np.maximum(chosen.sum(1, keepdims=True), 1e-6)).astype(np.float32)


def _of_mark(sift: Any, art: U8) -> tuple[F32, F32]:
    """Keypoints on white at two sizes, in the artwork's pixels."""
    grey = cv2.cvtColor(over(art, 255), cv2.COLOR_RGB2GRAY)
    points, words = [], []
    for scale in SCALES:
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        edged = cv2.copyMakeBorder(small, EDGE_PX, EDGE_PX, EDGE_PX, EDGE_PX, cv2.BORDER_REPLICATE)
        at, word = _keypoints(sift, edged, A_MARK // len(SCALES))
        points.append((at - EDGE_PX) / np.float32(scale))
        words.append(word)
    return np.concatenate(points), np.concatenate(words)


def _reach(art: U8) -> F32:
    """The corners of what is drawn."""
    rows, columns = (np.flatnonzero((art[..., 3] > 24).any(axis)) for axis in (1, 0))
    low, high = (columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1)
    return np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float32)


def _sane(corners: F32) -> bool:
    """Whether a camera could have made this of a rectangle."""
    if not np.isfinite(corners).all() or np.abs(corners).max() > 6000:
        return False
    sides = np.linalg.norm(corners - np.roll(corners, -1, 0), axis=1)
    convex = bool(cv2.isContourConvex(corners.astype(np.float32)))
    return convex and cv2.contourArea(corners) > 500 and sides.max() < MOST_STRETCH * max(sides.min(), 1e-3)


def _directions(words: F32) -> F32:
    """The `KEPT` directions in which the keypoints vary most, (128, KEPT)."""
    if len(words) <= KEPT:
        return np.eye(128, dtype=np.float32)
    _, vectors = np.linalg.eigh(words.T @ words)
    return np.ascontiguousarray(vectors[:, ::-1][:, :KEPT], np.float32)
