"""Recorded posts from memory, and recorded posts at the pace of a clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from groundswell.batches import RAW, Kind
from groundswell.candidates import Gap
from groundswell.clock import SECOND_US, ManualClock
from groundswell.drops import SourceDrop
from groundswell.errors import UsageError
from groundswell.sources import Lines, Paced, Tally, from_records
from tests.jetstream_messages import START_US, commit, stream, wire

NOON = datetime(2026, 5, 1, tzinfo=UTC)


def posts(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"p{number}",
            "created_at": (NOON + timedelta(seconds=number)).isoformat(),
            "account": f"a{number}",
            "text": f"rain {number}",
            "langs": ["en"],
            "event": "the truth, not to be read",
        }
        for number in range(count)
    ]


def rows_of(data: Any, tally: Tally | None = None) -> list[dict[str, Any]]:
    table = pa.Table.from_batches(from_records(data, tally=tally), RAW)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


FRAMES: dict[str, Callable[[], Any]] = {
    "dicts": lambda: posts(50),
    "iterator": lambda: iter(posts(50)),
    "pyarrow table": lambda: pa.Table.from_pylist(posts(50)),
    "pyarrow reader": lambda: pa.Table.from_pylist(posts(50)).to_reader(),
    "duckdb": lambda: duckdb.from_arrow(pa.Table.from_pylist(posts(50))),
    "pandas": lambda: pytest.importorskip("pandas").DataFrame(posts(50)),
    "polars": lambda: pytest.importorskip("polars").DataFrame(posts(50)),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_every_kind_of_frame_gives_the_same_rows(frame: str) -> None:
    rows = rows_of(FRAMES[frame]())
    assert [row["uri"] for row in rows] == [f"p{number}" for number in range(50)]
    assert rows[3]["time_us"] == START_US + 3 * SECOND_US
    assert rows[3]["langs"] == ["en"]
    assert "the truth" not in str(rows)


def test_other_columns_of_a_frame_are_not_looked_at() -> None:
    """Not even one that would make every post longer than a message may be."""
    table = pa.Table.from_pylist([post | {"notes": "x" * (2 << 20)} for post in posts(5)])
    assert len(rows_of(table)) == 5


def test_times_may_be_times() -> None:
    table = pa.table(
        {
            "id": ["1", "2"],
            "created_at": pa.array([START_US, START_US + 1], pa.timestamp("us", "UTC")),
            "account": [5, 6],
            "text": ["rain", None],
        }
    )
    assert [(row["time_us"], row["account"]) for row in rows_of(table)] == [
        (START_US, "5"),
        (START_US + 1, "6"),
    ]
    naive = datetime(2026, 5, 1)
    assert rows_of([posts(1)[0] | {"created_at": naive}])[0]["time_us"] == START_US


def test_numpy_scalars_and_jetstream_messages_as_dicts() -> None:
    rows = rows_of([posts(1)[0] | {"id": np.int64(7)}, commit(1, START_US)])
    assert [(row["uri"][:5], row["kind"]) for row in rows] == [("7", Kind.POST), ("at://", Kind.POST)]


def test_bad_records_are_counted() -> None:
    tally = Tally("test")
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    good = posts(1)[0]
    bad = [None, "text", 5, {}, good | {"text": "\ud800"}, good | {"text": object()}, good | {"geo": deep}]
    rows = rows_of([good, *bad, good | {"geo": {"lat": math.nan, "lon": math.inf}}], tally)
    assert len(rows) == 2
    assert rows[1]["latitude"] is None
    assert tally.dropped == {SourceDrop.WRONG_TYPE: 6, SourceDrop.BAD_ENCODING: 1}
    assert tally.balanced


@pytest.mark.parametrize("data", ["posts.jsonl", b"{}", {"id": "1"}, 5, None])
def test_what_is_no_collection_is_refused(data: Any) -> None:
    with pytest.raises(UsageError, match="is no collection of posts"):
        from_records(data)


def test_a_frame_without_a_column_is_refused() -> None:
    with pytest.raises(UsageError, match="no column `account`"):
        from_records(pa.table({"id": ["1"], "created_at": ["x"], "text": ["x"]}))


class Waiting(Event):
    """A stop signal that is never given; waiting for it moves the clock, so that no test has to sleep."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.advance(timeout or 0.0)
        return self.is_set()


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_rows_come_when_they_are_due(speed: float) -> None:
    content = b"\n".join(wire(stream(2000, step_us=100_000)))
    clock = ManualClock(0)
    paced = Paced(Lines("simulated", lambda since_us: [content]), clock, speed)
    first_us, total = None, 0
    for batch in paced.read(None, Waiting(clock)):
        assert not isinstance(batch, Gap)
        if not batch.num_rows:
            continue
        times = batch.column("time_us").to_numpy()
        first_us = int(times[0]) if first_us is None else first_us
        total += len(times)
        assert clock.now_us() >= (times[0] - first_us) / speed - 1
        assert times[-1] - times[0] <= 0.25 * SECOND_US * speed
    assert total == len(rows_of(stream(2000, step_us=100_000)))
    assert clock.now_us() == pytest.approx(200 * SECOND_US / speed, abs=0.3 * SECOND_US)


def test_a_stop_ends_the_waiting() -> None:
    content = b"\n".join(wire(stream(100, step_us=SECOND_US)))
    stop = Event()
    batches = Paced(Lines("simulated", lambda since_us: [content]), ManualClock(0)).read(None, stop)
    next(batches)
    stop.set()
    assert list(batches) == []


def test_rows_from_before_the_start_are_due_at_once() -> None:
    content = b"\n".join(wire([commit(number, START_US + number * SECOND_US) for number in range(60)]))
    clock = ManualClock(0)
    lines = Lines("simulated", lambda since_us: [content])
    due = [
        (batch.num_rows, clock.now_us() // SECOND_US)
        for batch in Paced(lines, clock, from_us=START_US + 50 * SECOND_US).read(None, Waiting(clock))
        if not isinstance(batch, Gap)
    ]
    assert due == [(50, 0), *((1, second) for second in range(10))]
