"""The whole line over worlds with planted silences: told once, at the right time, by stream or by clock."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from groundswell.candidates import Gap
from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US, moment_us
from groundswell.pipeline import Line
from groundswell.published import Coverage
from groundswell.simulator import Silence, World
from tests.line_worlds import Published, batches, line_of, quiet_world

WORLD = quiet_world(
    hours=2.6,
    posts_per_second=1.6,
    events_per_hour=0.0,
    campaigns_per_hour=0.0,
    pile_ons_per_hour=0.0,
    silences=(
        Silence(minute=70, minutes=15, language="en"),
        Silence(minute=110, minutes=12),
    ),
)
START_US = WORLD.start_us


@functools.cache
def lines() -> list[bytes]:
    return list(World(WORLD).lines("jetstream"))


def time_of(line: bytes) -> int:
    return int(line.partition(b'"time_us":')[2][:16])


def before(minute: float) -> list[bytes]:
    """The stream until the middle of the world's own silence, without the first one."""
    return [line for line in lines() if time_of(line) < START_US + minute * MINUTE_US]


def told(published: Published) -> list[Coverage]:
    return [record for record in published.records if isinstance(record, Coverage)]


def feed(line: Line, stream: Sequence[bytes], rows: int = 256) -> None:
    for batch in batches(stream, rows=rows):
        line.feed(batch)


def minutes(record: Coverage, field: str) -> float:
    return (moment_us(getattr(record, field)) - START_US) / MINUTE_US


@pytest.mark.parametrize("rows", [61, 512])
def test_a_silent_language_and_a_silent_source_are_told_and_nothing_else(rows: int) -> None:
    published = Published()
    line = line_of(published=published)
    feed(line, lines(), rows)
    line.finish()
    line.close()
    by_id: dict[str, list[Coverage]] = {}
    for record in told(published):
        by_id.setdefault(record.id, []).append(record)
    english, source = by_id.values()
    assert (english[0].language, english[0].state) == ("eng_Latn", "below_expected")
    assert (source[0].language, source[0].state, source[0].reason) == (None, "not_collected", "silent")
    for records, start, length in ((english, 70, 15), (source, 110, 12)):
        assert minutes(records[0], "published_at") <= start + 5
        assert all(record.ongoing for record in records[:-1])
        assert (records[-1].state, records[-1].ongoing) == ("restored", False)
        assert abs(minutes(records[-1], "first_seen") - start) < 1
        assert abs(minutes(records[-1], "last_seen") - start - length) < 1


@pytest.mark.parametrize("cuts", [[73.0, 112.0], pytest.param([88.0], marks=pytest.mark.slow)])
def test_a_restart_inside_a_silence_tells_the_same(tmp_path: Path, cuts: list[float]) -> None:
    """The folder is copied as a kill would leave it, in and after the first silence, and in the second."""
    whole = tmp_path / "whole"
    line = line_of(whole, resume=True)
    coming, copies = list(cuts), []
    for batch in batches(lines(), rows=16):
        line.feed(batch)
        at = (batch.column("time_us")[-1].as_py() - START_US) / MINUTE_US
        if coming and at >= coming[0]:
            copies.append(whole.with_name(f"cut-{coming.pop(0)}"))
            shutil.copytree(whole, copies[-1])
    line.finish()
    assert line.store is not None
    expected = line.store.latest("coverage", limit=None)
    line.close()
    assert len(expected) == 2
    for copy in copies:
        again = line_of(copy, resume=True)
        assert again.resume is not None
        for batch in batches(lines(), again.resume.since_us):
            again.feed(batch)
        again.finish()
        assert again.store is not None
        assert again.store.latest("coverage", limit=None) == expected, copy.name
        again.close()


def live(published: Published, **changes: Any) -> Line:
    """A line that has learned for 65 minutes, and hears nothing from then on."""
    line = line_of(published=published, **changes)
    feed(line, before(65))
    line.heard(START_US + 65 * MINUTE_US)
    return line


def late_at(line: Line, minute: float) -> None:
    line.wait(START_US + int(minute * MINUTE_US))


def test_by_the_clock_a_source_is_late_and_then_there_again() -> None:
    published = Published()
    line = live(published)
    late_at(line, 66)
    assert told(published) == []
    late_at(line, 69)
    late_at(line, 70)
    (late,) = told(published)
    assert (late.state, late.reason, late.ongoing) == ("delayed", "late", True)
    assert late.first_seen < late.last_seen
    line.heard(START_US + 71 * MINUTE_US)
    feed(line, [each for each in before(70) if time_of(each) >= START_US + 65 * MINUTE_US])
    _, restored = told(published)
    assert (restored.id, restored.state, restored.ongoing) == (late.id, "restored", False)
    assert restored.published_at > late.published_at
    line.close()


def test_a_gap_takes_the_place_of_what_was_late() -> None:
    published = Published()
    line = live(published)
    late_at(line, 69)
    end_us = START_US + 90 * MINUTE_US
    line.heard(end_us)
    line.feed(Gap(source="bluesky", start_us=START_US + 65 * MINUTE_US, end_us=end_us, reason="outage"))
    feed(line, [each for each in before(100) if time_of(each) >= end_us])
    line.finish()
    late, gap = told(published)
    assert (gap.id, gap.state, gap.reason, gap.ongoing) == (late.id, "not_collected", "outage", False)
    assert gap.published_at > late.published_at
    line.close()


def test_a_hole_that_nobody_tells_of_is_told_once() -> None:
    published = Published()
    line = live(published)
    late_at(line, 69)
    line.heard(START_US + 90 * MINUTE_US)
    feed(line, [each for each in before(100) if time_of(each) >= START_US + 90 * MINUTE_US])
    line.finish()
    late, hole = told(published)
    assert (hole.id, hole.state, hole.reason, hole.ongoing) == (late.id, "not_collected", "silent", False)
    assert (minutes(hole, "first_seen") // 1, minutes(hole, "last_seen") // 1) == (64, 90)
    line.close()


def test_what_was_late_when_a_run_ended_is_settled_by_the_next(tmp_path: Path) -> None:
    line = live(Published(), folder=tmp_path, resume=True)
    late_at(line, 69)
    line.close()
    published = Published()
    line = line_of(tmp_path, resume=True, published=published)
    assert line.resume is not None
    line.heard(START_US + 80 * MINUTE_US)
    for batch in batches(before(70), line.resume.since_us):
        line.feed(batch)
    (restored,) = told(published)
    assert (restored.state, restored.ongoing) == ("restored", False)
    assert line.store is not None
    assert line.store.latest("coverage") == [restored]
    line.close()


def test_the_end_of_a_recording_is_no_silence() -> None:
    published = Published()
    line = line_of(published=published)
    feed(line, before(66))
    line.finish()
    assert told(published) == []
    assert line.last_tick_us is not None
    assert line.last_tick_us < START_US + 66 * MINUTE_US + HOUR_US + SECOND_US
    line.close()
