"""Which posts speak of what could be a private person: hashes only, for the pile-on rule.

Two adjacent words are taken for a name when the lexicon says they could be one and they are written like one:
both capitalised in scripts that have capitals (and the post is not all capitals), both known in those that do
not. Titles, storms, streets and office-holders are let go. The hash is that of the pair of words as it stands
in `terms`; which name it was is not kept, and no list of names is ever made.

Names written without a space (Chinese, Korean) are not seen here; `names.NameLexicon.person_like` screens the
phrases that are shown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.enrich.fold import I32, U8, U64, text_buffers
from groundswell.enrich.hashing import HashMap, contains, get, hash_map, hash_set, pair_hash
from groundswell.enrich.tokens import (
    CAPITAL,
    CAPITALS,
    ICON,
    LINKED,
    NUMBER,
    PAIR,
    STOP,
    WHOLE,
    Tokens,
    hash_pairs,
    hash_words,
)
from groundswell.kernels import allocating
from groundswell.names import NameLexicon, NameMark, pair_is_name

__all__ = ["MAX_PERSONS", "People"]

Rule = npt.NDArray[np.bool_]

MAX_PERSONS = 8  # a post; a list of more names is a roll call
_HEAD = int(NameMark.HEAD)
_MARKS = 64  # values of a `NameMark`
_UNCASED_FROM = 0xD6  # lead bytes from Hebrew on …
_UNCASED_TO = 0xE0  # … to those of South Asia, which all begin with this one, scripts have no capitals
_SHOUTING = 0.6  # share of capitalised words that are all capitals, above which capitals say nothing


class People:
    """The lexicon as tables for the kernel."""

    def __init__(self, names: NameLexicon) -> None:
        words = list(names.marks)
        hashes = hash_words(words).tolist()
        self._marks = hash_map({key: int(names.marks[word]) for key, word in zip(hashes, words, strict=True)})
        self._exceptions = hash_set(hash_pairs(sorted(names.exceptions)))
        # The rule itself stays in `names`; here it is a table over what two words are known as.
        marks = range(_MARKS)
        self._rule = np.array(
            [
                [[pair_is_name(first, second, strict) for second in marks] for first in marks]
                for strict in (False, True)
            ]
        )

    def mentions(self, folded: pa.StringArray, tokens: Tokens) -> pa.ListArray:
        """The distinct name-like pairs of each post, list<uint64>; at most `MAX_PERSONS` a post."""
        offsets, data = text_buffers(folded)
        bounds = np.zeros(len(folded) + 1, np.int32)
        found = np.empty(len(folded) * MAX_PERSONS, np.uint64)
        _mentions(offsets, data, tokens, self._marks, self._exceptions, self._rule, bounds, found)
        return pa.ListArray.from_arrays(pa.array(bounds), pa.array(found[: bounds[-1]]))


@allocating
def _is_shouting(flags: U8, first: int, last: int) -> bool:
    """Whether most capitalised words of a post are all capitals."""
    capital = 0
    capitals = 0
    for k in range(first, last):
        capital += (flags[k] & CAPITAL) != 0
        capitals += (flags[k] & CAPITALS) != 0
    return capitals > _SHOUTING * capital and capitals >= 3


@allocating
def _is_beside_head(tokens: Tokens, first: int, last: int, k: int, marks: HashMap) -> bool:
    """Whether a title or a kind of place stands before or after the pair that ends at token `k`."""
    if k - 2 >= first and tokens.flags[k - 1] & LINKED and get(marks, tokens.hashes[k - 2]) & _HEAD:
        return True
    return bool(k + 1 < last and tokens.flags[k + 1] & LINKED and get(marks, tokens.hashes[k + 1]) & _HEAD)


@allocating
def _mentions(
    offsets: I32,
    data: U8,
    tokens: Tokens,
    marks: HashMap,
    exceptions: U64,
    rule: Rule,
    bounds: I32,
    found: U64,
) -> None:
    passed_over = STOP | NUMBER | PAIR | ICON | WHOLE
    at = 0
    for row in range(len(bounds) - 1):
        first = int(tokens.offsets[row])
        last = int(tokens.offsets[row + 1])
        row_at = at
        shouting = _is_shouting(tokens.flags, first, last)
        for k in range(first + 1, last):
            if at - row_at == MAX_PERSONS:
                break
            left = int(tokens.flags[k - 1])
            right = int(tokens.flags[k])
            if right & LINKED == 0 or (left | right) & passed_over:
                continue
            lead = data[int(offsets[row]) + int(tokens.starts[k])]
            is_cased = lead < _UNCASED_FROM or lead > _UNCASED_TO
            if is_cased and (shouting or left & right & CAPITAL == 0):
                continue
            one, two = get(marks, tokens.hashes[k - 1]), get(marks, tokens.hashes[k])
            if not rule[int(lead == _UNCASED_TO), one, two] or _is_beside_head(tokens, first, last, k, marks):
                continue
            pair = pair_hash(tokens.hashes[k - 1], tokens.hashes[k])
            if contains(exceptions, pair):
                continue
            known = False
            for other in range(row_at, at):
                known = known or found[other] == pair
            if not known:
                found[at] = pair
                at += 1
        bounds[row + 1] = at
