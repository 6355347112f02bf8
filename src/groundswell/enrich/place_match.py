"""Finds the names of places among a post's parts: the longest wherever one begins.

Owns the walk over the parts and the ways a name is dressed: several words, a hashtag's pieces, affixes glued
to it (`#prayforecuador`), Arabic prefixes (`بالقاهرة`), Cyrillic endings, Korean particles. It finds names,
common words among them; `place_score` says which of them are places, and where.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.fold import decode
from groundswell.enrich.place_index import (
    ENDINGS,
    MISSING,
    NAMED,
    OPENS,
    ask_ahead,
    common_of,
    find,
    held_of,
    look_up,
    may_be_stem,
    name_of,
    readings_of,
    slot_hash,
    top_of,
    words_of,
)
from groundswell.enrich.place_letters import (
    BASE,
    BASE_INVERSE,
    append_letter,
    key_of,
    letters_of,
    shorter_key,
    spelling_of,
)
from groundswell.enrich.place_parts import (
    DOT,
    HASHTAG,
    IS_DIGITS,
    IS_FLAG,
    IS_UNIT,
    JOINED,
    SMALL,
    SOFT,
    UNUSED,
    Parts,
)
from groundswell.kernels import inner

__all__ = [
    "BEFORE",
    "DIRECTION",
    "DRESSED",
    "GIVEN",
    "GLUED",
    "INSTITUTION",
    "KIND",
    "LETTER",
    "MAX_LETTERS",
    "MAX_MENTIONS",
    "MENTION",
    "PERSON",
    "PLAIN",
    "PREFIX",
    "STORM",
    "SUFFIX",
    "SURNAME",
    "WORD_SLOT",
    "Letters",
    "Mentions",
    "WordIndex",
    "match",
    "word_class",
]

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

MAX_MENTIONS = 128  # a post's names beyond these are not read
_COMMON_WORD = 6  # of 9
_MAX_WORDS = 6
_MAX_UNITS = 12
MAX_LETTERS = 48  # of a hashtag that is taken apart

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


WORD_SLOT = np.dtype([("key", np.uint64), ("classes", np.uint16)], align=True)
WordIndex = npt.NDArray[np.void]
"""Words that say something of their neighbours: open addressing over a power of two; key 0 is free."""

MENTION = np.dtype(
    [
        ("first", np.int32),  # parts, both inclusive
        ("last", np.int32),
        ("name", np.int32),  # its first reading
        ("readings", np.int32),
        ("dress", np.uint8),
        ("common", np.uint8),  # how much of an everyday word, of 9
        ("top", np.float32),  # no reading's log odds are greater, what the mention adds left out
    ],
    align=True,
)
Mentions = npt.NDArray[np.void]
"""The names found in one post, `MAX_MENTIONS` of type `MENTION`: scratch space, used for every post."""

LETTER = np.dtype(
    [
        ("key", np.uint64),  # of a hashtag up to this letter
        ("power", np.uint64),  # BASE ** letters so far
        ("begins", np.uint8),  # whether a name may begin behind it
        ("ends", np.uint8),  # or end with it
    ],
    align=True,
)
Letters = npt.NDArray[np.void]


@inner
def word_class(words: WordIndex, key: np.uint64) -> int:
    """The classes of the word under `key`; 0 for most."""
    mask = np.uint64(len(words) - 1)
    slot = slot_hash(key) & mask
    while words[slot].key != np.uint64(0):
        if words[slot].key == key:
            return int(words[slot].classes)
        slot = (slot + np.uint64(1)) & mask
    return 0


@inner
def match(
    data: U8,
    count: int,
    cased: int,
    parts: Parts,
    names: U64,
    words: WordIndex,
    spelling: U64,
    letters: Letters,
    found: Mentions,
) -> int:
    """Fill `found` with the names among the first `count` parts, left to right; how many there are.

    Everyday words written small are passed over here already: most of what is found would be such.
    """
    hopeless = _COMMON_WORD if cased != UNUSED else _COMMON_WORD + 2
    mentions = 0
    part = np.int64(0)  # a plain 0 has all that it is given to compiled twice
    _ask(count, parts, names)
    while part < count and mentions < MAX_MENTIONS:
        dress = PLAIN
        held = parts[part].held
        last = part
        name: np.int64 = MISSING
        if held & NAMED and not parts[part].flags & IS_DIGITS:
            name = find(names, parts[part].key)
        if parts[part].flags & HASHTAG or (held & OPENS and _goes_on(part, count, parts, names)):
            last, name = _longest(part, count, parts[part].key, name, parts, names)
        if name == MISSING and not parts[part].flags & (IS_DIGITS | IS_UNIT | IS_FLAG):
            last = part
            if parts[part].flags & HASHTAG:
                name = _unglue(data, parts, part, names, words, spelling, letters)
                dress = GLUED
            if name == MISSING and data[parts[part].start] >= 0xD0:  # Latin and Greek are not undressed
                last, name = _undress(data, part, count, parts, names, spelling)
                dress = DRESSED
        if name == MISSING:
            part += 1
            continue
        if parts[part].flags & (SMALL | HASHTAG) == SMALL and common_of(name) >= hopeless:
            part = last + 1
            continue
        found[mentions].first = part
        found[mentions].last = last
        found[mentions].name = name_of(name)
        found[mentions].readings = readings_of(name)
        found[mentions].common = common_of(name)
        found[mentions].top = top_of(name)
        found[mentions].dress = dress
        mentions += 1
        part = last + 1
    return mentions


@njit(cache=True, nogil=True, inline="always")
def _ask(count: int, parts: Parts, names: U64) -> None:
    """Ask the tables for all parts at once, and note what the filters hold."""
    for part in range(count):
        ask_ahead(names, parts[part].key, 0)
    for part in range(count):
        held = held_of(names, parts[part].key)
        parts[part].held = held
        if held & NAMED:
            ask_ahead(names, parts[part].key, held)
        if held & OPENS and part + 1 < count and parts[part + 1].before <= DOT:
            ask_ahead(names, parts[part].key * parts[part + 1].power + parts[part + 1].key, 0)


@njit(cache=True, nogil=True, inline="always")
def _goes_on(part: int, count: int, parts: Parts, names: U64) -> bool:
    """Whether this part and the next may be a name or begin one: spares most words the call of `_longest`."""
    if part + 1 == count or parts[part + 1].before > DOT:
        return False
    return bool(held_of(names, parts[part].key * parts[part + 1].power + parts[part + 1].key))


@inner
def _longest(
    part: int, count: int, key: np.uint64, name: np.int64, parts: Parts, names: U64
) -> tuple[int, np.int64]:
    """The last part and the name of the longest match that begins at `part`.

    `key` is the part's, or what is left of it when it is undressed, and `name` what is stored under it.
    """
    best = name
    best_last = part
    flags = parts[part].flags
    if flags & IS_DIGITS:
        return best_last, MISSING
    tag = flags & HASHTAG
    reach = min(count, part + (_MAX_UNITS if flags & IS_UNIT else _MAX_WORDS))
    for at in range(part + 1, reach):
        before = parts[at].before
        short = before == DOT and parts[at - 1].letters <= 3
        if (before > SOFT and not short) or (parts[at].flags & HASHTAG and not tag and before != JOINED):
            break
        if not tag and not held_of(names, key) & OPENS:
            break
        key = key * parts[at].power + parts[at].key
        name = look_up(names, key)
        dense = (flags | parts[at].flags) & IS_UNIT
        if name != MISSING and (tag or dense or words_of(name) > 1):  # `car son` is not Carson
            best = name
            best_last = at
    return best_last, best


@inner
def _undress(
    data: U8, part: int, count: int, parts: Parts, names: U64, spelling: U64
) -> tuple[int, np.int64]:
    """The last part and the name inside an Arabic, Cyrillic or Korean word form, by the first byte."""
    letters = parts[part].letters
    name: np.int64 = MISSING
    last = part
    lead = data[parts[part].start]
    if lead in (0xD8, 0xD9) and letters >= 4:
        last, name = _undress_arabic(data, part, count, parts, names, spelling)
    elif lead in (0xD0, 0xD1) and letters >= 5:
        name = _undress_cyrillic(data, part, parts, names, spelling)
    elif 0xEA <= lead <= 0xED and letters >= 3:
        name = _undress_korean(data, part, parts, names, spelling)
    return last, name


@inner
def _undress_arabic(
    data: U8, part: int, count: int, parts: Parts, names: U64, spelling: U64
) -> tuple[int, np.int64]:
    """Without the conjunction and preposition written onto the word: و ف ب ل ك, and لل for ل + ال.

    The name may go on in the words behind it: `بحفر الباطن`.
    """
    name: np.int64 = MISSING
    last = part
    at, end = np.int64(parts[part].start), np.int64(parts[part].end)
    key, power = parts[part].key, parts[part].power
    for _ in range(2):
        code, length = decode(data, at, end)
        if end - at <= 6 or code not in (0x648, 0x641, 0x628, 0x644, 0x643):
            break
        at += length
        power *= BASE_INVERSE
        key -= np.uint64(code) * power
        if code == 0x644 and decode(data, at, end)[0] == 0x644:  # للأردن: put the alef of the article back
            whole = key_of(data, at, end, spelling, append_letter(np.uint64(0), 0x627))
            last, name = _from_here(part, count, whole, parts, names)
        if name == MISSING:
            last, name = _from_here(part, count, key, parts, names)
        if name != MISSING:
            break
    return last, name


@inner
def _from_here(part: int, count: int, key: np.uint64, parts: Parts, names: U64) -> tuple[int, np.int64]:
    """The last part and the name of the longest match that begins with what is left of `part`."""
    held = held_of(names, key)
    name: np.int64 = find(names, key) if held & NAMED else MISSING
    if parts[part].flags & HASHTAG or held & OPENS:
        last, name = _longest(part, count, key, name, parts, names)
        return last, name
    return part, name


@inner
def _undress_cyrillic(data: U8, part: int, parts: Parts, names: U64, spelling: U64) -> np.int64:
    """Without an ending of one or two letters, or with another vowel for it: Киевом, Москве."""
    name: np.int64 = MISSING
    start, end, stem = np.int64(parts[part].start), np.int64(parts[part].end), parts[part].key
    for _ in range(2):
        stem = shorter_key(data, start, end, 2, stem, spelling)
        end -= 2
        if not may_be_stem(names, stem):
            continue
        name = look_up(names, stem)
        for vowel in ENDINGS:
            if name == MISSING:
                name = look_up(names, append_letter(stem, vowel))
        if name != MISSING:
            break
    return name


@inner
def _undress_korean(data: U8, part: int, parts: Parts, names: U64, spelling: U64) -> np.int64:
    """Without a particle of one to three syllables; two stay at least."""
    name: np.int64 = MISSING
    start, end, stem = np.int64(parts[part].start), np.int64(parts[part].end), parts[part].key
    for _ in range(3):
        if name != MISSING or end - start < 9:
            break
        stem = shorter_key(data, start, end, 3, stem, spelling)
        end -= 3
        if may_be_stem(names, stem):
            name = look_up(names, stem)
    return name


@inner
def _unglue(
    data: U8,
    parts: Parts,
    part: int,
    names: U64,
    words: WordIndex,
    spelling: U64,
    letters: Letters,
) -> np.int64:
    """The name that remains of a hashtag's piece when known affixes are taken off; the longest there is."""
    if parts[part].letters < 5 or parts[part].letters > MAX_LETTERS:
        return MISSING
    size = _spell(data, int(parts[part].start), int(parts[part].end), spelling, letters)
    affixes = 0
    for middle in range(size + 1):
        key = letters[middle].key
        rest = letters[size].key - key * letters[size - middle].power
        begins = middle == 0 or (middle >= 2 and word_class(words, key) & PREFIX != 0)
        ends = middle == size or (middle <= size - 2 and word_class(words, rest) & SUFFIX != 0)
        letters[middle].begins = begins
        letters[middle].ends = ends
        affixes += begins + ends
    if affixes == 2:  # the two ends themselves
        return MISSING
    best = MISSING
    best_size = 2
    for low in range(size):
        for high in range(low + best_size + 1, size + 1):
            if letters[low].begins and letters[high].ends and best_size < high - low < size:
                name = look_up(names, letters[high].key - letters[low].key * letters[high - low].power)
                if name != MISSING:
                    best = name
                    best_size = high - low
    return best


@inner
def _spell(data: U8, at: int, end: int, spelling: U64, letters: Letters) -> int:
    """Fill in the key up to each letter of the bytes `at` … `end`; how many letters."""
    size = 0
    letters[0].key = 0
    letters[0].power = 1
    while at < end:
        code, length = decode(data, at, end)
        at += length
        written = spelling_of(code, spelling)
        for letter in letters_of(written):
            if letter != 0 and size < MAX_LETTERS:
                size += 1
                letters[size].key = append_letter(letters[size - 1].key, letter)
                letters[size].power = letters[size - 1].power * BASE
    return size
