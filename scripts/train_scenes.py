"""Fits `src/groundswell/media/data/scenes.json`, the rules behind `groundswell.media.scenes`.

    GROUNDSWELL_EMBLEM_SETS=FOLDER python scripts/train_scenes.py [--out FILE]

Learns maps, screenshots and documents of one draughtsman (`bench/_scene_drawings.py`) against each other and
against stretches of the training photographs; chooses each threshold on the tuning photographs, and measures
precision on the other draughtsman's pictures and the test photographs, a tenth of what is asked being of the
tag. The seed is fixed; under a minute on one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
from bench._emblem_marks import TEST, TRAIN, TUNE, U8, photographs
from bench._emblem_scenes import background
from bench._scene_drawings import KINDS, draw

from groundswell.media.scenes import FILE, Model, Rule, features

F64 = npt.NDArray[np.float64]

SEED = 1
DRAWN, PHOTOGRAPHED = 25, 75
RIDGE = 1.0
WANTED = 0.97
"""Precision on the tuning part that a threshold is chosen for."""
RARE = 0.1
"""The share of pictures that are of a tag, in the precision that is told."""


def pictures(part: str, hand: int, seed: int) -> tuple[F64, npt.NDArray[np.int64]]:
    """Features and kinds; photographs are -1."""
    rng = np.random.default_rng(seed)
    behind = photographs(part, 1000)
    rows, kinds = [], []
    for kind in range(len(KINDS)):
        for _ in range(DRAWN):
            rows.append(features(draw(KINDS[kind], hand, behind, rng)))
            kinds.append(kind)
    for _ in range(PHOTOGRAPHED):
        rows.append(features(stretch(behind, rng)))
        kinds.append(-1)
    return np.stack(rows), np.array(kinds)


def stretch(behind: list[U8], rng: np.random.Generator) -> U8:
    height, width = [(600, 800), (800, 600), (500, 500)][rng.integers(3)]
    return background(behind, height, width, rng)


def logistic(values: F64, truth: npt.NDArray[np.bool_]) -> tuple[F64, float]:
    """Weights and bias by Newton's method, either class weighing the same."""
    design = np.concatenate([values, np.ones((len(values), 1))], 1)
    balance = np.where(truth, 0.5 / truth.mean(), 0.5 / (~truth).mean())
    weights = np.zeros(design.shape[1])
    penalty = np.diag([RIDGE] * values.shape[1] + [1e-6])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (balance * (chance - truth)) + penalty @ weights
        bend = (design * (balance * chance * (1 - chance))[:, None]).T @ design + penalty
        weights -= np.linalg.solve(bend, slope)
    return weights[:-1], float(weights[-1])


def precision(hits: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """As it would be if a tenth of the pictures were of the tag."""
    right, wrong = hits[truth].mean() * RARE, hits[~truth].mean() * (1 - RARE)
    return float(right / max(right + wrong, 1e-9))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    learnt, tuned, held = (
        pictures(part, hand, SEED + at) for at, (part, hand) in enumerate(((TRAIN, 0), (TUNE, 0), (TEST, 1)))
    )
    mean, deviation = learnt[0].mean(0), learnt[0].std(0) + 1e-6
    rules = {}
    for kind, name in enumerate(KINDS):
        weights, bias = logistic((learnt[0] - mean) / deviation, learnt[1] == kind)
        scores = [
            1 / (1 + np.exp(-np.clip((values - mean) / deviation @ weights + bias, -30, 30)))
            for values in (tuned[0], held[0])
        ]
        steps = np.linspace(0.5, 0.99, 50)
        enough = [step for step in steps if precision(scores[0] >= step, tuned[1] == kind) >= WANTED]
        threshold = float(enough[0] if enough else steps[-1])
        truth = held[1] == kind
        told = precision(scores[1] >= threshold, truth)
        rounded = tuple(round(float(weight), 4) for weight in weights)
        rules[name] = Rule(rounded, round(bias, 4), round(threshold, 3), round(told, 3))
        found = (scores[1][truth] >= threshold).mean()
        sys.stderr.write(f"{name}: precision {told:.3f}, recall {found:.3f} on {len(truth)} held out\n")
    model = Model(tuple(mean.round(5).tolist()), tuple(deviation.round(5).tolist()), rules)
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n")


if __name__ == "__main__":
    main()
