"""The whole line over simulated worlds: what is planted is published, in its country, and nobody is named."""

from __future__ import annotations

import json
from functools import cache

import pytest
from bench._about import Truth
from bench.worlds import score

from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.published import Amplification, Event, Record, to_json
from groundswell.recordings import recorded
from groundswell.release import PublishKey
from groundswell.simulator import (
    PlantedCampaign,
    PlantedEvent,
    PlantedPileOn,
    World,
    WorldSettings,
    event_free,
    scoring_world,
)
from groundswell.sources.wire import time_of

SEEDS = range(1, 11)
SHORT = WorldSettings(
    seed=11,
    hours=1.5,
    quiet_minutes=35,
    posts_per_second=1.5,
    events_per_hour=2,
    event_rates=(0.4, 1.0),
    event_minutes=(20, 30),
    kinds=("flood", "earthquake", "wildfire", "explosion"),
    campaigns_per_hour=1,
    pile_ons_per_hour=1,
)


@cache
def lexica() -> Lexica:
    return Lexica()


def publish(posts: list[dict[str, str]]) -> list[Record]:
    """Every record that the line publishes from these plain posts, in order."""
    records: list[Record] = []
    line = Line(
        LineSettings(),
        lexica(),
        PublishKey(bytes(range(32))),
        Metrics(),
        published=lambda written, bins: records.extend(written),
    )
    for item in recorded(posts, Metrics()):
        line.feed(item)
    line.finish()
    line.close()
    return records


def test_planted_events_are_published_where_they_are_and_a_pile_on_is_not() -> None:
    world = World(SHORT)
    planted = [item for item in world.truth if isinstance(item, PlantedEvent)]
    campaigns = [item for item in world.truth if isinstance(item, PlantedCampaign)]
    (pile_on,) = (item for item in world.truth if isinstance(item, PlantedPileOn))
    assert (len(planted), len(campaigns)) == (2, 1), "the world must have in it what is asked for"
    assert pile_on.posts > 3 * LineSettings().release.k, "a pile-on too small to be published proves nothing"

    posts = [json.loads(line) for line in world.lines("plain")]
    truth = Truth(
        [time_of(post["created_at"]) or 0 for post in posts],
        [post["text"] for post in posts],
        [world.label(post["id"]) for post in posts],
    )
    records = publish(posts)
    final = {record.id: record for record in records if isinstance(record, Event) and record.state != "ended"}
    countries: dict[str, set[str | None]] = {}
    for event in final.values():
        country = event.place.country if event.place is not None else None
        countries.setdefault(truth.about(event), set()).add(country)
    assert countries == {event.id: {event.country} for event in planted}

    everything = b"\n".join(to_json(record) for record in records).decode().casefold()
    for name in (pile_on.name, pile_on.handle, *pile_on.name.split()):
        assert name.casefold() not in everything
    assert all(isinstance(record, Event | Amplification) for record in records)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_worlds_have_their_events_published_and_event_free_hours_stay_quiet() -> None:
    busy = [score(scoring_world(seed), lexica()) for seed in SEEDS]
    quiet = [score(event_free(seed), lexica()) for seed in SEEDS]
    assert sum(world.planted for world in busy) >= 90
    assert sum(world.found for world in busy) >= 0.9 * sum(world.planted for world in busy), busy
    assert sum(world.false for world in quiet) <= sum(world.hours for world in quiet), quiet
