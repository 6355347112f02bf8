"""Small eventful worlds, a line to send them through, and what then stands in the store."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event as Stop
from typing import Any

import duckdb
import pyarrow as pa

from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.published import Bin, Record
from groundswell.release import PublishKey, ReleaseSettings
from groundswell.simulator import WorldSettings
from groundswell.sources import Lines
from groundswell.store.schema import TABLES
from groundswell.store.store import FILE_NAME

__all__ = [
    "KEY",
    "LOW_FLOOR",
    "Published",
    "batches",
    "lexica",
    "line_of",
    "quiet_world",
    "stored",
    "written",
]

KEY = PublishKey(bytes(range(32)))
LOW_FLOOR = LineSettings(release=ReleaseSettings(k=10, sensitive_k=20))
"""The lowest floors there are: small crowds publish, so that small worlds suffice."""
LOW_FLOOR_TOML = "[release]\nk = 10\nsensitive_k = 20\n"


def quiet_world(hours: float, seed: int = 5, **changes: Any) -> WorldSettings:
    """One small event an hour over a thin background: a tick costs little, a published event is sure."""
    settings: dict[str, Any] = {
        "seed": seed,
        "hours": hours,
        "posts_per_second": 0.2,
        "quiet_minutes": 40,
        "events_per_hour": 1.0,
        "event_rates": (0.06, 0.15),
        "event_minutes": (20, 40),
        "kinds": ("earthquake", "flood", "wildfire", "storm", "explosion", "outage"),
        "campaigns_per_hour": 0.5,
        "pile_ons_per_hour": 0.3,
    }
    return WorldSettings(**(settings | changes))


@functools.cache
def lexica() -> Lexica:
    return Lexica()


def batches(lines: Sequence[bytes], since_us: int | None = None, rows: int = 256) -> Iterator[pa.RecordBatch]:
    """`RAW` batches of messages."""
    source = Lines("simulator", lambda since: (line + b"\n" for line in lines), Metrics(), rows)
    for batch in source.read(since_us, Stop()):
        assert isinstance(batch, pa.RecordBatch)
        yield batch


class Published:
    """Takes what a line publishes."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.bins: list[Bin] = []

    def __call__(self, records: Iterable[Record], bins: Iterable[Bin]) -> None:
        self.records.extend(records)
        self.bins.extend(bins)


def line_of(
    folder: Path | None = None, *, key: PublishKey = KEY, resume: bool = False, **changes: Any
) -> Line:
    return Line(LOW_FLOOR, lexica(), key, Metrics(), folder=folder, resume=resume, **changes)


def stored(folder: Path) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """Every revision of every record, and every bin, of the store in `folder`."""
    with duckdb.connect(str(folder / FILE_NAME), read_only=True) as store:
        return set(store.sql("FROM records").fetchall()), set(store.sql("FROM bins").fetchall())


def written(folder: Path) -> bytes:
    """Every value of every table, as bytes: in the file itself, strings may be compressed."""
    with duckdb.connect(str(folder / FILE_NAME), read_only=True) as store:
        rows = [row for table in TABLES for row in store.sql(f"FROM {table}").fetchall()]
    values = (value for row in rows for value in row)
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
