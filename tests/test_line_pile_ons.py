"""Crowds against one private person go through the line, and nobody's name comes out."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from groundswell.clock import MINUTE_US, SECOND_US, rfc3339
from groundswell.published import Event
from groundswell.simulator import PlantedEvent, World
from groundswell.simulator.parallel import exonym, told_cities
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


def angry_crowds() -> list[tuple[PlantedPileOn, list[dict[str, Any]]]]:
    """Pile-ons in Japanese, Arabic and Latin letters, with their posts."""
    settings = quiet_world(
        hours=6.0, seed=3, posts_per_second=0.01, quiet_minutes=1, events_per_hour=0.0,
        campaigns_per_hour=0.0, pile_ons_per_hour=5.0,
    )  # fmt: skip
    world = World(settings)
    posts: dict[str | None, list[dict[str, Any]]] = {}
    for line in world.lines("plain"):
        post = msgspec.json.decode(line)
        posts.setdefault(world.label(post["id"]), []).append(post)
    against = {each.language: each for each in world.truth if isinstance(each, PlantedPileOn)}
    return [(against[code], posts[against[code].id]) for code in ("ja", "ar", "es")]


def beside(event: PlantedEvent, angry: PlantedPileOn, posts: list[dict[str, Any]]) -> Iterator[bytes]:
    """The angry posts, from the event's second minute on, three seconds apart; two in three say its place."""
    city = next(city for city in told_cities() if city.name == event.place)
    for at, post in enumerate(posts):
        time_us = event.start_us + MINUTE_US + 3 * at * SECOND_US
        place = exonym(city, angry.language) if at % 3 else ""
        said = {
            "id": f"angry-{angry.language}-{at}",
            "created_at": rfc3339(time_us),
            "text": f"{post['text']} {place}",
        }
        yield msgspec.json.encode(post | said)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_named_because_others_tell_of_an_event_at_the_same_place_and_time(seed: int) -> None:
    settings = quiet_world(
        hours=1.7, seed=seed, events_per_hour=0.0, parallel_events_per_hour=1.0, event_rates=(0.3, 0.6),
        campaigns_per_hour=0.0, pile_ons_per_hour=0.0, kinds=("earthquake", "flood", "storm"),
    )  # fmt: skip
    world, published = World(settings), Published()
    (event,) = (planted for planted in world.truth if isinstance(planted, PlantedEvent))
    angry = angry_crowds()
    streams = [list(world.lines("plain")), *(list(beside(event, *each)) for each in angry)]
    line = line_of(published=published)
    for batch in batches(
        list(heapq.merge(*streams, key=lambda post: msgspec.json.decode(post)["created_at"]))
    ):
        line.feed(batch)
    line.finish()
    line.close()
    events = [record for record in published.records if isinstance(record, Event)]
    assert any(record.category == event.kind for record in events)
    assert [person.id for person, _ in angry if named_by(published, person)] == []
