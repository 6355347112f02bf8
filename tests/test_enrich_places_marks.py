"""The goals for places, on the published sets: recall against the marks, and every event in its country."""

from __future__ import annotations

import pytest
from bench import places as bench

from groundswell.enrich.places import Gazetteer
from tests.measuring import DATA

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / "places").is_dir(),
        reason="the measuring data is not here: set GROUNDSWELL_DATA to its folder",
    ),
]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.mark.parametrize("name", bench.GOALS)
def test_held_out_groups_beat_the_mark(gazetteer: Gazetteer, name: str) -> None:
    scored = bench.score(gazetteer, bench.halves(bench.gold_sets()[name], 1))
    assert scored.toponyms > 500
    assert scored.resolved > bench.GOALS[name]
    assert scored.precision > 0.75
    assert scored.calibration_error < 0.15


def test_eighty_per_cent_circles_hold_the_truth_so_often(gazetteer: Gazetteer) -> None:
    held = [bench.score(gazetteer, bench.halves(documents, 1)) for documents in bench.gold_sets().values()]
    answers = sum(scored.answers for scored in held)
    assert answers > 3000
    assert 0.75 <= sum(scored.inside * scored.answers for scored in held) / answers <= 0.85


def test_every_event_is_placed_in_its_country(gazetteer: Gazetteer) -> None:
    ranked = bench.event_countries(gazetteer)
    assert ranked.keys() == bench.EVENT_COUNTRIES.keys()
    wrong = [event for event, right in bench.EVENT_COUNTRIES.items() if ranked[event][0] not in right]
    assert wrong == []
