"""The terms of a post: what the detector counts. Hashes and where they stand, no vocabulary.

A term is a word of at least three bytes, a pair of characters (scripts that do not write words apart), an
emoji, or two adjacent words, neither a stop word. Terms are distinct within a post, in order, at most
`MAX_TERMS`. The lowest bit of a term's hash is 0 for single tokens and 1 for pairs of words; where it stands
in `folded` is how a phrase is shown, since no words are kept beside the posts.

`shape` is the key of the family of near-identical texts that a post belongs to; see `_prolong`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from groundswell.enrich.fold import I32, U64, fold
from groundswell.enrich.hashing import pair_hash
from groundswell.enrich.stop_terms import stops_for
from groundswell.enrich.tokens import ICON, LINKED, PAIR, STOP, WHOLE, Tokens, tokenise
from groundswell.kernels import allocating

__all__ = ["MAX_TERMS", "Terms", "extract"]

MAX_TERMS = 160
MIN_TERM_BYTES = 3
SHINGLE = 5  # content words in a row; 3 merged two posts in five wrongly on CrisisLexT6, 6 missed more copies

_SEEN = 512  # slots of the per-post set; more than twice MAX_TERMS
_MOST = np.uint64(0xFFFFFFFFFFFFFFFF)


class Terms(NamedTuple):
    """A batch's terms; `terms`, `starts` and `ends` are lists of equal lengths, row by row."""

    folded: pa.StringArray
    terms: pa.ListArray
    """uint64"""
    starts: pa.ListArray
    """int32, bytes into the row of `folded`"""
    ends: pa.ListArray
    shape: pa.UInt64Array
    tokens: Tokens
    """What the terms were made of; topics and names are looked up in it too."""


def extract(text: pa.StringArray, lang: pa.StringArray | None = None) -> Terms:
    """Fold, cut and hash a batch of texts; `lang` as `Languages` gives it, None where nothing is known.

    >>> found = extract(pa.array(["Flood in #NewYork"]), pa.array(["eng_Latn"]))
    >>> [found.folded[0].as_py()[a:b] for a, b in zip(found.starts[0].as_py(), found.ends[0].as_py())]
    ['flood', 'new', 'york', 'new york', 'newyork']
    """
    folded = fold(text)
    lang = pa.repeat("und", len(text)) if lang is None else lang
    tokens = tokenise(folded, stops_for(lang))
    rows = len(folded.offsets) - 1
    capacity = int(np.minimum(2 * np.diff(tokens.offsets), MAX_TERMS).sum())
    bounds = np.zeros(rows + 1, np.int32)
    hashes = np.empty(capacity, np.uint64)
    starts = np.empty(capacity, np.int32)
    ends = np.empty(capacity, np.int32)
    shape = np.zeros(rows, np.uint64)
    _terms(tokens, bounds, hashes, starts, ends, shape)
    used = bounds[-1]
    return Terms(
        folded.array(),
        _lists(bounds, hashes[:used]),
        _lists(bounds, starts[:used]),
        _lists(bounds, ends[:used]),
        pa.array(shape),
        tokens,
    )


def _lists(bounds: I32, values: U64 | I32) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(bounds), pa.array(values))


@njit(cache=True, nogil=True, inline="always")
def _first_time(value: np.uint64, seen: U64, stamps: I32, stamp: int) -> bool:
    """Whether `value` is new under this stamp; remembers it. At most half of the slots are ever taken."""
    at = np.int64((value >> np.uint64(1)) & np.uint64(_SEEN - 1))
    while stamps[at] == stamp:
        if seen[at] == value:
            return False
        at = (at + 1) & (_SEEN - 1)
    stamps[at] = stamp
    seen[at] = value
    return True


@allocating
def _terms(tokens: Tokens, bounds: I32, hashes: U64, starts: I32, ends: I32, shape: U64) -> None:
    seen = np.zeros(_SEEN, np.uint64)
    stamps = np.full(_SEEN, -1, np.int32)
    runs = np.zeros(SHINGLE + 1, np.uint64)
    at = 0
    for row in range(len(bounds) - 1):
        full = at + MAX_TERMS
        before = -1  # the last token that can start a pair
        words = 0
        least = _MOST
        for k in range(tokens.offsets[row], tokens.offsets[row + 1]):
            flags = int(tokens.flags[k])
            start, end, hashed = tokens.starts[k], tokens.ends[k], tokens.hashes[k]
            long_enough = end - start >= MIN_TERM_BYTES
            if at < full and long_enough and flags & STOP == 0 and _first_time(hashed, seen, stamps, row):
                hashes[at], starts[at], ends[at] = hashed, start, end
                at += 1
            if flags & (WHOLE | ICON | STOP) == 0:
                words += 1
                least = min(least, _prolong(runs, words, hashed))
            if flags & (WHOLE | PAIR | ICON):
                continue
            if at < full and flags & LINKED and before >= 0 and not ((flags | tokens.flags[before]) & STOP):
                both = pair_hash(tokens.hashes[before], hashed)
                if _first_time(both, seen, stamps, row):
                    hashes[at], starts[at], ends[at] = both, tokens.starts[before], end
                    at += 1
            before = k
        shape[row] = least if words >= SHINGLE else runs[words]
        bounds[row + 1] = at


@njit(cache=True, nogil=True, inline="always")
def _prolong(runs: U64, words: int, hashed: np.uint64) -> np.uint64:
    """Go on by a post's next content word; the hash of the last `SHINGLE`, all ones while there are fewer.

    `runs[n]` is the hash of the last n words in their order, and `runs[0]` stays 0. A post's shape is the
    least hash over all runs of `SHINGLE` content words; that of all of them when there are fewer, 0 when
    there are none. Two texts share it with the probability of their Jaccard similarity over such runs
    (Broder 1997), so a repost cut short, a changed last word or a word put before it mostly leave it alone,
    while two people's own words about one event hardly ever meet: they would have to share a run.
    """
    for length in range(min(words, SHINGLE), 0, -1):
        runs[length] = pair_hash(runs[length - 1], hashed)
    return runs[SHINGLE] if words >= SHINGLE else _MOST
