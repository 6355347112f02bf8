"""21 real disasters over two days of other posts: are they found, once each, where they were?

Replays `events/mix.jsonl.gz` as a user would. The truth in its `event` field is read here, for scoring, and
never by the replay, which knows no such field.
"""

from __future__ import annotations

import gzip
from collections import Counter
from typing import Any

import msgspec
from bench._about import MIXED, NONE, Truth
from bench._data import data_file, progress
from bench.places import EVENT_COUNTRIES

from groundswell.published import Amplification, Event
from groundswell.recordings import replay
from groundswell.sources.wire import time_of

__all__ = ["measure"]


def measure() -> list[dict[str, Any]]:
    """Events found of 21, records about each, records about none, and the right countries."""
    path = data_file("events", "mix.jsonl.gz")
    with progress("replaying the mix") as bar:
        published = list(replay(path, progress=bar))
    records = [record for record in published if isinstance(record, Event | Amplification)]
    truth = _truth()
    about = [truth.about(record) for record in records]
    found = {what for what, record in zip(about, records, strict=True) if isinstance(record, Event)}
    records_of = Counter(what for what in about if what in EVENT_COUNTRIES)
    right, wrong = set(), 0
    for what, record in zip(about, records, strict=True):
        if what in EVENT_COUNTRIES and record.place is not None:
            if record.place.country in EVENT_COUNTRIES[what]:
                right.add(what)
            else:
                wrong += 1
    events = len(found & EVENT_COUNTRIES.keys())
    return [
        {"figure": "events found, of 21", "value": events, "goal": ">= 17"},
        {
            "figure": "most records about one event",
            "value": max(records_of.values(), default=0),
            "goal": "<= 4",
        },
        {"figure": "records an event", "value": round(records_of.total() / max(events, 1), 2), "goal": "-"},
        {"figure": "records about none", "value": about.count(NONE) + about.count(MIXED), "goal": "<= 5"},
        {"figure": "of these, mixed", "value": about.count(MIXED), "goal": "-"},
        {"figure": "events with a place in the right country", "value": len(right), "goal": ">= 12"},
        {"figure": "records with a place in a wrong country", "value": wrong, "goal": "-"},
    ]


class _Labelled(msgspec.Struct):
    created_at: str
    text: str
    event: str | None = None


def _truth() -> Truth:
    decoder = msgspec.json.Decoder(_Labelled)
    with gzip.open(data_file("events", "mix.jsonl.gz")) as lines:
        posts = [decoder.decode(line) for line in lines]
    times_us = [time_of(post.created_at) or 0 for post in posts]
    return Truth(times_us, [post.text for post in posts], [post.event for post in posts])
