"""Cuts a post into the parts that can make up a place's name, with what their writing gives away.

Owns the kernel that reads a text once: words, the pieces of hashtags (`#ItalyEarthquake`, `#حفر_الباطن`),
single letters of scripts without word gaps, flags; each with its key, its capitals and what stands before it.
Links and mentions are passed over. It does not know names.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.fold import APOSTROPHE, DIGIT, FLAG, JOINER, UNIT, UNIT_MARK, WORD, decode
from groundswell.enrich.place_letters import (
    BASE,
    IS_CAPITAL,
    IS_SMALL,
    KIND,
    append_letter,
    letters_of,
    spelling_of,
)
from groundswell.kernels import inner, word_at

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
    "NOT_LATIN",
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
U64 = npt.NDArray[np.uint64]

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
NOT_LATIN = 256

# How a post uses capitals.
USED = 0
UNUSED = 1
EVERYWHERE = 2

_SPACE = 0x20
_AT = 0x40
_UNDERSCORE = 0x5F
_HASH = 0x23
_LATIN_END = 0x250
_LATIN_MORE = 0x1E00  # with the Vietnamese letters
_LATIN_MORE_END = 0x1F00
_WIDE_HASH = 0xFF03
_EACH = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_POWERS = np.array([pow(int(BASE), letters, 1 << 64) for letters in range(9)], np.uint64)


PART = np.dtype(
    [
        ("start", np.int32),  # bytes
        ("end", np.int32),
        ("key", np.uint64),
        ("power", np.uint64),  # BASE ** letters: shifts the key of what stands before
        ("letters", np.int32),
        ("before", np.uint8),
        ("held", np.uint8),  # what the filters of names say of the key
        ("flags", np.uint16),
    ],
    align=True,
)
Parts = npt.NDArray[np.void]
"""The parts of one post, `MAX_PARTS` of type `PART`: scratch space that is used again for the next."""


@inner
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


@inner
def _mention_end(data: U8, at: int, end: int) -> int:
    """The end of an account's name that begins behind an `@`."""
    while at < end and (data[at] > 0x40 or 0x30 <= data[at] <= 0x39 or data[at] in (0x2D, 0x2E)):
        at += 1
    return at


@njit(cache=True, nogil=True, inline="always")
def _begins_part(kind: int, last: int, hashtag: bool, upper: bool, last_upper: bool) -> bool:
    """Whether a character begins a part; a hashtag's pieces begin with a capital or a number."""
    if last == 0:
        return True
    if kind == UNIT_MARK:
        return False
    if kind == UNIT or last in (UNIT, UNIT_MARK):
        return True
    return hashtag and ((upper and not last_upper) or (kind == DIGIT) != (last == DIGIT))


@njit(cache=True, nogil=True, inline="always")
def _first_flags(code: int, kind: int, upper: bool, hashtag: bool, sentence: bool) -> int:
    """The flags that a part's first character gives it."""
    flags = 0
    if upper:
        flags |= CAPITAL | CAPITALS
    elif kind == WORD and _has_capital(code):
        flags |= SMALL
    if hashtag:
        flags |= HASHTAG
    if sentence:
        flags |= STARTS_SENTENCE
    if kind == UNIT:
        flags |= IS_UNIT
    elif kind == DIGIT:
        flags |= IS_DIGITS
    if code >= _LATIN_END and not _LATIN_MORE <= code < _LATIN_MORE_END:
        flags |= NOT_LATIN
    return flags


@njit(cache=True, nogil=True, inline="always")
def _spell(parts: Parts, part: int, written: np.int64) -> None:
    """Append a character to a part's key."""
    for letter in letters_of(written):
        if letter != 0:
            parts[part].key = append_letter(parts[part].key, letter)
            parts[part].power *= BASE
            parts[part].letters += 1


@njit(cache=True, nogil=True, inline="always")
def _small_letters(word: np.uint64) -> np.uint64:
    """How many of eight bytes, from the first on, are the letters a … z."""
    low = word & ~_TOPS  # seven bits a byte: no sum below reaches into the next
    others = (~(low + _EACH * np.uint64(0x1F)) | low + _EACH * np.uint64(0x05) | word) & _TOPS
    before = ((others & (~others + np.uint64(1))) >> np.uint64(7)) - np.uint64(1)  # ones below the first
    return np.uint64((before & _EACH) * _EACH >> np.uint64(56))


@njit(cache=True, nogil=True, inline="always")
def _spell_plain(data: U8, at: int, end: int, parts: Parts, part: int) -> int:
    """Append a run of the letters a … z, which stand for themselves; where it ends. Eight at a time."""
    key = parts[part].key
    power = parts[part].power
    start = at
    count = np.uint64(8)
    while count == np.uint64(8):
        word = word_at(data, np.uint64(at), np.uint64(end))
        count = _small_letters(word)
        if count == np.uint64(0):
            break
        word <<= np.uint64(64) - (count << np.uint64(3))  # the last letter on top, zeros in front
        added = np.uint64(0)
        for letter in range(8):
            added += (word >> np.uint64(8 * letter) & np.uint64(0xFF)) * _POWERS[7 - letter]
        key = key * _POWERS[count] + added
        power *= _POWERS[count]
        at += np.int64(count)  # type: ignore[assignment]
    parts[part].key = key
    parts[part].power = power
    parts[part].letters += at - start
    parts[part].flags &= 0xFFFF ^ CAPITALS
    parts[part].end = at
    return at


@inner
def cut(data: U8, at: int, end: int, spelling: U64, parts: Parts) -> int:
    """Fill `parts` from the bytes `at` … `end`; how many there are."""
    count = 0
    before = HARD
    sentence = True
    hashtag = False
    last = 0  # kind of the previous character, 0 outside a part
    last_upper = False
    regional = 0
    while at < end and count < MAX_PARTS:
        if last == WORD and 0x61 <= data[at] <= 0x7A:
            at = _spell_plain(data, at, end, parts, count - 1)
            last_upper = False
            continue
        if data[at] == _SPACE and regional == 0:
            before = max(before, SOFT)
            hashtag = False
            last = 0
            at += 1
            continue
        code, length = decode(data, at, end)
        written = spelling_of(code, spelling)
        kind = written & KIND
        if kind == JOINER:
            at += length
            continue
        if last == 0 and (code | 0x20 == 0x68 or code | 0x20 == 0x77) and _link_end(data, at, end) > at:
            at = _link_end(data, at, end)
            before = HARD
            continue
        if kind == FLAG:
            if regional != 0:
                _open(parts, count, at - length, HARD, IS_FLAG)
                parts[count].key = append_letter(append_letter(np.uint64(0), regional), code)
                parts[count].end = at + length
                count += 1
            regional = code if regional == 0 else 0
            before = HARD
            last = 0
            at += length
            continue
        regional = 0
        if kind not in (WORD, DIGIT, UNIT, UNIT_MARK):
            gap = SOFT if kind == APOSTROPHE or code == _AT else _gap(code)
            before = max(before, gap)
            abbreviated = count > 0 and parts[count - 1].letters <= 3
            sentence = sentence or gap == HARD or (gap == DOT and not abbreviated)
            hashtag = code in (_HASH, _WIDE_HASH) or (hashtag and code == _UNDERSCORE)
            last = 0
            at += length
            if code == _AT:
                at = _mention_end(data, at, end)
            continue
        upper = written & IS_CAPITAL != 0
        fresh = _begins_part(kind, last, hashtag, upper, last_upper)
        if hashtag and upper and not fresh and at + length < end and parts[count - 1].letters >= 2:
            following, _ = decode(data, at + length, end)
            fresh = (
                spelling_of(following, spelling) & IS_SMALL != 0
            )  # the last capital of `USAFlood` begins a word
        if fresh:
            gap = before if last == 0 else JOINED
            _open(parts, count, at, gap, _first_flags(code, kind, upper, hashtag, sentence))
            before = JOINED
            sentence = False
            count += 1
        elif kind != DIGIT:
            parts[count - 1].flags &= 0xFFFF ^ IS_DIGITS
        if not upper and kind == WORD:
            parts[count - 1].flags &= 0xFFFF ^ CAPITALS
        _spell(parts, count - 1, written)
        at += length
        parts[count - 1].end = at
        last = kind
        last_upper = upper
    return count


@inner
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


@njit(cache=True, nogil=True, inline="always")
def _has_capital(code: int) -> bool:
    """Whether the letter belongs to a script with capitals: Latin, Greek, Cyrillic, Armenian."""
    return 0x61 <= code <= 0x24F or 0x370 <= code <= 0x587 or 0x1E00 <= code <= 0x1FFF


@njit(cache=True, nogil=True, inline="always")
def _open(parts: Parts, part: int, start: int, before: int, flags: int) -> None:
    parts[part].start = start
    parts[part].end = start
    parts[part].key = 0
    parts[part].power = 1
    parts[part].letters = 0
    parts[part].before = before
    parts[part].flags = flags
