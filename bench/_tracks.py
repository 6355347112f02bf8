"""The streams that event detection is scored on: labelled posts at a set rate, over posts about nothing.

Posts of one event come in the order in which they were written, at random moments of a stretch; the others
are the mix's background, in random order. Which events and seeds are held out stands in `events_split.tsv`,
and nowhere is anything tuned on those. PHEME's *ferguson* is left out: assemblies are withheld for hours by
design. So is IDRISI's *covid_2019*, a pandemic's second month.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from bench._data import data_file

from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US
from groundswell.simulator import PlantedEvent, World, WorldSettings
from groundswell.sources.wire import time_of

__all__ = [
    "CRISES",
    "ISOLATED_RATES",
    "START_US",
    "Placement",
    "Post",
    "Split",
    "Track",
    "background",
    "crises",
    "isolated",
    "seeds_of",
    "track",
]

Split = Literal["tuning", "held-out"]
ISOLATED_RATES = (0.05, 0.05, 0.2, 0.2, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 5.0)
CRISES = 30
START_US = WorldSettings().start_us
_BACKGROUND_RATE = 3.0
_QUIET_US = 60 * MINUTE_US
_GAP_US = 15 * MINUTE_US
_SLOW_US, _LONGEST_US = 60 * MINUTE_US, 30 * MINUTE_US
_CRISES_QUIET_MINUTES = 45
_CRISES_HOURS = 1.75
_CRISES_RATES = (0.3, 3.0)
_KINDS = tuple(kind for kind in WorldSettings().kinds if kind != "assembly")


class Post(NamedTuple):
    """One post of a track."""

    time_us: int
    id: str
    account: str
    text: str
    event: str | None


class Placement(NamedTuple):
    """One event in one track."""

    event: str
    posts_per_second: float


class Track(NamedTuple):
    """A stream with its truth."""

    lines: list[bytes]
    """Plain posts in stream-time order."""
    posts: list[Post]
    """The same, one for each line."""
    placements: list[Placement]


class _Recorded(msgspec.Struct):
    created_at: str
    text: str
    event: str | None = None


def isolated(seed: int, split: Split) -> Track:
    """Events one after another, each at a rate of `ISOLATED_RATES`, a quarter hour between them.

    Slow ones (under .2 posts a second) last an hour, the others half an hour, or as long as there are posts.
    """
    rng = np.random.default_rng(seed)
    names = rng.permutation(_names(split)).tolist()
    rates = rng.permutation(ISOLATED_RATES).tolist()
    at_us = START_US + _QUIET_US
    posts: list[Post] = []
    placements = []
    for name, rate in zip(names, rates, strict=False):
        posts += _placed(rng, name, rate, at_us, _SLOW_US if rate < 0.2 else _LONGEST_US)
        placements.append(Placement(name, rate))
        at_us = posts[-1].time_us + _GAP_US
    return track(posts + background(rng, START_US, at_us), placements)


def crises(seed: int, split: Split) -> Track:
    """`CRISES` events at once: those of the split, and simulated ones of other kinds and places to fill up.

    All begin within ten minutes and last half an hour or more, where they have the posts for it.
    """
    rng = np.random.default_rng(seed)
    end_us = START_US + int(_CRISES_HOURS * HOUR_US)
    names = _names(split)
    posts = background(rng, START_US, end_us)
    placements = []
    for name in names:
        rate = float(np.exp(rng.uniform(*np.log(_CRISES_RATES))))
        begin_us = START_US + int((_CRISES_QUIET_MINUTES + 10 * rng.random()) * MINUTE_US)
        posts += _placed(rng, name, rate, begin_us, int(40 * rng.uniform(0.7, 1.0)) * MINUTE_US)
        placements.append(Placement(name, rate))
    world = World(_crises_world(seed, CRISES - len(names)))
    planted = [truth for truth in world.truth if isinstance(truth, PlantedEvent)]
    placements += [Placement(truth.id, truth.posts_per_second) for truth in planted]
    return track(posts + _simulated(world), placements)


def seeds_of(split: Split, count: int) -> list[int]:
    """The first `count` seeds of the split."""
    (bounds,) = (row["name"] for row in _split_rows() if (row["file"], row["split"]) == ("seeds", split))
    first, last = map(int, bounds.split("-"))
    return list(range(first, last + 1))[:count]


def _crises_world(seed: int, events: int) -> WorldSettings:
    return WorldSettings(
        seed=seed, start_us=START_US, hours=_CRISES_HOURS, quiet_minutes=_CRISES_QUIET_MINUTES,
        posts_per_second=_BACKGROUND_RATE, events_per_hour=events, opening_events=events,
        event_rates=_CRISES_RATES, event_minutes=(28, 40), kinds=_KINDS,
        campaigns_per_hour=0, pile_ons_per_hour=0,
    )  # fmt: skip


def _simulated(world: World) -> list[Post]:
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    posts = []
    for line in world.lines("plain"):
        fields = decoder.decode(line)
        post_id, account, text, created_at = (
            str(msgspec.json.decode(fields[name])) for name in ("id", "account", "text", "created_at")
        )
        posts.append(Post(time_of(created_at) or 0, post_id, account, text, world.label(post_id)))
    return posts


def _placed(rng: np.random.Generator, name: str, rate: float, begin_us: int, longest_us: int) -> list[Post]:
    """The event's first posts, at this rate until they or the time end."""
    texts = _events()[name]
    size = max(1, min(len(texts), int(rate * longest_us / SECOND_US)))
    times = begin_us + np.sort(rng.random(size)) * size / rate * SECOND_US
    return [
        Post(int(time_us), f"{name}-{place}", f"{name}-{place}", text, name)
        for place, (time_us, text) in enumerate(zip(times, texts, strict=False))
    ]


def background(
    rng: np.random.Generator, begin_us: int, end_us: int, posts_per_second: float = _BACKGROUND_RATE
) -> list[Post]:
    """Posts about nothing, of the mix."""
    texts = _mix_background()
    size = int((end_us - begin_us) / SECOND_US * posts_per_second)
    order = np.concatenate([rng.permutation(len(texts)) for _ in range(size // len(texts) + 1)])
    times = begin_us + np.sort(rng.random(size)) * (end_us - begin_us)
    return [
        Post(int(time_us), f"b{place}", f"b{place}", texts[which], None)
        for place, (time_us, which) in enumerate(zip(times, order.tolist(), strict=False))
    ]


def track(posts: list[Post], placements: list[Placement]) -> Track:
    """Posts put in their order."""
    posts.sort()
    encode = msgspec.json.Encoder().encode
    lines = [
        encode(
            {
                "id": post.id,
                "created_at": np.datetime64(post.time_us, "us").item().isoformat() + "Z",
                "account": post.account,
                "text": post.text,
            }
        )
        for post in posts
    ]
    return Track(lines, posts, placements)


@cache
def _split_rows() -> list[dict[str, str]]:
    with Path(__file__).with_name("events_split.tsv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def _names(split: Split) -> list[str]:
    return [row["name"] for row in _split_rows() if row["split"] == split and row["file"] != "seeds"]


@cache
def _events() -> dict[str, list[str]]:
    """The texts of each event, in the order in which they were written."""
    found: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for name in ("crisislext6", "idrisi", "pheme"):
        for post in _read(name):
            if post.event is not None:
                found[post.event].append((_moment(post.created_at), post.text))
    return {name: [text for _, text in sorted(posts)] for name, posts in found.items()}


@cache
def _mix_background() -> list[str]:
    return [post.text for post in _read("mix") if post.event is None]


def _read(name: str) -> list[_Recorded]:
    decoder = msgspec.json.Decoder(_Recorded)
    with gzip.open(data_file("events", f"{name}.jsonl.gz")) as lines:
        return [decoder.decode(line) for line in lines]


def _moment(created_at: str) -> datetime:
    """RFC 3339, or Twitter's own way of writing a time."""
    if created_at[0].isdigit():
        return datetime.fromisoformat(created_at)
    return datetime.strptime(created_at, "%a %b %d %H:%M:%S %z %Y")
