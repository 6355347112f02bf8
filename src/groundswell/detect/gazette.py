"""Where is a crowd's matter? The evidence of its posts, summed over the gazetteer's rows.

The gazetteer is passed in as a table; this module owns no place of its own. One post speaks once for each
place in it, as loudly as the enricher was sure.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.candidates import PlaceUse
from groundswell.detect.columns import count_distinct, group

__all__ = ["Evidence", "Gazette"]

I64Array = npt.NDArray[np.int64]
F64Array = npt.NDArray[np.float64]

_EARTH_KM = 6371.0
_LEVELS = ("city", "region", "country")


class Evidence:
    """What a set of posts says of where: weight and speakers per place, weight per country."""

    def __init__(self, rows: I64Array, weights: F64Array, owners: I64Array, posts: int) -> None:
        self.posts = posts
        numbers, distinct = group(rows)
        order = np.argsort(distinct)
        self.rows = distinct[order].astype(np.int64)
        inverse = np.argsort(order)[numbers]
        self.weights = np.bincount(inverse, weights, len(self.rows)) if len(rows) else np.empty(0)
        self._inverse = inverse
        self._values = weights
        self._owners = owners

    def votes(self, side_of: I64Array, sides: int) -> F64Array:
        """How loudly each post speaks for each side, (posts, sides); `side_of` gives a place's side or -1."""
        votes = np.zeros((self.posts, sides))
        side = side_of[self._inverse]
        on = side >= 0
        np.add.at(votes, (self._owners[on], side[on]), self._values[on])
        return votes

    @property
    def owners(self) -> I64Array:
        """The post of each mention."""
        return self._owners

    def speakers(self, chosen: npt.NDArray[np.bool_], speakers: npt.NDArray[np.uint64]) -> int:
        """Distinct speakers of the posts that mention any of the `chosen` rows (a mask over `rows`)."""
        return count_distinct(speakers[self._owners[chosen[self._inverse]]])


class Gazette:
    """The gazetteer's table as arrays, and the arithmetic over it.

    `table` has the columns name, country, latitude, longitude, population, level and within.
    """

    def __init__(self, table: pa.Table) -> None:
        self._names = table.column("name")
        self._country_names = table.column("country")
        self._latitude = table.column("latitude").to_numpy()
        self._longitude = table.column("longitude").to_numpy()
        self._population = table.column("population").to_numpy()
        self._within = table.column("within").to_numpy()
        coded = table.column("country").combine_chunks().dictionary_encode()
        self._country = coded.indices.to_numpy()
        levels = table.column("level").combine_chunks().dictionary_encode()
        order = np.array([_LEVELS.index(level) for level in levels.dictionary.to_pylist()])
        self._level = order[levels.indices.to_numpy()]
        self._country_row = np.full(len(coded.dictionary), -1)
        for row in np.flatnonzero(self._level == _LEVELS.index("country")).tolist():
            self._country_row[self._country[row]] = row

    def names(self, rows: I64Array) -> list[str]:
        """What the places at `rows` are called."""
        found: list[str] = self._names.take(pa.array(rows)).to_pylist()
        return found

    def best(self, evidence: Evidence, min_share: float = 0.3, prefer: int = -1) -> tuple[int, int, float]:
        """The most attested (place row, country row, share of the evidence that agrees on the country).

        The country of the row `prefer` wins while it has a quarter of the strongest one's evidence: a matter
        does not move because its crowd also speaks of another.
        The place row is -1 when no single place has `min_share` of its country's evidence; both are -1
        when nothing was mentioned. Ties go to the lower row.
        """
        if not len(evidence.rows):
            return -1, -1, 0.0
        countries = self._country[evidence.rows]
        per_country = np.bincount(countries, evidence.weights)
        top = int(per_country.argmax())
        if prefer >= 0 and self._country[prefer] < len(per_country):
            kept = int(self._country[prefer])
            top = kept if per_country[kept] >= 0.25 * per_country[top] else top
        share = float(per_country[top] / max(evidence.weights.sum(), 1e-9))
        inside = np.flatnonzero((countries == top) & (self._level[evidence.rows] < 2))
        place = -1
        if len(inside):
            finest = inside[evidence.weights[inside].argmax()]
            if evidence.weights[finest] >= min_share * per_country[top]:
                place = int(evidence.rows[finest])
        return place, int(self._country_row[top]), share

    def attested(self, evidence: Evidence, speakers: npt.NDArray[np.uint64], least: int) -> tuple[int, int]:
        """As `best`, the place and the country each only when `least` speakers mention them, else -1."""
        place, country, _ = self.best(evidence)
        if country < 0 or evidence.speakers(self._inside(evidence, country), speakers) < least:
            return -1, -1
        if place >= 0 and evidence.speakers(evidence.rows == place, speakers) < least:
            place = -1
        return place, country

    def _inside(self, evidence: Evidence, country: int) -> npt.NDArray[np.bool_]:
        return np.asarray(self._country[evidence.rows] == self._country[country])

    def apart(self, place: int, country: int, other: int, other_country: int, limit_km: float) -> bool:
        """Both are somewhere, and not in one place.

        Distances to the middle of a region say half as much: it is wide.
        """
        if country < 0 or other_country < 0:
            return False
        if place >= 0 and other >= 0:
            return not self.near(place, other, limit_km) and not self.nested(place, other)
        return bool(self._country[country] != self._country[other_country])

    def near(self, place: int, other: int, limit_km: float) -> bool:
        wide = self._level[place] == 1 or self._level[other] == 1
        return self.distance_km(place, other) < limit_km * (2.0 if wide else 1.0)

    def is_town(self, place: int) -> bool:
        return bool(self._level[place] == _LEVELS.index("city"))

    def population(self, place: int) -> int:
        return int(self._population[place])

    def nested(self, place: int, other: int) -> bool:
        """One lies in the other: a town can be far from the middle of its region."""
        return bool(self._within[place] == other or self._within[other] == place)

    def same_country(self, place: int, other: int) -> bool:
        return place >= 0 and other >= 0 and bool(self._country[place] == self._country[other])

    def sides(self, evidence: Evidence, limit_km: float, share: float, most: int = 4) -> list[int]:
        """The places that the posts are divided between, strongest first; one or none when they are not.

        A place counts when it is apart from the stronger ones and has `share` of the strongest's weight; a
        country when none of the places counts that lie in it.
        """
        found: list[int] = []
        order = np.lexsort((evidence.rows, -evidence.weights, self._level[evidence.rows] == 2))
        top = float(evidence.weights[order[0]]) if len(order) else 0.0
        for at in order.tolist():
            if evidence.weights[at] < share * top:
                continue
            row = int(evidence.rows[at])
            if not any(self._together(row, other, limit_km) for other in found):
                found.append(row)
        return found[:most]

    def _together(self, row: int, other: int, limit_km: float) -> bool:
        """Near each other; a country or a region is together with all that is in it."""
        if self._level[row] == 2 or self._level[other] == 2:
            return bool(self._country[row] == self._country[other])
        return self.near(row, other, limit_km) or self.nested(row, other)

    def nearest(self, rows: I64Array, sides: list[int], limit_km: float) -> I64Array:
        """For each gazetteer row the index of the one side it is together with; -1 for none or several."""
        answer = np.full(len(rows), -1)
        for i, row in enumerate(rows.tolist()):
            with_it = [at for at, side in enumerate(sides) if self._together(row, side, limit_km)]
            if len(with_it) == 1:
                answer[i] = with_it[0]
        return answer

    def uses(
        self, evidence: Evidence, speakers: npt.NDArray[np.uint64], prefer: int = -1
    ) -> tuple[PlaceUse, ...]:
        """The best place and its country as candidates carry them; empty when nothing was mentioned."""
        place, country, share = self.best(evidence, prefer=prefer)
        if country < 0:
            return ()
        inside = self._inside(evidence, country)
        found = []
        if place >= 0:
            at = evidence.rows == place
            of_country = evidence.weights[at].sum() / evidence.weights[inside].sum()
            found.append(self._use(place, evidence.speakers(at, speakers), share * float(of_country)))
        found.append(self._use(country, evidence.speakers(inside, speakers), share))
        return tuple(found)

    def _use(self, row: int, speakers: int, confidence: float) -> PlaceUse:
        return PlaceUse(
            name=self._names[row].as_py(),
            country=self._country_names[row].as_py(),
            latitude=float(self._latitude[row]),
            longitude=float(self._longitude[row]),
            population=int(self._population[row]),
            level=_LEVELS[self._level[row]],
            speakers=speakers,
            confidence=round(min(max(confidence, 0.0), 1.0), 4),
        )

    def distance_km(self, a: int, b: int) -> float:
        """Great-circle distance between two rows (haversine)."""
        lat_a, lat_b = math.radians(self._latitude[a]), math.radians(self._latitude[b])
        half_lat = math.sin((lat_b - lat_a) / 2) ** 2
        half_lon = math.sin(math.radians(self._longitude[b] - self._longitude[a]) / 2) ** 2
        chord: Any = half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon
        return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))
