"""The words that say nothing, language by language: which of them hold for each post.

A word can be empty in one language and telling in another (German `war`, `die`, `hat`), so each post is read
with the list of its own language, joined by English words that tell nothing anywhere, for everybody borrows
those. Where a language has no list, and for `und`, words stand in that are empty in some language and telling
in none. The lists are `data/stop_terms.tsv`, worked out by `scripts/train_stop_terms.py`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from groundswell.enrich.fold import I32, U64
from groundswell.enrich.hashing import hash_set
from groundswell.enrich.language_codes import head_of
from groundswell.enrich.tokens import Stops, hash_words

__all__ = ["FILE", "MULTILINGUAL", "read", "stops_for"]

FILE = Path(__file__).parent / "data" / "stop_terms.tsv"
MULTILINGUAL = "mul"
"""In place of a language: the list for posts in any."""

_WIRE = "amp via gt lt quot nbsp com html"
"""What is left of links, entities and reposts."""


class _Lists(NamedTuple):
    codes: pa.StringArray
    bounds: I32
    """Where each language's set begins in `slots`; the last is for those without a list."""
    slots: U64


@cache
def read() -> dict[str, list[str]]:
    """The stop terms of each language, and of `MULTILINGUAL`, most frequent first."""
    lines = FILE.read_text("utf-8").splitlines()
    return {code: words.split() for code, words in (line.split("\t") for line in lines if line[0] != "#")}


@cache
def _lists() -> _Lists:
    words = read()
    hashes = {code: hash_words(listed) for code, listed in words.items()}
    wire = hash_words(_WIRE.split())
    multilingual = hashes.pop(MULTILINGUAL)
    borrowed = np.intersect1d(multilingual, hashes["eng_Latn"])
    none = np.empty(0, np.uint64)
    sets = [
        hash_set(np.concatenate([own, hashes.get(head_of(code), none), borrowed, wire]))
        for code, own in hashes.items()
    ]
    sets.append(hash_set(np.concatenate([multilingual, wire])))
    bounds = np.cumsum([0, *(len(slots) for slots in sets)]).astype(np.int32)
    return _Lists(pa.array(hashes, pa.string()), bounds, np.concatenate(sets))


def stops_for(codes: pa.StringArray) -> Stops:
    """The lists that hold for a batch of posts in the languages `codes`, as `Languages` gives them."""
    lists = _lists()
    found = pa.compute.index_in(codes, value_set=lists.codes).fill_null(len(lists.codes))
    return Stops(found.to_numpy().astype(np.int32), lists.bounds, lists.slots)
