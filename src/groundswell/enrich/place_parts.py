"""Cuts a post into the parts that can make up a place's name, with what their writing gives away.

Owns the kernel that reads a text once: words, the pieces of hashtags (`#ItalyEarthquake`, `#حفر_الباطن`), single
letters of scripts without word gaps, flags; each with its key, its capitals and what stands before it. Links and
mentions are passed over. It does not know names.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.fold import (
    APOSTROPHE,
    DIGIT,
    FLAG,
    JOINER,
    TABLED,
    UNIT,
    UNIT_MARK,
    WORD,
    Alphabet,
    decode,
)
from groundswell.enrich.place_index import BASE, append_letter

__all__ = [
    "CAPITAL",
    "CAPITALS",
    "COMMA",
    "DOT",
    "HARD",
    "HASHTAG",
    "IS_DIGITS",
    "IS_FLAG",
    "IS_UNIT",
    "JOINED",
    "MAX_PARTS",
    "SMALL",
    "SOFT",
    "STARTS_SENTENCE",
    "Parts",
    "cut",
    "new_parts",
]

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

MAX_PARTS = 1024  # a post's text beyond this many parts is not read for places

# What stands before a part, the strongest of it.
JOINED = 0  # nothing: the next piece of a hashtag, the next letter
SOFT = 1  # a space, a hyphen, an underscore, an apostrophe
DOT = 2
COMMA = 3
HARD = 4

# What a part is: bits.
CAPITAL = 1  # its first letter is a capital
CAPITALS = 2  # all its letters are, and there are at least two (or one with a dot behind it: `U.S.`)
SMALL = 4  # its first letter is a small one, in a script that has both
HASHTAG = 8
STARTS_SENTENCE = 16
IS_UNIT = 32  # one letter of a script without word gaps
IS_DIGITS = 64
IS_FLAG = 128

_HASH = 0x23
_WIDE_HASH = 0xFF03


class Parts(NamedTuple):
    """The parts of one post; scratch space that is used again for the next."""

    starts: I32  # bytes
    ends: I32
    keys: U64
    powers: U64  # BASE ** letters: shifts the key of what stands before
    letters: I32
    before: U8
    flags: U8


@njit(cache=True, nogil=True)
def new_parts() -> Parts:
    return Parts(
        np.zeros(MAX_PARTS, np.int32),
        np.zeros(MAX_PARTS, np.int32),
        np.zeros(MAX_PARTS, np.uint64),
        np.zeros(MAX_PARTS, np.uint64),
        np.zeros(MAX_PARTS, np.int32),
        np.zeros(MAX_PARTS, np.uint8),
        np.zeros(MAX_PARTS, np.uint8),
    )


@njit(cache=True, nogil=True)
def _link_end(data: U8, at: int, end: int) -> int:
    """The end of a link that begins at `at`, or `at`."""
    link = (
        at + 7 < end
        and data[at + 1] | 0x20 == 0x74  # (h)ttp, then `://` or `s://`
        and data[at + 2] | 0x20 == 0x74
        and data[at + 3] | 0x20 == 0x70
        and (data[at + 4] == 0x3A or data[at + 5] == 0x3A)
    )
    www = at + 4 < end and data[at + 1] | 0x20 == 0x77 and data[at + 2] | 0x20 == 0x77 and data[at + 3] == 0x2E
    if link or www:
        while at < end and data[at] > 0x20:
            at += 1
    return at


@njit(cache=True, nogil=True, inline="always")
def _gap(code: int) -> int:
    """How firmly a character between two parts holds them apart."""
    if code in (0x20, 0x2D, 0x5F, 0x27, 0x23, 0x26, 0xA0, 0xFF03, 0x2010, 0x2011, 0x30FB, 0x3000, 0x09):
        return SOFT
    if code == 0x2E:
        return DOT
    if code in (0x2C, 0x60C, 0x3001, 0xFF0C):
        return COMMA
    return HARD


@njit(cache=True, nogil=True)
def cut(data: U8, at: int, end: int, alphabet: Alphabet, parts: Parts) -> int:
    """Fill `parts` from the bytes `at` … `end`; how many there are."""
    count = 0
    before = HARD
    sentence = True
    hashtag = False
    last = 0  # kind of the previous character, 0 outside a part
    last_upper = False
    regional = -1
    while at < end:
        code, length = decode(data, at, end)
        first = alphabet.first[code] if code < TABLED else 0
        kind = alphabet.kind[first] if first != 0 else 0
        if first == 0 and code < TABLED or kind == JOINER:
            at += length
            continue
        if last == 0 and (code | 0x20 == 0x68 or code | 0x20 == 0x77):
            after = _link_end(data, at, end)
            if after > at:
                at = after
                before = max(before, HARD)
                continue
        if kind == FLAG:
            if regional >= 0 and count < MAX_PARTS:
                key = append_letter(append_letter(np.uint64(0), regional), code)
                _open(parts, count, at - 4, max(before, HARD), IS_FLAG)
                parts.keys[count] = key
                parts.ends[count] = at + length
                count += 1
                regional = -1
            else:
                regional = code
            before = HARD
            last = 0
            at += length
            continue
        regional = -1
        if kind not in (WORD, DIGIT, UNIT, UNIT_MARK):
            if code == 0x40:  # a mention: not ours to read
                at += length
                while at < end and (data[at] > 0x40 or 0x30 <= data[at] <= 0x39 or data[at] in (0x2D, 0x2E)):
                    at += 1
                before = max(before, SOFT)
                last = 0
                continue
            gap = _gap(code)
            if kind == APOSTROPHE:
                gap = SOFT
            before = max(before, gap)
            if gap == HARD or gap == DOT and not (count > 0 and parts.letters[count - 1] <= 3):
                sentence = True
            if code == _HASH or code == _WIDE_HASH:
                hashtag = True
            elif code != 0x5F:
                hashtag = False
            last = 0
            at += length
            continue
        upper = alphabet.upper[code] != 0
        fresh = last == 0 or kind == UNIT or last == UNIT or (last == UNIT_MARK and kind != UNIT_MARK)
        if kind == UNIT_MARK:
            fresh = last == 0
        if hashtag and not fresh:
            fresh = (upper and not last_upper) or (kind == DIGIT) != (last == DIGIT)
            if upper and last_upper and not fresh and at + length < end:
                following, _ = decode(data, at + length, end)  # the last capital of `USAFlood` begins a word
                if following < TABLED and alphabet.kind[following] == WORD:
                    fresh = alphabet.upper[following] == 0 and alphabet.first[following] == following
                    fresh = fresh and alphabet.first[code] != code and parts.letters[count - 1] >= 2
        if fresh:
            if count == MAX_PARTS:
                return count
            flags = (CAPITAL | CAPITALS) if upper else 0
            if not upper and kind == WORD and _has_capital(code):
                flags |= SMALL
            if hashtag:
                flags |= HASHTAG
            if sentence:
                flags |= STARTS_SENTENCE
            if kind == UNIT:
                flags |= IS_UNIT
            if kind == DIGIT:
                flags |= IS_DIGITS
            _open(parts, count, at, JOINED if last != 0 else before, flags)
            before = JOINED
            sentence = False
            count += 1
        part = count - 1
        if kind != DIGIT:
            parts.flags[part] &= 0xFF ^ IS_DIGITS
        if not upper and kind == WORD:
            parts.flags[part] &= 0xFF ^ CAPITALS
        for letter in (first, alphabet.second[code] if code < TABLED else 0):
            bare = alphabet.skeleton[letter]
            if letter != 0 and bare != 0:
                parts.keys[part] = append_letter(parts.keys[part], bare)
                parts.powers[part] *= BASE
                parts.letters[part] += 1
        at += length
        parts.ends[part] = at
        last = kind
        last_upper = upper
    return count


@njit(cache=True, nogil=True)
def _has_capital(code: int) -> bool:
    """Whether the letter belongs to a script with capitals: Latin, Greek, Cyrillic, Armenian."""
    return 0x61 <= code <= 0x24F or 0x370 <= code <= 0x587 or 0x1E00 <= code <= 0x1FFF


@njit(cache=True, nogil=True)
def _open(parts: Parts, part: int, start: int, before: int, flags: int) -> None:
    parts.starts[part] = start
    parts.ends[part] = start
    parts.keys[part] = 0
    parts.powers[part] = 1
    parts.letters[part] = 0
    parts.before[part] = before
    parts.flags[part] = flags
