"""Merges streams of `RAW` batches into one by stream time, a batch at a time.

Each stream must be in stream-time order; streams that begin later are opened later, so that a month of
hourly files needs the memory of one or two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.sources.rows import joined

__all__ = ["Stream", "merged"]


class Stream(NamedTuple):
    """A stream that is opened when its time has come."""

    first_us: int
    """Stream time of its first row; anything earlier does no harm."""
    open: Callable[[], Iterator[pa.RecordBatch]]


class _Cursor:
    """The unread rest of one stream's newest batch."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._next()

    def _next(self) -> None:
        batch = next((batch for batch in self._batches if batch.num_rows), None)
        self.batch: pa.RecordBatch | None = batch
        self.times: npt.NDArray[np.int64] = np.empty(0, np.int64)
        if batch is not None:
            self.times = batch.column("time_us").to_numpy()

    @property
    def last_us(self) -> int:
        return int(self.times[-1])

    def until(self, horizon_us: int) -> pa.RecordBatch:
        """Take the rows up to and including `horizon_us`."""
        assert self.batch is not None
        count = int(np.searchsorted(self.times, horizon_us, side="right"))
        taken = self.batch.slice(0, count)
        self.batch, self.times = self.batch.slice(count), self.times[count:]
        if not len(self.times):
            self._next()
        return taken


def merged(streams: Sequence[Stream], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of all streams by stream time; among equals, in the order of `streams`.

    Batches have `batch_rows` rows or up to as many more as one stream gives at a time; the last has fewer.
    """
    ready: list[pa.RecordBatch] = []
    rows = 0
    for batch in _steps(streams):
        ready.append(batch)
        rows += batch.num_rows
        if rows >= batch_rows:
            yield joined(ready)
            ready, rows = [], 0
    if ready:
        yield joined(ready)


def _steps(streams: Sequence[Stream]) -> Iterator[pa.RecordBatch]:
    waiting = deque(sorted(enumerate(streams), key=lambda item: item[1].first_us))
    cursors: dict[int, _Cursor] = {}
    while waiting or cursors:
        # No stream can still give a row before the horizon but those that wait for it.
        horizon_us = min((cursor.last_us for cursor in cursors.values()), default=None)
        while waiting and (horizon_us is None or waiting[0][1].first_us <= horizon_us):
            number, stream = waiting.popleft()
            cursor = _Cursor(stream.open())
            if cursor.batch is not None:
                cursors[number] = cursor
                horizon_us = cursor.last_us if horizon_us is None else min(horizon_us, cursor.last_us)
        if horizon_us is None:
            return
        pieces = [cursors[number].until(horizon_us) for number in sorted(cursors)]
        yield _in_order([piece for piece in pieces if piece.num_rows])
        cursors = {number: cursor for number, cursor in cursors.items() if cursor.batch is not None}


def _in_order(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    batch = joined(pieces)
    if len(pieces) == 1:
        return batch
    return batch.take(pa.array(np.argsort(batch.column("time_us").to_numpy(), kind="stable")))
