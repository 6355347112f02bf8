"""Cuts a hashtag into its words: by its capitals and digits, else into the likeliest words it can be made of.

The likeliest cut of `prayforitaly` is the one whose words have the largest product of chances (Viterbi 1967,
over single words). What no word covers costs more the longer it is, and each part costs something, so that a
tag which is one word that nobody listed mostly stays whole. The words and their chances are
`data/hashtag_words.txt.zst`, made by `scripts/train_hashtags.py`. Work is bounded: what has more than
`MAX_LETTERS` is not cut into words.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import zstandard

from groundswell.enrich.fold import DIGIT, I32, KIND, SKELETON_SHIFT, U8, U32, decode, traits_of
from groundswell.enrich.hashing import SEED, HashMap, finish, get, hash_map, step
from groundswell.kernels import allocating

__all__ = ["COST_SCALE", "FILE", "MAX_PARTS", "Room", "cut_compound", "read_costs", "room", "vocabulary"]

FILE = Path(__file__).parent / "data" / "hashtag_words.txt.zst"
COST_SCALE = 10
"""Costs are in tenths of a nat."""
MAX_PARTS = 8
MAX_LETTERS = 40

# Costs, chosen on hashtags of CrisisLexT6, IDRISI and PHEME whose capitals tell their words.
_PART = 2 * COST_SCALE
_SHORT = 2 * COST_SCALE  # on top, for words of one or two letters
_UNKNOWN = 4 * COST_SCALE
_UNKNOWN_LETTER = 3 * COST_SCALE
_LEAST_UNKNOWN = 3  # letters
_FAR = 1 << 30

Room = npt.NDArray[np.int64]
"""(4, MAX_LETTERS + 1): letters, where they begin, the least cost up to there, the part before."""


@allocating
def room() -> Room:
    """What `cut_compound` works in."""
    return np.zeros((4, MAX_LETTERS + 1), np.int64)


def read_costs() -> dict[str, int]:
    """Every word of the list and its cost."""
    lines = zstandard.ZstdDecompressor().decompress(FILE.read_bytes()).decode().splitlines()
    priced = (line.split("\t") for line in lines)
    return {word: int(cost) for cost, words in priced for word in words.split()}


def vocabulary(hashes: list[int], costs: list[int]) -> HashMap:
    """The list as a table for the kernel; of words that are compared alike the first, cheapest one counts."""
    table: dict[int, int] = {}
    for hashed, cost in zip(hashes, costs, strict=True):
        table.setdefault(hashed, cost)
    return hash_map(table)


@allocating
def cut_compound(
    data: U8,
    capital: U8,
    start: int,
    stop: int,
    is_tag: bool,
    traits: U32,
    words: HashMap,
    space: Room,
    cuts: I32,
) -> int:
    """Where the parts after the first begin; they are written to `cuts`, their number returned.

    What is no hashtag is cut before its digits alone.
    """
    given = int(_cut_by_case(data, capital, start, stop, is_tag, traits, cuts))
    if not is_tag or _is_mixed(capital, start, stop):
        return given
    for at in range(given):
        cuts[MAX_PARTS + at] = cuts[at]
    found = 0
    left = start
    for at in range(given + 1):
        right = int(cuts[MAX_PARTS + at]) if at < given else stop
        found = _cut_by_words(
            data, left, right, traits, words, space, cuts, found, MAX_PARTS - 1 - given + at
        )
        if at < given:
            cuts[found] = right
            found += 1
        left = right
    return int(found)


@allocating
def _is_mixed(capital: U8, start: int, stop: int) -> bool:
    """Whether capitals stand inside and some letters are small: then they tell where words begin."""
    inner = 0
    for i in range(start + 1, stop):
        inner += capital[i]
    return bool(inner > 0 and 2 * inner < stop - start)


@allocating
def _cut_by_case(data: U8, capital: U8, start: int, stop: int, is_tag: bool, traits: U32, cuts: I32) -> int:
    """Where capitals and digits begin a new part."""
    found = 0
    run = 0  # characters since the last change between letters and digits
    was_digit = False
    was_capital = False
    previous = start
    i = start
    while i < stop and found < MAX_PARTS - 1:
        code, length = decode(data, i, stop)
        is_digit = traits_of(code, traits) & KIND == DIGIT
        is_capital = capital[i] != 0
        cut = -1
        if i > start:
            if is_digit and not was_digit:
                cut = i if run >= 3 else -1
                run = 0
            elif was_digit and not is_digit:
                cut = i if is_tag and run >= 2 else -1
                run = 0
            elif is_tag and is_capital and not was_capital:
                cut = i
            elif (
                is_tag and was_capital and not is_capital and previous > start and capital[previous - 1] != 0
            ):
                cut = previous  # USAFlood: the last capital belongs to the word after it
        if cut > start and (found == 0 or cuts[found - 1] < cut):
            cuts[found] = cut
            found += 1
        run += 1
        was_digit = is_digit
        was_capital = is_capital
        previous = i
        i += length
    return found


@allocating
def _cut_by_words(
    data: U8,
    start: int,
    stop: int,
    traits: U32,
    words: HashMap,
    space: Room,
    cuts: I32,
    found: int,
    most: int,
) -> int:
    """Add the cuts of the likeliest words between `start` and `stop`, `most` cuts in all, or none of them."""
    letters, places, least, before = space[0], space[1], space[2], space[3]
    size = 0
    i = start
    state = SEED
    while i < stop:
        code, length = decode(data, i, stop)
        trait = traits_of(code, traits)
        if trait & KIND == DIGIT or size == MAX_LETTERS:
            return found
        if trait >> SKELETON_SHIFT != 0:
            letters[size] = trait >> SKELETON_SHIFT
            places[size] = i
            state = step(state, letters[size])
            size += 1
        i += length
    if get(words, finish(state)) != 0:
        return found
    least[: size + 1] = _FAR
    least[0] = 0
    for first in range(size):
        if least[first] == _FAR:
            continue
        state = SEED
        for last in range(first, size):
            state = step(state, letters[last])
            count = last + 1 - first
            cost = get(words, finish(state))
            if cost != 0:
                cost += _SHORT if count <= 2 else 0
            elif count >= _LEAST_UNKNOWN:
                cost = _UNKNOWN + _UNKNOWN_LETTER * count
            else:
                continue
            cost += least[first] + _PART
            if cost < least[last + 1]:
                least[last + 1] = cost
                before[last + 1] = first
    parts = 0
    at = size
    while at > 0 and least[size] < _FAR:
        at = before[at]
        parts += at > 0
    if parts == 0 or found + parts > most:
        return found
    at = before[size]
    for k in range(parts - 1, -1, -1):
        cuts[found + k] = places[at]
        at = before[at]
    return found + parts
