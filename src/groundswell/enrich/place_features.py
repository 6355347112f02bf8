"""What speaks for or against a name in a post being a place, and being this place.

Owns the features of `place_score`'s model and how they are read off a post: those of the mention (its writing
and its neighbours) and those of each reading (the place and what the name is to it). Few features are not 0,
so each function gives at once what those weigh that are not; the weights are `place_score`'s. What a function
gives is linear in the weights: a weight of 1 for one feature and 0 for all others gives the feature itself.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.place_data import Level, NameKind
from groundswell.enrich.place_index import Places, Readings
from groundswell.enrich.place_match import (
    BEFORE,
    DIRECTION,
    DRESSED,
    GIVEN,
    INSTITUTION,
    KIND,
    PERSON,
    PLAIN,
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
    "weigh_naming",
    "weigh_neighbours",
    "weigh_place",
    "weigh_reading",
    "weigh_writing",
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
    """Beside a word such as `city`; 2 where `of` stands between (`city of`)."""
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
def weigh_writing(mention: int, cased: int, mentions: Mentions, parts: Parts, weights: F64) -> float:
    """What the writing of a mention weighs."""
    first = mentions[mention].first
    flags = parts[first].flags
    dress = mentions[mention].dress
    total = weights[Feature.BIAS]
    if flags & HASHTAG:
        total += weights[Feature.HASHTAG]
    elif flags & SMALL:
        total += weights[Feature.LOWER_POST if cased == UNUSED else Feature.LOWER]
    elif flags & CAPITAL:
        if cased == EVERYWHERE:
            total += weights[Feature.TITLE_CASE]
        elif flags & STARTS_SENTENCE:
            total += weights[Feature.SENTENCE_START]
    if flags & IS_UNIT:
        total += weights[Feature.UNITS]
        if _letters(mention, mentions, parts) <= 2:
            total += weights[Feature.TWO_UNITS]
    elif flags & IS_FLAG:
        total += weights[Feature.FLAG]
    else:
        if not flags & (CAPITAL | SMALL):
            total += weights[Feature.UNCASED]
        if mentions[mention].last > first:
            total += weights[Feature.WORDS]
    if dress != PLAIN:
        total += weights[Feature.DRESSED if dress == DRESSED else Feature.GLUED]
    return float(total)


@inner
def weigh_neighbours(
    mention: int,
    count: int,
    parts_count: int,
    cased: int,
    mentions: Mentions,
    parts: Parts,
    words: WordIndex,
    weights: F64,
) -> float:
    """What the words around a mention weigh, and the word that it is itself."""
    first = mentions[mention].first
    last = mentions[mention].last
    total = 0.0
    own = 0
    if first == last:
        own = word_class(words, parts[first].key)
        if own & GIVEN:
            total += weights[Feature.GIVEN]
        if own & SURNAME:
            total += weights[Feature.SURNAME]
    kinds = 0.0
    beside = 0
    if first > 0 and parts[first].before <= DOT:
        beside, kinds, weight = _look_left(mention, cased, mentions, parts, words, weights)
        total += weight
    if last + 1 < parts_count and parts[last + 1].before <= SOFT:
        word, weight = _look_right(mention, count, cased, mentions, parts, words, weights)
        beside |= word
        kinds = 1.0 if word & KIND else kinds
        total += weight
    total += kinds * weights[Feature.KIND]
    if beside & STORM and own & GIVEN:
        total += weights[Feature.STORM]
    return float(total)


@njit(cache=True, nogil=True, inline="always")
def _look_left(
    mention: int, cased: int, mentions: Mentions, parts: Parts, words: WordIndex, weights: F64
) -> tuple[int, float, float]:
    """The classes of the word before a mention, the feature `KIND`, and what all else there weighs."""
    first = mentions[mention].first
    word = word_class(words, parts[first - 1].key)
    total = 0.0
    if word == 0:
        taken = mention > 0 and mentions[mention - 1].last == first - 1
        capital = parts[first - 1].flags & (CAPITAL | STARTS_SENTENCE | HASHTAG) == CAPITAL
        if capital and not taken and cased == USED and parts[first].before == SOFT:
            total = weights[Feature.CAPITAL_BEFORE]
        return 0, 0.0, total
    farther = 0
    if word & (DIRECTION | BEFORE) and first > 1 and parts[first - 1].before <= SOFT:
        farther = word_class(words, parts[first - 2].key)
    if word & DIRECTION:
        total += weights[Feature.DIRECTION]
        word |= farther & BEFORE
    kinds = 1.0 if word & KIND else 0.0
    if word & BEFORE:
        total += weights[Feature.BEFORE]
        if farther & KIND and not word & KIND:
            kinds = 2.0
    if word & (PERSON | GIVEN):
        total += weights[Feature.PERSON]
    return word, kinds, total


@njit(cache=True, nogil=True, inline="always")
def _look_right(
    mention: int, count: int, cased: int, mentions: Mentions, parts: Parts, words: WordIndex, weights: F64
) -> tuple[int, float]:
    """The classes of the word behind a mention; and what it weighs, `KIND` and `STORM` left out."""
    after = mentions[mention].last + 1
    word = word_class(words, parts[after].key)
    total = 0.0
    if word & INSTITUTION:
        total += weights[Feature.INSTITUTION]
    if word == 0 and cased == USED and parts[after].before == SOFT:
        taken = mention + 1 < count and mentions[mention + 1].first == after
        if not taken and parts[after].flags & (CAPITAL | HASHTAG) == CAPITAL:
            total += weights[Feature.CAPITAL_AFTER]
    return word, total


@inner
def weigh_naming(mention: int, cased: int, mentions: Mentions, parts: Parts, weights: F64) -> float:
    """What speaks for or against all readings of a mention but codes: an everyday word, a short name."""
    flags = parts[mentions[mention].first].flags
    total = 0.0
    if mentions[mention].common:
        common = mentions[mention].common / 9.0
        total += weights[Feature.COMMON] * common
        if flags & (SMALL | HASHTAG) == SMALL:
            total += weights[Feature.COMMON_LOWER] * (0.5 * common if cased == UNUSED else common)
    if not flags & (IS_UNIT | IS_FLAG) and _letters(mention, mentions, parts) <= 3:
        total += weights[Feature.SHORT]
    return total


@inner
def _weigh_code(
    mention: int, kind: int, cased: int, container: bool, mentions: Mentions, parts: Parts, weights: F64
) -> tuple[int, float]:
    """Whether the writing allows to read a mention as a code; and what that it is one weighs."""
    flags = parts[mentions[mention].first].flags
    shouted = True
    for part in range(mentions[mention].first, mentions[mention].last + 1):
        shouted = shouted and parts[part].flags & CAPITALS != 0
    if kind == _CODE:
        allowed = shouted or flags & HASHTAG != 0
        return POSSIBLE if allowed else IMPOSSIBLE, weights[Feature.CODE]
    if container and flags & CAPITAL:
        return POSSIBLE, weights[Feature.WEAK_CODE]
    return IF_BACKED if shouted and cased == USED else IMPOSSIBLE, weights[Feature.WEAK_CODE]


@inner
def weigh_reading(
    mention: int,
    entry: int,
    cased: int,
    contained: bool,
    container: bool,
    naming: float,
    mentions: Mentions,
    parts: Parts,
    readings: Readings,
    spoken: U8,
    weights: F64,
) -> tuple[int, float]:
    """Whether the writing allows the reading at `entry` of the index; what it weighs beyond `weigh_place`.

    `naming` is what `weigh_naming` gives.
    """
    kind = readings[entry].kind
    flags = parts[mentions[mention].first].flags
    verdict = POSSIBLE
    if kind in (_CODE, _WEAK_CODE):
        verdict, total = _weigh_code(mention, kind, cased, container, mentions, parts, weights)
    else:
        total = naming
        if cased != UNUSED and flags & (SMALL | HASHTAG) == SMALL:
            total += weights[Feature.SIZE_LOWER] * (np.float64(readings[entry].magnitude) - 5.0)
        if kind == _ALTERNATE and readings[entry].level == _CITY:
            if flags & IS_UNIT or not flags & (CAPITAL | SMALL):
                total += weights[Feature.ALTERNATE_UNCASED]
            elif flags & NOT_LATIN:
                total += weights[Feature.ALTERNATE_CASED]
    if spoken[readings[entry].country]:
        total += weights[Feature.LANGUAGE]
    if contained:
        total += weights[Feature.CONTAINED]
    if container:
        total += weights[Feature.CONTAINER]
    return verdict, float(total)


@inner
def weigh_place(row: int, kind: int, places: Places, weights: F64) -> float:
    """What a place weighs and what the name is to it, whatever a post says."""
    level = places[row].level
    magnitude = np.float64(places[row].magnitude)
    total = 0.0
    if level == _COUNTRY:
        total += weights[Feature.COUNTRY] + weights[Feature.COUNTRY_SIZE] * (magnitude - 7.0)
    elif level == _REGION:
        total += weights[Feature.REGION] + weights[Feature.REGION_SIZE] * (magnitude - 6.0)
        total += weights[Feature.COUNTY] * places[row].county
    elif level == _AREA:
        total += weights[Feature.AREA]
    else:
        total += weights[Feature.SIZE] * (magnitude - 5.0)
        total += weights[Feature.CAPITAL_CITY] * places[row].capital
        if magnitude < 3.7:
            total += weights[Feature.SMALL_TOWN]
    if kind == _NATIVE:
        total += weights[Feature.NATIVE]
    elif kind == _DEMONYM:
        total += weights[Feature.DEMONYM]
    elif kind == _ALTERNATE and level != _CITY:
        total += weights[Feature.ALTERNATE_WIDE]
    elif kind == _ALTERNATE:
        total += weights[Feature.ALTERNATE] + weights[Feature.ALTERNATE_SMALL] * max(0.0, 6.5 - magnitude)
    return float(total)
