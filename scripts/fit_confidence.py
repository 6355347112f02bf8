"""Fits the constants behind `groundswell.media.ocr.confidence` and prints them.

    python scripts/fit_confidence.py [--lines N]

Every line of the training part of `bench/_rendered.py` is read by the three likeliest readers, right or
wrong; a logistic curve is fitted to the share of letters that each got right, over what the reader says of
itself, how likely its script was, and the line's length. The seed is fixed; one core, about five minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from bench import _rendered
from bench.media_ocr import error_rate, sample

from groundswell.media import ocr


def tries(lines: int) -> dict[str, list[tuple[np.ndarray, float]]]:
    """By kind of reader: what is known of each try, and the share of letters it got right."""
    reader = ocr.Reader()
    found: dict[str, list[tuple[np.ndarray, float]]] = {"pp-ocr": [], "tesseract": []}
    for at, (script, codes) in enumerate(_rendered.LANGUAGES.items()):
        rng = np.random.default_rng([61, at])
        for _ in range(lines * (5 if script == "Latn" else 1)):
            each = sample(script, codes[int(rng.integers(len(codes)))], rng, "train")
            boxes = [box for box in reader._finder.find(each.picture) if _holds(box, each.centre)]
            if len(boxes) != 1:
                continue
            chances = reader.chances(each.picture, boxes[0], ())
            for name, chance in ocr._plan(chances, set())[:3]:
                answer = reader.attempt(each.picture, boxes[0], name, ())
                if answer is None or not answer[0]:
                    continue
                known = ocr.evidence(answer[1], chance, answer[0])
                right = 1 - error_rate(answer[0], each.text, script)
                found["pp-ocr" if name == "pp-ocr" else "tesseract"].append((known, right))
    return found


def _holds(box: np.ndarray, centre: tuple[float, float]) -> bool:
    (left, top), (right, bottom) = box.min(0), box.max(0)
    return bool(left <= centre[0] <= right and top <= centre[1] <= bottom)


def fit(known: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logistic regression on shares, by Newton's method with a little shrinkage."""
    weights = np.zeros(known.shape[1])
    for _ in range(50):
        told = 1 / (1 + np.exp(-known @ weights))
        slope = known.T @ (right - told) - 0.5 * weights
        bend = (known * (told * (1 - told))[:, None]).T @ known + 0.5 * np.eye(len(weights))
        weights += np.linalg.solve(bend, slope)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=6, help="lines of each script")
    for name, found in tries(parser.parse_args().lines).items():
        known, right = np.stack([each for each, _ in found]), np.array([share for _, share in found])
        weights = fit(known, right)
        told = 1 / (1 + np.exp(-known @ weights))
        sys.stdout.write(
            f"{name} {len(right)} {np.round(weights, 3).tolist()} off {np.abs(told - right).mean():.3f}\n"
        )


if __name__ == "__main__":
    main()
