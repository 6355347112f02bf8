"""Planted claims and what only looks like them: told when the truth says, and where."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from itertools import pairwise

from groundswell.clock import MINUTE_US
from groundswell.simulator import PlantedDecoy, PlantedNarrative, World, WorldSettings

SETTINGS = WorldSettings(
    seed=4,
    hours=15.0,
    posts_per_second=0.02,
    events_per_hour=0.0,
    campaigns_per_hour=0.0,
    pile_ons_per_hour=0.0,
    narratives=3,
    narrative_posts=(30.0, 50.0),
    narrative_decoys=True,
    sources=("plaza", "square"),
)


def told(world: World) -> dict[str, list[tuple[int, str]]]:
    """Moments and sources of the posts of each planted thing."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in world.lines("plain"):
        post = json.loads(line)
        label = world.label(post["id"])
        if label is not None:
            moment = datetime.fromisoformat(post["created_at"])
            found[label].append((int(moment.timestamp() * 1e6), post["source"]))
    return found


def test_claims_are_told_in_stretches_of_their_own_and_move() -> None:
    world = World(SETTINGS)
    claims = [each for each in world.truth if isinstance(each, PlantedNarrative)]
    posts = told(world)
    assert len(claims) == 3
    for claim in claims:
        assert 3 <= len(claim.tellings) <= 6
        assert all(after[0] - before[1] >= 75 * MINUTE_US for before, after in pairwise(claim.tellings))
        assert all(any(a <= time <= b for a, b in claim.tellings) for time, _ in posts[claim.id])
        first = [source for time, source in posts[claim.id] if time <= claim.tellings[0][1]]
        assert set(first) == {"plaza"}
        assert {source for _, source in posts[claim.id]} == {"plaza", "square"}
        assert len({(source, code) for _, source, code in claim.steps}) == len(claim.steps) >= 4


def test_decoys_of_every_sort_are_there() -> None:
    decoys = [each for each in World(SETTINGS).truth if isinstance(each, PlantedDecoy)]
    assert {each.sort for each in decoys} == {"habit", "page", "machine", "pile_on"}


def test_a_world_with_claims_is_the_same_from_its_middle() -> None:
    world = World(SETTINGS)
    middle_us = SETTINGS.start_us + 700 * MINUTE_US
    lines = list(world.lines("plain"))
    assert lines[-len(list(World(SETTINGS).lines("plain", middle_us))) :] == list(
        world.lines("plain", middle_us)
    )
