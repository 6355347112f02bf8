"""The same posts publish the same records: into any folder, and however the stream is cut into batches."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.simulator import World
from tests.line_worlds import LOW_FLOOR_TOML, Published, batches, line_of, quiet_world, stored
from tests.processes import Home

WORLD = quiet_world(hours=1.5, seed=3, events_per_hour=2.0)


def publish(stream: Iterator[pa.RecordBatch], *, overlapped: bool = False) -> Published:
    published = Published()
    line = line_of(published=published)
    if overlapped:
        deque(line.run(stream), maxlen=0)
    else:
        for batch in stream:
            line.feed(batch)
    line.finish()
    line.close()
    return published


def cut_anew(stream: list[pa.RecordBatch], seed: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of one row, of a few, of hundreds and of none."""
    rows = pa.Table.from_batches(stream).combine_chunks().to_batches()[0]
    rng = random.Random(seed)
    at = 0
    while at < rows.num_rows:
        size = rng.choice((0, 1, 1, 2, 3, 7, 60, 250, 700))
        yield rows.slice(at, size)
        at += size


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_neither_cuts_between_batches_nor_threads_make_a_difference(seed: int) -> None:
    stream = list(batches(list(World(WORLD).lines("jetstream"))))
    whole, cut = publish(iter(stream)), publish(cut_anew(stream, seed), overlapped=True)
    assert len(whole.records) > 20  # there was something to differ in
    assert len(whole.bins) > 5
    assert cut.records == whole.records
    assert cut.bins == whole.bins


def test_the_same_file_twice_is_the_same_in_every_byte(tmp_path: Path) -> None:
    recording = tmp_path / "posts.jsonl.zst"
    World(WORLD).write(recording, "plain")
    first, second = Home(tmp_path, "first"), Home(tmp_path, "second")
    config = first.configure(LOW_FLOOR_TOML)
    printed = []
    for home in (first, second):
        assert home.command("replay", recording, "--json", "--config", config, "--data", home.data) == 0
        printed.append(home.stdout())
    assert len(printed[0].splitlines()) >= 2
    assert printed[0] == printed[1]
    assert stored(first.data) == stored(second.data)
    assert all('"replayed":true' in line for line in printed[0].splitlines())
