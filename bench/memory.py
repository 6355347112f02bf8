"""Does memory stay flat? `groundswell bench memory`: a day of the stream through the whole line.

The stream is that of `throughput`: 124 languages, events all day. To read a day in a quarter of an hour, one
tick in sixty comes at 20,000 posts a second and the others at 20: each full tick brings 200,000 posts at
once, so that whatever a tick or a window holds is as full as it would be, and hours pass, so that whatever
grows with time shows. The size is the process's resident set, the stream's making included.
"""

from __future__ import annotations

import resource
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from bench._data import progress
from bench._stream import START_US, Stream

from groundswell.clock import HOUR_US, SECOND_US
from groundswell.detect import TICK_US
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.release import PublishKey
from groundswell.sources import Lines

__all__ = ["measure"]

HOURS = 24
FULL_EVERY = 60
FULL_RATE, IDLE_RATE = 20_000, 20
SETTLED_HOURS = 4  # by then every window is full
PAGE_BYTES = resource.getpagesize()


def measure() -> list[dict[str, Any]]:
    """Resident memory over a day of stream time."""
    stream = Stream(START_US, FULL_RATE, event_rates=(0.5, 3.0), minutes=60 * HOURS)
    line = Line(LineSettings(), Lexica(), PublishKey(bytes(32)), Metrics())
    sizes: list[int] = []
    with progress("memory") as bar:
        for tick in range(HOURS * HOUR_US // TICK_US):
            now_us = START_US + tick * TICK_US
            rate = IDLE_RATE if tick % FULL_EVERY else FULL_RATE
            chunks = stream.seconds(now_us, TICK_US // SECOND_US, posts_per_second=rate)
            for batch in Lines("bluesky", lambda since_us, c=chunks: c, Metrics()).read(None, Event()):  # type: ignore[misc]
                line.feed(batch)
            if tick % FULL_EVERY == 1:  # the tick before was a full one, and is counted now
                sizes.append(_resident_bytes())
            bar(tick, HOURS * HOUR_US // TICK_US)
    megabytes = np.array(sizes) / 1e6
    by_hour = len(sizes) / HOURS
    settled = megabytes[int(SETTLED_HOURS * by_hour) :]
    slope = np.polyfit(np.arange(len(settled)) / by_hour, settled, 1)[0]
    first, last = (settled[: int(4 * by_hour)].mean(), settled[-int(4 * by_hour) :].mean())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return [
        {"figure": "peak, MB", "value": round(peak), "goal": "<= 1500"},
        {
            "figure": f"mean of hours {SETTLED_HOURS} to {SETTLED_HOURS + 4}, MB",
            "value": round(first),
            "goal": "-",
        },
        {"figure": "mean of the last four hours, MB", "value": round(last), "goal": "-"},
        {"figure": "growth, MB an hour", "value": round(float(slope), 2), "goal": "flat"},
    ]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
