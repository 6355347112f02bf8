"""What is known of a narrative from one telling to the next: when it was told, and what it is known by."""

from __future__ import annotations

import random

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.detect.refrains import Refrain, Refrains, begin_stretch, is_new_stretch, recurrences
from tests.release_crowds import NOON_US

DAY_US = 24 * HOUR_US


def refrain(id: str = "r", **changes: object) -> Refrain:
    values: dict[str, object] = {
        "id": id, "seed": 7, "first_us": NOON_US, "last_us": NOON_US, "stretches": [NOON_US],
        "terms": {2: 6.5},
        "link_keys": {}, "places": {}, "usual": 20.0, "steps": [],
        "domains": [], "floor": 20,
    }  # fmt: skip
    return Refrain(**(values | changes))  # type: ignore[arg-type]


def test_what_comes_at_one_hour_of_the_day_is_a_habit() -> None:
    rng = random.Random(1)
    mornings = [NOON_US + day * DAY_US + rng.randint(-40, 40) * MINUTE_US for day in range(9)]
    assert [recurrences(mornings[:count]) for count in (1, 2, 3, 9)] == [1, 1, 1, 1]
    assert (
        recurrences([*mornings, NOON_US + 9 * DAY_US + 8 * HOUR_US]) == 1
    )  # one odd hour in ten changes nothing


def test_what_comes_at_even_intervals_is_a_machine() -> None:
    every_four_hours = [NOON_US + number * 4 * HOUR_US for number in range(6)]
    assert recurrences(every_four_hours) == 1
    assert recurrences([*every_four_hours, NOON_US + 27 * HOUR_US]) == 7


def test_what_comes_at_hours_of_its_own_is_told_again() -> None:
    assert recurrences([NOON_US, NOON_US + 3 * HOUR_US, NOON_US + 8 * HOUR_US]) == 3


def test_a_telling_is_new_after_an_hour_of_quiet() -> None:
    told = refrain(last_us=NOON_US)
    assert not is_new_stretch(told, NOON_US + 59 * MINUTE_US)
    assert is_new_stretch(told, NOON_US + 60 * MINUTE_US)


def test_when_it_began_is_kept_to_five_minutes_and_not_without_end() -> None:
    told = refrain(stretches=[])
    for number in range(100):
        begin_stretch(told, NOON_US + number * HOUR_US + 4 * MINUTE_US + 59)
    assert len(told.stretches) == 64
    assert told.stretches[-1] == NOON_US + 99 * HOUR_US


def test_marks_are_rounded_to_halves_and_the_most_telling_stay() -> None:
    told = refrain()
    told.learn("terms", {2 * number: 3.0 + 0.07 * number for number in range(2, 120)})
    assert len(told.terms) == 64
    assert all(2 * nats == int(2 * nats) for nats in told.terms.values())
    assert 2 * 119 in told.terms
    assert 4 not in told.terms


def test_what_is_told_of_its_rest_is_told_once_and_only_of_what_is_out() -> None:
    refrains = Refrains()
    refrains.add(refrain("out", told=True))
    refrains.add(refrain("silent"))
    told = [
        [(each.id, state) for each, state in refrains.rested(NOON_US + int(hours * HOUR_US))]
        for hours in (0.9, 1, 2, 7 * 24, 7 * 24 + 1)
    ]
    assert told == [[], [("out", "fading")], [], [("out", "ended")], []]
    assert len(refrains) == 0


def test_those_told_least_leave_when_there_are_too_many() -> None:
    refrains = Refrains()
    refrains.add(refrain("out", told=True))
    for number in range(600):
        refrains.add(refrain(f"r{number}", last_us=NOON_US + number))
    refrains.trim()
    assert len(refrains) == 500
    assert refrains.get("out") is not None
    assert refrains.get("r0") is None


def test_a_restart_knows_the_same() -> None:
    refrains, restored = Refrains(), Refrains()
    refrains.add(refrain("a", told=True, resting=True))
    refrains.add(refrain("b"))
    restored.restore(refrains.seal())
    assert list(restored) == list(refrains)
    assert restored.seal() == refrains.seal()
