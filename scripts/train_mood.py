"""Trains `src/groundswell/enrich/data/mood.npz.zst`, the model behind `groundswell.enrich.mood`.

    python scripts/train_mood.py [--out FILE]

Learns from the training part of `bench/_mood_sets.py` alone; which languages are told well enough to be
counted is measured on the rest. Large languages are drawn less often than they
have tweets; rare moods of a language weigh more; features are left out at random. The seed is fixed; one
core, about a minute.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench import _mood_sets as sets
from bench._language_sets import TRAIN
from bench.mood import guess, macro_f1
from numba import njit

from groundswell.enrich.mood import CAP, FILE, MOODS, SPOKEN, Model, Moods, save
from groundswell.enrich.ngrams import DIMENSIONS, F32, I8, TABLE_BITS, blocked, hash_ngrams
from groundswell.enrich.scripts import Letters, letters

I64 = npt.NDArray[np.int64]

SEED = 1
EPOCHS = 8
RATE = 0.05
SMOOTHING = 0.1
DROPPED = 0.6
LANGUAGE_POWER = 0.5
MOOD_POWER = 0.5


def train(rows: sets.Tweets) -> Model:
    """Learn from `rows`; says its progress on standard error."""
    names = list(SPOKEN)
    languages = np.array([names.index(name) for name in rows.language.tolist()])
    moods = rows.mood.astype(np.int64)
    counts = np.zeros((len(names), len(MOODS)))
    np.add.at(counts, (languages, moods), 1)
    weights = (counts.sum(1, keepdims=True) / np.maximum(counts, 1)) ** MOOD_POWER
    weights *= counts.sum(1, keepdims=True) / (weights * counts).sum(1, keepdims=True)
    chance = (counts.sum(1) ** LANGUAGE_POWER / counts.sum(1))[languages]
    found = letters(pa.array(rows.text.tolist(), pa.string()), CAP, signs=True)
    rng = np.random.default_rng(SEED)
    shape = (1 << TABLE_BITS, DIMENSIONS)
    table = rng.uniform(-1 / DIMENSIONS, 1 / DIMENSIONS, shape).astype(np.float32)
    spread = np.zeros(len(table), np.float32)
    out = np.tile(rng.normal(0, 0.1, (len(MOODS), DIMENSIONS)), (len(names), 1, 1)).astype(np.float32)
    out_spread = np.zeros((len(names), len(MOODS)), np.float32)
    for number in range(EPOCHS):
        begun = time.monotonic()
        drawn = rng.choice(len(moods), len(moods), p=chance / chance.sum())
        rates = [RATE * (1 - at / EPOCHS) for at in (number, number + 1)]
        loss = epoch(
            found, drawn, languages, moods, weights, table, spread, out, out_spread, *rates, SEED + number
        )
        spent = time.monotonic() - begun
        sys.stderr.write(f"epoch {number + 1} of {EPOCHS}: loss {loss:.4f}, {spent:.0f} s\n")
    scale = np.percentile(np.abs(table), 99.95, axis=0) / 127
    quantised: I8 = np.clip(np.round(table / scale), -127, 127).astype(np.int8)
    unknown = np.zeros(len(names), np.float32)
    return Model(quantised, blocked(list((out * scale).astype(np.float32)))[1], unknown)


def skill(model: Model, rows: sets.Tweets) -> F32:
    """Macro-F1 of each language on `rows`."""
    guesses = guess(rows, Moods(model))
    own = [rows.language == name for name in SPOKEN]
    return np.array([macro_f1(rows.mood[at], guesses[at]) for at in own], np.float32)


@njit(fastmath=True)
def epoch(
    found: Letters,
    drawn: I64,
    languages: I64,
    moods: I64,
    weights: npt.NDArray[np.float64],
    table: F32,
    spread: F32,
    out: F32,
    out_spread: F32,
    rate_from: float,
    rate_to: float,
    seed: int,
) -> float:
    """One pass of stochastic gradient descent with AdaGrad, a step size a row; the mean loss."""
    np.random.seed(seed)
    rows = np.zeros(3 * CAP + 6, np.uint32)
    hidden = np.zeros(DIMENSIONS, np.float32)
    back = np.zeros(DIMENSIONS, np.float32)
    scores = np.zeros(len(MOODS), np.float32)
    loss = 0.0
    for draw in range(len(drawn)):
        row = drawn[draw]
        rate = np.float32(rate_from + (rate_to - rate_from) * draw / len(drawn))
        size = hash_ngrams(found.codes[found.bounds[row] : found.bounds[row + 1]], False, rows)
        count = 0
        for k in range(size):
            if np.random.random() >= DROPPED:
                rows[count] = rows[k]
                count += 1
        if count == 0:
            continue
        scale = np.float32(1.0 / np.sqrt(count))
        hidden[:] = 0
        for k in range(count):
            vector = table[rows[k]]
            for d in range(DIMENSIONS):
                hidden[d] += vector[d] * scale
        own, own_spread = out[languages[row]], out_spread[languages[row]]
        total = np.float32(0)
        for at in range(len(MOODS)):
            scores[at] = np.exp(np.dot(own[at], hidden))
            total += scores[at]
        loss -= np.log(scores[moods[row]] / total)
        back[:] = 0
        squares = np.dot(hidden, hidden) / DIMENSIONS
        for at in range(len(MOODS)):
            wanted = (1 - SMOOTHING) * (at == moods[row]) + SMOOTHING / len(MOODS)
            error = np.float32((scores[at] / total - wanted) * weights[languages[row], moods[row]])
            own_spread[at] += error * error * squares
            step = rate * error / np.sqrt(own_spread[at] + np.float32(1e-6))
            for d in range(DIMENSIONS):
                back[d] += error * scale * own[at, d]
                own[at, d] -= step * hidden[d]
        squares = np.dot(back, back) / DIMENSIONS
        for k in range(count):
            spread[rows[k]] += squares
            step = rate / np.sqrt(spread[rows[k]] + np.float32(1e-8))
            vector = table[rows[k]]
            for d in range(DIMENSIONS):
                vector[d] -= step * back[d]
    return loss / len(drawn)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    rows = sets.read()
    model = train(rows.where(rows.part == TRAIN))
    save(options.out, model._replace(skill=skill(model, rows.where(rows.part != TRAIN))))
    sys.stderr.write(f"{options.out.stat().st_size / 1e6:.1f} MB: {options.out}\n")


if __name__ == "__main__":
    main()
