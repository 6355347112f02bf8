"""Mood on tweets kept from training: macro-F1 over the three moods, of all 21 languages and of each.

The language is given, as the set names it. A majority guess has .33 at most in a language.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import median_us, row
from bench._language_sets import TEST
from bench._mood_sets import Tweets, read

from groundswell.enrich.mood import FILE, MOODS, SPOKEN, Moods

__all__ = ["guess", "macro_f1", "measure"]

BATCH = 4096


def measure() -> list[dict[str, Any]]:
    rows = read()
    tweets = rows.where(rows.part == TEST)
    guesses = guess(tweets)
    each = {
        name: macro_f1(tweets.mood[tweets.language == name], guesses[tweets.language == name])
        for name in SPOKEN
    }
    counts = {name: int((tweets.language == name).sum()) for name in SPOKEN}
    return [
        row(f"all 21 languages, {len(guesses)} tweets", round(macro_f1(tweets.mood, guesses), 3), ">= .60"),
        row("mean of the languages", round(float(np.mean(list(each.values()))), 3)),
        *(row(f"{name}, {counts[name]} tweets", round(value, 3)) for name, value in each.items()),
        row("µs a post", round(_microseconds(tweets), 3), "<= 1.5"),
        row("artefact, MB", round(FILE.stat().st_size / 1e6, 3), "<= 4"),
    ]


def guess(tweets: Tweets, moods: Moods | None = None) -> npt.NDArray[np.int8]:
    return (moods or Moods()).guess(pa.array(tweets.text.tolist(), pa.string()), _codes(tweets))


def _codes(tweets: Tweets) -> pa.StringArray:
    return pa.array([SPOKEN[name].split()[0] for name in tweets.language.tolist()], pa.string())


def macro_f1(truth: npt.NDArray[np.int8], answers: npt.NDArray[np.int8]) -> float:
    """The mean over the moods of the harmonic mean of precision and recall."""
    scores = []
    for mood in range(len(MOODS)):
        hits = int(((truth == mood) & (answers == mood)).sum())
        scores.append(2 * hits / max(int((truth == mood).sum()) + int((answers == mood).sum()), 1))
    return float(np.mean(scores))


def _microseconds(tweets: Tweets) -> float:
    moods = Moods()
    texts, codes = pa.array(tweets.text.tolist(), pa.string()), _codes(tweets)

    def all_batches() -> None:
        for at in range(0, len(texts), BATCH):
            moods.guess(texts.slice(at, BATCH), codes.slice(at, BATCH))

    return median_us(all_batches, len(texts))
