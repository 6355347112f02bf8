"""Weighs the readings of each name found in a post: which place, or none, and how sure.

Owns the features and the model: a conditional logit in which `no place` competes with every reading of a name,

    P(reading) = exp(w · x) / (1 + sum over readings of exp(w · x')),

read twice, so that on the second pass the post's other places can speak for a reading. `WEIGHTS` were fitted by
`bench/places.py fit` on the even halves (by event or article) of IDRISI-D, GeoVirus and GeoWebNews.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.place_data import Level, NameKind
from groundswell.enrich.place_index import NameIndex
from groundswell.enrich.place_match import (
    BEFORE,
    DIRECTION,
    DRESSED,
    GIVEN,
    GLUED,
    INSTITUTION,
    KIND,
    MAX_MENTIONS,
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
    COMMA,
    DOT,
    HASHTAG,
    IS_FLAG,
    IS_UNIT,
    JOINED,
    SMALL,
    SOFT,
    STARTS_SENTENCE,
    Parts,
)

__all__ = ["MAX_READINGS", "WEIGHTS", "Feature", "Judgement", "PlaceIndex", "judge", "measure", "new_judgement"]

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

MAX_READINGS = 8  # places that share a name, the likeliest kept


class Feature(IntEnum):
    """What speaks for or against a reading; the columns of `WEIGHTS`."""

    BIAS = 0
    COUNTRY = 1
    REGION = 2
    SIZE = 3
    """log10 of a city's population, from 100,000."""
    REGION_SIZE = 4
    """log10 of a region's population, from 1,000,000."""
    ALTERNATE = 5
    ALTERNATE_SMALL = 6
    """An alternate name of a city: how far it is below a few millions, in decades."""
    ALTERNATE_WIDE = 7
    """An alternate name of a region or country."""
    CODE = 8
    WEAK_CODE = 9
    DEMONYM = 10
    COMMON = 11
    """How much of an everyday word the name is."""
    COMMON_SMALL = 12
    """The same, written small where the post uses capitals."""
    LOWER = 13
    LOWER_POST = 14
    """Written small in a post that uses no capitals."""
    SENTENCE_START = 15
    """A capital that any word would have there."""
    TITLE_CASE = 16
    """A capital in a post that puts them everywhere."""
    BEFORE = 17
    KIND = 18
    WORDS = 19
    """Several words."""
    CONTAINED = 20
    """A wider place that contains it stands right behind it: `Moore, Oklahoma`."""
    CONTAINER = 21
    SAME_COUNTRY = 22
    SAME_REGION = 23
    HASHTAG = 24
    GIVEN = 25
    """A given name or a storm's."""
    PERSON = 26
    """A given name or a title stands before it."""
    CAPITAL_BEFORE = 27
    CAPITAL_AFTER = 28
    """An unknown capitalised word stands beside it."""
    STORM = 29
    INSTITUTION = 30
    TWO_UNITS = 31
    UNITS = 32
    UNCASED = 33
    DRESSED = 34
    GLUED = 35
    LANGUAGE = 36
    """The post's language is spoken in its country."""
    FLAG = 37
    SHORT = 38
    """Three letters or fewer."""
    DIRECTION = 39
    SMALL_TOWN = 40
    """A city below 5,000."""
    LOWER_SIZE = 41
    ALTERNATE_SCRIPT = 42
    """An alternate name in another script than Latin: there no other kind of name is."""
    SURNAME = 43
    """A surname, a month or a day."""
    COUNTY = 44
    """A region below the first level."""


WEIGHTS: F64 = np.zeros(len(Feature))
for _feature, _weight in {
    Feature.BIAS: 0.3,
    Feature.COUNTRY: 3.0,
    Feature.REGION: 1.6,
    Feature.SIZE: 1.1,
    Feature.REGION_SIZE: 0.8,
    Feature.ALTERNATE: -0.7,
    Feature.ALTERNATE_SMALL: -0.7,
    Feature.ALTERNATE_WIDE: -0.5,
    Feature.CODE: 1.0,
    Feature.WEAK_CODE: 1.0,
    Feature.DEMONYM: -1.0,
    Feature.COMMON: -4.0,
    Feature.COMMON_SMALL: -4.0,
    Feature.LOWER: -2.0,
    Feature.LOWER_POST: -0.7,
    Feature.SENTENCE_START: -0.5,
    Feature.TITLE_CASE: -0.4,
    Feature.BEFORE: 1.0,
    Feature.KIND: 1.0,
    Feature.WORDS: 1.0,
    Feature.CONTAINED: 4.0,
    Feature.CONTAINER: 2.0,
    Feature.SAME_COUNTRY: 1.5,
    Feature.SAME_REGION: 1.5,
    Feature.HASHTAG: 0.0,
    Feature.GIVEN: -2.5,
    Feature.PERSON: -1.5,
    Feature.CAPITAL_BEFORE: -0.5,
    Feature.CAPITAL_AFTER: -0.3,
    Feature.STORM: -4.0,
    Feature.INSTITUTION: -1.0,
    Feature.TWO_UNITS: -1.5,
    Feature.UNITS: 0.0,
    Feature.UNCASED: -0.5,
    Feature.DRESSED: -1.0,
    Feature.GLUED: -0.5,
    Feature.LANGUAGE: 0.5,
    Feature.FLAG: 0.0,
    Feature.SHORT: -1.0,
    Feature.DIRECTION: 0.3,
    Feature.SMALL_TOWN: -0.5,
    Feature.LOWER_SIZE: 0.5,
    Feature.ALTERNATE_SCRIPT: 1.0,
    Feature.SURNAME: -2.0,
    Feature.COUNTY: 0.0,
}.items():
    WEIGHTS[_feature] = _weight

_FEATURES = len(Feature)
_F_BIAS, _F_COUNTRY, _F_REGION, _F_SIZE = 0, 1, 2, 3
_COUNTRY = int(Level.COUNTRY)
_REGION = int(Level.REGION)
_CITY = int(Level.CITY)
_ALTERNATE = int(NameKind.ALTERNATE)
_CODE = int(NameKind.CODE)
_WEAK_CODE = int(NameKind.WEAK_CODE)
_DEMONYM = int(NameKind.DEMONYM)
_NEAR_DEGREES = 1.45  # 161 km


class PlaceIndex(NamedTuple):
    """What the kernels need of the places, by row."""

    levels: U8
    countries: I16
    regions: I32  # dense; 0 for none
    magnitudes: F32  # log10 of the population + 100
    latitudes: F32
    longitudes: F32
    counties: U8  # 1 for regions below the first level


class Judgement(NamedTuple):
    """Scratch space for one post."""

    scores: F64  # mentions × readings
    best: I32  # the reading chosen, by mention
    confidence: F64
    contained: U8  # mentions × readings
    container: U8


@njit(cache=True, nogil=True)
def new_judgement() -> Judgement:
    return Judgement(
        np.zeros((MAX_MENTIONS, MAX_READINGS)),
        np.zeros(MAX_MENTIONS, np.int32),
        np.zeros(MAX_MENTIONS),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
    )


@njit(cache=True, nogil=True)
def _contains(wide: int, narrow: int, places: PlaceIndex) -> bool:
    level = places.levels[wide]
    if level == _COUNTRY:
        return places.levels[narrow] != _COUNTRY and places.countries[wide] == places.countries[narrow]
    return level == _REGION and places.levels[narrow] == _CITY and places.regions[wide] == places.regions[narrow]


@njit(cache=True, nogil=True)
def _pair(
    count: int, mentions: Mentions, parts: Parts, index: NameIndex, places: PlaceIndex, words: WordIndex, out: Judgement
) -> None:
    """Mark the readings of neighbours of which one contains the other: `Moore, Oklahoma`."""
    out.contained[:count] = 0
    out.container[:count] = 0
    for left in range(count - 1):
        right = left + 1
        between = mentions.first[right] - mentions.last[left] - 1
        if between > 1 or parts.before[mentions.first[right]] > COMMA:
            continue
        if between == 1:
            word = mentions.last[left] + 1
            if parts.before[word] > SOFT or not word_class(words, parts.keys[word]) & BEFORE:
                continue
        a = mentions.names[left]
        b = mentions.names[right]
        for i in range(index.first[a], index.first[a + 1]):
            for j in range(index.first[b], index.first[b + 1]):
                if index.kinds[i] == _DEMONYM or index.kinds[j] == _DEMONYM:
                    continue
                if _contains(index.places[j], index.places[i], places):
                    out.contained[left, i - index.first[a]] = 1
                    out.container[right, j - index.first[b]] = 1


@njit(cache=True, nogil=True)
def _casing(count: int, parts: Parts) -> int:
    """How the post uses capitals: 0 as it should, 1 nowhere, 2 everywhere."""
    capital = 0
    small = 0
    for part in range(count):
        flags = parts.flags[part]
        if not flags & HASHTAG:
            if flags & CAPITAL:
                capital += 1
            elif flags & SMALL:
                small += 1
    if capital == 0:
        return 1
    return 2 if capital >= 3 and capital > 2 * small else 0


@njit(cache=True, nogil=True)
def measure(
    mention: int,
    reading: int,
    count: int,
    parts_count: int,
    casing: int,
    mentions: Mentions,
    parts: Parts,
    index: NameIndex,
    places: PlaceIndex,
    words: WordIndex,
    spoken: U8,
    out: Judgement,
    second: bool,
    x: F64,
) -> bool:
    """Fill `x` with the features of a reading; False when the writing rules it out."""
    name = mentions.names[mention]
    entry = index.first[name] + reading
    place = index.places[entry]
    kind = index.kinds[entry]
    level = places.levels[place]
    first = mentions.first[mention]
    last = mentions.last[mention]
    flags = parts.flags[first]
    tag = flags & HASHTAG
    all_capitals = True
    letters = 0
    for part in range(first, last + 1):
        all_capitals = all_capitals and parts.flags[part] & CAPITALS != 0
        letters += parts.letters[part]
    contained = out.contained[mention, reading] != 0
    container = out.container[mention, reading] != 0
    if kind == _CODE and not (all_capitals or tag):
        return False
    x[:] = 0.0
    if second:
        _agreement(count, mentions.names[mention], place, mentions, index, places, out, x)
    backed = container or all_capitals and casing == 0 and (x[23] > 0.5 or level == _COUNTRY and x[22] > 0.5)
    if kind == _WEAK_CODE and not (flags & CAPITAL and backed):
        return False
    common = index.common[name] / 9.0
    magnitude = places.magnitudes[place]
    x[0] = 1.0
    if level == _COUNTRY:
        x[1] = 1.0
    elif level == _REGION:
        x[2] = 1.0
        x[4] = magnitude - 6.0
        x[44] = 1.0 if places.counties[place] else 0.0
    else:
        x[3] = magnitude - 5.0
        x[40] = 1.0 if magnitude < 3.7 else 0.0
    if kind == _ALTERNATE:
        if level == _CITY:
            x[5] = 1.0
            x[6] = max(0.0, 6.5 - magnitude)
            x[42] = 1.0 if flags & IS_UNIT or not flags & (CAPITAL | SMALL) else 0.0
        else:
            x[7] = 1.0
    elif kind == _CODE:
        x[8] = 1.0
    elif kind == _WEAK_CODE:
        x[9] = 1.0
    elif kind == _DEMONYM:
        x[10] = 1.0
    if kind == _CODE or kind == _WEAK_CODE:
        common = 0.0  # in capitals it is another word
    x[11] = common
    lower = flags & SMALL != 0 and not tag
    if lower and casing == 1:
        x[14] = 1.0
        x[12] = 0.5 * common
    elif lower:
        x[13] = 1.0
        x[12] = common
        x[41] = magnitude - 5.0
    if flags & CAPITAL and not tag and casing != 1:
        if casing == 2:
            x[16] = 1.0
        elif flags & STARTS_SENTENCE:
            x[15] = 1.0
    x[19] = 1.0 if last > first and not flags & IS_UNIT else 0.0
    x[20] = 1.0 if contained else 0.0
    x[21] = 1.0 if container else 0.0
    x[24] = 1.0 if tag else 0.0
    if flags & IS_UNIT:
        x[32] = 1.0
        x[31] = 1.0 if letters <= 2 else 0.0
    elif not flags & (CAPITAL | SMALL | IS_FLAG):
        x[33] = 1.0
    x[37] = 1.0 if flags & IS_FLAG else 0.0
    x[38] = 1.0 if letters <= 3 and not flags & (IS_UNIT | IS_FLAG) and kind != _CODE and kind != _WEAK_CODE else 0.0
    x[34] = 1.0 if mentions.dress[mention] == DRESSED else 0.0
    x[35] = 1.0 if mentions.dress[mention] == GLUED else 0.0
    x[36] = 1.0 if spoken[places.countries[place]] else 0.0
    if first == last:
        word = word_class(words, parts.keys[first])
        x[25] = 1.0 if word & GIVEN else 0.0
        x[43] = 1.0 if word & SURNAME else 0.0
    _neighbours(mention, count, parts_count, casing, first, last, mentions, parts, words, x)
    return True


@njit(cache=True, nogil=True)
def _agreement(
    count: int,
    name: int,
    place: int,
    mentions: Mentions,
    index: NameIndex,
    places: PlaceIndex,
    out: Judgement,
    x: F64,
) -> None:
    """How sure the post's other names are of this country and this region."""
    for other in range(count):
        if mentions.names[other] == name or out.best[other] < 0:
            continue
        theirs = index.places[index.first[mentions.names[other]] + out.best[other]]
        if places.countries[theirs] != places.countries[place] or theirs == place:
            continue
        x[22] = max(x[22], out.confidence[other])
        if places.regions[theirs] == places.regions[place] and places.regions[place] != 0:
            x[23] = max(x[23], out.confidence[other])


@njit(cache=True, nogil=True)
def _neighbours(
    mention: int,
    count: int,
    parts_count: int,
    casing: int,
    first: int,
    last: int,
    mentions: Mentions,
    parts: Parts,
    words: WordIndex,
    x: F64,
) -> None:
    """The features that the words on either side give."""
    if first > 0 and parts.before[first] <= DOT:
        word = word_class(words, parts.keys[first - 1])
        if word & DIRECTION:
            x[39] = 1.0
            if first > 1 and parts.before[first - 1] <= SOFT:
                word |= word_class(words, parts.keys[first - 2]) & BEFORE
        x[17] = 1.0 if word & BEFORE else 0.0
        if word & KIND:
            x[18] = 1.0
        elif word & BEFORE and first > 1 and word_class(words, parts.keys[first - 2]) & KIND:
            x[18] = 1.0
        x[29] = 1.0 if word & STORM else 0.0
        x[26] = 1.0 if word & (PERSON | GIVEN) else 0.0
        taken = mention > 0 and mentions.last[mention - 1] == first - 1
        if word == 0 and not taken and casing == 0 and parts.before[first] == SOFT:
            previous = parts.flags[first - 1]
            if previous & CAPITAL and not previous & (STARTS_SENTENCE | HASHTAG):
                x[27] = 1.0
    if last + 1 < parts_count and parts.before[last + 1] <= SOFT:
        word = word_class(words, parts.keys[last + 1])
        if word & KIND:
            x[18] = 1.0
        if word & STORM:
            x[29] = 1.0
        if word & INSTITUTION:
            x[30] = 1.0
        taken = mention + 1 < count and mentions.first[mention + 1] == last + 1
        if word == 0 and not taken and casing == 0 and parts.before[last + 1] == SOFT:
            following = parts.flags[last + 1]
            if following & CAPITAL and not following & HASHTAG:
                x[28] = 1.0


@njit(cache=True, nogil=True)
def _dot(weights: F64, x: F64) -> float:
    total = 0.0
    for feature in range(len(x)):
        total += weights[feature] * x[feature]
    return total


@njit(cache=True, nogil=True)
def judge(
    count: int,
    parts_count: int,
    mentions: Mentions,
    parts: Parts,
    index: NameIndex,
    places: PlaceIndex,
    words: WordIndex,
    spoken: U8,
    weights: F64,
    out: Judgement,
    x: F64,
) -> None:
    """Choose the best reading of each mention and say how sure it is; `best` is -1 where none is possible."""
    casing = _casing(parts_count, parts)
    _pair(count, mentions, parts, index, places, words, out)
    for second in (False, True):
        if second and count < 2:
            break
        for mention in range(count):
            name = mentions.names[mention]
            for reading in range(index.first[name + 1] - index.first[name]):
                possible = measure(
                    mention, reading, count, parts_count, casing, mentions, parts, index, places, words, spoken, out, second, x
                )
                out.scores[mention, reading] = _dot(weights, x) if possible else -np.inf
        for mention in range(count):
            _settle(mention, mentions.names[mention], index, places, out)


@njit(cache=True, nogil=True)
def _settle(mention: int, name: int, index: NameIndex, places: PlaceIndex, out: Judgement) -> None:
    """Turn a mention's scores into the best reading and its confidence.

    Readings of one country within 161 km of each other (a city and the region named after it) are one answer.
    """
    start = index.first[name]
    readings = index.first[name + 1] - start
    best = -1
    total = 1.0
    for reading in range(readings):
        score = out.scores[mention, reading]
        total += np.exp(score)
        if score > -np.inf and (best < 0 or score > out.scores[mention, best]):
            best = reading
    out.best[mention] = best
    out.confidence[mention] = 0.0
    if best < 0:
        return
    chosen = index.places[start + best]
    near = 0.0
    for reading in range(readings):
        place = index.places[start + reading]
        if places.countries[place] == places.countries[chosen]:
            north = places.latitudes[place] - places.latitudes[chosen]
            east = (places.longitudes[place] - places.longitudes[chosen]) * np.cos(np.radians(places.latitudes[place]))
            if north * north + east * east < _NEAR_DEGREES * _NEAR_DEGREES:
                near += np.exp(out.scores[mention, reading])
    out.confidence[mention] = near / total
