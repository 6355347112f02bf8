"""Emblems in a picture: which of a gallery's marks are seen in it, where, and how surely.

Two ways lead to a candidate, keypoints for rich marks (`sift`) and the network's places for any
(`proposals`); one judgement is made of both: a logistic function of what either found and of what the
drawing explains (`resemblance`), fitted by `scripts/calibrate_emblems.py`. Owns that judgement and what
several pictures agree on. Nobody is recognised here: a gallery has organisations and hazards alone, and a
hit says nothing of who bears it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.errors import UsageError
from groundswell.media.embedder import Embedder
from groundswell.media.gallery import Category, Gallery
from groundswell.media.gallery_index import drawn
from groundswell.media.proposals import Looks, closely, overlap, propose
from groundswell.media.resemblance import lay
from groundswell.media.sift import Details, Match

__all__ = ["FEATURES", "Agreed", "Candidate", "EmblemHit", "Emblems", "Judgement", "agreed"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

JUDGEMENT = Path(__file__).parent / "data" / "emblems_judgement.json"
LONGEST_PX = 800
"""Larger pictures are read at this size."""
LEAST_PX = 48
"""Pictures with a shorter side have nothing told of them."""
LAID = 6
"""Candidates that are compared pixel by pixel, the likeliest."""
SAME = 0.3
LEAST_PICTURES = 3
FEATURES = ("likeness", "margin", "chance", "explained", "details")


class EmblemHit(msgspec.Struct, frozen=True):
    """An emblem in one picture."""

    name: str
    category: Category
    box: tuple[int, int, int, int]
    """Left, top, right, bottom in the picture's pixels."""
    score: float
    """How sure the judgement is, 0 to 1; fitted on few scenes and in part by hand, so not calibrated yet."""


class Agreed(msgspec.Struct, frozen=True):
    """An emblem that several pictures or frames show."""

    name: str
    category: Category
    pictures: int
    score: float
    """The mean of the pictures' scores."""


class Judgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weights of `FEATURES`, and the score from which on a candidate is a hit."""

    weights: tuple[float, ...]
    bias: float
    threshold: float


class Candidate(NamedTuple):
    """A place in a picture and the mark it is most like."""

    mark: int
    box: F32
    features: tuple[float, ...]


class Emblems:
    """Finds a gallery's emblems; nothing is read or kept after it is loaded.

    Of the starter gallery loading takes a second, of any other some 60 ms an emblem.
    """

    def __init__(self, gallery: Gallery, judgement: Judgement | None = None) -> None:
        self._entries = [emblem.entry for emblem in gallery.emblems]
        self._arts = [emblem.art for emblem in gallery.emblems]
        self._embedder = Embedder()
        self._marks, keypoints = drawn(self._arts, self._embedder)
        self._details = Details(self._arts, keypoints)
        self._judgement = judgement or msgspec.json.decode(JUDGEMENT.read_bytes(), type=Judgement)

    def find(self, picture: U8) -> list[EmblemHit]:
        """The emblems in an RGB picture (height, width, 3), the surest first; no two in one place."""
        hits: list[EmblemHit] = []
        for candidate in self.candidates(picture):
            score = self._score(candidate)
            entry = self._entries[candidate.mark]
            box = candidate.box.astype(int).tolist()
            hits.append(EmblemHit(entry.name, entry.category, tuple(box), round(score, 3)))
        hits.sort(key=lambda hit: -hit.score)
        kept: list[EmblemHit] = []
        for hit in hits:
            boxes = [np.array(other.box, np.float32) for other in kept]
            apart = all(overlap(np.array(hit.box, np.float32), box) < SAME for box in boxes)
            if hit.score >= self._judgement.threshold and apart:
                kept.append(hit)
        return kept

    def candidates(self, picture: U8) -> list[Candidate]:
        """What `find` judges, in the picture's pixels."""
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise UsageError(
                "picture", f"{picture.dtype} {picture.shape}", "give RGB, uint8 (height, width, 3)"
            )
        if min(picture.shape[:2]) < LEAST_PX or not self._entries:
            return []
        scale = min(1.0, LONGEST_PX / max(picture.shape[:2]))
        size = [max(round(length * scale), 1) for length in picture.shape[1::-1]]
        read = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        if min(size) < LEAST_PX:
            return []
        matches = self._details.find(read)
        boxes = propose(self._embedder, read, self._marks)
        boxes = np.concatenate([np.array([match.box for match in matches], np.float32).reshape(-1, 4), boxes])
        looks = closely(self._embedder, read, boxes, self._marks)
        found = [self._by_details(read, looks, at, match) for at, match in enumerate(matches)]
        found += self._by_likeness(read, looks, matches)
        return [each._replace(box=each.box / np.float32(scale)) for each in found]

    def _by_details(self, picture: U8, looks: Looks, at: int, match: Match) -> Candidate:
        likeness = looks.likeness[at]
        others = np.delete(likeness, match.mark)
        margin = float(likeness[match.mark] - others.max(initial=0.0))
        share = lay(picture, match.box, self._arts[match.mark])
        box = np.clip(match.box, 0, np.array([picture.shape[1], picture.shape[0]] * 2, np.float32))
        features = (
            float(likeness[match.mark]),
            margin,
            float(looks.chances[at]),
            share,
            float(np.log(match.inliers)),
        )
        return Candidate(match.mark, box.astype(np.float32), features)

    def _by_likeness(self, picture: U8, looks: Looks, matches: list[Match]) -> list[Candidate]:
        """The likeliest places that keypoints have not found already."""
        best = looks.likeness.max(1)
        found: list[Candidate] = []
        for at in np.argsort(-best, kind="stable").tolist():
            mark = int(looks.likeness[at].argmax())
            box = looks.boxes[at]
            if at < len(matches) or min(box[2:] - box[:2]) < 12:
                continue
            if any(mark == match.mark and overlap(box, match.box) > SAME for match in matches):
                continue
            margin = float(best[at] - np.delete(looks.likeness[at], mark).max(initial=0.0))
            share = lay(picture, box, self._arts[mark])
            found.append(
                Candidate(mark, box, (float(best[at]), margin, float(looks.chances[at]), share, 0.0))
            )
            if len(found) == LAID:
                break
        return found

    def _score(self, candidate: Candidate) -> float:
        sum_ = float(np.dot(self._judgement.weights, candidate.features)) + self._judgement.bias
        return float(1 / (1 + np.exp(-np.clip(sum_, -30, 30))))


def agreed(pictures: Sequence[Sequence[EmblemHit]], least: int = LEAST_PICTURES) -> list[Agreed]:
    """What at least `least` of the pictures or frames show, the most often seen first.

    An event may name an emblem only by this: one picture is one person's, and its hit may be wrong.

    >>> hit = EmblemHit("Red Crescent", Category.HUMANITARIAN, (0, 0, 90, 90), 0.96)
    >>> agreed([[hit], [hit], []]), agreed([[hit], [hit, hit], [hit]])[0].pictures
    ([], 3)
    """
    if least < LEAST_PICTURES:
        raise UsageError("agreed", f"`least` = {least}", f"ask for {LEAST_PICTURES} pictures or more")
    scores: dict[tuple[str, Category], list[float]] = {}
    for hits in pictures:
        surest: dict[tuple[str, Category], float] = {}
        for hit in hits:
            key = (hit.name, hit.category)
            surest[key] = max(hit.score, surest.get(key, 0.0))
        for key, score in surest.items():
            scores.setdefault(key, []).append(score)
    shown = [
        Agreed(name, category, len(each), round(sum(each) / len(each), 3))
        for (name, category), each in scores.items()
        if len(each) >= least
    ]
    return sorted(shown, key=lambda one: (-one.pictures, one.name))
