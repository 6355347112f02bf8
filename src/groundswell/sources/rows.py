"""A decoded message on its way into a `RAW` batch, and the books kept on the way.

Owns the row, the building of columns, and the tally that makes *messages in = rows kept + drops by reason*
hold. Knows no wire format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np
import pyarrow as pa

from groundswell.batches import RAW
from groundswell.drops import SourceDrop
from groundswell.metrics import Metrics

__all__ = ["Row", "Tally", "joined", "to_batch"]


class Row(msgspec.Struct, kw_only=True, gc=False):
    """One row of `RAW`; `time_us` is restamped once its place in the stream is known."""

    kind: int
    source: str
    uri: str = ""
    account: str
    text: str = ""
    langs: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    marks: tuple[str, ...] = ()
    time_us: int
    delivery: int = 0
    """What a redelivered copy of the message shares with the first one; 0 where nothing is redelivered."""


class Tally:
    """What a source read, kept and dropped, since it was made.

    >>> tally = Tally("bluesky")
    >>> tally.messages += 2
    >>> tally.kept += 1
    >>> tally.drop(SourceDrop.LATE)
    >>> tally.balanced
    True
    """

    def __init__(self, source: str, metrics: Metrics | None = None) -> None:
        self.source = source
        self.messages = 0
        self.kept = 0
        self.dropped: Counter[SourceDrop] = Counter()
        self._metrics = metrics
        self._reported_messages = 0
        self._reported_drops: Counter[SourceDrop] = Counter()

    def drop(self, reason: SourceDrop, count: int = 1) -> None:
        if count:
            self.dropped[reason] += count

    @property
    def balanced(self) -> bool:
        """Whether every message read is accounted for; false while rows are still on their way."""
        return self.messages == self.kept + self.dropped.total()

    def report(self) -> None:
        """Bring the metrics up to date: once a batch, since a labelled counter costs more than a row."""
        if self._metrics is None:
            return
        self._metrics.source_messages.labels(self.source).inc(self.messages - self._reported_messages)
        for reason, count in (self.dropped - self._reported_drops).items():
            self._metrics.source_dropped.labels(self.source, reason.value).inc(count)
        self._reported_messages = self.messages
        self._reported_drops = self.dropped.copy()


def to_batch(rows: Sequence[Row]) -> pa.RecordBatch:
    """`rows` as one batch of `RAW`, in the order given."""
    text = pa.string()
    columns = [
        pa.array([row.kind for row in rows], pa.uint8()),
        pa.array([row.source for row in rows], text),
        pa.array([row.uri for row in rows], text),
        pa.array([row.account for row in rows], text),
        pa.array([row.text for row in rows], text),
        _lists([row.langs for row in rows]),
        _lists([row.urls for row in rows]),
        _lists([row.media for row in rows]),
        pa.array([row.latitude for row in rows], pa.float64()),
        pa.array([row.longitude for row in rows], pa.float64()),
        _lists([row.marks for row in rows]),
        pa.array([row.time_us for row in rows], pa.int64()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RAW)


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of all batches, at least one, as one batch."""
    if len(batches) == 1:
        return batches[0]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _lists(values: list[tuple[str, ...]]) -> pa.ListArray:
    # Most rows have none: offsets and one flat array cost a third of a list of lists.
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=offsets[1:])
    flat = pa.array(list(chain.from_iterable(values)), pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)
