"""The hash table of place names: a name's key, and the look-up that a kernel can make.

Owns the key under which a name is stored and met again, and the open-addressing table. It does not know where
names come from (`place_data`), nor which reading of one is right (`place_score`).

A key is a polynomial hash over the name's compared letters and digits; what stands between them does not
count. So `Sri Lanka`, `#SriLanka`, `sri_lanka` and `srilanka` are one key, the key of several words follows
from those of the words, and each piece of a hashtag can be looked up without spelling it out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.fold import (
    DIGIT,
    TABLED,
    UNIT,
    UNIT_MARK,
    WORD,
    Alphabet,
    decode,
)

__all__ = [
    "BASE",
    "MISSING",
    "RECENT",
    "RECENT_BITS",
    "NameIndex",
    "Recent",
    "append_letter",
    "build_index",
    "common_of",
    "look_up",
    "may_be_part",
    "name_keys",
    "name_of",
    "opens_name",
    "recall",
    "set_tops",
    "slot_hash",
    "top_of",
    "words_of",
]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no letter's weight ever dies out modulo 2**64
MISSING = np.int64(-1)
_DENSE = 0x3040  # from here on a letter is a syllable or a word
BLOOM_BITS = 23  # one mebibyte: stays in the second-level cache and answers most look-ups alone


class NameIndex(NamedTuple):
    """Keys and the readings of each; Numba kernels take it as it is."""

    bloom: U64
    """Pairs of filters, side by side in one cache line: a bit for each key, so that look-ups that miss seldom
    go further; and one for what names of several parts begin with, where more parts are worth looking up."""
    slots: U64
    """Open addressing over a power of two of pairs, side by side: key (0 is free) and entry."""
    first: I32
    """Names + 1 bounds into `places` and `kinds`."""
    places: I32
    kinds: U8


RECENT = np.dtype([("key", np.uint64), ("entry", np.int64), ("opens", np.uint8)], align=True)
Recent = npt.NDArray[np.void]
"""The answers to the last look-ups by key, 1 << `RECENT_BITS` of type `RECENT`: most words of a text are
common ones, and the tables themselves are too large for the nearer caches."""
RECENT_BITS = 12

_NAMES = 0
_OPENINGS = 1
_COMMON_SHIFT = np.uint64(32)
_WORDS_SHIFT = np.uint64(40)
_TOP_SHIFT = np.uint64(48)
_TOP_LEAST = -16.0
_TOP_STEPS = 8.0  # a unit


@njit(cache=True, nogil=True, inline="always")
def append_letter(key: np.uint64, letter: int) -> np.uint64:
    """The key of a name one letter longer."""
    return np.uint64(key) * BASE + np.uint64(letter)


@njit(cache=True, nogil=True, inline="always")
def slot_hash(key: np.uint64) -> np.uint64:
    """Scatter a key over the table; polynomial hashes alone crowd their low bits."""
    h = np.uint64(key)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return h


@njit(cache=True, nogil=True, inline="always")
def _has_bit(bloom: U64, h: np.uint64, opening: int) -> bool:
    bit = h >> np.uint64(64 - BLOOM_BITS)
    word = bloom[((bit >> np.uint64(6)) << np.uint64(1)) + np.uint64(opening)]
    return bool((word >> (bit & np.uint64(63))) & np.uint64(1))


@njit(cache=True, nogil=True, inline="always")
def _set_bit(bloom: U64, h: np.uint64, opening: int) -> None:
    bit = h >> np.uint64(64 - BLOOM_BITS)
    bloom[((bit >> np.uint64(6)) << np.uint64(1)) + np.uint64(opening)] |= np.uint64(1) << (
        bit & np.uint64(63)
    )


@njit(cache=True, nogil=True, inline="always")
def opens_name(index: NameIndex, key: np.uint64) -> bool:
    """Whether a longer name may begin with this one's parts."""
    return bool(_has_bit(index.bloom, slot_hash(key), _OPENINGS))


@njit(cache=True, nogil=True, inline="always")
def may_be_part(index: NameIndex, key: np.uint64) -> bool:
    """Whether a name, or the beginning of one, may be stored under `key`."""
    h = slot_hash(key)
    return bool(_has_bit(index.bloom, h, _NAMES) or _has_bit(index.bloom, h, _OPENINGS))


@njit(cache=True, nogil=True, inline="always")
def look_up(index: NameIndex, key: np.uint64) -> np.int64:
    """The entry stored under `key`, or `MISSING`; the functions below read it."""
    h = slot_hash(key)
    if not _has_bit(index.bloom, h, _NAMES):
        return MISSING
    mask = np.uint64(len(index.slots) // 2 - 1)
    slot = h & mask
    while index.slots[slot << np.uint64(1)] != np.uint64(0):
        if index.slots[slot << np.uint64(1)] == key:
            return np.int64(index.slots[(slot << np.uint64(1)) + np.uint64(1)])
        slot = (slot + np.uint64(1)) & mask
    return MISSING


@njit(cache=True, nogil=True, inline="always")
def recall(index: NameIndex, key: np.uint64, recent: Recent) -> tuple[np.int64, bool]:
    """`look_up` and `opens_name` of a key that is likely to come again."""
    at = slot_hash(key) >> np.uint64(64 - RECENT_BITS)
    if recent[at].key != key:
        recent[at].key = key
        recent[at].entry = look_up(index, key)
        recent[at].opens = opens_name(index, key)
    return recent[at].entry, recent[at].opens != 0


@njit(cache=True, nogil=True, inline="always")
def name_of(entry: np.int64) -> int:
    """The name's place in `first`."""
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


@njit(cache=True, nogil=True)
def set_tops(index: NameIndex, tops: F32) -> None:
    """Store a number with every name, rounded up to an eighth and cut to -16 … 15.9."""
    bits = np.uint64(0xFF) << _TOP_SHIFT
    for slot in range(0, len(index.slots), 2):
        entry = index.slots[slot + 1]
        if index.slots[slot] != np.uint64(0):
            steps = np.ceil((tops[entry & np.uint64(0xFFFFFFFF)] - _TOP_LEAST) * _TOP_STEPS)
            stored = np.uint64(min(255.0, max(0.0, steps)))
            index.slots[slot + 1] = (entry & ~bits) | (stored << _TOP_SHIFT)


@njit(cache=True, nogil=True)
def name_keys(offsets: I32, data: U8, alphabet: Alphabet) -> tuple[U64, U8, U8, U8, U64]:
    """Key, letters, words and dense letters (kana, Han, Hangul) of every name; the filter of openings.

    Counts stop at 255.
    """
    bloom = np.zeros(2 << (BLOOM_BITS - 6), np.uint64)
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
                    _set_bit(bloom, slot_hash(key), _OPENINGS)
                last = kind
                key = append_letter(key, letter)
                letters[row] = min(255, letters[row] + 1)
                dense[row] = min(255, dense[row] + (part >= _DENSE))
                if not inside:
                    inside = True
                    words[row] = min(255, words[row] + 1)
            if gap:
                inside = False
        keys[row] = key
    return keys, letters, words, dense, bloom


def build_index(
    keys: U64,
    places: I32,
    kinds: U8,
    words: U8,
    bloom: U64,
    order: npt.NDArray[np.float64],
    common: dict[int, int],
    cap: int,
) -> NameIndex:
    """Group readings by key, the greatest `order` first and no more than `cap` a name; fill the table.

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
    first = np.zeros(len(start) + 1, np.int32)
    np.cumsum(np.bincount(name[kept], minlength=len(start)), out=first[1:])
    unique = keys[start]
    entries = np.arange(len(unique), dtype=np.uint64) | most_words.astype(np.uint64) << _WORDS_SHIFT
    for key, level in common.items():
        at = int(np.searchsorted(unique, np.uint64(key)))
        if at < len(unique) and int(unique[at]) == key:
            entries[at] |= np.uint64(level) << _COMMON_SHIFT
    slots = np.zeros(2 << int(np.ceil(np.log2(len(unique) * 1.6))), np.uint64)
    _fill(unique, entries, slots, bloom)
    return NameIndex(bloom, slots, first, places[kept], kinds[kept])


@njit(cache=True)
def _fill(unique: U64, entries: U64, slots: U64, bloom: U64) -> None:
    mask = np.uint64(len(slots) // 2 - 1)
    for name in range(len(unique)):
        h = slot_hash(unique[name])
        _set_bit(bloom, h, _NAMES)
        slot = h & mask
        while slots[slot << np.uint64(1)] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        slots[slot << np.uint64(1)] = unique[name]
        slots[(slot << np.uint64(1)) + np.uint64(1)] = entries[name]
