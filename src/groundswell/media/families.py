"""Families: which pictures are one picture, and how many distinct speakers showed it.

A family is what its first picture was and everything near that picture, so that it cannot wander. Near is:
the same to PDQ, or found by a difference hash and then confirmed by geometry (points of interest that lie
alike in both, and brightness that agrees once one is laid over the other). Owns what is remembered of
pictures: hashes of at most `capacity`, small grey pictures of the newest of them, keyed speakers as they
come from the gate; all in memory, and forgotten with the window. Oldest goes first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from groundswell.media.fingerprint import VIEWS, Fingerprint, Grey
from groundswell.media.near import Near, NearIndex

__all__ = ["Families", "Sighting", "lies_over", "pdq_distance"]

SAME_PDQ = 24
"""Of 256 bits; unrelated pictures differ by 100 and more."""
MIN_QUALITY = 30
"""Below it PDQ has too little to go by, and geometry decides alone."""
LOOKS = 4
"""Candidates that are laid over each other at most, nearest first."""
MAX_SPEAKERS = 10_000
"""Counted in one family; beyond, `speakers` stays where it is."""


class Sighting(NamedTuple):
    """What a picture turned out to be."""

    family: int
    speakers: int
    is_new: bool


class Families:
    """Near-duplicate pictures of a window of time. Not for several threads.

    Parameters
    ----------
    capacity
        Families remembered.
    thumbnails
        The newest families of which a small grey picture (16 kB) is kept; others are found by PDQ alone.
    """

    def __init__(self, capacity: int = 200_000, thumbnails: int = 8_192) -> None:
        self._index = NearIndex(capacity, len(VIEWS))
        self._thumbnails_kept = thumbnails
        self._thumbnails: dict[int, Grey] = {}
        self._pdq = np.zeros((capacity, 4), np.uint64)
        self._quality = np.zeros(capacity, np.uint8)
        self._family_of_slot = np.full(capacity, -1, np.int64)
        self._slot_of_family: dict[int, int] = {}  # oldest first
        self._speakers: dict[int, dict[int, int]] = {}
        self._seen_us: dict[int, int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._slot_of_family)

    def add(self, fingerprint: Fingerprint, speaker: int, time_us: int) -> Sighting:
        """A speaker showed a picture."""
        family = self.find(fingerprint)
        is_new = family is None
        if family is None:
            family = self._found(fingerprint)
        shown = self._speakers.setdefault(family, {})
        if speaker in shown or len(shown) < MAX_SPEAKERS:
            shown[speaker] = shown.get(speaker, 0) + 1
        self._seen_us[family] = max(time_us, self._seen_us.get(family, time_us))
        return Sighting(family, len(shown), is_new)

    def withdraw(self, family: int, speaker: int) -> int:
        """A speaker's post with the picture is deleted; gives the speakers that are left."""
        shown = self._speakers.get(family, {})
        if shown.get(speaker, 0) > 1:
            shown[speaker] -= 1
        else:
            shown.pop(speaker, None)
        return len(shown)

    def forget_before(self, time_us: int) -> None:
        """Forget the families that were last seen before `time_us`."""
        for family in [family for family, seen in self._seen_us.items() if seen < time_us]:
            self._forget(family)

    def find(self, fingerprint: Fingerprint) -> int | None:
        """The family of a picture, if there is one."""
        grey = fingerprint.grey()
        for pdq, asked, turned in (
            (fingerprint.pdq, fingerprint.asked, grey),
            (fingerprint.pdq_mirrored, fingerprint.asked_mirrored, np.ascontiguousarray(grey[:, ::-1])),
        ):
            near = self._index.find(asked)
            apart = self._pdq_apart(near, pdq)
            for candidate, bits in zip(near, apart, strict=True):
                enough = min(fingerprint.quality, self._quality[candidate.slot]) >= MIN_QUALITY
                if bits <= SAME_PDQ and enough:
                    return int(self._family_of_slot[candidate.slot])
            if (family := self._by_geometry(near, turned)) is not None:
                return family
        return None

    def _pdq_apart(self, near: list[Near], pdq: bytes) -> np.ndarray:
        slots = np.array([candidate.slot for candidate in near], np.int64)
        apart: np.ndarray = np.bitwise_count(self._pdq[slots] ^ _words(pdq)).sum(axis=1)
        return apart

    def _by_geometry(self, near: list[Near], grey: Grey) -> int | None:
        """The first candidate that lies over `grey`, of the few nearest with a thumbnail."""
        described: Described | None = None
        looks = 0
        for candidate in near:
            family = int(self._family_of_slot[candidate.slot])
            known = self._thumbnails.get(family)
            if known is None:
                continue
            described = describe(grey) if described is None else described
            if lies_over(grey, known, described):
                return family
            looks += 1
            if looks == LOOKS:
                break
        return None

    def _found(self, fingerprint: Fingerprint) -> int:
        oldest = int(self._family_of_slot[self._index.next_slot()])
        if oldest >= 0:
            self._forget(oldest)
        family, self._next = self._next, self._next + 1
        slot = self._index.add(fingerprint.views)
        self._pdq[slot] = _words(fingerprint.pdq)
        self._quality[slot] = fingerprint.quality
        self._family_of_slot[slot] = family
        self._slot_of_family[family] = slot
        self._thumbnails[family] = fingerprint.grey().copy()
        if len(self._thumbnails) > self._thumbnails_kept:
            del self._thumbnails[next(iter(self._thumbnails))]
        return family

    def _forget(self, family: int) -> None:
        slot = self._slot_of_family.pop(family)
        self._index.remove(slot)
        self._family_of_slot[slot] = -1
        self._thumbnails.pop(family, None)
        self._speakers.pop(family, None)
        self._seen_us.pop(family, None)


def _words(pdq: bytes) -> np.ndarray:
    return np.frombuffer(pdq, np.uint64)


def pdq_distance(one: bytes, other: bytes) -> int:
    """Bits of 256 in which two PDQ hashes differ.

    >>> pdq_distance(bytes(32), bytes(31) + b"\\x03")
    2
    """
    return int(np.bitwise_count(_words(one) ^ _words(other)).sum())


Described = tuple[np.ndarray, np.ndarray]

ENLARGED = 2.0
MIN_POINTS = 10
POINTS_SHARE = 0.35
"""Of the matched points, those that one turn, scale and shift explains."""
AGREEMENT = 0.75
"""Correlation of brightness where the two overlap …"""
MIN_OVERLAP = 0.5
"""… which must be this share of either."""

_points: Any = cv2.SIFT_create(  # type: ignore[attr-defined]
    nfeatures=300, contrastThreshold=0.02
)
_matcher = cv2.BFMatcher(cv2.NORM_L2)


def lies_over(one: Grey, other: Grey, described: Described | None = None) -> bool:
    """Whether two small grey pictures show one, by geometry; `described` is of the first, where it is known.

    RootSIFT points (Arandjelović and Zisserman 2012), a similarity by RANSAC, then correlation of brightness.
    """
    placed = _placed(described or describe(one), describe(other))
    if placed is None:
        return False
    scale = float(np.hypot(placed[0, 0], placed[1, 0]))
    if not 0.5 <= scale <= 2.0:
        return False
    laid = cv2.warpAffine(one, placed, (other.shape[1], other.shape[0]), flags=cv2.INTER_LINEAR)
    whole = np.full(one.shape, 255, np.uint8)
    inside = cv2.warpAffine(whole, placed, (other.shape[1], other.shape[0]), flags=cv2.INTER_NEAREST) > 0
    overlap = float(inside.sum())
    if overlap < MIN_OVERLAP * other.size or overlap < MIN_OVERLAP * one.size * scale * scale:
        return False
    return _correlation(laid[inside], other[inside]) >= AGREEMENT


def _placed(one: Described, other: Described) -> Any:
    """The similarity (2 × 3) that lays one over the other, in their own pixels; None when there is none."""
    (points, described), (others, other_described) = one, other
    if min(len(points), len(others)) < MIN_POINTS:
        return None
    pairs = [
        pair[0]
        for pair in _matcher.knnMatch(described, other_described, k=2)
        if len(pair) == 2 and pair[0].distance < 0.85 * pair[1].distance
    ]
    if len(pairs) < MIN_POINTS:
        return None
    here = points[[pair.queryIdx for pair in pairs]]
    there = others[[pair.trainIdx for pair in pairs]]
    placed: Any
    cv2.setRNGSeed(1)  # the same pictures give the same answer
    placed, kept = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=2.0, maxIters=500)
    if placed is None or int(kept.sum()) < max(MIN_POINTS, POINTS_SHARE * len(pairs)):
        return None
    return placed


def describe(grey: Grey) -> Described:
    """Points of interest and their RootSIFT descriptors."""
    enlarged = cv2.resize(grey, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_LINEAR)
    points, described = _points.detectAndCompute(enlarged, None)
    if described is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    described = np.sqrt(described / np.maximum(described.sum(axis=1, keepdims=True), 1e-6))
    return np.array([point.pt for point in points], np.float32) / ENLARGED, described


def _correlation(one: Grey, other: Grey) -> float:
    first, second = one.astype(np.float64), other.astype(np.float64)
    first -= first.mean()
    second -= second.mean()
    spread = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / spread if spread > 0 else 0.0
