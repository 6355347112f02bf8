"""The language model: which label of its script a text is in, and how sure that is.

A linear softmax over the sum of a text's hashed n-grams (Joulin et al., "Bag of Tricks for Efficient Text
Classification", 2017), in int8, with only the labels of the text's script competing. Trained by
`scripts/train_language.py`; `docs/language.md` says from what.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zstandard
from numba import njit

from groundswell.enrich.fold import I32, U8
from groundswell.enrich.ngrams import BLOCK, DIMENSIONS, F32, I8, I16, hash_ngrams, hidden_of, score
from groundswell.enrich.scripts import SCRIPTS, U16, Letters
from groundswell.kernels import allocating

__all__ = ["CAP", "FILE", "LENGTHS", "Model", "classify", "load", "save"]

FILE = Path(__file__).parent / "data" / "language.npz.zst"

CAP = 128
"""Letters of a post that are read; more change few answers and cost time."""
LENGTHS = (24, 48, 96)
"""Letters and spaces at which another temperature begins: short texts are overrated more."""

_DENSE = SCRIPTS.index("Hani")
_NEGLIGIBLE = np.float32(8.0)


_SURE = np.float32(0.95)
"""Under this chance a member of a family gives way to the one that stands for the family."""


class Model(NamedTuple):
    """What the kernel needs; labels compete within their script only."""

    first: I32
    """The labels of script s are `first[s]` to `first[s + 1]`."""
    table: I8
    """Vectors of the hashed n-grams."""
    blocks: I32
    """The weights of script s are blocks `blocks[s]` to `blocks[s + 1]`."""
    weights: F32
    """(blocks, dimensions, labels of a block), as `ngrams.blocked` makes them; holds the vectors' scale."""
    heads: I16
    """The label that stands for each label's family; itself where it has none."""
    temperatures: F32
    """(scripts, stretches of `LENGTHS`): what scores are divided by."""


@cache
def load(path: Path = FILE) -> tuple[tuple[str, ...], Model]:
    """The labels and the model, read once a process (about 0.05 s)."""
    packed = zstandard.ZstdDecompressor().decompress(path.read_bytes())
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        model = Model(*(np.ascontiguousarray(stored[field]) for field in Model._fields))
        return tuple(stored["labels"].tolist()), model


def classify(found: Letters, model: Model, least: I32) -> tuple[I16, F32]:
    """The number of each row's label and the chance in [0, 1] that it, or the family it stands for, is right.

    Parameters
    ----------
    least
        Letters under which a row is not classified, script by script.

    Returns
    -------
    Labels (-1 where nothing could be told), and confidences.
    """
    rows = len(found.script)
    labels = np.full(rows, -1, np.int16)
    confidences = np.zeros(rows, np.float32)
    _classify(found.bounds, found.codes, found.script, found.counts, model, least, labels, confidences)
    return labels, confidences


@allocating
def _classify(
    bounds: I32, codes: U16, script: U8, count: I32, model: Model, least: I32, labels: I16, confidences: F32
) -> None:
    rows = np.zeros(3 * CAP + 6, np.uint32)
    sums = np.zeros(DIMENSIONS, np.int16)
    hidden = np.zeros(DIMENSIONS, np.float32)
    scores = np.zeros(BLOCK * len(model.weights), np.float32)
    for row in range(len(script)):
        of = script[row]
        low, high = model.first[of], model.first[of + 1]
        if count[row] < least[of] or high == low:
            continue
        own = codes[bounds[row] : bounds[row + 1]]
        size = hash_ngrams(own, of == _DENSE, rows)
        if size == 0:
            continue
        hidden_of(model.table, rows[:size], sums, hidden)
        score(model.weights[model.blocks[of] : model.blocks[of + 1]], hidden, scores)
        stretch = 0
        for length in LENGTHS:
            stretch += len(own) >= length
        best, confidences[row] = _chance(
            scores[: high - low], model.heads[low:high] - low, model.temperatures[of, stretch]
        )
        labels[row] = low + best


@njit(cache=True, nogil=True, fastmath=True)
def _chance(scores: F32, heads: I16, temperature: np.float32) -> tuple[int, np.float32]:
    """The best label and its softmax; scores far below the best are not worth an exponential.

    Where that is not sure, the best label's family answers.
    """
    most = scores[0]
    for each in scores:
        if each > most:
            most = each
    total = np.float32(0)
    best = 0
    floor = most - _NEGLIGIBLE * temperature
    for k in range(len(scores)):
        if scores[k] > floor:
            total += np.exp((scores[k] - most) / temperature)
            if scores[k] == most:
                best = k
    chance = np.float32(1) / total
    if chance >= _SURE:
        return best, chance
    head = heads[best]
    together = np.float32(0)
    for k in range(len(scores)):
        if heads[k] == head and scores[k] > floor:
            together += np.exp((scores[k] - most) / temperature)
    return head, together / total


def save(path: Path, labels: tuple[str, ...], model: Model) -> None:
    """Write a model for `load`."""
    buffer = io.BytesIO()
    np.savez(buffer, labels=np.array(labels), **model._asdict())
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(buffer.getvalue()))
