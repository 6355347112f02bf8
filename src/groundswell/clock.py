"""The clock that is passed in: library code never asks the time itself.

Stream time is microseconds since the Unix epoch, UTC, as `int`. Inside the line it comes from the posts
(the moment a source received them); only the edges, which pace connections and stamp logs, hold a `Clock`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = [
    "BIN_US",
    "HOUR_US",
    "MINUTE_US",
    "QUARTER_US",
    "SECOND_US",
    "Clock",
    "ManualClock",
    "SystemClock",
    "floor_to",
    "moment_us",
    "rfc3339",
]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
BIN_US = 5 * MINUTE_US
"""The bins that crowds are counted, published and checkpointed in."""
QUARTER_US = 15 * MINUTE_US
"""The slots of the longer rate windows, and the step of the baseline's snapshots."""
HOUR_US = 60 * MINUTE_US


class Clock(Protocol):
    """Anything that tells the time in microseconds since the epoch, UTC."""

    def now_us(self) -> int: ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000


class ManualClock:
    """A clock that moves only when told to; for tests and for replays.

    >>> clock = ManualClock(0)
    >>> clock.advance(seconds=2.5)
    >>> clock.now_us()
    2500000
    """

    def __init__(self, start_us: int) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        return self._now_us

    def advance(self, seconds: float) -> None:
        self._now_us += int(seconds * SECOND_US)


def floor_to(time_us: int, step_us: int) -> int:
    """The last multiple of `step_us` at or before `time_us`."""
    return time_us - time_us % step_us


def rfc3339(time_us: int) -> str:
    """`time_us` as an RFC 3339 string in UTC, to the second: records never carry finer times.

    >>> rfc3339(1_777_593_600_000_000)
    '2026-05-01T00:00:00Z'
    """
    return datetime.fromtimestamp(time_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_us(moment: str) -> int:
    """The inverse of `rfc3339`.

    >>> moment_us("2026-05-01T00:00:00Z")
    1777593600000000
    """
    return int(datetime.fromisoformat(moment).timestamp()) * SECOND_US
