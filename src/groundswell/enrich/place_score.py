"""Weighs the readings of each name found in a post: which place, or none, and how sure.

Owns the model, a conditional logit in which `no place` competes with every reading of a name,

    P(reading) = exp(w · x) / (1 + sum over the readings of exp(w · x')),

settled twice, so that on the second pass the post's other places can speak for a reading. The weights were
fitted by `python -m bench._places_fit` on every other event or article of the sets it names; those that the
sets cannot show (storms, flags, other languages) are set by hand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.enrich.place_data import Level, NameKind
from groundswell.enrich.place_features import (
    IF_BACKED,
    IMPOSSIBLE,
    Feature,
    measure_mention,
    measure_place,
    measure_reading,
    measure_writing,
)
from groundswell.enrich.place_index import (
    NameIndex,
    Readings,
    ask_readings,
    name_of,
    readings_of,
    slots,
    with_top,
)
from groundswell.enrich.place_match import BEFORE, MAX_MENTIONS, Mentions, WordIndex, word_class
from groundswell.enrich.place_parts import COMMA, HASHTAG, SMALL, SOFT, UNUSED, Parts
from groundswell.kernels import allocating, inner

__all__ = ["MAX_READINGS", "WEIGHTS", "Judgement", "judge", "new_judgement", "rank_names"]

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

MAX_READINGS = 8  # places that share a name, the likeliest kept

_WEIGHTS = {
    Feature.BIAS: -0.54,
    Feature.LOWER: -2.01,
    Feature.LOWER_POST: -0.67,
    Feature.SENTENCE_START: -0.50,
    Feature.TITLE_CASE: -0.51,
    Feature.UNCASED: 0.78,
    Feature.UNITS: 1.50,
    Feature.TWO_UNITS: -1.50,
    Feature.FLAG: 0.00,
    Feature.HASHTAG: 0.91,
    Feature.WORDS: 0.89,
    Feature.SHORT: -0.73,
    Feature.GIVEN: -1.67,
    Feature.SURNAME: -1.89,
    Feature.DRESSED: -0.81,
    Feature.GLUED: -0.86,
    Feature.BEFORE: 0.99,
    Feature.KIND: 0.72,
    Feature.DIRECTION: 0.14,
    Feature.PERSON: -1.58,
    Feature.CAPITAL_BEFORE: -1.28,
    Feature.CAPITAL_AFTER: -0.70,
    Feature.STORM: -4.00,
    Feature.INSTITUTION: -1.47,
    Feature.COUNTRY: 3.62,
    Feature.REGION: 1.43,
    Feature.REGION_SIZE: 1.16,
    Feature.COUNTY: -0.27,
    Feature.SIZE: 1.72,
    Feature.SMALL_TOWN: 0.39,
    Feature.CAPITAL_CITY: -0.40,
    Feature.ALTERNATE: -2.22,
    Feature.ALTERNATE_SMALL: -0.73,
    Feature.ALTERNATE_UNCASED: -0.46,
    Feature.ALTERNATE_WIDE: -1.14,
    Feature.CODE: -0.30,
    Feature.WEAK_CODE: 1.00,
    Feature.DEMONYM: -1.00,
    Feature.COMMON: -4.11,
    Feature.COMMON_LOWER: -3.91,
    Feature.SIZE_LOWER: 0.18,
    Feature.LANGUAGE: 0.50,
    Feature.CONTAINED: 3.29,
    Feature.CONTAINER: 1.70,
    Feature.SAME_COUNTRY: 1.46,
    Feature.SAME_REGION: 1.98,
    Feature.ALTERNATE_CASED: 1.00,
    Feature.COUNTRY_SIZE: 0.55,
    Feature.AREA: 1.92,
    Feature.SAME_NAME: 1.95,
    Feature.AROUND: 1.92,
    Feature.NATIVE: -2.00,
}
WEIGHTS: F64 = np.array([_WEIGHTS[feature] for feature in Feature])

_COUNTRY = int(Level.COUNTRY)
_REGION = int(Level.REGION)
_CITY = int(Level.CITY)
_AREA = int(Level.AREA)
_CODE = int(NameKind.CODE)
_WEAK_CODE = int(NameKind.WEAK_CODE)
_DEMONYM = int(NameKind.DEMONYM)
_NEIGHBOURS = tuple(  # what `measure_mention` adds to the writing
    int(feature)
    for feature in (
        *(Feature.GIVEN, Feature.SURNAME, Feature.BEFORE, Feature.KIND, Feature.DIRECTION, Feature.PERSON),
        *(Feature.CAPITAL_BEFORE, Feature.CAPITAL_AFTER, Feature.STORM, Feature.INSTITUTION),
    )
)
_NEAR_DEGREES = 1.45  # 161 km
_BACKED = 0.5


class Judgement(NamedTuple):
    """Scratch space for one post; by mention and, where two-dimensional, by reading."""

    alone: F64  # scores without the post's other places
    verdicts: U8
    scores: F64
    best: I32  # the reading chosen; -1 for none
    confidence: F64
    contained: U8
    container: U8
    shared: F64  # what the mention's own features weigh
    hopeful: U8  # 0 where no reading can reach the floor
    masses: F64  # the exponentials of one mention's scores
    mention_x: F64  # features
    reading_x: F64


@allocating
def new_judgement() -> Judgement:
    return Judgement(
        np.zeros((MAX_MENTIONS, MAX_READINGS)),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros((MAX_MENTIONS, MAX_READINGS)),
        np.zeros(MAX_MENTIONS, np.int32),
        np.zeros(MAX_MENTIONS),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros(MAX_MENTIONS),
        np.zeros(MAX_MENTIONS, np.uint8),
        np.zeros(MAX_READINGS),
        np.zeros(len(WEIGHTS)),
        np.zeros(len(WEIGHTS)),
    )


@inner
def judge(
    count: int,
    parts_count: int,
    cased: int,
    mentions: Mentions,
    parts: Parts,
    readings: Readings,
    words: WordIndex,
    spoken: U8,
    weights: F64,
    floor: float,
    out: Judgement,
) -> None:
    """Choose the best reading of each mention and say how sure it is; none where it must stay below `floor`.

    Mentions without hope are not read: most are common words that are towns.
    """
    if not _some_hope(count, cased, mentions, parts, weights, floor, out):
        return
    for mention in range(count):
        ask_readings(readings, mentions[mention].name, mentions[mention].readings)
    for mention in range(count):
        measure_mention(mention, count, parts_count, cased, mentions, parts, words, out.mention_x)
        out.shared[mention] = _dot(weights, out.mention_x)
    if not _hope(count, cased, mentions, parts, weights, floor, out):
        return
    _pair(count, mentions, parts, readings, words, out)
    for mention in range(count):
        if not out.hopeful[mention]:
            continue
        start = mentions[mention].name
        for reading in range(mentions[mention].readings):
            verdict = measure_reading(
                mention,
                start + reading,
                cased,
                out.contained[mention, reading] != 0,
                out.container[mention, reading] != 0,
                mentions,
                parts,
                readings,
                spoken,
                out.reading_x,
            )
            score = out.shared[mention] + _dot(weights, out.reading_x) if verdict != IMPOSSIBLE else -np.inf
            out.verdicts[mention, reading] = verdict
            out.alone[mention, reading] = score
            out.scores[mention, reading] = -np.inf if verdict == IF_BACKED else score
        _settle(mention, mentions, readings, out)
    if count < 2:
        return
    for mention in range(count):
        if not out.hopeful[mention]:
            continue
        start = mentions[mention].name
        for reading in range(mentions[mention].readings):
            country, region, same, around = agreement(mention, reading, count, mentions, readings, out)
            backing = country if readings[start + reading].level == _COUNTRY else region
            if out.verdicts[mention, reading] == IF_BACKED and backing < _BACKED:
                continue
            out.scores[mention, reading] = (
                out.alone[mention, reading]
                + weights[Feature.SAME_COUNTRY] * country
                + weights[Feature.SAME_REGION] * region
                + weights[Feature.SAME_NAME] * same
                + weights[Feature.AROUND] * around
            )
    for mention in range(count):
        if out.hopeful[mention]:
            _settle(mention, mentions, readings, out)


@allocating
def rank_names(index: NameIndex, weights: F64) -> None:
    """Store with every name a bound on its readings' log odds; what the mention itself adds is left out."""
    x = np.zeros(len(weights))
    boon = max(0.0, weights[Feature.ALTERNATE_UNCASED], weights[Feature.ALTERNATE_CASED])
    for feature in (Feature.LANGUAGE, Feature.SHORT, Feature.CODE, Feature.WEAK_CODE):
        boon += max(0.0, weights[feature])
    pairs = slots(index.table)
    for slot in range(len(pairs)):
        if pairs[slot, 0] == 0:
            continue
        name = np.int64(pairs[slot, 1])
        odds = 0.0
        for entry in range(name_of(name), name_of(name) + readings_of(name)):
            x[:] = 0.0
            measure_place(entry, 0, index.readings, x)
            x[Feature.ALTERNATE_UNCASED] = 0.0
            size = max(0.0, index.readings[entry].magnitude - 5.0)
            odds += np.exp(_dot(weights, x) + boon + max(0.0, weights[Feature.SIZE_LOWER]) * size)
            if index.readings[entry].kind in (_CODE, _WEAK_CODE):
                odds = np.inf  # how common the word is does not count against a code
        pairs[slot, 1] = with_top(pairs[slot, 1], np.log(odds) if odds > 0.0 else -np.inf)


@inner
def _bound(shared: float, mention: int, cased: int, mentions: Mentions, parts: Parts, weights: F64) -> float:
    """No reading of a mention whose own features weigh `shared` has greater log odds by itself."""
    common = mentions[mention].common / 9.0
    bound = shared + mentions[mention].top + weights[Feature.COMMON] * common
    if parts[mentions[mention].first].flags & (SMALL | HASHTAG) == SMALL:
        bound += weights[Feature.COMMON_LOWER] * (0.5 * common if cased == UNUSED else common)
    return float(bound)


@njit(cache=True, nogil=True, inline="always")
def _least(floor: float) -> float:
    """The log odds of `floor`."""
    return float(np.log(floor / (1.0 - floor))) if 0.0 < floor < 1.0 else -np.inf


@inner
def _some_hope(
    count: int, cased: int, mentions: Mentions, parts: Parts, weights: F64, floor: float, out: Judgement
) -> bool:
    """Whether a mention can reach the floor by its writing and the best of neighbours; clears the answers.

    In most posts none can: what they name are common words that are towns.
    """
    boon = 0.0
    for feature in _NEIGHBOURS:
        boon += max(0.0, weights[feature])
    some = False
    for mention in range(count):
        out.best[mention] = -1
        out.confidence[mention] = 0.0
        if not some:
            measure_writing(mention, cased, mentions, parts, out.mention_x)
            shared = _dot(weights, out.mention_x) + boon
            some = _bound(shared, mention, cased, mentions, parts, weights) >= _least(floor)
    return some


@njit(cache=True, nogil=True, inline="always")
def _hope(
    count: int, cased: int, mentions: Mentions, parts: Parts, weights: F64, floor: float, out: Judgement
) -> bool:
    """Mark the mentions that can reach the floor: by themselves, or with one that can behind them."""
    least = _least(floor)
    company = weights[Feature.SAME_COUNTRY] + weights[Feature.SAME_REGION] + weights[Feature.AROUND]
    some = False
    for mention in range(count):
        bound = _bound(out.shared[mention], mention, cased, mentions, parts, weights)
        out.alone[mention, 0] = bound
        some = some or bound >= least
    for mention in range(count):
        bound = out.alone[mention, 0] + company
        after = mention + 1
        if mention > 0 and mentions[mention].first - mentions[mention - 1].last <= 2:
            bound += weights[Feature.CONTAINER]
        if after < count and mentions[after].first - mentions[mention].last <= 2:
            bound += weights[Feature.CONTAINED]
        if bound < least <= bound + weights[Feature.SAME_NAME]:
            for other in range(count):
                if other != mention and mentions[other].name == mentions[mention].name:
                    bound = least
        out.hopeful[mention] = some and bound >= least
    return some


@inner
def _dot(weights: F64, x: F64) -> float:
    a = b = c = d = 0.0  # four sums at a time: one alone waits for each addition
    for at in range(0, len(x), 4):
        a += weights[at] * x[at]
        b += weights[at + 1] * x[at + 1]
        c += weights[at + 2] * x[at + 2]
        d += weights[at + 3] * x[at + 3]
    return (a + b) + (c + d)


@njit(cache=True, nogil=True, inline="always")
def agreement(
    mention: int, reading: int, count: int, mentions: Mentions, readings: Readings, out: Judgement
) -> tuple[float, float, float, float]:
    """What the post's other mentions, judged alone, say for this reading: the last four features.

    How sure other names were of this place's country and of its region; how sure another mention of the same
    name was, where a wider place beside it had settled it (`Moore, Oklahoma … Moore`); how many other names
    lie around, n / (1 + n).
    """
    own = mentions[mention].name + reading
    country = 0.0
    region = 0.0
    same = 0.0
    around = 0.0
    for other in range(count):
        best = out.best[other]
        if other == mention or best < 0:
            continue
        if mentions[other].name == mentions[mention].name:
            if best == reading and out.contained[other, reading]:
                same = max(same, out.confidence[other])
            continue
        theirs = mentions[other].name + best
        if readings[theirs].country != readings[own].country:
            continue
        if readings[theirs].place == readings[own].place:
            continue
        if readings[theirs].level == _AREA:
            continue
        country = max(country, out.confidence[other])
        if readings[theirs].region == readings[own].region and readings[own].region != 0:
            region = max(region, out.confidence[other])
        if readings[theirs].level != _COUNTRY and _near(theirs, own, readings):
            around += out.confidence[other]
    return country, region, same, around / (1.0 + around)


@inner
def _near(one: int, other: int, readings: Readings) -> bool:
    """Whether two places lie within 161 km of each other."""
    north = readings[one].latitude - readings[other].latitude
    if abs(north) > _NEAR_DEGREES:
        return False
    east = (readings[one].longitude - readings[other].longitude) * np.cos(np.radians(readings[one].latitude))
    return bool(north * north + east * east < _NEAR_DEGREES * _NEAR_DEGREES)


@inner
def _contains(wide: int, narrow: int, readings: Readings) -> bool:
    level = readings[wide].level
    if level == _COUNTRY:
        return bool(readings[narrow].level != _COUNTRY and readings[wide].country == readings[narrow].country)
    same = readings[narrow].level == _CITY and readings[wide].region == readings[narrow].region
    return bool(level == _REGION and same)


@njit(cache=True, nogil=True, inline="always")
def _pair(
    count: int,
    mentions: Mentions,
    parts: Parts,
    readings: Readings,
    words: WordIndex,
    out: Judgement,
) -> None:
    """Mark the readings of neighbours of which the right one contains the left: `Moore, Oklahoma`."""
    out.contained[:count] = 0
    out.container[:count] = 0
    for left in range(count - 1):
        right = left + 1
        between = mentions[right].first - mentions[left].last - 1
        if between > 1 or parts[mentions[right].first].before > COMMA:
            continue
        if not (out.hopeful[left] and out.hopeful[right]):
            continue
        if between == 1:
            word = mentions[left].last + 1
            if parts[word].before > SOFT or not word_class(words, parts[word].key) & BEFORE:
                continue
        a = mentions[left].name
        b = mentions[right].name
        for i in range(a, a + mentions[left].readings):
            for j in range(b, b + mentions[right].readings):
                if readings[i].kind == _DEMONYM or readings[j].kind == _DEMONYM:
                    continue
                if _contains(j, i, readings):
                    out.contained[left, i - a] = 1
                    out.container[right, j - b] = 1


@inner
def _settle(mention: int, mentions: Mentions, readings: Readings, out: Judgement) -> None:
    """Turn a mention's scores into the best reading and its confidence.

    Readings of one country within 161 km of each other (a city and the region named after it) are one answer.
    """
    start = mentions[mention].name
    count = mentions[mention].readings
    best = -1
    total = 1.0
    for reading in range(count):
        score = out.scores[mention, reading]
        out.masses[reading] = np.exp(score)
        total += out.masses[reading]
        if score > -np.inf and (best < 0 or score > out.scores[mention, best]):
            best = reading
    out.best[mention] = best
    out.confidence[mention] = 0.0
    if best < 0:
        return
    chosen = start + best
    near = 0.0
    for reading in range(count):
        place = start + reading
        if readings[place].country == readings[chosen].country and _near(place, chosen, readings):
            near += out.masses[reading]
    out.confidence[mention] = near / total
