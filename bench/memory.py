"""Does memory stay flat? `groundswell bench memory`: a day of the stream through the whole line.

What is measured is the resident set of the process that the line runs in: program, kernels, lexica and all.
The stream, that of `throughput` with events all day, is made in another process and comes in by the second.
To read a day in some twenty minutes, one tick in `FULL_EVERY` comes at 20,000 posts a second; the others come
at 150 besides the events, which is what the open window takes of a tick at any rate. So the windows are as
full as they would be, the tables of the rates have the size they always have, and whatever a tick of 200,000
posts takes is seen once an hour. Sizes are read after every tick.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa
from bench._data import progress, row
from bench._stream import START_US, elsewhere

from groundswell.clock import HOUR_US, SECOND_US
from groundswell.detect import TICK_US
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.release import PublishKey
from groundswell.sources import Lines

__all__ = ["measure"]

HOURS = 24
FULL_EVERY = 360
FULL_RATE, IDLE_RATE = 20_000, 150
SETTLED_HOURS = 4  # by then every window is full
PAGE_BYTES = resource.getpagesize()
TICK_SECONDS = TICK_US // SECOND_US


def measure() -> list[dict[str, Any]]:
    """Resident memory over a day of stream time."""
    ticks = HOURS * HOUR_US // TICK_US
    line = Line(LineSettings(), Lexica(), PublishKey(bytes(32)), Metrics())
    before = _resident_bytes()
    sizes = np.zeros(ticks)
    with progress("memory") as bar:
        for tick, chunks in enumerate(_by_tick(ticks)):
            for batch in Lines("bluesky", lambda since_us, c=chunks: c, Metrics()).read(None, Event()):  # type: ignore[misc]
                line.feed(batch)
            sizes[tick] = _resident_bytes() / 1e6
            bar(tick, ticks)
    hourly = sizes.reshape(HOURS, -1)
    hours = np.arange(HOURS)
    settled = hours >= min(SETTLED_HOURS, HOURS // 2)
    slope = np.polyfit(hours[settled], hourly.mean(axis=1)[settled], 1)[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return [
        row("peak, MB", round(peak), "<= 1500"),
        row("before the first post, MB", round(before / 1e6)),
        row("of it in Arrow's pool at the end, MB", round(pa.total_allocated_bytes() / 1e6)),
        *(row(f"hour {hour}: mean, MB", round(hourly[hour].mean())) for hour in hours),
        row("growth, MB an hour", round(float(slope), 2), "flat"),
    ]


def _by_tick(ticks: int) -> Iterator[Iterator[bytes]]:
    """The chunks of each tick; the first full one comes when the first hour is over."""
    spans = [
        (START_US + tick * TICK_US, TICK_SECONDS, IDLE_RATE if (tick + 1) % FULL_EVERY else FULL_RATE)
        for tick in range(ticks)
    ]
    chunks = elsewhere(spans, START_US, FULL_RATE, event_rates=(0.5, 3.0), minutes=60.0 * HOURS)
    for _ in range(ticks):
        yield islice(chunks, TICK_SECONDS)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
