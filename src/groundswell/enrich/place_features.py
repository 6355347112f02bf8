"""What speaks for or against a name in a post being a place, and being this place.

Owns the features of `place_score`'s model and how they are read off a post: those of the mention (its writing
and its neighbours) and those of each reading (the place and what the name is to it). It does not weigh them.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.place_data import Level, NameKind
from groundswell.enrich.place_index import Readings
from groundswell.enrich.place_match import (
    BEFORE,
    DIRECTION,
    DRESSED,
    GIVEN,
    GLUED,
    INSTITUTION,
    KIND,
    PERSON,
    STORM,
    SURNAME,
    Mentions,
    WordIndex,
    word_class,
)
from groundswell.enrich.place_parts import (
    CAPITAL,
    CAPITALS,
    DOT,
    EVERYWHERE,
    HASHTAG,
    IS_FLAG,
    IS_UNIT,
    NOT_LATIN,
    SMALL,
    SOFT,
    STARTS_SENTENCE,
    UNUSED,
    USED,
    Parts,
)
from groundswell.kernels import inner

__all__ = [
    "IF_BACKED",
    "IMPOSSIBLE",
    "POSSIBLE",
    "Feature",
    "measure_mention",
    "measure_place",
    "measure_reading",
    "measure_writing",
]

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

# Whether the writing allows a reading.
IMPOSSIBLE = 0
POSSIBLE = 1
IF_BACKED = 2  # only when another place of the post stands behind it


class Feature(IntEnum):
    """The columns of the model; 0 or 1 unless said otherwise."""

    BIAS = 0
    LOWER = 1
    """Written small, in a post that uses capitals."""
    LOWER_POST = 2
    """Written small, in a post that uses none."""
    SENTENCE_START = 3
    """A capital that any word would have there."""
    TITLE_CASE = 4
    """A capital in a post that puts them everywhere."""
    UNCASED = 5
    """In a script without capitals."""
    UNITS = 6
    """In a script without word gaps."""
    TWO_UNITS = 7
    """The same, of two letters."""
    FLAG = 8
    HASHTAG = 9
    WORDS = 10
    """Of several words."""
    SHORT = 11
    """Of three letters or fewer."""
    GIVEN = 12
    """A given name or a storm's."""
    SURNAME = 13
    """A surname, a month or a day."""
    DRESSED = 14
    """Freed of an Arabic prefix, a Cyrillic ending, a Korean particle."""
    GLUED = 15
    """Freed of a hashtag's affixes."""
    BEFORE = 16
    """Behind a word such as `in`."""
    KIND = 17
    """Beside a word such as `city`."""
    DIRECTION = 18
    """Behind a word such as `northern`."""
    PERSON = 19
    """Behind a given name or a title."""
    CAPITAL_BEFORE = 20
    """Behind an unknown capitalised word."""
    CAPITAL_AFTER = 21
    STORM = 22
    """A given name beside a word such as `hurricane`."""
    INSTITUTION = 23
    """Before a word such as `university`."""
    COUNTRY = 24
    REGION = 25
    REGION_SIZE = 26
    """log10 of a region's population above a million."""
    COUNTY = 27
    """A region below the first level."""
    SIZE = 28
    """log10 of a city's population above 100,000."""
    SMALL_TOWN = 29
    """Below 5,000."""
    CAPITAL_CITY = 30
    ALTERNATE = 31
    """A city's name other than its first."""
    ALTERNATE_SMALL = 32
    """The same: log10 of how far the city is below three millions."""
    ALTERNATE_UNCASED = 33
    """The same, in a script without capitals."""
    ALTERNATE_WIDE = 34
    """A country's or region's name other than its first."""
    CODE = 35
    WEAK_CODE = 36
    DEMONYM = 37
    COMMON = 38
    """How much of an everyday word the name is, 0 … 1."""
    COMMON_LOWER = 39
    """The same where it is written small."""
    SIZE_LOWER = 40
    """`SIZE` where it is written small."""
    LANGUAGE = 41
    """The post's language is spoken in the country."""
    CONTAINED = 42
    """A wider place that contains it stands behind it: `Moore, Oklahoma`."""
    CONTAINER = 43
    SAME_COUNTRY = 44
    """How sure the post's other names are of the same country, 0 … 1."""
    SAME_REGION = 45
    ALTERNATE_CASED = 46
    """`ALTERNATE` in another script with capitals: Greek, Cyrillic, Armenian."""
    COUNTRY_SIZE = 47
    """log10 of a country's population above ten millions."""
    AREA = 48
    """A continent, a sea."""
    SAME_NAME = 49
    """How sure another mention of the same name was of this reading by its neighbours, 0 … 1."""
    AROUND = 50
    """How many of the post's other names have a reading within 161 km: n / (1 + n)."""
    NATIVE = 51
    """In a script of the country's own that is not Latin."""


_COUNTRY = int(Level.COUNTRY)
_REGION = int(Level.REGION)
_CITY = int(Level.CITY)
_AREA = int(Level.AREA)
_NATIVE = int(NameKind.NATIVE)
_ALTERNATE = int(NameKind.ALTERNATE)
_CODE = int(NameKind.CODE)
_WEAK_CODE = int(NameKind.WEAK_CODE)
_DEMONYM = int(NameKind.DEMONYM)


@inner
def _letters(mention: int, mentions: Mentions, parts: Parts) -> int:
    total = 0
    for part in range(mentions[mention].first, mentions[mention].last + 1):
        total += parts[part].letters
    return total


@inner
def measure_writing(mention: int, cased: int, mentions: Mentions, parts: Parts, x: F64) -> None:
    """Fill `x` with what the writing of a mention says; the other features are 0."""
    first = mentions[mention].first
    last = mentions[mention].last
    flags = parts[first].flags
    tag = flags & HASHTAG != 0
    x[:] = 0.0
    x[Feature.BIAS] = 1.0
    x[Feature.HASHTAG] = tag
    if flags & SMALL and not tag:
        x[Feature.LOWER_POST if cased == UNUSED else Feature.LOWER] = 1.0
    elif flags & CAPITAL and not tag:
        if cased == EVERYWHERE:
            x[Feature.TITLE_CASE] = 1.0
        elif flags & STARTS_SENTENCE:
            x[Feature.SENTENCE_START] = 1.0
    if flags & IS_UNIT:
        x[Feature.UNITS] = 1.0
        x[Feature.TWO_UNITS] = _letters(mention, mentions, parts) <= 2
    elif flags & IS_FLAG:
        x[Feature.FLAG] = 1.0
    else:
        x[Feature.UNCASED] = not flags & (CAPITAL | SMALL)
        x[Feature.WORDS] = last > first
    x[Feature.DRESSED] = mentions[mention].dress == DRESSED
    x[Feature.GLUED] = mentions[mention].dress == GLUED


@njit(cache=True, nogil=True, inline="always")
def measure_mention(
    mention: int,
    count: int,
    parts_count: int,
    cased: int,
    mentions: Mentions,
    parts: Parts,
    words: WordIndex,
    x: F64,
) -> None:
    """Fill `x` with the features that all readings of a mention share; the others are 0."""
    measure_writing(mention, cased, mentions, parts, x)
    first = mentions[mention].first
    last = mentions[mention].last
    if first == last:
        word = word_class(words, parts[first].key)
        x[Feature.GIVEN] = word & GIVEN != 0
        x[Feature.SURNAME] = word & SURNAME != 0
    if first > 0 and parts[first].before <= DOT:
        _look_left(mention, cased, mentions, parts, words, x)
    if last + 1 < parts_count and parts[last + 1].before <= SOFT:
        _look_right(mention, count, cased, mentions, parts, words, x)


@njit(cache=True, nogil=True, inline="always")
def _look_left(mention: int, cased: int, mentions: Mentions, parts: Parts, words: WordIndex, x: F64) -> None:
    first = mentions[mention].first
    word = word_class(words, parts[first - 1].key)
    farther = 0
    if first > 1 and parts[first - 1].before <= SOFT:
        farther = word_class(words, parts[first - 2].key)
    if word & DIRECTION:
        x[Feature.DIRECTION] = 1.0
        word |= farther & BEFORE
    x[Feature.BEFORE] = word & BEFORE != 0
    x[Feature.KIND] = word & KIND != 0 or (word & BEFORE and farther & KIND)
    x[Feature.STORM] = word & STORM and x[Feature.GIVEN]
    x[Feature.PERSON] = word & (PERSON | GIVEN) != 0
    taken = mention > 0 and mentions[mention - 1].last == first - 1
    if word == 0 and not taken and cased == USED and parts[first].before == SOFT:
        x[Feature.CAPITAL_BEFORE] = parts[first - 1].flags & (CAPITAL | STARTS_SENTENCE | HASHTAG) == CAPITAL


@njit(cache=True, nogil=True, inline="always")
def _look_right(
    mention: int, count: int, cased: int, mentions: Mentions, parts: Parts, words: WordIndex, x: F64
) -> None:
    after = mentions[mention].last + 1
    word = word_class(words, parts[after].key)
    if word & KIND:
        x[Feature.KIND] = 1.0
    if word & STORM and x[Feature.GIVEN]:
        x[Feature.STORM] = 1.0
    x[Feature.INSTITUTION] = word & INSTITUTION != 0
    taken = mention + 1 < count and mentions[mention + 1].first == after
    if word == 0 and not taken and cased == USED and parts[after].before == SOFT:
        x[Feature.CAPITAL_AFTER] = parts[after].flags & (CAPITAL | HASHTAG) == CAPITAL


@njit(cache=True, nogil=True, inline="always")
def measure_reading(
    mention: int,
    entry: int,
    cased: int,
    contained: bool,
    container: bool,
    mentions: Mentions,
    parts: Parts,
    readings: Readings,
    spoken: U8,
    x: F64,
) -> int:
    """Fill `x` with the features of the reading at `entry` of the index; whether the writing allows it."""
    kind = readings[entry].kind
    flags = parts[mentions[mention].first].flags
    code = kind in (_CODE, _WEAK_CODE)
    x[:] = 0.0
    verdict = POSSIBLE
    if code:
        shouted = True
        for part in range(mentions[mention].first, mentions[mention].last + 1):
            shouted = shouted and parts[part].flags & CAPITALS != 0
        if kind == _CODE and not shouted and not flags & HASHTAG:
            return IMPOSSIBLE
        if kind == _WEAK_CODE and not (container and flags & CAPITAL):
            if not shouted or cased != USED:
                return IMPOSSIBLE
            verdict = IF_BACKED
        x[Feature.CODE if kind == _CODE else Feature.WEAK_CODE] = 1.0
    else:
        common = mentions[mention].common / 9.0
        x[Feature.COMMON] = common
        if flags & (SMALL | HASHTAG) == SMALL:
            x[Feature.COMMON_LOWER] = 0.5 * common if cased == UNUSED else common
            if cased != UNUSED:
                x[Feature.SIZE_LOWER] = readings[entry].magnitude - 5.0
        if not flags & (IS_UNIT | IS_FLAG):
            x[Feature.SHORT] = _letters(mention, mentions, parts) <= 3
    measure_place(entry, flags, readings, x)
    x[Feature.LANGUAGE] = spoken[readings[entry].country]
    x[Feature.CONTAINED] = contained
    x[Feature.CONTAINER] = container
    return verdict


@inner
def measure_place(entry: int, flags: int, readings: Readings, x: F64) -> None:
    """Add to `x` what the place and the kind of name say; of the `flags` only those of the script count."""
    level = readings[entry].level
    kind = readings[entry].kind
    magnitude = readings[entry].magnitude
    if level == _COUNTRY:
        x[Feature.COUNTRY] = 1.0
        x[Feature.COUNTRY_SIZE] = magnitude - 7.0
    elif level == _REGION:
        x[Feature.REGION] = 1.0
        x[Feature.REGION_SIZE] = magnitude - 6.0
        x[Feature.COUNTY] = readings[entry].county
    elif level == _AREA:
        x[Feature.AREA] = 1.0
    else:
        x[Feature.SIZE] = magnitude - 5.0
        x[Feature.SMALL_TOWN] = magnitude < 3.7
        x[Feature.CAPITAL_CITY] = readings[entry].capital
    if kind == _NATIVE:
        x[Feature.NATIVE] = 1.0
    elif kind == _DEMONYM:
        x[Feature.DEMONYM] = 1.0
    elif kind == _ALTERNATE and level != _CITY:
        x[Feature.ALTERNATE_WIDE] = 1.0
    elif kind == _ALTERNATE:
        x[Feature.ALTERNATE] = 1.0
        x[Feature.ALTERNATE_SMALL] = max(0.0, 6.5 - magnitude)
        cased = flags & (CAPITAL | SMALL) != 0 and not flags & IS_UNIT
        x[Feature.ALTERNATE_UNCASED] = not cased
        x[Feature.ALTERNATE_CASED] = cased and flags & NOT_LATIN != 0
