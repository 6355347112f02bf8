"""Tweets in 21 languages with their moods, kept apart as the sentences of `_language_sets` are."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import data_file
from bench._language_sets import parts_of

from groundswell.enrich.mood import CAP, MOODS
from groundswell.enrich.scripts import letters

__all__ = ["Tweets", "read"]


class Tweets(NamedTuple):
    """Rows in the order of the file, each text once a language."""

    text: npt.NDArray[np.object_]
    language: npt.NDArray[np.str_]
    """As the set names it: a key of `mood.SPOKEN`."""
    mood: npt.NDArray[np.int8]
    """Index into `MOODS`."""
    part: npt.NDArray[np.uint8]
    """`TRAIN`, `TUNE` or `TEST` of `_language_sets`."""

    def where(self, rows: npt.NDArray[np.bool_]) -> Tweets:
        return Tweets(self.text[rows], self.language[rows], self.mood[rows], self.part[rows])


def read() -> Tweets:
    """All tweets that have a mood."""
    with gzip.open(data_file("language", "social_train.tsv.gz"), "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    rows = [row for row in rows if len(row) == 3 and row[1] in MOODS]
    languages, moods, texts = zip(*rows, strict=True)
    keys, part = parts_of(letters(pa.array(texts, pa.string()), CAP))
    named = [f"{language} {key}" for language, key in zip(languages, keys.tolist(), strict=True)]
    first = np.zeros(len(rows), bool)
    first[np.unique(named, return_index=True)[1]] = True
    written = np.array([text.replace("\\n", "\n") for text in texts], object)
    numbers = np.array([MOODS.index(mood) for mood in moods], np.int8)
    return Tweets(written, np.array(languages), numbers, part).where(first)
