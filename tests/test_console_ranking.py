"""The order for somebody with ten seconds: what moves an event up or down, from published fields alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import h3
import pytest

from groundswell.clock import MINUTE_US, rfc3339
from groundswell.console.ranking import pace, ranked, score
from groundswell.published import Bin, Event, Place
from tests.console_world import NOW_US, event

NOW = datetime.fromisoformat(rfc3339(NOW_US))
IZMIR = "861ec92d7ffffff"
ANKARA = h3.latlng_to_cell(39.93, 32.86, 5)


def bins(*labels: str | None, first_minutes_ago: int = 30) -> list[Bin]:
    return [
        Bin(series="quake", start=rfc3339(NOW_US + (5 * at - first_minutes_ago) * MINUTE_US), accounts=label)
        for at, label in enumerate(labels)
    ]


def points(near: str | None = None, minutes_ago: int = 30, **changes: Any) -> float:
    return score(event(minutes_ago=minutes_ago, **changes), (), NOW, near)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"minutes_ago": 10}, {"minutes_ago": 120}),
        ({"state": "growing"}, {"state": "steady"}),
        ({"state": "fading"}, {"state": "ended"}),
        ({"accounts": "1k+"}, {"accounts": "50+"}),
        ({"languages": ("tur_Latn", "ell_Grek", "eng_Latn")}, {"languages": ("tur_Latn",)}),
        ({"sources": ("bluesky", "mastodon")}, {"sources": ("bluesky",)}),
        ({"domains": ("a.test", "b.test")}, {"domains": ()}),
        ({}, {"place": None}),
        ({}, {"place": Place(name="Turkey", country="TR", h3=None, level="country", confidence=0.94)}),
    ],
)
def test_new_growing_well_attested_and_placed_events_have_more_points(
    better: dict[str, Any], worse: dict[str, Any]
) -> None:
    assert points(**better) > points(**worse)


def test_the_points_are_those_that_the_manual_lists() -> None:
    quake = event(minutes_ago=120, accounts="1k+", domains=("seismo.test",))
    # 1 for two hours, 2 for growing, 2 for 1k+, .5 for a second language, .25 for a site, .94 for the place
    assert score(quake, (), NOW) == pytest.approx(6.69)


def test_what_has_just_begun_stands_above_what_was_larger_and_fades() -> None:
    faded = event(minutes_ago=42, accounts="500+", state="fading", languages=("tur_Latn", "eng_Latn"))
    begun = event(minutes_ago=5, accounts="20+", state="new", languages=("ita_Latn",))
    sudden = bins("500+", first_minutes_ago=40)
    assert score(begun, (), NOW) > score(faded, sudden, NOW)


def test_what_is_near_ranks_higher_by_cell_by_distance_and_by_country() -> None:
    anywhere = points()
    assert points(near=IZMIR) == points(near="TR") == pytest.approx(anywhere + 3.0)
    assert anywhere < points(near=ANKARA) < points(near=IZMIR)
    assert points(near="JP") == anywhere


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("100+",), "sudden"),
        (("20+", "50+", "200+"), "sudden"),
        ((None, "20+", "20+"), "fast"),
        ((None,), None),
    ],
)
def test_pace_is_how_fast_the_bins_climbed(labels: tuple[str | None, ...], expected: str | None) -> None:
    assert pace(event(), bins(*labels)) == expected


def test_a_crowd_that_takes_hours_to_grow_is_slow() -> None:
    labels = [None] * 12 + ["20+"] * 6 + ["50+"] * 6
    assert pace(event(minutes_ago=120), bins(*labels, first_minutes_ago=120)) == "slow"


def test_records_stand_in_the_order_of_their_points_and_equals_in_that_of_their_ids() -> None:
    old, fresh = event("old", 300, state="fading"), event("fresh", 10)
    twins = [event("b", 60), event("a", 60)]
    expected: list[Event] = [fresh, twins[1], twins[0], old]
    assert ranked([old, *twins, fresh], {}) == expected
    assert ranked([fresh, twins[1], old, twins[0]], {}) == expected
    assert ranked([], {}) == []
