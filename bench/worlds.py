"""Simulated worlds with planted truth: how much of it is published, and how much besides.

Ten seeds of `scoring_world` (ten events of 0.2 to 2 posts a second each, beside campaigns and pile-ons) and
of `event_free`. An event counts as found when an event record is about it; a record about anything else,
a campaign or a pile-on included, counts as false.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from bench._about import Truth
from bench._data import progress

from groundswell.pipeline import Lexica
from groundswell.published import Event
from groundswell.recordings import replay
from groundswell.simulator import World, WorldSettings, event_free, scoring_world
from groundswell.simulator.truth import PlantedEvent
from groundswell.sources.wire import time_of

__all__ = ["measure"]

SEEDS = range(1, 11)
LEAST_RATE = 0.2


class Score(NamedTuple):
    """One world's."""

    planted: int
    found: int
    false: int
    hours: float


def measure() -> list[dict[str, Any]]:
    """Recall over all planted events, and false events an hour with events about and without."""
    lexica = Lexica()
    busy, quiet = [], []
    with progress("worlds") as bar:
        for done, seed in enumerate(SEEDS):
            busy.append(score(scoring_world(seed), lexica))
            bar(2 * done + 1, 2 * len(SEEDS))
            quiet.append(score(event_free(seed), lexica))
            bar(2 * done + 2, 2 * len(SEEDS))
    planted = sum(world.planted for world in busy)
    return [
        {"figure": "planted events", "value": planted, "goal": "-"},
        {"figure": "recall", "value": round(sum(w.found for w in busy) / planted, 3), "goal": ">= .9"},
        {
            "figure": "worst seed's recall",
            "value": round(min(w.found / w.planted for w in busy), 2),
            "goal": "-",
        },
        {"figure": "false events an hour, events about", "value": _false_an_hour(busy), "goal": "<= 1"},
        {"figure": "false events an hour, event-free", "value": _false_an_hour(quiet), "goal": "<= 1"},
    ]


def _false_an_hour(worlds: list[Score]) -> float:
    return round(sum(world.false for world in worlds) / sum(world.hours for world in worlds), 2)


def score(settings: WorldSettings, lexica: Lexica) -> Score:
    """Replay one world and compare with what was planted."""
    world = World(settings)
    events = {
        planted.id
        for planted in world.truth
        if isinstance(planted, PlantedEvent) and planted.posts_per_second >= LEAST_RATE
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.jsonl"
        world.write(path)
        records = [record for record in replay(path, lexica=lexica) if isinstance(record, Event)]
    if not records:
        return Score(len(events), 0, 0, settings.hours)
    truth = _truth(world)
    about = [truth.about(record) for record in records]
    every = {planted.id for planted in world.truth if isinstance(planted, PlantedEvent)}
    false = sum(what not in every for what in about)
    return Score(len(events), len(events & set(about)), false, settings.hours)


class _Post(msgspec.Struct):
    id: str
    created_at: str
    text: str


def _truth(world: World) -> Truth:
    decoder = msgspec.json.Decoder(_Post)
    posts = [decoder.decode(line) for line in world.lines("plain")]
    times_us = [time_of(post.created_at) or 0 for post in posts]
    return Truth(times_us, [post.text for post in posts], [world.label(post.id) for post in posts])
