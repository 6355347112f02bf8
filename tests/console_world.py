"""A small published world for the console's tests: invented records in several scripts, in a real store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from groundswell.clock import MINUTE_US, rfc3339
from groundswell.console import Feed, SourceStatus, Status, create_app, serve
from groundswell.metrics import Metrics
from groundswell.published import (
    Amplification,
    Bin,
    Coverage,
    Event,
    Image,
    Narrative,
    Place,
    Record,
    Step,
)
from groundswell.store.store import Commit, Store

NOW_US = 1_777_636_800_000_000  # 2026-05-01 12:00:00 UTC, a whole five minutes
CATEGORIES = ("earthquake", "flood", "storm", "other")


def event(id: str = "quake", minutes_ago: int = 30, **changes: Any) -> Event:
    """An earthquake in İzmir, but for `changes`."""
    fields: dict[str, Any] = {
        "first_seen": rfc3339(NOW_US - minutes_ago * MINUTE_US),
        "last_seen": rfc3339(NOW_US - MINUTE_US),
        "published_at": rfc3339(NOW_US),
        "accounts": "200+",
        "phrases": ("deprem oldu", "sallandık"),
        "category": "earthquake",
        "place": Place(name="İzmir", country="TR", h3="861ec92d7ffffff", level="cell", confidence=0.94),
        "languages": ("tur_Latn", "ell_Grek"),
        "sources": ("bluesky",),
        "domains": ("seismo.test",),
        "state": "growing",
    }
    return Event(id=id, **{**fields, **changes})


def flood(id: str = "flood", minutes_ago: int = 50, **changes: Any) -> Event:
    """A flood somewhere in Jordan, told in Arabic."""
    place = Place(name="Jordan", country="JO", h3=None, level="country", confidence=0.6)
    told = {
        "phrases": ("انقطاع المياه", "صهريج"),
        "category": "flood",
        "place": place,
        "languages": ("arb_Arab",),
    }
    return event(id, minutes_ago, **{**told, "accounts": "50+", **changes})


def copies(id: str = "copies", **changes: Any) -> Amplification:
    """A text that many accounts posted at once."""
    return Amplification(
        id=id,
        first_seen=rfc3339(NOW_US - 20 * MINUTE_US),
        last_seen=rfc3339(NOW_US - 16 * MINUTE_US),
        published_at=rfc3339(NOW_US),
        accounts="100+",
        phrases=("sign before it is gone",),
        category="other",
        place=None,
        languages=("eng_Latn",),
        sources=("bluesky",),
        domains=("petition.test",),
        state="steady",
        p_value=1e-9,
        spread_seconds=240.0,
        **changes,
    )


def narrative(id: str = "eggs", **changes: Any) -> Narrative:
    """A claim that was told three times, in one language and then in another."""
    fields: dict[str, Any] = {
        "first_seen": rfc3339(NOW_US - 600 * MINUTE_US),
        "last_seen": rfc3339(NOW_US - 16 * MINUTE_US),
        "published_at": rfc3339(NOW_US),
        "accounts": "50+",
        "phrases": ("plastic eggs",),
        "category": "other",
        "place": None,
        "languages": ("eng_Latn", "spa_Latn"),
        "sources": ("bluesky",),
        "domains": (),
        "state": "steady",
        "recurrences": 3,
        "path": (
            Step(since=rfc3339(NOW_US - 600 * MINUTE_US), source="bluesky", language="eng_Latn"),
            Step(since=rfc3339(NOW_US - 60 * MINUTE_US), source="bluesky", language="spa_Latn"),
        ),
    }
    return Narrative(id=id, **{**fields, **changes})


def gap(id: str = "gap", **changes: Any) -> Coverage:
    """A quarter of an hour of `bluesky` that nobody collected."""
    return Coverage(
        id=id,
        source="bluesky",
        first_seen=rfc3339(NOW_US - 40 * MINUTE_US),
        last_seen=rfc3339(NOW_US - 25 * MINUTE_US),
        published_at=rfc3339(NOW_US),
        state="not_collected",
        reason="outage",
        **changes,
    )


def shortfall(language: str | None = "tur_Latn", minutes_ago: int = 12, **changes: Any) -> Coverage:
    """A language of `bluesky`, or all of it, that goes on bringing far less than was to be expected."""
    first_seen = rfc3339(NOW_US - minutes_ago * MINUTE_US)
    fields: dict[str, Any] = {
        "id": f"quiet-bluesky-{language}-{first_seen}",
        "source": "bluesky",
        "language": language,
        "first_seen": first_seen,
        "last_seen": rfc3339(NOW_US - MINUTE_US),
        "published_at": rfc3339(NOW_US),
        "state": "below_expected",
        "reason": "low_volume",
        "ongoing": True,
    }
    return Coverage(**{**fields, **changes})


def bins(series: str, *labels: str | None) -> list[Bin]:
    """Five-minute bins of `series` that end now."""
    first_us = NOW_US - len(labels) * 5 * MINUTE_US
    starts = (first_us + place * 5 * MINUTE_US for place in range(len(labels)))
    return [
        Bin(series=series, start=rfc3339(start), accounts=label)
        for start, label in zip(starts, labels, strict=True)
    ]


def simulated(**changes: Any) -> Status:
    """A simulation that runs well; its clock stands at `NOW_US`."""
    fields: dict[str, Any] = {
        "mode": "simulated",
        "version": "0.1.0",
        "started_at": rfc3339(NOW_US),
        "last_tick": rfc3339(NOW_US),
        "store_blocked": False,
        "sources": (
            SourceStatus(name="bluesky", state="connected", messages_per_second=212.0, lag_seconds=0.4),
        ),
    }
    return Status(**{**fields, **changes})


class Console:
    """A served console and the hands to move what is behind it."""

    def __init__(self, url: str, store: Store, feed: Feed, metrics: Metrics, status: list[Status]) -> None:
        self.url = url
        self.store = store
        self.feed = feed
        self.metrics = metrics
        self._status = status

    def publish(
        self, records: Sequence[Record], bins: Sequence[Bin] = (), images: Sequence[Image] = ()
    ) -> None:
        """As the pipeline does it: into the store, then to whoever listens."""
        self.store.commit(Commit(records=records, bins=bins, images=images))
        self.feed.publish(records, bins)

    def set_status(self, status: Status) -> None:
        self._status[0] = status


@contextlib.contextmanager
def console(folder: Path, records: Sequence[Record] = (), bins: Sequence[Bin] = ()) -> Iterator[Console]:
    """Serve a console over a store with `records` in it."""
    with Store.open(folder) as store:
        store.commit(Commit(records=records, bins=bins))
        feed, metrics, status = Feed(), Metrics(), [simulated()]
        app = create_app(store, feed, metrics, lambda: status[0], categories=CATEGORIES)
        with serve(app, 0) as url:
            yield Console(url, store, feed, metrics, status)
