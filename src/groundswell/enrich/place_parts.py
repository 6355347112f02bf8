"""Cuts a post into the parts that can make up a place's name, with what their writing gives away.

Owns the kernel that reads a text once: words, the pieces of hashtags (`#ItalyEarthquake`, `#حفر_الباطن`),
single letters of scripts without word gaps, flags; each with its key, its capitals and what stands before it.
Links and mentions are passed over. It does not know names.
"""

from __future__ import annotations

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
    "EVERYWHERE",
    "HARD",
    "HASHTAG",
    "IS_DIGITS",
    "IS_FLAG",
    "IS_UNIT",
    "JOINED",
    "MAX_PARTS",
    "PART",
    "SMALL",
    "SOFT",
    "STARTS_SENTENCE",
    "UNUSED",
    "USED",
    "Parts",
    "casing",
    "cut",
]

U8 = npt.NDArray[np.uint8]

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

# How a post uses capitals.
USED = 0
UNUSED = 1
EVERYWHERE = 2

_HASH = 0x23
_WIDE_HASH = 0xFF03


PART = np.dtype(
    [
        ("start", np.int32),  # bytes
        ("end", np.int32),
        ("key", np.uint64),
        ("power", np.uint64),  # BASE ** letters: shifts the key of what stands before
        ("letters", np.int32),
        ("before", np.uint8),
        ("flags", np.uint8),
    ],
    align=True,
)
Parts = npt.NDArray[np.void]
"""The parts of one post, `MAX_PARTS` of type `PART`: scratch space that is used again for the next."""


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
    www = (
        at + 4 < end and data[at + 1] | 0x20 == 0x77 and data[at + 2] | 0x20 == 0x77 and data[at + 3] == 0x2E
    )
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
        if (first == 0 and code < TABLED) or kind == JOINER:
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
                parts[count].key = key
                parts[count].end = at + length
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
            if gap == HARD or (gap == DOT and not (count > 0 and parts[count - 1].letters <= 3)):
                sentence = True
            if code in (_HASH, _WIDE_HASH):
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
                    fresh = fresh and alphabet.first[code] != code and parts[count - 1].letters >= 2
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
            parts[part].flags &= 0xFF ^ IS_DIGITS
        if not upper and kind == WORD:
            parts[part].flags &= 0xFF ^ CAPITALS
        for letter in (first, alphabet.second[code] if code < TABLED else 0):
            bare = alphabet.skeleton[letter]
            if letter != 0 and bare != 0:
                parts[part].key = append_letter(parts[part].key, bare)
                parts[part].power *= BASE
                parts[part].letters += 1
        at += length
        parts[part].end = at
        last = kind
        last_upper = upper
    return count


@njit(cache=True, nogil=True)
def casing(count: int, parts: Parts) -> int:
    """How a post's words use capitals: `USED`, `UNUSED` or `EVERYWHERE`."""
    capital = 0
    small = 0
    for part in range(count):
        flags = parts[part].flags
        if not flags & HASHTAG:
            if flags & CAPITAL:
                capital += 1
            elif flags & SMALL:
                small += 1
    if capital == 0:
        return UNUSED
    return EVERYWHERE if capital >= 3 and capital > 2 * small else USED


@njit(cache=True, nogil=True)
def _has_capital(code: int) -> bool:
    """Whether the letter belongs to a script with capitals: Latin, Greek, Cyrillic, Armenian."""
    return 0x61 <= code <= 0x24F or 0x370 <= code <= 0x587 or 0x1E00 <= code <= 0x1FFF


@njit(cache=True, nogil=True)
def _open(parts: Parts, part: int, start: int, before: int, flags: int) -> None:
    parts[part].start = start
    parts[part].end = start
    parts[part].key = 0
    parts[part].power = 1
    parts[part].letters = 0
    parts[part].before = before
    parts[part].flags = flags
