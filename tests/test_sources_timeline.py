"""The clock of a stream: it never runs backwards, and one liar does not move it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US
from groundswell.drops import SourceDrop
from groundswell.sources.rows import Row
from groundswell.sources.timeline import DAY_US, WITNESSES, YEAR_US, Timeline

NOW_US = 1_777_593_600_000_000


def run(times: list[int], since_us: int | None = None) -> tuple[list[tuple[int, int]], list[SourceDrop]]:
    """What is kept, as (time it came with, time it got), and the reasons for the rest."""
    kept: list[Row] = []
    drops: list[SourceDrop] = []
    timeline = Timeline(kept.append, drops.append, since_us)
    for time_us in times:
        timeline.push(Row(kind=0, source="test", account="a", uri=str(time_us), time_us=time_us))
    timeline.settle()
    return [(int(row.uri), row.time_us) for row in kept], drops


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
    assert drops == [SourceDrop.LATE, SourceDrop.CLOCK_OFF]


def test_one_row_from_the_future_does_not_move_the_clock() -> None:
    times = [*steady(10), NOW_US + 60 * YEAR_US, *steady(10, NOW_US + 10 * SECOND_US)]
    kept, drops = run(times)
    assert [came for came, _ in kept] == [time_us for time_us in times if time_us < NOW_US + DAY_US]
    assert drops == [SourceDrop.CLOCK_OFF]


def test_a_wrong_first_row_does_not_set_the_clock() -> None:
    for wrong_us in (NOW_US + 60 * YEAR_US, NOW_US - 20 * YEAR_US):
        kept, drops = run([wrong_us, *steady(10)])
        assert [came for came, _ in kept] == steady(10)
        assert drops == [SourceDrop.CLOCK_OFF]


def test_a_jump_that_the_next_rows_agree_with_is_a_break_in_the_recording() -> None:
    times = steady(10) + steady(10, NOW_US + 30 * DAY_US)
    assert run(times) == ([(time_us, time_us) for time_us in times], [])


def test_two_liars_in_a_row_are_still_a_minority() -> None:
    liars = [NOW_US + 60 * YEAR_US, NOW_US + 61 * YEAR_US]
    _, drops = run(steady(10) + liars + steady(10, NOW_US + 10 * SECOND_US))
    assert drops == [SourceDrop.CLOCK_OFF] * 2


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
    assert drops == [SourceDrop.LATE] * 9


@given(st.lists(st.integers(0, 4 * 10**15), max_size=40))
def test_whatever_comes_is_kept_in_order_or_dropped(times: list[int]) -> None:
    kept, drops = run(times)
    assert len(kept) + len(drops) == len(times)
    stamps = [stamped for _, stamped in kept]
    assert stamps == sorted(stamps)
    assert all(abs(stamped - came) <= HOUR_US for came, stamped in kept)


@given(st.lists(st.integers(0, 3 * HOUR_US), min_size=WITNESSES + 1, max_size=60), st.data())
def test_one_liar_anywhere_never_costs_another_row(offsets: list[int], data: st.DataObject) -> None:
    """Times that are all within an hour of each other survive a liar at any place."""
    times = [NOW_US + offset // 4 for offset in offsets]
    place = data.draw(st.integers(0, len(times)))
    liar_us = data.draw(st.sampled_from([NOW_US + 5 * YEAR_US, NOW_US - 5 * YEAR_US, NOW_US + 2 * DAY_US]))
    kept, drops = run([*times[:place], liar_us, *times[place:]])
    assert [came for came, _ in kept] == times
    assert len(drops) == 1
