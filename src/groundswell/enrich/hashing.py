"""The hash of tokens and of pairs of them, and the tables that are keyed by it.

64 bits, unkeyed and stable: FNV-1a over code points, then the finaliser of MurmurHash3. The lowest bit is 0
for a single token and 1 for a pair of words. No vocabulary is kept; a hash cannot be turned back into a word.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from groundswell.enrich.fold import U8, U64
from groundswell.kernels import allocating, inner, mix

__all__ = [
    "FILTER_WORDS",
    "SEED",
    "HashMap",
    "contains",
    "finish",
    "get",
    "hash_map",
    "hash_set",
    "hold",
    "may_hold",
    "open_with",
    "pair_hash",
    "short_hash",
    "step",
]

SEED = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_ODD = np.uint64(0x9E3779B97F4A7C15)
FILTER_WORDS = 1024  # of a filter of short hashes: stays in the nearest cache
_OPEN = 4  # letters of an opening
_DENSE = 0x0E00  # from here on, in scripts that do not write words apart and in Korean, a letter says much
_ONE = np.uint64(1)
_NOT_ONE = np.uint64(0xFFFFFFFFFFFFFFFE)


class HashMap(NamedTuple):
    """Hash -> small number, open addressing; a power of two long, at most half full, key 0 is empty."""

    keys: U64
    values: U8


@njit(cache=True, nogil=True, inline="always")
def finish(state: np.uint64) -> np.uint64:
    """The hash of what has been stepped through; its lowest bit is 0."""
    hashed: np.uint64 = mix(state) & _NOT_ONE
    return hashed


@njit(cache=True, nogil=True, inline="always")
def step(state: np.uint64, code: int) -> np.uint64:
    """FNV-1a, one code point on."""
    return (state ^ np.uint64(code)) * _PRIME


@njit(cache=True, nogil=True, inline="always")
def pair_hash(first: np.uint64, second: np.uint64) -> np.uint64:
    """The hash of two adjacent words, in their order; its lowest bit is 1."""
    hashed: np.uint64 = finish(first * _ODD + second) | _ONE
    return hashed


@njit(cache=True, nogil=True, inline="always")
def short_hash(state: np.uint64) -> np.int64:
    """1 … 65535 for what has been stepped through so far."""
    return max(np.int64(1), np.int64((state ^ state >> np.uint64(32)) & np.uint64(0xFFFF)))


@inner
def open_with(opening: np.int64, letters: int, code: int, state: np.uint64) -> tuple[np.int64, int]:
    """The opening of a word that goes on with `code`, over which `state` has been stepped; its letters.

    An opening is two `short_hash`es side by side: of the first three letters, and of the first four or, where
    there are no more, of the three again; it is 0 for shorter words. From Thai on a letter says as much as
    three: there the two are of the first and of the first two. What begins further in is not counted.
    """
    if letters >= _OPEN:
        return opening, letters
    letters += _OPEN - 1 if letters == 0 and code >= _DENSE else 1
    if letters == _OPEN - 1:
        opening = short_hash(state) * 0x10001
    elif letters == _OPEN:
        opening = opening & 0xFFFF | short_hash(state) << 16
    return opening, letters


@njit(cache=True, nogil=True, inline="always")
def may_hold(bits: U64, short: np.int64) -> bool:
    """Whether `short`, of 16 bits, is in a filter of `FILTER_WORDS`."""
    return bool(bits[short >> 6] >> np.uint64(short & 63) & _ONE)


@njit(cache=True, nogil=True, inline="always")
def hold(bits: U64, short: np.int64) -> None:
    """Put `short` into a filter."""
    bits[short >> 6] |= _ONE << np.uint64(short & 63)


@njit(cache=True, nogil=True, inline="always")
def _slot(keys: U64, key: np.uint64) -> int:
    """Where `key` is, or where it would go."""
    mask = np.uint64(len(keys) - 1)
    at = (key >> _ONE) & mask
    while keys[at] != 0 and keys[at] != key:
        at = (at + _ONE) & mask
    return np.int64(at)  # type: ignore[return-value]


@njit(cache=True, nogil=True, inline="always")
def contains(slots: U64, key: np.uint64) -> bool:
    """Whether `key` is in a `hash_set`."""
    return bool(slots[_slot(slots, key)] == key)


@njit(cache=True, nogil=True, inline="always")
def get(table: HashMap, key: np.uint64) -> int:
    """The value under `key`, 0 when there is none."""
    at = _slot(table.keys, key)
    return int(table.values[at]) if table.keys[at] == key else 0


@allocating
def _put(keys: U64, values: U8, new_keys: U64, new_values: U8) -> None:
    for i in range(len(new_keys)):
        at = _slot(keys, new_keys[i])
        keys[at] = new_keys[i]
        values[at] = new_values[i]


def hash_map(entries: dict[int, int]) -> HashMap:
    """A table for kernels; values are in 1 … 255."""
    size = 16
    while size < 2 * len(entries):
        size *= 2
    table = HashMap(np.zeros(size, np.uint64), np.zeros(size, np.uint8))
    keys = np.fromiter(entries.keys(), np.uint64, len(entries))
    values = np.fromiter(entries.values(), np.uint8, len(entries))
    _put(table.keys, table.values, keys, values)
    return table


def hash_set(hashes: U64) -> U64:
    """The slots of a set, for `contains`."""
    return hash_map(dict.fromkeys(hashes.tolist(), 1)).keys
