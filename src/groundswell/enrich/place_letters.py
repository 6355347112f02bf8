"""What a character, as it is written in a post, adds to the key of a name.

Owns one table over the characters: what each is to the cutting of parts, whether it is a capital, and the
letters that it is compared as, one look-up in place of four. A key is a polynomial over those letters, so
that letters can be added and taken away at its end, and parts be joined.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.fold import GAP, JOINER, TABLED, WORD, alphabet, decode
from groundswell.kernels import inner

__all__ = [
    "BASE",
    "BASE_INVERSE",
    "IS_CAPITAL",
    "IS_SMALL",
    "KIND",
    "append_letter",
    "append_spelling",
    "key_of",
    "letters_of",
    "shorter_key",
    "spelling_of",
    "spellings",
]

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no letter's weight ever dies out modulo 2**64
BASE_INVERSE = np.uint64(pow(int(BASE), -1, 1 << 64))

# A character's spelling: what it folds to is to the tokeniser, …
KIND = 0x0F
IS_CAPITAL = 0x10
IS_SMALL = 0x20  # or a letter without case
_FIRST = 8  # … and from these bits on the letters it is compared as, 0 for none
_SECOND = 29
_LETTER = (1 << (_SECOND - _FIRST)) - 1


@cache
def spellings() -> U64:
    """The table, by code point below `TABLED`."""
    tables = alphabet()
    first, second = (np.minimum(letters, TABLED - 1) for letters in (tables.first, tables.second))
    kind = np.where(first == 0, JOINER, tables.kind[first]).astype(np.uint64)
    capital = np.where(tables.upper != 0, IS_CAPITAL, 0).astype(np.uint64)
    small = np.where((tables.kind == WORD) & (tables.upper == 0), IS_SMALL, 0).astype(np.uint64)
    bare = [
        np.where(letters == 0, 0, tables.skeleton[letters]).astype(np.uint64) for letters in (first, second)
    ]
    table: U64 = kind | capital | small | bare[0] << np.uint64(_FIRST) | bare[1] << np.uint64(_SECOND)
    return table


@njit(cache=True, nogil=True, inline="always")
def spelling_of(code: int, table: U64) -> np.int64:
    """What the table says of a character; those above it part words."""
    return np.int64(table[code]) if code < TABLED else np.int64(GAP)


@njit(cache=True, nogil=True, inline="always")
def append_letter(key: np.uint64, letter: int) -> np.uint64:
    """The key of a name one letter longer."""
    return np.uint64(key) * BASE + np.uint64(letter)


@njit(cache=True, nogil=True, inline="always")
def letters_of(spelling: np.int64) -> tuple[np.int64, np.int64]:
    """The letters that a character is compared as; 0 for none."""
    return spelling >> _FIRST & _LETTER, spelling >> _SECOND


@njit(cache=True, nogil=True, inline="always")
def append_spelling(key: np.uint64, spelling: np.int64) -> tuple[np.uint64, int]:
    """The key of a name one character longer, and the number of letters that it adds."""
    added = 0
    for letter in letters_of(spelling):
        if letter != 0:
            key = append_letter(key, letter)
            added += 1
    return key, added


@inner
def key_of(data: U8, start: int, end: int, table: U64, key: np.uint64) -> np.uint64:
    """`key` continued over the bytes `start` … `end`."""
    longer: np.uint64 = key
    while start < end:
        code, length = decode(data, start, end)
        start += length
        longer, _ = append_spelling(longer, spelling_of(code, table))
    return longer


@inner
def shorter_key(data: U8, start: int, end: int, length: int, key: np.uint64, table: U64) -> np.uint64:
    """The key of the bytes from `start` on without the last `length`, where that of all is `key`."""
    code, size = decode(data, end - length, end)
    spelling = spelling_of(code, table) >> _FIRST
    shorter: np.uint64 = (key - np.uint64(spelling)) * BASE_INVERSE
    if size != length or data[end - length] < 0xC0 or not 0 < spelling <= _LETTER:
        shorter = key_of(data, start, end - length, table, np.uint64(0))
    return shorter
