"""The clock of a stream: it never runs backwards, and one liar does not move it."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US
from groundswell.sources.timeline import DAY_US, WITNESSES, YEAR_US, Fate, Timeline

NOW_US = 1_777_593_600_000_000


def run(
    times: list[int], since_us: int | None = None, cuts: Collection[int] = ()
) -> tuple[list[tuple[int, int]], list[Fate]]:
    """What is kept, as (time it came with, time it got), and the fates of the rest.

    The times are given at once, or in parts that are cut at `cuts`.
    """
    kept: list[tuple[int, int]] = []
    drops: list[Fate] = []
    timeline = Timeline(since_us)
    held: list[int] = []
    places = sorted(cut for cut in cuts if cut < len(times))
    for begin, end in pairwise([0, *places, len(times), len(times)]):
        held += times[begin:end]
        settled = timeline.settle(np.array(held, np.int64), more_to_come=begin < len(times))
        for came, fate, stamp in zip(held, settled.fates, settled.stamps_us, strict=False):
            if fate == Fate.KEPT:
                kept.append((came, int(stamp)))
            else:
                drops.append(Fate(fate))
        held = held[len(settled.fates) :]
        assert len(held) <= WITNESSES
    assert not held
    return kept, drops


def steady(count: int, start_us: int = NOW_US) -> list[int]:
    return [start_us + number * SECOND_US for number in range(count)]


def test_a_steady_stream_keeps_its_times() -> None:
    times = steady(20)
    assert run(times) == ([(time_us, time_us) for time_us in times], [])


def test_a_row_a_little_behind_takes_the_running_time() -> None:
    kept, drops = run([*steady(10), NOW_US - 5 * MINUTE_US])
    assert kept[-1] == (NOW_US - 5 * MINUTE_US, NOW_US + 9 * SECOND_US)
    assert drops == []


def test_a_row_an_hour_behind_is_late_and_one_years_behind_has_a_wrong_clock() -> None:
    _, drops = run([*steady(10), NOW_US - 2 * HOUR_US, NOW_US - 2 * YEAR_US])
    assert drops == [Fate.LATE, Fate.CLOCK_OFF]


def test_one_row_from_the_future_does_not_move_the_clock() -> None:
    times = [*steady(10), NOW_US + 60 * YEAR_US, *steady(10, NOW_US + 10 * SECOND_US)]
    kept, drops = run(times)
    assert [came for came, _ in kept] == [time_us for time_us in times if time_us < NOW_US + DAY_US]
    assert drops == [Fate.CLOCK_OFF]


def test_a_wrong_first_row_does_not_set_the_clock() -> None:
    for wrong_us in (NOW_US + 60 * YEAR_US, NOW_US - 20 * YEAR_US):
        kept, drops = run([wrong_us, *steady(10)])
        assert [came for came, _ in kept] == steady(10)
        assert drops == [Fate.CLOCK_OFF]


def test_a_jump_that_the_next_rows_agree_with_is_a_break_in_the_recording() -> None:
    times = steady(10) + steady(10, NOW_US + 30 * DAY_US)
    assert run(times) == ([(time_us, time_us) for time_us in times], [])


def test_two_liars_in_a_row_are_still_a_minority() -> None:
    liars = [NOW_US + 60 * YEAR_US, NOW_US + 61 * YEAR_US]
    _, drops = run(steady(10) + liars + steady(10, NOW_US + 10 * SECOND_US))
    assert drops == [Fate.CLOCK_OFF] * 2


def test_short_recordings_are_believed() -> None:
    for count in range(1, WITNESSES + 2):
        assert run(steady(count))[1] == []


def test_since_is_about_the_stamped_time() -> None:
    """A row that came a little late belongs to the time it was given, before and after a restart."""
    times = [*steady(10), NOW_US, *steady(5, NOW_US + 10 * SECOND_US)]
    since_us = NOW_US + 9 * SECOND_US
    whole, _ = run(times)
    kept, drops = run(times, since_us)
    assert kept == [(came, stamped) for came, stamped in whole if stamped >= since_us]
    assert kept[1] == (NOW_US, since_us)
    assert drops == [Fate.LATE] * 9


@settings(deadline=None)
@given(st.lists(st.integers(0, 4 * 10**15), max_size=40))
def test_whatever_comes_is_kept_in_order_or_dropped(times: list[int]) -> None:
    kept, drops = run(times)
    assert len(kept) + len(drops) == len(times)
    stamps = [stamped for _, stamped in kept]
    assert stamps == sorted(stamps)
    assert all(abs(stamped - came) <= HOUR_US for came, stamped in kept)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3 * HOUR_US), min_size=WITNESSES + 1, max_size=60), st.data())
def test_one_liar_anywhere_never_costs_another_row(offsets: list[int], data: st.DataObject) -> None:
    """Times that are all within an hour of each other survive a liar at any place."""
    times = [NOW_US + offset // 4 for offset in offsets]
    place = data.draw(st.integers(0, len(times)))
    liar_us = data.draw(st.sampled_from([NOW_US + 5 * YEAR_US, NOW_US - 5 * YEAR_US, NOW_US + 2 * DAY_US]))
    kept, drops = run([*times[:place], liar_us, *times[place:]])
    assert [came for came, _ in kept] == times
    assert len(drops) == 1


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 3 * DAY_US) | st.integers(0, 10**15), max_size=40), st.sets(st.integers(0, 40))
)
def test_how_the_stream_is_cut_changes_nothing(offsets: list[int], cuts: set[int]) -> None:
    times = [NOW_US + offset for offset in offsets]
    assert run(times, NOW_US + HOUR_US, cuts) == run(times, NOW_US + HOUR_US)
