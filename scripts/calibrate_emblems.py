"""Fits `src/groundswell/media/data/emblems_judgement.json`: how surely a candidate is a hit.

    GROUNDSWELL_EMBLEM_SETS=FOLDER python scripts/calibrate_emblems.py [--scenes N] [--out FILE]

Made-up scenes with the tuning part's marks and photographs, half of them without a mark; a logistic
function of the candidates' features, and of the thresholds the lowest at which hits are right as often as
`WANTED`.
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
from bench._emblem_marks import TUNE, photographs
from bench.media_emblems import SAME, SHARES, Scene, as_gallery, chosen, scenes
from scripts.train_scenes import logistic

from groundswell.media.emblems import FEATURES, JUDGEMENT, Candidate, Emblems, Judgement
from groundswell.media.proposals import overlap

F64 = npt.NDArray[np.float64]

SEED = 11
WANTED = 0.97
MADE = {**SHARES, "ghs": 0, "simple-icons": 31, "logos": 31}
"""No hazard pictogram was learnt from or tuned with: all are held out."""


def right(candidate: Candidate, names: list[str], scene: Scene) -> bool:
    return names[candidate.mark] == scene.mark and overlap(candidate.box, scene.box) > SAME


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--out", type=Path, default=JUDGEMENT)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    known = chosen(TUNE, MADE)
    names = [mark.name for mark in known]
    blank = Judgement((0.0,) * len(FEATURES), 0.0, 0.0)
    emblems = Emblems(as_gallery(known), blank)
    rows: list[tuple[float, ...]] = []
    truth: list[bool] = []
    of: list[int] = []
    some = scenes(known, photographs(TUNE, 1600), options.scenes, SEED, 0.5)
    for number, scene in enumerate(some):
        for candidate in emblems.candidates(scene.picture):
            rows.append(candidate.features)
            truth.append(right(candidate, names, scene))
            of.append(number)
        if number % 20 == 0:
            sys.stderr.write(f"scene {number}: {sum(truth)} right of {len(truth)} candidates\n")
    judgement = fitted(
        np.array(rows), np.array(truth), np.array(of), sum(scene.mark is not None for scene in some)
    )
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(judgement), indent=1) + b"\n")


def fitted(values: F64, truth: npt.NDArray[np.bool_], of: npt.NDArray[np.int64], marked: int) -> Judgement:
    mean, deviation = values.mean(0), values.std(0) + 1e-6
    scaled, bias = logistic((values - mean) / deviation, truth)
    # The regression weighs either class the same; a score is to say how often a candidate is right.
    bias += float(np.log(truth.mean() / (1 - truth.mean())))
    weights = scaled / deviation
    bias -= float(weights @ mean)
    scores = 1 / (1 + np.exp(-(values @ weights + bias)))
    threshold = 0.99
    for step in np.linspace(0.98, 0.1, 89).tolist():
        if truth[scores >= step].mean() < WANTED and (scores >= step).sum() > 10:
            break
        threshold = step
    told = scores >= threshold
    found = len(np.unique(of[told & truth]))
    sys.stderr.write(
        f"{dict(zip(FEATURES, scaled.round(2).tolist(), strict=True))}, threshold {threshold:.2f}: "
        f"precision {truth[told].mean():.3f}, recall {found / marked:.3f} of {marked}; "
        f"candidates' recall {len(np.unique(of[truth])) / marked:.3f}\n"
    )
    rounded = tuple(round(float(weight), 4) for weight in weights)
    return Judgement(rounded, round(bias, 4), round(threshold, 3))


if __name__ == "__main__":
    main()
