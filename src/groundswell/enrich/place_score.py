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
    Places,
    measure_mention,
    measure_reading,
)
from groundswell.enrich.place_index import NameIndex
from groundswell.enrich.place_match import BEFORE, MAX_MENTIONS, Mentions, WordIndex, word_class
from groundswell.enrich.place_parts import COMMA, SOFT, Parts

__all__ = ["MAX_READINGS", "WEIGHTS", "Judgement", "judge", "new_judgement"]

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]

MAX_READINGS = 8  # places that share a name, the likeliest kept

_WEIGHTS = {
    Feature.BIAS: -0.64,
    Feature.LOWER: -2.12,
    Feature.LOWER_POST: -0.66,
    Feature.SENTENCE_START: -0.40,
    Feature.TITLE_CASE: -0.70,
    Feature.UNCASED: 1.27,
    Feature.UNITS: 1.50,
    Feature.TWO_UNITS: -1.50,
    Feature.FLAG: 0.00,
    Feature.HASHTAG: 0.86,
    Feature.WORDS: 0.91,
    Feature.SHORT: -0.42,
    Feature.GIVEN: -1.60,
    Feature.SURNAME: -1.91,
    Feature.DRESSED: -0.65,
    Feature.GLUED: -0.86,
    Feature.BEFORE: 1.10,
    Feature.KIND: 1.02,
    Feature.DIRECTION: 0.35,
    Feature.PERSON: -1.54,
    Feature.CAPITAL_BEFORE: -1.25,
    Feature.CAPITAL_AFTER: -1.03,
    Feature.STORM: -4.00,
    Feature.INSTITUTION: -1.51,
    Feature.COUNTRY: 3.71,
    Feature.REGION: 1.24,
    Feature.REGION_SIZE: 0.99,
    Feature.COUNTY: -0.21,
    Feature.SIZE: 1.78,
    Feature.SMALL_TOWN: 0.45,
    Feature.CAPITAL_CITY: -0.17,
    Feature.ALTERNATE: -3.05,
    Feature.ALTERNATE_SMALL: 0.22,
    Feature.ALTERNATE_UNCASED: -0.48,
    Feature.ALTERNATE_WIDE: -1.53,
    Feature.CODE: 0.02,
    Feature.WEAK_CODE: 1.00,
    Feature.DEMONYM: -1.00,
    Feature.COMMON: -4.13,
    Feature.COMMON_LOWER: -3.92,
    Feature.SIZE_LOWER: 0.53,
    Feature.LANGUAGE: 0.50,
    Feature.CONTAINED: 3.04,
    Feature.CONTAINER: 1.90,
    Feature.SAME_COUNTRY: 1.74,
    Feature.SAME_REGION: 2.48,
    Feature.ALTERNATE_CASED: 1.00,
}
WEIGHTS: F64 = np.array([_WEIGHTS[feature] for feature in Feature])

_COUNTRY = int(Level.COUNTRY)
_REGION = int(Level.REGION)
_CITY = int(Level.CITY)
_DEMONYM = int(NameKind.DEMONYM)
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
    mention_x: F64  # features
    reading_x: F64


@njit(cache=True, nogil=True)
def new_judgement() -> Judgement:
    return Judgement(
        np.zeros((MAX_MENTIONS, MAX_READINGS)),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros((MAX_MENTIONS, MAX_READINGS)),
        np.zeros(MAX_MENTIONS, np.int32),
        np.zeros(MAX_MENTIONS),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros((MAX_MENTIONS, MAX_READINGS), np.uint8),
        np.zeros(len(WEIGHTS)),
        np.zeros(len(WEIGHTS)),
    )


@njit(cache=True, nogil=True)
def judge(
    count: int,
    parts_count: int,
    cased: int,
    mentions: Mentions,
    parts: Parts,
    index: NameIndex,
    places: Places,
    words: WordIndex,
    spoken: U8,
    weights: F64,
    out: Judgement,
) -> None:
    """Choose the best reading of each mention and say how sure it is."""
    _pair(count, mentions, parts, index, places, words, out)
    for mention in range(count):
        measure_mention(mention, count, parts_count, cased, mentions, parts, words, out.mention_x)
        shared = _dot(weights, out.mention_x)
        start = index.first[mentions[mention].name]
        for reading in range(index.first[mentions[mention].name + 1] - start):
            verdict = measure_reading(
                mention,
                start + reading,
                cased,
                out.contained[mention, reading] != 0,
                out.container[mention, reading] != 0,
                mentions,
                parts,
                index,
                places,
                spoken,
                out.reading_x,
            )
            score = shared + _dot(weights, out.reading_x) if verdict != IMPOSSIBLE else -np.inf
            out.verdicts[mention, reading] = verdict
            out.alone[mention, reading] = score
            out.scores[mention, reading] = -np.inf if verdict == IF_BACKED else score
        _settle(mention, mentions[mention].name, index, places, out)
    if count < 2:
        return
    for mention in range(count):
        start = index.first[mentions[mention].name]
        for reading in range(index.first[mentions[mention].name + 1] - start):
            place = index.places[start + reading]
            country, region = agreement(mention, place, count, mentions, index, places, out)
            backing = country if places[place].level == _COUNTRY else region
            if out.verdicts[mention, reading] == IF_BACKED and backing < _BACKED:
                continue
            out.scores[mention, reading] = (
                out.alone[mention, reading]
                + weights[Feature.SAME_COUNTRY] * country
                + weights[Feature.SAME_REGION] * region
            )
    for mention in range(count):
        _settle(mention, mentions[mention].name, index, places, out)


@njit(cache=True, nogil=True)
def _dot(weights: F64, x: F64) -> float:
    total = 0.0
    for feature in range(len(x)):
        total += weights[feature] * x[feature]
    return total


@njit(cache=True, nogil=True)
def agreement(
    mention: int, place: int, count: int, mentions: Mentions, index: NameIndex, places: Places, out: Judgement
) -> tuple[float, float]:
    """How sure the post's other names were, alone, of this place's country and of its region."""
    country = 0.0
    region = 0.0
    for other in range(count):
        if mentions[other].name == mentions[mention].name or out.best[other] < 0:
            continue
        theirs = index.places[index.first[mentions[other].name] + out.best[other]]
        if places[theirs].country != places[place].country or theirs == place:
            continue
        country = max(country, out.confidence[other])
        if places[theirs].region == places[place].region and places[place].region != 0:
            region = max(region, out.confidence[other])
    return country, region


@njit(cache=True, nogil=True)
def _contains(wide: int, narrow: int, places: Places) -> bool:
    level = places[wide].level
    if level == _COUNTRY:
        return bool(places[narrow].level != _COUNTRY and places[wide].country == places[narrow].country)
    same = places[narrow].level == _CITY and places[wide].region == places[narrow].region
    return bool(level == _REGION and same)


@njit(cache=True, nogil=True)
def _pair(
    count: int,
    mentions: Mentions,
    parts: Parts,
    index: NameIndex,
    places: Places,
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
        if between == 1:
            word = mentions[left].last + 1
            if parts[word].before > SOFT or not word_class(words, parts[word].key) & BEFORE:
                continue
        a = mentions[left].name
        b = mentions[right].name
        for i in range(index.first[a], index.first[a + 1]):
            for j in range(index.first[b], index.first[b + 1]):
                if index.kinds[i] == _DEMONYM or index.kinds[j] == _DEMONYM:
                    continue
                if _contains(index.places[j], index.places[i], places):
                    out.contained[left, i - index.first[a]] = 1
                    out.container[right, j - index.first[b]] = 1


@njit(cache=True, nogil=True)
def _settle(mention: int, name: int, index: NameIndex, places: Places, out: Judgement) -> None:
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
        if places[place].country == places[chosen].country:
            north = places[place].latitude - places[chosen].latitude
            east = (places[place].longitude - places[chosen].longitude) * np.cos(
                np.radians(places[place].latitude)
            )
            if north * north + east * east < _NEAR_DEGREES * _NEAR_DEGREES:
                near += np.exp(out.scores[mention, reading])
    out.confidence[mention] = near / total
