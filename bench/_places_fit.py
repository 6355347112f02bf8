"""Fits the weights of `groundswell.enrich.place_score`: `python -m bench._places_fit`, about a minute.

Maximum likelihood of the conditional logit over the even groups of the four sets, drawn towards hand-set
values by a ridge; dumped and fitted three times, because a reading's agreement with its neighbours depends on
the weights. A mention on marked words is right where a reading lies near the mark (within its country's or
region's radius, since a country's coordinates are a convention); one on unmarked words is no place, unless
the set marks that place elsewhere in the group. Demonyms are left out: the sets differ over them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench.places import HIT_KM, Document, gold_sets, halves, kilometres, near_marks
from numba import njit
from scipy.optimize import minimize

from groundswell.enrich.fold import text_buffers
from groundswell.enrich.gazetteer import Arrays, PlacesSettings, load_arrays
from groundswell.enrich.place_data import Level, NameKind
from groundswell.enrich.place_features import (
    Feature,
    weigh_naming,
    weigh_neighbours,
    weigh_place,
    weigh_reading,
    weigh_writing,
)
from groundswell.enrich.place_letters import spellings
from groundswell.enrich.place_match import LETTER, MAX_LETTERS, MAX_MENTIONS, MENTION, match
from groundswell.enrich.place_parts import MAX_PARTS, PART, casing, cut
from groundswell.enrich.place_score import (
    MAX_READINGS,
    agreement,
    judge,
    limits_of,
    new_judgement,
    rank_names,
)

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

RIDGE = 2.0
ROUNDS = 3
REGION_KM = 250.0
SET_WEIGHTS = {"IDRISI-D en": 1.0, "IDRISI-D ar": 1.0, "GeoVirus": 0.5, "GeoWebNews": 0.5}
LANGUAGES = {"eng_Latn": "en", "arb_Arab": "ar"}

# The sets are English and Arabic and mark no storms' names, so these stay as they are.
FIXED = {
    Feature.FLAG: 0.0,
    Feature.DEMONYM: -1.0,
    Feature.UNITS: 1.5,
    Feature.TWO_UNITS: -1.5,
    Feature.LANGUAGE: 0.5,
    Feature.STORM: -4.0,
    Feature.ALTERNATE_CASED: 1.0,
}
PRIOR = {
    Feature.BIAS: 0.3,
    Feature.COUNTRY: 3.0,
    Feature.REGION: 1.6,
    Feature.SIZE: 1.1,
    Feature.REGION_SIZE: 0.8,
    Feature.ALTERNATE: -0.7,
    Feature.ALTERNATE_SMALL: -0.7,
    Feature.ALTERNATE_WIDE: -0.5,
    Feature.ALTERNATE_UNCASED: 1.0,
    Feature.CODE: 1.0,
    Feature.WEAK_CODE: 1.0,
    Feature.COMMON: -4.0,
    Feature.COMMON_LOWER: -4.0,
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
    Feature.GIVEN: -2.5,
    Feature.SURNAME: -2.0,
    Feature.PERSON: -1.5,
    Feature.CAPITAL_BEFORE: -0.5,
    Feature.CAPITAL_AFTER: -0.3,
    Feature.INSTITUTION: -1.0,
    Feature.UNCASED: -0.5,
    Feature.DRESSED: -1.0,
    Feature.GLUED: -0.5,
    Feature.SHORT: -1.0,
    Feature.DIRECTION: 0.3,
    Feature.SMALL_TOWN: -0.5,
    Feature.SIZE_LOWER: 0.5,
    Feature.CAPITAL_CITY: 0.5,
    Feature.COUNTRY_SIZE: 0.3,
    Feature.AREA: 2.5,
    Feature.SAME_NAME: 2.0,
    Feature.AROUND: 1.0,
    Feature.NATIVE: -0.5,
}


class Readings(NamedTuple):
    """Every possible reading of every mention, one a row."""

    x: F64
    mention: I64
    right: npt.NDArray[np.bool_]
    weight: F64  # by mention


@njit
def _dump(  # type: ignore[no-untyped-def]
    offsets, data, languages, spoken, spelling, names, readings, words, places, weights, x, reading, span
):
    """Fill in each reading's features, mention, place and kind; each mention's post and bytes.

    A feature is what a post weighs where the feature's weight is 1 and all others are 0.
    """
    units = np.eye(len(weights))
    limits = limits_of(weights, 0.0)
    parts = np.zeros(MAX_PARTS, PART)
    mentions = np.zeros(MAX_MENTIONS, MENTION)
    letters = np.zeros(MAX_LETTERS + 1, LETTER)
    out = new_judgement()
    rows = 0
    kept = 0
    for post in range(len(offsets) - 1):
        count = cut(data, offsets[post], offsets[post + 1], spelling, parts)
        cased = casing(count, parts)
        found = match(data, count, cased, parts, names, words, spelling, letters, mentions)
        tongue = spoken[languages[post]]
        judge(found, count, cased, mentions, parts, readings, words, tongue, weights, limits, out)
        for mention in range(found):
            start = mentions[mention].name
            any_possible = False
            for at in range(mentions[mention].readings):
                if out.scores[mention, at] == -np.inf:
                    continue
                for feature in range(len(weights)):
                    unit = units[feature]
                    naming = weigh_naming(mention, cased, mentions, parts, unit)
                    _, weight = weigh_reading(
                        mention,
                        start + at,
                        cased,
                        out.contained[mention, at] != 0,
                        out.container[mention, at] != 0,
                        naming,
                        mentions,
                        parts,
                        readings,
                        tongue,
                        unit,
                    )
                    x[rows, feature] = (
                        weigh_writing(mention, cased, mentions, parts, unit)
                        + weigh_neighbours(mention, found, count, cased, mentions, parts, words, unit)
                        + weigh_place(readings[start + at].place, readings[start + at].kind, places, unit)
                        + weight
                    )
                country, region, same, around = agreement(mention, at, found, mentions, readings, out)
                x[rows, Feature.SAME_COUNTRY] = country
                x[rows, Feature.SAME_REGION] = region
                x[rows, Feature.SAME_NAME] = same
                x[rows, Feature.AROUND] = around
                reading[rows, 0] = kept
                reading[rows, 1] = readings[start + at].place
                reading[rows, 2] = readings[start + at].kind
                rows += 1
                any_possible = True
            if any_possible:
                span[kept, 0] = post
                span[kept, 1] = parts[mentions[mention].first].start - offsets[post]
                span[kept, 2] = parts[mentions[mention].last].end - offsets[post]
                kept += 1
    return rows, kept


def _radii(arrays: Arrays) -> F64:
    """How far from its coordinates each place may be marked."""
    levels = arrays.places["level"]
    radii: F64 = np.maximum(HIT_KM, arrays.places["radius"].astype(float))
    radii[levels == Level.REGION] = np.maximum(REGION_KM, radii[levels == Level.REGION])
    return radii


def _readings(arrays: Arrays, documents: list[Document], weights: F64, set_weight: float) -> Readings:
    offsets, data = text_buffers(pa.array([document.text for document in documents]))
    codes = sorted(arrays.spoken)
    spoken = np.array([arrays.spoken[code] for code in codes])
    languages = np.array([codes.index(LANGUAGES[document.lang]) for document in documents], np.int16)
    room = sum(len(document.text.split()) for document in documents) * MAX_READINGS
    x = np.zeros((room, len(Feature)))
    reading = np.zeros((room, 3), np.int64)
    span = np.zeros((room, 3), np.int64)
    rank_names(arrays.names, arrays.places, weights)
    tables = (spellings(), *arrays.names, arrays.words, arrays.places)
    rows, mentions = _dump(offsets, data, languages, spoken, *tables, weights, x, reading, span)
    x, reading = x[:rows], reading[:rows]
    kept, right = _label(arrays, documents, reading, span[:mentions])
    _, mention_of = np.unique(reading[kept, 0], return_inverse=True)
    total = int(mention_of.max()) + 1
    return Readings(x[kept], mention_of, right[kept], np.full(total, set_weight))


def _label(
    arrays: Arrays, documents: list[Document], reading: I64, span: I64
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which readings the set lets us judge, and which are right."""
    marks, radii = near_marks(documents), _radii(arrays)
    latitude = arrays.places["latitude"].astype(float)
    longitude = arrays.places["longitude"].astype(float)
    bounds = np.searchsorted(reading[:, 0], np.arange(len(span) + 1))
    kept = np.zeros(len(reading), bool)
    right = np.zeros(len(reading), bool)
    for mention, (post, start, end) in enumerate(span.tolist()):
        document = documents[post]
        encoded = document.text.encode()
        begin, stop = len(encoded[:start].decode()), len(encoded[:end].decode())
        these = slice(bounds[mention], bounds[mention + 1])
        places = reading[these, 1]
        over = [gold for gold in document.gold if gold.start < stop and gold.end > begin]
        near = np.zeros(len(places), bool)
        for gold in over:
            near |= kilometres(gold.lat, gold.lon, latitude[places], longitude[places]) <= radii[places]
        if not near.any():
            points = marks.get(document.group, np.zeros((0, 2)))
            distances = kilometres(
                latitude[places, None], longitude[places, None], points[None, :, 0], points[None, :, 1]
            )
            elsewhere = not over and (distances <= HIT_KM).any()
            unplaced = any(begin < last and stop > first for first, last in document.unplaced)
            demonym = (reading[these, 2] == NameKind.DEMONYM).any()
            if elsewhere or demonym or (unplaced and not over):
                continue
        kept[these] = True
        right[these] = near
    return kept, right


def _join(sets: list[Readings]) -> Readings:
    starts = np.cumsum([0, *(len(each.weight) for each in sets)])
    return Readings(
        np.concatenate([each.x for each in sets]),
        np.concatenate([each.mention + start for each, start in zip(sets, starts, strict=False)]),
        np.concatenate([each.right for each in sets]),
        np.concatenate([each.weight for each in sets]),
    )


def _loss(free: F64, columns: I64, prior: F64, data: Readings) -> tuple[float, F64]:
    """Weighted negative log likelihood with the ridge, and its gradient, over the free columns."""
    weights = prior.copy()
    weights[columns] = free
    odds = np.exp(np.clip(data.x @ weights, -30, 30))
    mentions = len(data.weight)
    total = 1 + np.bincount(data.mention, odds, mentions)
    of_right = np.bincount(data.mention, odds * data.right, mentions)
    placed = np.bincount(data.mention, data.right, mentions) > 0
    numerator = np.where(placed, np.maximum(of_right, 1e-12), 1.0)  # no place: exp(0)
    drift = weights - prior
    loss = -(data.weight * np.log(numerator / total)).sum() + RIDGE * (drift**2).sum()
    pull = odds / total[data.mention] - odds * data.right / numerator[data.mention]
    gradient = data.x.T @ (data.weight[data.mention] * pull) + 2 * RIDGE * drift
    return float(loss), gradient[columns]


def fit() -> F64:
    """The weights, by feature."""
    arrays = load_arrays(PlacesSettings())
    prior = np.zeros(len(Feature))
    for feature, weight in (PRIOR | FIXED).items():
        prior[feature] = weight
    columns = np.array([feature for feature in Feature if feature not in FIXED])
    weights = prior
    sets = {name: halves(documents, 0) for name, documents in gold_sets().items()}
    for _ in range(ROUNDS):
        data = _join(
            [_readings(arrays, documents, weights, SET_WEIGHTS[name]) for name, documents in sets.items()]
        )
        found = minimize(_loss, weights[columns], (columns, prior, data), jac=True, method="L-BFGS-B")
        weights = weights.copy()
        weights[columns] = found.x
        print(f"{len(data.weight)} mentions, {len(data.x)} readings, loss {found.fun:.1f}")
    return weights


if __name__ == "__main__":
    for feature, weight in zip(Feature, fit(), strict=True):
        print(f"    Feature.{feature.name}: {weight:.2f},")
