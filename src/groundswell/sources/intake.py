"""The road every source shares: messages, rows, repetition check, clock, batches; and the books along it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import RAW, empty
from groundswell.drops import SourceDrop
from groundswell.sources.columns import BatchDecoder, Decoded
from groundswell.sources.forms import Notice
from groundswell.sources.redelivery import Deliveries
from groundswell.sources.rows import Tally, joined
from groundswell.sources.timeline import Fate, Timeline

__all__ = ["Intake", "Taken"]

_WAITING_BYTES = 4 << 20
_TIME = RAW.get_field_index("time_us")
_DROPS = {Fate.CLOCK_OFF: SourceDrop.CLOCK_OFF, Fate.LATE: SourceDrop.LATE}


class Taken(NamedTuple):
    """What messages said besides the rows that they are."""

    times_us: npt.NDArray[np.int64]
    """The time that each row claims, in the order of the messages; the row may still be dropped."""
    notices: list[Notice]


class Intake:
    """Takes messages and gives `RAW` batches in stream-time order.

    Messages that come one by one wait for `read`, so that many are decoded together; those that lie in one
    buffer are decoded at once.

    Parameters
    ----------
    decoder
        What reads messages.
    tally
        Where messages, rows and drops are counted.
    since_us
        Rows before this stream time are dropped as `LATE`.
    deliveries
        Remembers what came before, for sources that redeliver; None for those that do not.
    """

    def __init__(
        self,
        decoder: BatchDecoder,
        tally: Tally,
        since_us: int | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._decoder = decoder
        self._tally = tally
        self._deliveries = deliveries
        self._timeline = Timeline(since_us)
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._held = empty(RAW)
        self._ready: list[pa.RecordBatch] = []
        self._rows = 0

    def __len__(self) -> int:
        """Rows ready for a batch."""
        return self._rows

    def is_full(self, messages: int) -> bool:
        """Whether so many messages wait, or so much of them that they should be read."""
        return len(self._waiting) >= messages or self._waiting_bytes >= _WAITING_BYTES

    @property
    def clock_us(self) -> int | None:
        """Stream time of the newest row believed."""
        return self._timeline.clock_us

    @property
    def first_us(self) -> int | None:
        """Stream time of the first row ready."""
        return int(self._ready[0].column(_TIME)[0].as_py()) if self._rows else None

    def take(self, message: bytes) -> None:
        """Take one message, which waits for `read`."""
        self._waiting.append(message)
        self._waiting_bytes += len(message)

    def read(self) -> Taken:
        """Decode the messages that wait."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not waiting:
            return Taken(np.empty(0, np.int64), [])
        return self._admit(self._decoder.decode_all(waiting), len(waiting))

    def take_stretches(
        self, data: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> Taken:
        """Take and decode the messages `data[starts[i]:ends[i]]`."""
        return self._admit(self._decoder.decode(data, starts, ends), len(starts))

    def refuse(self, reason: SourceDrop) -> None:
        """Count a message that did not even get as far as being decoded."""
        self._tally.messages += 1
        self._tally.drop(reason)

    def settle(self) -> None:
        """Decide about rows whose time was in doubt: no more messages are to be expected soon."""
        self._stamp(self._held, more_to_come=False)

    def batch(self, most: int | None = None) -> pa.RecordBatch:
        """The rows ready, or the first `most` of them, as one batch, which the tally then counts as kept."""
        batch = joined(self._ready) if self._ready else empty(RAW)
        self._ready = []
        if most is not None and batch.num_rows > most:
            self._ready = [batch.slice(most)]
            batch = batch.slice(0, most)
        self._rows -= batch.num_rows
        self._tally.kept += batch.num_rows
        self._tally.report()
        return batch

    def _admit(self, decoded: Decoded, messages: int) -> Taken:
        tally = self._tally
        tally.messages += messages
        tally.dropped.update(decoded.drops)
        tally.drop(SourceDrop.NO_CONTENT, len(decoded.notices))
        rows = decoded.rows
        taken = Taken(rows.column(_TIME).to_numpy(), decoded.notices)
        if self._deliveries is not None:
            new = self._deliveries.are_new(decoded.deliveries)
            tally.drop(SourceDrop.REDELIVERED, len(new) - int(np.count_nonzero(new)))
            rows = rows if new.all() else rows.filter(pa.array(new))
        self._stamp(joined([self._held, rows]) if self._held.num_rows else rows, more_to_come=True)
        return taken

    def _stamp(self, rows: pa.RecordBatch, *, more_to_come: bool) -> None:
        """Put rows onto the clock; those that must wait for witnesses are held."""
        fates, stamps_us = self._timeline.settle(rows.column(_TIME).to_numpy(), more_to_come=more_to_come)
        self._held = rows.slice(len(fates))
        settled = rows.slice(0, len(fates)).set_column(_TIME, RAW.field(_TIME), pa.array(stamps_us))
        for fate, reason in _DROPS.items():
            self._tally.drop(reason, int(np.count_nonzero(fates == fate)))
        kept = fates == Fate.KEPT
        settled = settled if kept.all() else settled.filter(pa.array(kept))
        if settled.num_rows:
            self._ready.append(settled)
            self._rows += settled.num_rows
