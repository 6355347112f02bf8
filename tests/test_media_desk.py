"""The desk: what is looked at first, what comes of it, and that the line never waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import numpy as np
import pyarrow as pa
import pytest

from groundswell.batches import POST, SIGHTING
from groundswell.clock import SECOND_US
from groundswell.drops import FetchDrop
from groundswell.media import Desk, Fetched, Judges, MediaSettings, Pool, PoolSettings, Reading
from groundswell.metrics import Metrics
from groundswell.simulator import World, WorldSettings
from groundswell.simulator.pictures import Scene, draw
from groundswell.simulator.truth import PlantedEvent
from tests.enriched_posts import NOON_US

K = 20
NOTHING = "groundswell.media.eyes:Eyes"
"""A worker that loads no part: fingerprints alone."""
EVENT = PlantedEvent(
    id="event-7",
    start_us=0,
    end_us=1,
    kind="flood",
    place="Porto Alegre",
    local_place="Porto Alegre",
    country="BR",
    latitude=-30.0,
    longitude=-51.2,
    posts_per_second=1.0,
    languages=("pt",),
    onset="sudden",
    posts=1,
)
FILES = {f"flood-{version}": draw(Scene(EVENT, 0, version), "") for version in range(4)}
JUDGES = Judges(redact=lambda text: text, names=lambda text: "jane" in text, language=lambda text: "und")
KEYS = {name: number + 1 for number, name in enumerate([*FILES, *(f"other-{i}" for i in range(50))])}


def sightings(*shown: tuple[str, int], at_us: int = NOON_US) -> pa.RecordBatch:
    """(picture, speaker) pairs."""
    rows = [
        {"picture": KEYS[name], "reference": name, "speaker": speaker, "epoch": 1, "time_us": at_us}
        for name, speaker in shown
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SIGHTING)


def posts(*pictures: Sequence[int]) -> pa.RecordBatch:
    blank = dict.fromkeys(("kind", "post_key", "speaker", "epoch", "cell", "target", "time_us"), 0)
    lists: dict[str, list[str]] = {name: [] for name in ("langs", "domains", "link_keys")}
    rows = [
        blank | lists | {"source": "plaza", "text": "look", "picture_keys": list(keys)} for keys in pictures
    ]
    return pa.RecordBatch.from_pylist(rows, schema=POST)


def keys_of(batch: pa.RecordBatch) -> list[int]:
    keys: list[int] = batch["picture_keys"].flatten().to_pylist()
    return keys


class Bench:
    """A desk over a pool of one worker, and a record of what was fetched."""

    def __init__(
        self, pool: Pool, fetch: Callable[[str], Fetched] | None = None, per_minute: int = 600
    ) -> None:
        self.fetched: list[str] = []
        self.metrics = Metrics()
        self._fetch = fetch or (lambda name: Fetched(FILES.get(name) or draw(None, name)))
        self._now_us = NOON_US
        settings = MediaSettings(fetches_per_minute=per_minute)
        self.desk = Desk(settings, Reading(self._note, pool, JUDGES), K, self.metrics)

    def _note(self, name: str, anew: bool) -> Fetched:
        self.fetched.append(name)
        return self._fetch(name)

    def turn_until(self, done: Callable[[], bool]) -> None:
        """Let ticks pass until something has come of the pictures."""
        for _ in range(600):
            self._now_us += SECOND_US
            self.desk.turn(self._now_us)
            if done():
                return
            time.sleep(0.1)
        pytest.fail("nothing came of it in a minute")


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(PoolSettings(), Metrics(), eyes=NOTHING) as pool:
        yield pool


def test_versions_of_a_picture_get_one_key_and_others_keep_theirs(pool: Pool) -> None:
    bench = Bench(pool)
    bench.desk.note(sightings(*((name, 1) for name in [*FILES, "other-0"])))
    bench.turn_until(lambda: len(set(keys_of(bench.desk.fold(posts([1, 2, 3, 4]))))) == 1)
    folded = bench.desk.fold(posts([1, 2, KEYS["other-0"]], [], [3], [99]))["picture_keys"].to_pylist()
    one = folded[2][0]
    assert one in (1, 2, 3, 4)
    assert folded == [[one, KEYS["other-0"]], [], [one], [99]]


def test_a_picture_is_read_when_its_crowd_comes_near_the_floor_and_not_before(pool: Pool) -> None:
    bench = Bench(pool)
    bench.desk.note(sightings(*(("flood-0", speaker) for speaker in range(K // 2 - 1))))
    bench.turn_until(lambda: bench.fetched != [])
    assert bench.desk.seen(1) is None
    bench.desk.note(sightings(("flood-0", 100)))
    bench.turn_until(lambda: bench.desk.seen(1) is not None)
    seen = bench.desk.seen(1)
    assert seen is not None
    assert seen.picture == 1


def test_the_largest_crowds_are_fetched_first_and_no_more_than_the_budget(pool: Pool) -> None:
    stop = Event()

    def stuck(name: str) -> Fetched:
        stop.wait(20)
        return Fetched(drop=None, data=draw(None, name))

    bench = Bench(pool, stuck, per_minute=24)
    crowds = [(f"other-{i}", speaker) for i in range(40) for speaker in range(1 + (i == 31))]
    bench.desk.note(sightings(*crowds))
    for tick in range(5):
        bench.desk.turn(NOON_US + tick * 10 * SECOND_US)
    time.sleep(0.3)
    assert bench.fetched[0] == "other-31"
    assert len(bench.fetched) <= 4
    stop.set()
    bench.desk.close()


def test_what_cannot_be_fetched_is_asked_for_twice_at_most(pool: Pool) -> None:
    bench = Bench(pool, lambda name: Fetched(drop=FetchDrop.STATUS))
    bench.desk.note(sightings(("other-1", 1)))
    bench.turn_until(lambda: len(bench.fetched) == 2)
    for tick in range(100, 110):
        bench.desk.turn(NOON_US + tick * SECOND_US)
    time.sleep(0.3)
    assert bench.fetched == ["other-1", "other-1"]


def test_sightings_are_forgotten_after_an_hour_or_for_want_of_room() -> None:
    metrics = Metrics()
    with Pool(PoolSettings(), metrics, eyes=NOTHING) as pool:
        settings = MediaSettings(sightings=1_000, fetches_per_minute=1)
        desk = Desk(settings, Reading(lambda name, anew: Fetched(b"no picture"), pool, JUDGES), K, metrics)
        for tick in range(3):
            desk.note(sightings(*((f"other-{i % 50}", i) for i in range(600)), at_us=NOON_US + tick))
            desk.turn(NOON_US + tick)
        assert metrics.media_shed_sightings._value.get() == 1_200
        desk.close()


def test_the_words_of_a_picture_come_as_a_text_of_their_own_for_each_post_that_shows_it(pool: Pool) -> None:
    desk = Bench(pool).desk
    desk._written = (np.array([5, 9], np.uint64), ("FLOOD Porto Alegre", "evacuate now"))
    assert desk.captions(posts([], [7])) is None
    found = desk.captions(posts([7], [9], [], [5, 9], [9]))
    assert found is not None
    texts, belongs = found
    assert texts.schema.equals(POST)
    said = texts["text"].to_pylist()
    assert [None if at < 0 else said[at] for at in belongs.tolist()] == [
        None,
        "evacuate now",
        None,
        "FLOOD Porto Alegre",
        "evacuate now",
    ]


def test_a_world_serves_the_pictures_that_its_posts_refer_to() -> None:
    assert World(WorldSettings(seed=1)).picture("bafkreiabc")[:2] == b"\xff\xd8"
