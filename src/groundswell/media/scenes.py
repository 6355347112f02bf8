"""What kind of picture it is: experimental tags, each with the precision that was measured for it.

Owns a closed list of tags, of which only those are ever told that held-out pictures gave a precision of .8
or more. Flood water, fire, smoke, damage and crowd are named and off: no labelled photographs of them under
an open licence were at hand to learn from or to measure with, and a tag that nobody measured is a guess.
Maps, screenshots and documents are told from photographs by plain features (flat colours, straight edges,
lines of writing) and a logistic regression each, fitted by `scripts/train_scenes.py` on pictures that it
draws.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["FEATURES", "LEAST_PRECISION", "OFF", "Rule", "SceneTag", "Scenes", "Tag", "features"]

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

FILE = Path(__file__).parent / "data" / "scenes.json"
LEAST_PRECISION = 0.8
SIDE_PX = 384
LEAST_PX = 32
TURNS = 8
BANDS = 64
FLAT = 2
"""A difference between neighbours up to which they are of one colour."""
FEATURES = 30


class Tag(StrEnum):
    FLOOD_WATER = "flood water"
    FIRE = "fire"
    SMOKE = "smoke"
    DAMAGE = "damage"
    CROWD = "crowd"
    MAP = "map"
    SCREENSHOT = "screenshot"
    DOCUMENT = "document"


OFF = frozenset({Tag.FLOOD_WATER, Tag.FIRE, Tag.SMOKE, Tag.DAMAGE, Tag.CROWD})
"""Never told: there is nothing openly licensed at hand to measure them with."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tag's regression on standardised features."""

    weights: tuple[float, ...]
    bias: float
    threshold: float
    precision: float
    """On held-out pictures, at the threshold."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    rules: dict[str, Rule]


class SceneTag(msgspec.Struct, frozen=True):
    """A tag of a picture. Experimental: `precision` says how often such a tag is right."""

    tag: Tag
    score: float
    precision: float


class Scenes:
    """Tells the tags of a picture; reads its file once."""

    def __init__(self, model: Model | None = None) -> None:
        self._model = model or msgspec.json.decode(FILE.read_bytes(), type=Model)

    def on(self) -> dict[Tag, float]:
        """The tags that are told, with their precision."""
        rules = ((Tag(name), rule) for name, rule in self._model.rules.items())
        return {
            tag: rule.precision for tag, rule in rules if tag not in OFF and rule.precision >= LEAST_PRECISION
        }

    def tags(self, picture: U8) -> list[SceneTag]:
        """The tags of an RGB picture, the surest first."""
        if picture.ndim != 3 or min(picture.shape[:2]) < LEAST_PX:
            return []
        values = (features(picture) - np.array(self._model.mean)) / np.array(self._model.deviation)
        told = []
        for tag, precision in self.on().items():
            rule = self._model.rules[tag.value]
            score = float(1 / (1 + np.exp(-np.clip(values @ np.array(rule.weights) + rule.bias, -30, 30))))
            if score >= rule.threshold:
                told.append(SceneTag(tag, round(score, 3), precision))
        return sorted(told, key=lambda one: -one.score)


def features(picture: U8) -> F64:
    """`FEATURES` numbers: flatness, colours, directions of edges, lines of writing."""
    scale = SIDE_PX / max(picture.shape[:2])
    size = [max(round(length * scale), 8) for length in picture.shape[1::-1]]
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    hue_saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    return np.concatenate([_flatness(grey), _colours(small, hue_saturation), _edges(grey), _writing(grey)])


def _flatness(grey: npt.NDArray[Any]) -> F64:
    values = grey.astype(np.int16)
    level, upright = np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=0))
    grain = np.abs(cv2.Laplacian(grey, cv2.CV_16S))
    return np.array(
        [
            (level <= FLAT).mean(),
            (upright <= FLAT).mean(),
            (level == 0).mean(),
            np.log1p(np.median(grain)),
            np.log1p(grain.mean()),
            (grain > 60).mean(),
        ]
    )


def _colours(small: U8, hue_saturation: npt.NDArray[Any]) -> F64:
    coarse = (small >> 4).astype(np.int32)
    counts = np.bincount((coarse[..., 0] << 8 | coarse[..., 1] << 4 | coarse[..., 2]).ravel(), minlength=4096)
    shares = np.sort(counts)[::-1] / counts.sum()
    present = shares[shares > 0]
    saturation = hue_saturation[..., 1].astype(np.float64) / 255
    return np.array(
        [
            shares[0],
            shares[:3].sum(),
            shares[:8].sum(),
            -(present * np.log(present)).sum(),
            np.log1p((counts > 0).sum()),
            saturation.mean(),
            saturation.std(),
            (small.min(2) > 235).mean(),
            (small.max(2) < 40).mean(),
            ((saturation > 0.15) & (saturation < 0.5)).mean(),
        ]
    )


def _edges(grey: npt.NDArray[Any]) -> F64:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    turn = (np.arctan2(down, across) / np.pi % 1 * TURNS + 0.5).astype(int) % TURNS
    share = np.bincount(turn.ravel(), strength.ravel(), TURNS) / max(float(strength.sum()), 1e-6)
    return np.concatenate([share, [(strength > 80).mean()]])


def _writing(grey: npt.NDArray[Any]) -> F64:
    """How edges gather in rows and columns, as lines of writing and frames make them."""
    edge = (cv2.Laplacian(grey, cv2.CV_16S) ** 2 > 900).astype(np.float64)
    rows, columns = edge.mean(1), edge.mean(0)
    mean = max(float(edge.mean()), 1e-6)
    spread = [np.std(rows) / mean, np.std(columns) / mean]
    jump = [np.abs(np.diff(rows)).mean() / mean, np.abs(np.diff(columns)).mean() / mean]
    return np.array([*spread, *jump, (rows < 0.01).mean()])
