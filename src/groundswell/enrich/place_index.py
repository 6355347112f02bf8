"""The hash table of place names: a name's key, and the look-up that a kernel can make.

Owns the key under which a name is stored and met again, and the open-addressing table. It does not know where
names come from (`place_data`), nor which reading of one is right (`place_score`).

A key is a polynomial hash over the name's compared letters and digits; what stands between them does not
count. So `Sri Lanka`, `#SriLanka`, `sri_lanka` and `srilanka` are one key, the key of several words follows
from those of the words, and each piece of a hashtag can be looked up without spelling it out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from groundswell.enrich.fold import (
    DIGIT,
    TABLED,
    UNIT,
    UNIT_MARK,
    WORD,
    Alphabet,
    decode,
)
from groundswell.enrich.place_letters import BASE_INVERSE, append_letter
from groundswell.kernels import allocating

__all__ = [
    "ENDINGS",
    "MISSING",
    "NAMED",
    "OPENS",
    "PLACE",
    "NameIndex",
    "Readings",
    "ask_ahead",
    "ask_readings",
    "build_index",
    "common_of",
    "find",
    "held_of",
    "look_up",
    "may_be_stem",
    "name_keys",
    "name_of",
    "readings_of",
    "slot_hash",
    "slots",
    "top_of",
    "with_top",
    "words_of",
]

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

MISSING = np.int64(-1)
_DENSE = 0x3040  # from here on a letter is a syllable or a word
BLOOM_BITS = 23  # one mebibyte: stays in the second-level cache and answers most look-ups alone


PLACE = np.dtype(
    [
        ("region", np.int32),  # dense; 0 for none
        ("magnitude", np.float32),  # log10 of the population + 100
        ("latitude", np.float32),
        ("longitude", np.float32),
        ("radius", np.float32),  # km, of the circle of the place's size
        ("country", np.int16),
        ("level", np.uint8),
        ("county", np.uint8),  # 1 for regions below the first level
        ("capital", np.uint8),  # 1 for the capitals of countries
    ],
    align=True,
)
READING = np.dtype(
    [
        *((name, PLACE[name]) for name in (PLACE.names or ())),
        ("place", np.int32),
        ("kind", np.uint8),
    ],
    align=True,
)
Readings = npt.NDArray[np.void]
"""What names can mean: for each the place, what the name is to it, and what the kernels need of it, of type
`READING`. A name's readings stand side by side, two in a cache line."""


class NameIndex(NamedTuple):
    """Names and the readings of each."""

    table: U64
    """Three tables in one array, for each array that a kernel is called with costs time. First pairs of
    filters, side by side in one cache line: a bit for each key, so that look-ups that miss seldom go further;
    and one for what names of several parts begin with, where more parts are worth looking up. Then a small
    filter of the names in Cyrillic and Hangul, and of the former without the vowel they end in: most words
    have endings, and few of the stems are names. Then the slots: open addressing over a power of two of
    pairs, side by side: key (0 is free) and entry."""
    readings: Readings


NAMED = 1  # of a key: a name may be stored under it …
OPENS = 2  # … or a longer one begin with it
_NAMES = 0
_OPENINGS = 1
_STEM_BITS = 20
_STEMS_AT = 2 << (BLOOM_BITS - 6)
_SLOTS_AT = _STEMS_AT + (1 << (_STEM_BITS - 6))
_CYRILLIC = (0x400, 0x52F)
_HANGUL = (0xAC00, 0xD7A3)
ENDINGS = (
    0x430,
    0x44F,
    0x43E,
    0x44C,
)  # а я о ь: what a town's name ends in that is spoken of in another case
_COMMON_SHIFT = np.uint64(32)
_WORDS_SHIFT = np.uint64(40)
_TOP_SHIFT = np.uint64(48)
_READINGS_SHIFT = np.uint64(56)
_TOP_LEAST = -16.0
_TOP_STEPS = 8.0  # a unit


@njit(cache=True, nogil=True, inline="always")
def slot_hash(key: np.uint64) -> np.uint64:
    """Scatter a key over the table; polynomial hashes alone crowd their low bits."""
    h = np.uint64(key)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return h


@njit(cache=True, nogil=True, inline="always")
def _filter_word(h: np.uint64) -> np.uint64:
    """Where in the filter the pair of words stands that knows of a scattered key."""
    word: np.uint64 = h >> np.uint64(64 - BLOOM_BITS + 6) << np.uint64(1)
    return word


@njit(cache=True, nogil=True, inline="always")
def _set_bit(bloom: U64, h: np.uint64, opening: int) -> None:
    bit = h >> np.uint64(64 - BLOOM_BITS)
    bloom[((bit >> np.uint64(6)) << np.uint64(1)) + np.uint64(opening)] |= np.uint64(1) << (
        bit & np.uint64(63)
    )


@intrinsic
def _prefetch(context: Any, array: types.Array, at: types.Integer) -> Any:
    """Ask for the cache line of an element, without waiting for it."""

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        of = target.make_array(signature.args[0])(target, builder, arguments[0])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        pointer = builder.bitcast(builder.gep(of.data, [arguments[1]]), byte)
        builder.call(function, [pointer, *(ir.Constant(number, value) for value in (0, 3, 1))])
        return target.get_dummy_value()

    return types.void(array, at), generate


@njit(cache=True, nogil=True, inline="always")
def held_of(table: U64, key: np.uint64) -> int:
    """`NAMED` and `OPENS`, where the filters hold the key."""
    h = slot_hash(key)
    word = _filter_word(h)
    bit = h >> np.uint64(64 - BLOOM_BITS) & np.uint64(63)
    named = table[word] >> bit & np.uint64(1)
    opens = table[word + np.uint64(1)] >> bit & np.uint64(1)
    return int(named | opens << np.uint64(1))


@njit(cache=True, nogil=True, inline="always")
def may_be_stem(table: U64, key: np.uint64) -> bool:
    """Whether a name in Cyrillic or Hangul is `key`, or, in Cyrillic, `key` and one of `ENDINGS`."""
    bit = slot_hash(key) >> np.uint64(64 - _STEM_BITS)
    word = table[np.uint64(_STEMS_AT) + (bit >> np.uint64(6))]
    return bool(word >> (bit & np.uint64(63)) & np.uint64(1))


@njit(cache=True, nogil=True, inline="always")
def _set_stem(table: U64, key: np.uint64) -> None:
    bit = slot_hash(key) >> np.uint64(64 - _STEM_BITS)
    table[np.uint64(_STEMS_AT) + (bit >> np.uint64(6))] |= np.uint64(1) << (bit & np.uint64(63))


@njit(cache=True, nogil=True, inline="always")
def _slot(table: U64, key: np.uint64) -> np.uint64:
    """Where the search for `key` begins."""
    mask = np.uint64((len(table) - _SLOTS_AT) // 2 - 1)
    slot: np.uint64 = np.uint64(_SLOTS_AT) + ((slot_hash(key) & mask) << np.uint64(1))
    return slot


@njit(cache=True, nogil=True, inline="always")
def _next_slot(table: U64, slot: np.uint64) -> np.uint64:
    """The slot behind `slot`, or the first."""
    after = slot + np.uint64(2)
    return after if after < np.uint64(len(table)) else np.uint64(_SLOTS_AT)


@njit(cache=True, nogil=True, inline="always")
def ask_ahead(table: U64, key: np.uint64, held: int) -> None:
    """Ask for what will be read of `key`: its filters, and where these are known to hold it, its slot.

    The tables are too large for the nearer caches: all of a post's questions are asked before the first is
    waited for.
    """
    _prefetch(table, _slot(table, key) if held & NAMED else _filter_word(slot_hash(key)))


@njit(cache=True, nogil=True, inline="always")
def ask_readings(readings: Readings, first: int, count: int) -> None:
    """Ask for a name's readings."""
    for reading in range(first, first + count):
        _prefetch(readings, reading)


@njit(cache=True, nogil=True, inline="always")
def look_up(table: U64, key: np.uint64) -> np.int64:
    """The entry stored under `key`, or `MISSING`; the functions below read it."""
    return find(table, key) if held_of(table, key) & NAMED else MISSING


@njit(cache=True, nogil=True, inline="always")
def find(table: U64, key: np.uint64) -> np.int64:
    """`look_up` of a key that the filter holds."""
    slot = _slot(table, key)
    while table[slot] != np.uint64(0) and table[slot] != key:
        slot = _next_slot(table, slot)
    return np.int64(table[slot + np.uint64(1)]) if table[slot] == key else MISSING


@allocating
def slots(table: U64) -> U64:
    """The keys and entries, (slots, 2); key 0 is free."""
    return table[_SLOTS_AT:].reshape(-1, 2)


@njit(cache=True, nogil=True, inline="always")
def name_of(entry: np.int64) -> int:
    """The first of the name's readings; no two names that have readings share it."""
    return int(entry & 0xFFFFFFFF)


@njit(cache=True, nogil=True, inline="always")
def common_of(entry: np.int64) -> int:
    """How much of an everyday word the name is: 0 not at all … 9 nothing else."""
    return int((entry >> 32) & 0xFF)


@njit(cache=True, nogil=True, inline="always")
def words_of(entry: np.int64) -> int:
    """The most words the name is written in."""
    return int((entry >> 40) & 0xFF)


@njit(cache=True, nogil=True, inline="always")
def top_of(entry: np.int64) -> float:
    """The bound that `set_tops` stored with the name."""
    return ((entry >> 48) & 0xFF) / _TOP_STEPS + _TOP_LEAST


@njit(cache=True, nogil=True, inline="always")
def readings_of(entry: np.int64) -> int:
    """How many readings the name has; 0 for what is no place."""
    return int((entry >> 56) & 0xFF)


@allocating
def with_top(entry: np.uint64, top: float) -> np.uint64:
    """The entry with a number, rounded up to an eighth and cut to -16 … 15.9."""
    steps = np.ceil((top - _TOP_LEAST) * _TOP_STEPS)
    stored = np.uint64(min(255.0, max(0.0, steps))) << _TOP_SHIFT
    return entry & ~(np.uint64(0xFF) << _TOP_SHIFT) | stored


@allocating
def name_keys(offsets: I32, data: U8, alphabet: Alphabet) -> tuple[U64, U8, U8, U8, U64]:
    """Key, letters, words and dense letters (kana, Han, Hangul) of every name; the filters but for the names.

    Counts stop at 255.
    """
    filters = np.zeros(_SLOTS_AT, np.uint64)
    rows = len(offsets) - 1
    keys = np.zeros(rows, np.uint64)
    letters = np.zeros(rows, np.uint8)
    words = np.zeros(rows, np.uint8)
    dense = np.zeros(rows, np.uint8)
    for row in range(rows):
        at = int(offsets[row])
        end = int(offsets[row + 1])
        key = np.uint64(0)
        inside = False
        last = 0
        first_letter = np.uint32(0)
        last_letter = np.uint32(0)
        while at < end:
            code, length = decode(data, at, end)
            at += length
            if code >= TABLED:
                inside = False
                continue
            gap = alphabet.first[code] != 0  # an invisible character parts nothing
            for part in (alphabet.first[code], alphabet.second[code]):
                kind = alphabet.kind[part]
                if part == 0 or kind not in (WORD, DIGIT, UNIT, UNIT_MARK):
                    continue
                gap = False
                letter = alphabet.skeleton[part]
                if letter == 0:
                    continue
                if key != 0 and (not inside or kind == UNIT or last == UNIT):
                    _set_bit(filters, slot_hash(key), _OPENINGS)
                last = kind
                first_letter = letter if key == 0 else first_letter
                last_letter = letter
                key = append_letter(key, letter)
                letters[row] = min(255, letters[row] + 1)
                dense[row] = min(255, dense[row] + (part >= _DENSE))
                if not inside:
                    inside = True
                    words[row] = min(255, words[row] + 1)
            if gap:
                inside = False
        keys[row] = key
        if _CYRILLIC[0] <= first_letter <= _CYRILLIC[1]:
            _set_stem(filters, key)
            if last_letter in ENDINGS:
                _set_stem(filters, (key - np.uint64(last_letter)) * BASE_INVERSE)
        elif _HANGUL[0] <= first_letter <= _HANGUL[1]:
            _set_stem(filters, key)
    return keys, letters, words, dense, filters


def build_index(
    keys: U64,
    places: I32,
    kinds: U8,
    words: U8,
    filters: U64,
    order: npt.NDArray[np.float64],
    common: dict[int, int],
    cap: int,
) -> NameIndex:
    """Group readings by key, the greatest `order` first and no more than `cap` a name; fill the table.

    Of the readings only place and kind are filled in.
    An infinite `order` is a name without a reading: it is matched, and every reading of it is dropped.
    """
    ranked = np.lexsort((-order, keys))
    keys, places, kinds, words = keys[ranked], places[ranked], kinds[ranked], words[ranked]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = keys[1:] != keys[:-1]
    name = np.cumsum(fresh) - 1
    start = np.flatnonzero(fresh)
    kept = (np.arange(len(keys)) - start[name] < cap) & ~np.isinf(order[ranked][start])[name]
    most_words = np.maximum.reduceat(words, start)
    counts = np.bincount(name[kept], minlength=len(start)).astype(np.uint64)
    unique = keys[start]
    entries = np.cumsum(counts) - counts | counts << _READINGS_SHIFT
    entries |= most_words.astype(np.uint64) << _WORDS_SHIFT
    for key, level in common.items():
        at = int(np.searchsorted(unique, np.uint64(key)))
        if at < len(unique) and int(unique[at]) == key:
            entries[at] |= np.uint64(level) << _COMMON_SHIFT
    table = np.zeros(_SLOTS_AT + (2 << int(np.ceil(np.log2(len(unique) * 1.6)))), np.uint64)
    table[:_SLOTS_AT] = filters
    _fill(unique, entries, table)
    readings = np.zeros(int(kept.sum()), READING)
    readings["place"], readings["kind"] = places[kept], kinds[kept]
    return NameIndex(table, readings)


@allocating
def _fill(unique: U64, entries: U64, table: U64) -> None:
    for name in range(len(unique)):
        _set_bit(table, slot_hash(unique[name]), _NAMES)
        slot = _slot(table, unique[name])
        while table[slot] != np.uint64(0):
            slot = _next_slot(table, slot)
        table[slot] = unique[name]
        table[slot + np.uint64(1)] = entries[name]
