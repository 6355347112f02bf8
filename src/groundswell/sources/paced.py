"""Plays a recorded source at the pace of a clock, so that an hour of posts takes an hour, or less."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Protocol

import numpy as np
import pyarrow as pa

from groundswell.candidates import Gap
from groundswell.clock import SECOND_US, Clock
from groundswell.errors import UsageError

__all__ = ["Paced"]

_STEP_SECONDS = 0.25
"""Rows are handed on this often: an event should not wait for a batch to fill."""


class _Source(Protocol):
    name: str

    def read(self, since_us: int | None, stop: Event) -> Iterator[pa.RecordBatch | Gap]: ...


class Paced:
    """Hands on another source's rows when their time has come.

    The first row is due at once; a row `t` seconds of stream time later is due `t / speed` seconds later.

    Parameters
    ----------
    source
        What to play; its batches are cut to quarter-second slices.
    clock
        Says how much time has passed.
    speed
        Seconds of stream time a second.
    from_us
        Rows before this stream time are due at once, later ones count from it; None for the first row.
    """

    def __init__(self, source: _Source, clock: Clock, speed: float = 1.0, from_us: int | None = None) -> None:
        if not speed > 0:
            raise UsageError("`Paced`", f"`speed` is {speed}", "give a speed above 0")
        self.name = source.name
        self._source = source
        self._clock = clock
        self._speed = speed
        self._from_us = from_us

    def read(self, since_us: int | None, stop: Event) -> Iterator[pa.RecordBatch | Gap]:
        start_us: int | None = None
        began_us = self._clock.now_us()
        step_us = max(1, int(_STEP_SECONDS * SECOND_US * self._speed))
        for item in self._source.read(since_us, stop):
            if isinstance(item, Gap) or not item.num_rows:
                yield item
                continue
            times = item.column("time_us").to_numpy()
            if start_us is None:
                start_us = int(times[0]) if self._from_us is None else self._from_us
            past = int(np.searchsorted(times, start_us))
            if past:
                yield item.slice(0, past)
                item, times = item.slice(past), times[past:]
            if not len(times):
                continue
            steps = (times - start_us) // step_us
            starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
            for first, end in zip(starts, [*starts[1:], len(times)], strict=True):
                due_us = began_us + int((times[first] - start_us) / self._speed)
                if not self._wait(due_us, stop):
                    return
                yield item.slice(int(first), int(end - first))

    def _wait(self, due_us: int, stop: Event) -> bool:
        """Wait until the clock shows `due_us`; False when told to stop."""
        while (left_us := due_us - self._clock.now_us()) > 0:
            if stop.wait(min(left_us / SECOND_US, _STEP_SECONDS)):
                return False
        return not stop.is_set()
