"""The mood of what is said: negative, neutral or positive, for the languages that tweets with moods exist in.

A mood is a guess that is wrong for one post in three: only a crowd's share of moods means something, and no
mood of a single post may leave the line. The model is of the language model's family (`ngrams`), with emoji,
`!` and `?` as letters; moods compete within the post's language. Trained by `scripts/train_mood.py`.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import zstandard

from groundswell.enrich.fold import I32
from groundswell.enrich.language import identify_text
from groundswell.enrich.ngrams import BLOCK, DIMENSIONS, F32, I8, hash_ngrams, hidden_of, score
from groundswell.enrich.scripts import U16, letters
from groundswell.kernels import allocating

__all__ = ["CAP", "FILE", "LEAST_SKILL", "MOODS", "NONE", "SPOKEN", "Model", "Moods", "mood_of_text", "save"]

FILE = Path(__file__).parent / "data" / "mood.npz.zst"
MOODS = ("negative", "neutral", "positive")
CAP = 128
"""Letters and signs of a post that are read."""
NONE = -1
"""In place of a mood: the language has no model, or there is nothing to read."""
LEAST_SKILL = 0.6
"""Macro-F1 that a language needs for its moods to count towards a crowd's."""

SPOKEN = {
    "ara": "arb_Arab acm_Arab acq_Arab aeb_Arab ajp_Arab apc_Arab ars_Arab arz_Arab",
    "arq": "arq_Arab",
    "ary": "ary_Arab ary_Latn",
    "amh": "amh_Ethi",
    "deu": "deu_Latn",
    "eng": "eng_Latn",
    "fra": "fra_Latn",
    "hau": "hau_Latn",
    "hin": "hin_Deva hin_Latn",
    "ibo": "ibo_Latn",
    "ita": "ita_Latn",
    "kin": "kin_Latn",
    "orm": "gaz_Latn",
    "pcm": "pcm_Latn",
    "por": "por_Latn",
    "spa": "spa_Latn",
    "swa": "swh_Latn",
    "tir": "tir_Ethi",
    "tso": "tso_Latn",
    "twi": "aka_Latn twi_Latn",
    "yor": "yor_Latn",
}
"""The languages of the training set, and the codes of posts that they serve; sorted as the model has them."""


class Model(NamedTuple):
    """What the kernel needs."""

    table: I8
    """Vectors of the hashed n-grams."""
    weights: F32
    """(languages, dimensions, `BLOCK`): the moods' weights; holds the vectors' scale."""
    skill: F32
    """(languages,): macro-F1 of each on tweets kept from training."""


@cache
def _load() -> Model:
    packed = zstandard.ZstdDecompressor().decompress(FILE.read_bytes())
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        return Model(*(np.ascontiguousarray(stored[field]) for field in Model._fields))


def save(path: Path, model: Model) -> None:
    """Write a model for `Moods`."""
    buffer = io.BytesIO()
    np.savez(buffer, **model._asdict())
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(buffer.getvalue()))


class Moods:
    """Guesses moods, batch by batch; holds no state between batches."""

    def __init__(self, model: Model | None = None) -> None:
        self._model = model or _load()
        served = {code: number for number, codes in enumerate(SPOKEN.values()) for code in codes.split()}
        self._codes = pa.array(served, pa.string())
        self._numbers = np.array([*served.values(), NONE], np.int32)
        good = [code for code, number in served.items() if self._model.skill[number] >= LEAST_SKILL]
        self._counted = pa.array(good, pa.string())

    def guess(self, texts: pa.StringArray, codes: pa.StringArray) -> npt.NDArray[np.int8]:
        """The likeliest mood of each text, an index into `MOODS`, or `NONE`; see `chances`."""
        chances = self.chances(texts, codes)
        return np.where(np.isnan(chances[:, 0]), NONE, chances.argmax(axis=1)).astype(np.int8)

    def counted(self, texts: pa.StringArray, codes: pa.StringArray) -> npt.NDArray[np.int8]:
        """As `guess`, in languages whose moods are told well enough to be counted; else `NONE`."""
        rows = np.flatnonzero(pa.compute.is_in(codes, value_set=self._counted).to_numpy(zero_copy_only=False))
        found = np.full(len(texts), NONE, np.int8)
        if len(rows):
            found[rows] = self.guess(texts.take(pa.array(rows)), codes.take(pa.array(rows)))
        return found

    def chances(self, texts: pa.StringArray, codes: pa.StringArray) -> F32:
        """The chances of each of `MOODS`, (rows, moods); NaN where there is no mood to tell.

        Parameters
        ----------
        texts
            Posts as written; no nulls.
        codes
            The language of each, as `Languages` gives it.
        """
        found = letters(texts, CAP, signs=True)
        at = pa.compute.index_in(codes, value_set=self._codes).fill_null(len(self._codes))
        languages = self._numbers[at.to_numpy()]
        chances = np.full((len(languages), len(MOODS)), np.nan, np.float32)
        _guess(found.bounds, found.codes, languages, self._model, chances)
        return chances


def mood_of_text(text: str) -> dict[str, float] | None:
    """The chances of each mood in one text, for a command line; None where its language has no moods.

    >>> max(mood_of_text("I love this so much, thank you!").items(), key=lambda mood: mood[1])[0]
    'positive'
    """
    clean = text.encode("utf-8", "replace").decode("utf-8")
    chances = Moods().chances(pa.array([clean]), pa.array([identify_text(clean)[0]]))[0]
    return None if np.isnan(chances[0]) else dict(zip(MOODS, chances.tolist(), strict=True))


@allocating
def _guess(bounds: I32, codes: U16, languages: I32, model: Model, chances: F32) -> None:
    rows = np.zeros(3 * CAP + 6, np.uint32)
    sums = np.zeros(DIMENSIONS, np.int16)
    hidden = np.zeros(DIMENSIONS, np.float32)
    scores = np.zeros(BLOCK, np.float32)
    for row in range(len(languages)):
        language = languages[row]
        if language == NONE:
            continue
        size = hash_ngrams(codes[bounds[row] : bounds[row + 1]], False, rows)
        if size == 0:
            continue
        hidden_of(model.table, rows[:size], sums, hidden)
        score(model.weights[language : language + 1], hidden, scores)
        own = np.exp(scores[: len(MOODS)] - scores[: len(MOODS)].max())
        chances[row] = own / own.sum()
