"""Finds the names of places among a post's parts: the longest wherever one begins.

Owns the walk over the parts and the ways a name is dressed: several words, a hashtag's pieces, affixes glued to
it (`#prayforecuador`), Arabic prefixes (`بالقاهرة`), Cyrillic endings, Korean particles. It finds names, common
words among them; `place_score` says which of them are places, and where.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.fold import TABLED, Alphabet, decode
from groundswell.enrich.place_index import BASE, MISSING, NameIndex, append_letter, look_up, slot_hash
from groundswell.enrich.place_parts import (
    CAPITALS,
    DOT,
    HASHTAG,
    IS_DIGITS,
    IS_FLAG,
    IS_UNIT,
    JOINED,
    SOFT,
    Parts,
)

__all__ = [
    "BEFORE",
    "DIRECTION",
    "DRESSED",
    "GIVEN",
    "GLUED",
    "INSTITUTION",
    "KIND",
    "MAX_MENTIONS",
    "PERSON",
    "PLAIN",
    "PREFIX",
    "STORM",
    "SUFFIX",
    "SURNAME",
    "Mentions",
    "WordIndex",
    "match",
    "new_mentions",
    "word_class",
]

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

MAX_MENTIONS = 128  # a post's names beyond these are not read
_MAX_WORDS = 6
_MAX_UNITS = 12
_MAX_LETTERS = 48  # of a hashtag that is taken apart

# What a word beside a name can be: bits.
BEFORE = 1
KIND = 2
DIRECTION = 4
STORM = 8
PERSON = 16
INSTITUTION = 32
GIVEN = 64
PREFIX = 128
SUFFIX = 256
SURNAME = 512

# How a name is dressed.
PLAIN = 0
DRESSED = 1  # with a prefix or an ending that grammar adds
GLUED = 2  # with an affix of a hashtag


class WordIndex(NamedTuple):
    """Words that say something of their neighbours, by key."""

    keys: U64  # open addressing, a power of two
    classes: U16


class Mentions(NamedTuple):
    """The names found in one post; scratch space that is used again for the next."""

    first: I32  # parts, both inclusive
    last: I32
    names: I32
    dress: U8


@njit(cache=True, nogil=True)
def new_mentions() -> Mentions:
    return Mentions(
        np.zeros(MAX_MENTIONS, np.int32),
        np.zeros(MAX_MENTIONS, np.int32),
        np.zeros(MAX_MENTIONS, np.int32),
        np.zeros(MAX_MENTIONS, np.uint8),
    )


@njit(cache=True, nogil=True)
def word_class(words: WordIndex, key: int) -> int:
    """The classes of the word under `key`; 0 for most."""
    mask = np.uint64(len(words.keys) - 1)
    slot = slot_hash(key) & mask
    while words.keys[slot] != np.uint64(0):
        if words.keys[slot] == key:
            return int(words.classes[slot])
        slot = (slot + np.uint64(1)) & mask
    return 0


@njit(cache=True, nogil=True)
def match(
    data: U8, count: int, parts: Parts, index: NameIndex, words: WordIndex, alphabet: Alphabet, found: Mentions
) -> int:
    """Fill `found` with the names among the first `count` parts, left to right; how many there are."""
    mentions = 0
    part = 0
    while part < count and mentions < MAX_MENTIONS:
        dress = PLAIN
        last, name = _longest(part, count, parts, index)
        if name == MISSING and not parts.flags[part] & (IS_DIGITS | IS_UNIT | IS_FLAG):
            last = part
            if parts.flags[part] & HASHTAG:
                name = _unglue(data, parts, part, index, words, alphabet)
                dress = GLUED
            if name == MISSING:
                name = _undress(data, parts, part, index, alphabet)
                dress = DRESSED
        if name == MISSING:
            part += 1
            continue
        found.first[mentions] = part
        found.last[mentions] = last
        found.names[mentions] = name
        found.dress[mentions] = dress
        mentions += 1
        part = last + 1
    return mentions


@njit(cache=True, nogil=True)
def _longest(part: int, count: int, parts: Parts, index: NameIndex) -> tuple[int, int]:
    """The last part and the name of the longest match that begins at `part`."""
    best = MISSING
    best_last = part
    key = np.uint64(0)
    flags = parts.flags[part]
    if flags & IS_DIGITS:
        return best_last, best
    tag = flags & HASHTAG
    reach = min(count, part + (_MAX_UNITS if flags & IS_UNIT else _MAX_WORDS))
    for at in range(part, reach):
        before = parts.before[at]
        if at > part:
            short = before == DOT and parts.letters[at - 1] <= 3
            if before > SOFT and not short or parts.flags[at] & HASHTAG and not tag and before != JOINED:
                break
        key = key * parts.powers[at] + parts.keys[at]
        name = look_up(index, key)
        if name == MISSING:
            continue
        pieces = at - part + 1
        if pieces > 1 and not tag and not flags & IS_UNIT and not parts.flags[at] & IS_UNIT and index.words[name] < 2:
            continue  # `car son` is not Carson
        best = name
        best_last = at
    return best_last, best


@njit(cache=True, nogil=True)
def _span_key(data: U8, start: int, end: int, alphabet: Alphabet) -> int:
    """The key of the bytes `start` … `end`."""
    key = np.uint64(0)
    while start < end:
        code, length = decode(data, start, end)
        start += length
        if code >= TABLED:
            continue
        for letter in (alphabet.first[code], alphabet.second[code]):
            bare = alphabet.skeleton[letter]
            if letter != 0 and bare != 0:
                key = append_letter(key, bare)
    return key


@njit(cache=True, nogil=True)
def _undress(data: U8, parts: Parts, part: int, index: NameIndex, alphabet: Alphabet) -> int:
    """The name inside an Arabic, Cyrillic or Korean word form."""
    start = int(parts.starts[part])
    end = int(parts.ends[part])
    lead = data[start]
    letters = int(parts.letters[part])
    if (lead == 0xD8 or lead == 0xD9) and letters >= 4:
        return _undress_arabic(data, start, end, letters, index, alphabet)
    if (lead == 0xD0 or lead == 0xD1) and letters >= 5:
        for cut in (2, 4):
            name = look_up(index, _span_key(data, start, end - cut, alphabet))
            if name != MISSING:
                return name
            for vowel in (0x430, 0x44F, 0x43E, 0x44C):  # а я о ь: Москве → Москва
                name = look_up(index, append_letter(_span_key(data, start, end - cut, alphabet), vowel))
                if name != MISSING:
                    return name
        return MISSING
    if 0xEA <= lead <= 0xED and letters >= 3:
        for cut in (3, 6, 9):
            if end - cut - start < 6:
                break
            name = look_up(index, _span_key(data, start, end - cut, alphabet))
            if name != MISSING:
                return name
    return MISSING


@njit(cache=True, nogil=True)
def _undress_arabic(data: U8, start: int, end: int, letters: int, index: NameIndex, alphabet: Alphabet) -> int:
    """Without the conjunction and preposition written onto the word: و ف ب ل ك, and لل for ل + ال."""
    at = start
    stripped = 0
    while stripped < 2 and end - at > 6:
        code, length = decode(data, at, end)
        if code not in (0x648, 0x641, 0x628, 0x644, 0x643):
            break
        if code == 0x644:
            following, _ = decode(data, at + length, end)
            if following == 0x644:  # للأردن: put the alef of the article back
                name = look_up(index, _after_article(data, at + length, end, alphabet))
                if name != MISSING:
                    return name
        at += length
        stripped += 1
        name = look_up(index, _span_key(data, at, end, alphabet))
        if name != MISSING:
            return name
    return MISSING


@njit(cache=True, nogil=True)
def _after_article(data: U8, at: int, end: int, alphabet: Alphabet) -> int:
    key = append_letter(np.uint64(0), 0x627)
    while at < end:
        code, length = decode(data, at, end)
        at += length
        if code < TABLED:
            bare = alphabet.skeleton[alphabet.first[code]]
            if bare != 0:
                key = append_letter(key, bare)
    return key


@njit(cache=True, nogil=True)
def _unglue(data: U8, parts: Parts, part: int, index: NameIndex, words: WordIndex, alphabet: Alphabet) -> int:
    """The name that remains of a hashtag's piece when known affixes are taken off; the longest there is."""
    letters = int(parts.letters[part])
    if letters < 5 or letters > _MAX_LETTERS:
        return MISSING
    prefix = np.zeros(_MAX_LETTERS + 1, np.uint64)
    power = np.ones(_MAX_LETTERS + 1, np.uint64)
    at = int(parts.starts[part])
    end = int(parts.ends[part])
    size = 0
    while at < end:
        code, length = decode(data, at, end)
        at += length
        if code >= TABLED:
            return MISSING
        for letter in (alphabet.first[code], alphabet.second[code]):
            bare = alphabet.skeleton[letter]
            if letter != 0 and bare != 0 and size < _MAX_LETTERS:
                size += 1
                prefix[size] = append_letter(prefix[size - 1], bare)
                power[size] = power[size - 1] * BASE
    begins = np.zeros(_MAX_LETTERS + 1, np.bool_)
    ends = np.zeros(_MAX_LETTERS + 1, np.bool_)
    begins[0] = True
    ends[size] = True
    for middle in range(2, size - 1):
        if word_class(words, prefix[middle]) & PREFIX:
            begins[middle] = True
        if word_class(words, prefix[size] - prefix[middle] * power[size - middle]) & SUFFIX:
            ends[middle] = True
    best = MISSING
    best_size = 2
    for low in range(size):
        if not begins[low]:
            continue
        for high in range(low + best_size + 1, size + 1):
            if ends[high] and (low > 0 or high < size) and high - low > best_size:
                name = look_up(index, prefix[high] - prefix[low] * power[high - low])
                if name != MISSING:
                    best = name
                    best_size = high - low
    return best


