"""Owns how coarse a place is shown: the cell climbs until enough people live in it.

A place is one that a crowd speaks of, never one person's: it counts only when as many speakers as the floor
asks used it. A cell starts at H3 resolution 6 and climbs to 5, 4, 3 until 25,000 people live in it; for
what is sensitive it starts at 4 and needs 250,000; where even resolution 3 holds too few, only the country
shows. A name is never finer than its cell: a village shows under the largest town of the cell.

Whether a matter is sensitive is `policy`'s to say; the gazetteer is handed in, not loaded here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundswell.candidates import PlaceUse
from groundswell.published import Place

__all__ = ["EVERYDAY", "SENSITIVE", "Coarseness", "PopulationGrid", "showable_place"]

_FINEST = 6
_COARSEST = 3
_REGION_FINEST = 4


@dataclass(frozen=True)
class Coarseness:
    """How many people a cell must hold, and the finest H3 resolution that may show."""

    people: int
    finest: int


EVERYDAY = Coarseness(people=25_000, finest=_FINEST)
SENSITIVE = Coarseness(people=250_000, finest=4)


def _parents(cells: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
    """The ancestors of finer `cells` at `resolution`, by the bit layout of H3 indexes.

    Bits 52–55 hold the resolution and three bits each the digits, coarsest first; unused digits are all ones.
    """
    unused = (1 << 3 * (15 - resolution)) - 1
    return (cells & ~np.int64(0xF << 52)) | np.int64(resolution << 52) | np.int64(unused)


@dataclass(frozen=True)
class _Level:
    """One resolution: cells in ascending order, their inhabitants, and the row of their largest place."""

    cells: NDArray[np.int64]
    people: NDArray[np.int64]
    largest: NDArray[np.int64]

    def find(self, cell: int) -> int | None:
        at = int(np.searchsorted(self.cells, cell))
        return at if at < len(self.cells) and self.cells[at] == cell else None


class PopulationGrid:
    """How many people live in an H3 cell, summed from a gazetteer's towns.

    >>> grid = PopulationGrid.from_arrays([48.85, 48.80], [2.35, 2.13], [2_138_551, 85_416])
    >>> grid.population(h3.latlng_to_cell(48.85, 2.35, 5))
    2138551
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        people: NDArray[np.int64],
        names: Sequence[str] | None,
        countries: Sequence[str] | None,
    ) -> None:
        self._points = points
        self._people = people
        self._names = names
        self._countries = countries

    @classmethod
    def from_arrays(
        cls,
        latitude: ArrayLike,
        longitude: ArrayLike,
        population: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        countries: Sequence[str] | None = None,
    ) -> PopulationGrid:
        """The grid of these towns; the sums are made when one is first asked for.

        Parameters
        ----------
        latitude, longitude
            Degrees, WGS 84; one row a town. Regions and countries do not belong here: they would count twice.
        population
            Inhabitants of each.
        names, countries
            What each town is called and its ISO 3166-1 alpha-2 code. Without them a place too small to be
            named shows under its country's name.
        """
        points = np.stack([np.asarray(latitude, float), np.asarray(longitude, float)])
        return cls(points, np.maximum(np.asarray(population, dtype=np.int64), 0), names, countries)

    @cached_property
    def _levels(self) -> dict[int, _Level]:
        people = self._people
        # One library call a town: 0.2 s for the 235,000 towns of GeoNames, and no post waits for it.
        cells = map(h3.latlng_to_cell, *self._points.tolist(), repeat(_FINEST))
        finest = np.fromiter(cells, np.int64, len(people))
        levels = {}
        for resolution in range(_COARSEST, _FINEST + 1):
            at_level = finest if resolution == _FINEST else _parents(finest, resolution)
            order = np.lexsort((-people, at_level))
            unique, starts = np.unique(at_level[order], return_index=True)
            sums = np.add.reduceat(people[order], starts) if len(order) else people
            levels[resolution] = _Level(unique, sums, order[starts])
        return levels

    def population(self, cell: int) -> int:
        """Inhabitants of a cell at resolution 3 to 6; 0 for an empty one."""
        level = self._levels[h3.get_resolution(cell)]
        at = level.find(cell)
        return 0 if at is None else int(level.people[at])

    def climb(self, latitude: float, longitude: float, people: int, finest: int) -> int | None:
        """The finest cell around a point, at `finest` or coarser, that holds `people`; None for none."""
        cell = h3.latlng_to_cell(latitude, longitude, _FINEST)
        for resolution in range(finest, _COARSEST - 1, -1):
            around = int(h3.cell_to_parent(cell, resolution))
            if self.population(around) >= people:
                return around
        return None

    def largest(self, cell: int, country: str) -> str | None:
        """The name of the cell's largest town, where that is known and in `country`."""
        level = self._levels[h3.get_resolution(cell)]
        at = level.find(cell)
        if at is None or self._names is None or self._countries is None:
            return None
        row = int(level.largest[at])
        return self._names[row] if self._countries[row] == country else None


def showable_place(
    places: Sequence[PlaceUse],
    floor: int,
    coarseness: Coarseness,
    grid: PopulationGrid,
    country_names: Mapping[str, str],
) -> Place | None:
    """Where a crowd's matter may be said to be; None when no place has the speakers.

    The best place that `floor` speakers used shows, as coarsely as asked. Speakers of two towns of a country
    are not added up, for they may be the same people: a country shows in its own right, or for one place.
    """
    used = [place for place in places if place.speakers >= floor]
    if not used:
        return None
    best = used[0]
    if best.level != "country":
        shown = _within_country(best, coarseness, grid, country_names)
        if shown is not None:
            return shown
    same_country = [place for place in used if place.country == best.country]
    return Place(
        name=_country_name(best.country, same_country, country_names),
        country=best.country,
        h3=None,
        level="country",
        # A country is at least as sure as the surest place in it.
        confidence=_two_decimals(max(place.confidence for place in same_country)),
    )


def _within_country(
    place: PlaceUse, coarseness: Coarseness, grid: PopulationGrid, country_names: Mapping[str, str]
) -> Place | None:
    """The place as a cell or a region; None when nothing finer than its country may show."""
    of_region = place.level == "region"
    finest = min(coarseness.finest, _REGION_FINEST) if of_region else coarseness.finest
    cell = grid.climb(place.latitude, place.longitude, coarseness.people, finest)
    large = place.population >= coarseness.people
    if cell is None and not (of_region and large):
        return None
    name = place.name if large else grid.largest(cell, place.country) if cell is not None else None
    return Place(
        name=name or _country_name(place.country, (), country_names),
        country=place.country,
        h3=None if cell is None else h3.int_to_str(cell),
        level="region" if of_region and large else "cell",
        confidence=_two_decimals(place.confidence),
    )


def _country_name(code: str, places: Sequence[PlaceUse], names: Mapping[str, str]) -> str:
    spoken_of = (place.name for place in places if place.level == "country")
    return names.get(code) or next(spoken_of, code)


def _two_decimals(confidence: float) -> float:
    return round(min(max(confidence, 0.0), 1.0), 2)
