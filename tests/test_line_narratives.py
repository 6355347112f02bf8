"""Claims that are told again and again go through the whole line: each is one narrative, restarts or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from groundswell.clock import HOUR_US, moment_us, rfc3339
from groundswell.published import Narrative, to_json
from groundswell.simulator import PlantedDecoy, PlantedNarrative, World, WorldSettings
from tests.line_worlds import Published, batches, line_of, quiet_world, stored, written
from tests.test_line_restart import crash_folders, take_up


def world_of_claims(hours: float = 11.0, narratives: int = 1, **changes: Any) -> WorldSettings:
    settings: dict[str, Any] = {
        "seed": 2,
        "posts_per_second": 0.1,
        "quiet_minutes": 40,
        "events_per_hour": 0.0,
        "campaigns_per_hour": 0.0,
        "pile_ons_per_hour": 0.0,
        "narratives": narratives,
        "narrative_posts": (60.0, 90.0),
        "sources": ("plaza", "square"),
    }
    return quiet_world(hours, **(settings | changes))


def published(lines: Sequence[bytes], rows: int = 256) -> list[Narrative]:
    """Every revision of every narrative."""
    taken = Published()
    line = line_of(published=taken)
    for batch in batches(lines, rows=rows):
        line.feed(batch)
    line.finish()
    line.close()
    return [record for record in taken.records if isinstance(record, Narrative)]


@pytest.mark.slow
def test_a_claim_is_told_as_one_narrative() -> None:
    world = World(world_of_claims())
    (claim,) = (each for each in world.truth if isinstance(each, PlantedNarrative))
    records = published(list(world.lines("plain")))
    assert {record.id for record in records} == {records[0].id}
    assert records[0].recurrences >= 3
    assert records[-1].recurrences == len(claim.tellings)
    assert abs(moment_us(records[-1].first_seen) - claim.tellings[0][0]) < HOUR_US
    assert len({(step.source, step.language) for step in records[-1].path}) >= 3
    assert [step.since for step in records[-1].path] == sorted(step.since for step in records[-1].path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_only_recurs_is_no_narrative_and_nobody_is_named(tmp_path: Path) -> None:
    world = World(world_of_claims(14.0, 0, narrative_decoys=True))
    (person,) = (each for each in world.truth if isinstance(each, PlantedDecoy) and each.sort == "pile_on")
    assert person.posts > 300
    lines = list(world.lines("plain"))
    line = line_of(tmp_path, resume=True)
    for batch in batches(lines):
        line.feed(batch)
    line.finish()
    line.close()
    assert [record[0] for record in stored(tmp_path)[0] if record[0] == "narrative"] == []
    kept = written(tmp_path).lower()
    assert [name for name in person.name.lower().split() if name.encode() in kept] == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_restart_between_two_tellings_publishes_what_an_undisturbed_run_does(tmp_path: Path) -> None:
    lines = list(World(world_of_claims()).lines("plain"))
    crashed = crash_folders(lines, tmp_path / "whole", [0.35, 0.6])
    records, _ = stored(tmp_path / "whole")
    assert sum(record[0] == "narrative" for record in records) > 3
    for folder, _ in crashed:
        _, until_us = take_up(lines, folder, hours=9.0)
        told, _ = stored(folder)
        assert told == {record for record in records if record[2] <= until_us}, rfc3339(until_us)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_how_the_stream_is_cut_makes_no_difference() -> None:
    lines = list(World(world_of_claims()).lines("plain"))
    one, other = published(lines), published(lines, rows=7)
    assert len(one) > 3
    assert [to_json(record) for record in one] == [to_json(record) for record in other]
