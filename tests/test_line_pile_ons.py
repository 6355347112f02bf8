"""Crowds against one private person go through the line, and nobody's name comes out."""

from __future__ import annotations

import pytest

from groundswell.simulator import World
from groundswell.simulator.truth import PlantedPileOn
from tests.line_worlds import Published, batches, line_of, quiet_world


def named_by(published: Published, person: PlantedPileOn) -> list[tuple[str, ...]]:
    """The phrases of the records that hold the name, a part of it, or, unspaced, two characters of it."""
    name = person.name.lower()
    parts = set(name.split())
    if len(parts) == 1:
        parts |= {name[at : at + 2] for at in range(len(name) - 1)}
    records = (getattr(record, "phrases", ()) for record in published.records)
    return [phrases for phrases in records if any(name in each or each in parts for each in phrases)]


@pytest.mark.slow
def test_no_person_that_a_crowd_turned_against_is_named() -> None:
    people, named = 0, []
    for seed in range(3):
        settings = quiet_world(
            hours=2.5,
            seed=seed,
            posts_per_second=0.5,
            quiet_minutes=32,
            events_per_hour=0.0,
            campaigns_per_hour=0.0,
            pile_ons_per_hour=5.0,
        )
        world, published = World(settings), Published()
        line = line_of(published=published)
        for batch in batches(list(world.lines())):
            line.feed(batch)
        line.finish()
        line.close()
        crowds = [planted for planted in world.truth if isinstance(planted, PlantedPileOn)]
        people += len(crowds)
        named += [person.id for person in crowds if named_by(published, person)]
    assert people == 30
    assert named == []
