"""Places: a cell climbs until enough people live in it, and no name is finer than its cell."""

from __future__ import annotations

from collections.abc import Sequence

import h3.api.numpy_int as h3
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.candidates import PlaceUse
from groundswell.published import Place
from groundswell.release import PopulationGrid
from groundswell.release.geography import EVERYDAY, SENSITIVE, Coarseness, showable_place
from tests.release_crowds import GRID, HAMLET, LISBON, PORTUGAL

AVEIRO = PlaceUse("Aveiro", "PT", 40.64, -8.65, 60_000, "city", 1_000, 0.8)
UTKANT = PlaceUse("Utkant", "NO", 70.0, 25.0, 40, "city", 1_000, 0.8)
COUNTRIES = {"PT": "Portugal", "NO": "Norway"}


def shown(
    *places: PlaceUse, floor: int = 20, coarseness: Coarseness = EVERYDAY, grid: PopulationGrid = GRID
) -> Place | None:
    return showable_place(places, floor, coarseness, grid, COUNTRIES)


def used_by(place: PlaceUse, speakers: int) -> PlaceUse:
    return msgspec.structs.replace(place, speakers=speakers)


def test_a_city_shows_at_the_finest_cell_of_enough_people() -> None:
    place = shown(LISBON)
    assert place == Place("Lisbon", "PT", h3.int_to_str(h3.latlng_to_cell(38.72, -9.14, 6)), "cell", 0.8)


def test_a_sensitive_matter_shows_at_resolution_four_and_a_quarter_of_a_million_people() -> None:
    place = shown(LISBON, coarseness=SENSITIVE)
    assert place is not None
    assert place.h3 is not None
    assert h3.get_resolution(h3.str_to_int(place.h3)) == 4
    assert shown(AVEIRO, coarseness=SENSITIVE) == Place("Portugal", "PT", None, "country", 0.8)


def test_a_hamlet_shows_under_the_largest_town_of_its_cell() -> None:
    place = shown(HAMLET)
    assert place is not None
    assert place.name == "Vila Grande"
    assert place.h3 is not None
    assert GRID.population(h3.str_to_int(place.h3)) >= 25_000


def test_where_nobody_lives_only_the_country_shows() -> None:
    assert shown(UTKANT) == Place("Norway", "NO", None, "country", 0.8)


def test_without_town_names_a_hamlet_shows_under_its_country() -> None:
    unnamed = PopulationGrid.from_arrays([38.05, 38.06], [-7.20, -7.21], [300, 29_000])
    place = shown(HAMLET, grid=unnamed)
    assert place is not None
    assert (place.name, place.level) == ("Portugal", "cell")


def test_a_town_across_the_border_lends_no_name() -> None:
    border = PopulationGrid.from_arrays(
        [38.05, 38.06], [-7.20, -7.21], [300, 29_000], names=["a", "b"], countries=["PT", "ES"]
    )
    place = shown(HAMLET, grid=border)
    assert place is not None
    assert place.name == "Portugal"


def test_a_region_is_never_finer_than_a_region() -> None:
    region = PlaceUse("Lisboa", "PT", 38.72, -9.14, 2_800_000, "region", 1_000, 0.5)
    place = shown(region)
    assert place is not None
    assert (place.name, place.level) == ("Lisboa", "region")
    assert place.h3 is not None
    assert h3.get_resolution(h3.str_to_int(place.h3)) == 4


def test_a_populous_region_around_an_empty_middle_shows_by_name_alone() -> None:
    region = PlaceUse("Finnmark", "NO", 70.0, 25.0, 75_000, "region", 1_000, 0.5)
    assert shown(region) == Place("Finnmark", "NO", None, "region", 0.5)
    assert shown(region, coarseness=SENSITIVE) == Place("Norway", "NO", None, "country", 0.5)


@pytest.mark.parametrize(("floor", "speakers"), [(20, 19), (50, 49)])
def test_a_place_that_too_few_used_does_not_show(floor: int, speakers: int) -> None:
    assert shown(used_by(LISBON, speakers), floor=floor) is None
    assert shown(used_by(LISBON, speakers + 1), floor=floor) is not None


def test_the_best_place_with_the_speakers_wins_and_a_country_may_stand_in() -> None:
    assert shown(used_by(LISBON, 19), PORTUGAL) == Place("Portugal", "PT", None, "country", 0.2)
    assert shown(used_by(LISBON, 19), AVEIRO) == shown(AVEIRO)


def test_two_places_with_ten_speakers_each_are_not_twenty_people() -> None:
    assert shown(used_by(LISBON, 10), used_by(AVEIRO, 10)) is None


def test_confidence_has_two_decimals_and_stays_a_share() -> None:
    place = shown(msgspec.structs.replace(PORTUGAL, confidence=0.87654))
    assert place is not None
    assert place.confidence == 0.88
    place = shown(msgspec.structs.replace(PORTUGAL, confidence=1.01))
    assert place is not None
    assert place.confidence == 1.0


def test_a_country_is_as_sure_as_the_surest_place_in_it() -> None:
    place = shown(UTKANT, msgspec.structs.replace(UTKANT, name="Norway", level="country", confidence=0.95))
    assert place == Place("Norway", "NO", None, "country", 0.95)


def test_an_empty_gazetteer_shows_countries_only() -> None:
    empty = PopulationGrid.from_arrays([], [], [])
    assert shown(LISBON, grid=empty) == Place("Portugal", "PT", None, "country", 0.8)


@given(st.lists(st.tuples(st.floats(-89, 89), st.floats(-180, 180), st.integers(0, 10**6)), max_size=20))
def test_the_grid_sums_as_h3_itself_would(towns: Sequence[tuple[float, float, int]]) -> None:
    latitude, longitude, people = np.array(towns, dtype=float).reshape(-1, 3).T
    grid = PopulationGrid.from_arrays(latitude, longitude, people.astype(int))
    for town in towns:
        for resolution in (6, 5, 4, 3):
            cell = h3.cell_to_parent(h3.latlng_to_cell(town[0], town[1], 6), resolution)
            living = [
                other[2]
                for other in towns
                if h3.cell_to_parent(h3.latlng_to_cell(other[0], other[1], 6), resolution) == cell
            ]
            assert grid.population(cell) == sum(living)


@given(
    st.floats(-89, 89), st.floats(-180, 180), st.integers(0, 400_000), st.sampled_from([EVERYDAY, SENSITIVE])
)
def test_no_cell_that_shows_holds_too_few(
    latitude: float, longitude: float, population: int, coarseness: Coarseness
) -> None:
    grid = PopulationGrid.from_arrays([latitude, 38.72], [longitude, -9.14], [population, 545_000])
    place = shown(
        PlaceUse("x", "PT", latitude, longitude, population, "city", 99, 1.0),
        grid=grid,
        coarseness=coarseness,
    )
    assert place is not None
    if place.h3 is None:
        assert place.level == "country"
    else:
        cell = h3.str_to_int(place.h3)
        assert 3 <= h3.get_resolution(cell) <= coarseness.finest
        assert grid.population(cell) >= coarseness.people
