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

__all__ = ["Evidence", "Gazette"]

I64Array = npt.NDArray[np.int64]
F64Array = npt.NDArray[np.float64]

_EARTH_KM = 6371.0
_LEVELS = ("city", "region", "country")


class Evidence:
    """What a set of posts says of where: weight and speakers per place, weight per country."""

    def __init__(self, rows: I64Array, weights: F64Array, owners: I64Array, posts: int) -> None:
        self.posts = posts
        self.rows, inverse = np.unique(rows, return_inverse=True)
        self.weights = np.bincount(inverse, weights, len(self.rows)) if len(rows) else np.empty(0)
        self._inverse = inverse
        self._owners = owners

    def speakers(self, chosen: npt.NDArray[np.bool_], speakers: npt.NDArray[np.uint64]) -> int:
        """Distinct speakers of the posts that mention any of the `chosen` rows (a mask over `rows`)."""
        return len(np.unique(speakers[np.unique(self._owners[chosen[self._inverse]])]))


class Gazette:
    """The gazetteer's table as arrays, and the arithmetic over it.

    `table` has the columns name, country, latitude, longitude, population and level.
    """

    def __init__(self, table: pa.Table) -> None:
        self._names = table.column("name")
        self._country_names = table.column("country")
        self._latitude = table.column("latitude").to_numpy()
        self._longitude = table.column("longitude").to_numpy()
        self._population = table.column("population").to_numpy()
        coded = table.column("country").combine_chunks().dictionary_encode()
        self._country = coded.indices.to_numpy()
        levels = table.column("level").combine_chunks().dictionary_encode()
        order = np.array([_LEVELS.index(level) for level in levels.dictionary.to_pylist()])
        self._level = order[levels.indices.to_numpy()]
        self._country_row = np.full(len(coded.dictionary), -1)
        for row in np.flatnonzero(self._level == _LEVELS.index("country")).tolist():
            self._country_row[self._country[row]] = row

    def best(self, evidence: Evidence, min_share: float = 0.3) -> tuple[int, int, float]:
        """The most attested (place row, country row, share of the evidence that agrees on the country).

        The place row is -1 when no single place has `min_share` of its country's evidence; both are -1
        when nothing was mentioned. Ties go to the lower row.
        """
        if not len(evidence.rows):
            return -1, -1, 0.0
        countries = self._country[evidence.rows]
        per_country = np.bincount(countries, evidence.weights)
        top = int(per_country.argmax())
        share = float(per_country[top] / max(evidence.weights.sum(), 1e-9))
        inside = np.flatnonzero((countries == top) & (self._level[evidence.rows] < 2))
        place = -1
        if len(inside):
            finest = inside[evidence.weights[inside].argmax()]
            if evidence.weights[finest] >= min_share * per_country[top]:
                place = int(evidence.rows[finest])
        return place, int(self._country_row[top]), share

    def uses(self, evidence: Evidence, speakers: npt.NDArray[np.uint64]) -> tuple[PlaceUse, ...]:
        """The best place and its country as candidates carry them; empty when nothing was mentioned."""
        place, country, share = self.best(evidence)
        if country < 0:
            return ()
        inside = self._country[evidence.rows] == self._country[country]
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

    def country(self, row: int) -> int:
        """A number that equal countries share; -1 for no place."""
        return int(self._country[row]) if row >= 0 else -1

    def is_region(self, row: int) -> bool:
        return row >= 0 and bool(self._level[row] == 1)

    def distance_km(self, a: int, b: int) -> float:
        """Great-circle distance between two rows (haversine)."""
        lat_a, lat_b = math.radians(self._latitude[a]), math.radians(self._latitude[b])
        half_lat = math.sin((lat_b - lat_a) / 2) ** 2
        half_lon = math.sin(math.radians(self._longitude[b] - self._longitude[a]) / 2) ** 2
        chord: Any = half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon
        return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))
