"""The road every source shares: message, row, repetition check, clock, batch; and the books along it."""

from __future__ import annotations

import pyarrow as pa

from groundswell.drops import SourceDrop
from groundswell.sources.forms import Notice
from groundswell.sources.redelivery import Deliveries
from groundswell.sources.rows import Row, Tally, to_batch
from groundswell.sources.timeline import Timeline
from groundswell.sources.wire import Decoder

__all__ = ["Intake"]


class Intake:
    """Takes messages one by one and gives `RAW` batches in stream-time order.

    Parameters
    ----------
    decoder
        What reads a message.
    tally
        Where messages, rows and drops are counted.
    since_us
        Rows before this stream time are dropped as `LATE`.
    deliveries
        Remembers what came before, for sources that redeliver; None for those that do not.
    """

    def __init__(
        self,
        decoder: Decoder,
        tally: Tally,
        since_us: int | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._decoder = decoder
        self._tally = tally
        self._deliveries = deliveries
        self._rows: list[Row] = []
        self._timeline = Timeline(self._rows.append, tally.drop, since_us)

    def __len__(self) -> int:
        """Rows ready for a batch."""
        return len(self._rows)

    @property
    def clock_us(self) -> int | None:
        """Stream time of the newest row believed."""
        return self._timeline.clock_us

    @property
    def first_us(self) -> int | None:
        """Stream time of the first row ready."""
        return self._rows[0].time_us if self._rows else None

    def take(self, message: bytes) -> Row | Notice | None:
        """Take one message; gives back its row, or the server's notice, or None for a dropped one.

        The row may still be dropped later, when its time turns out not to be believed.
        """
        tally = self._tally
        tally.messages += 1
        decoded = self._decoder.decode(message)
        if isinstance(decoded, SourceDrop):
            tally.drop(decoded)
            return None
        if isinstance(decoded, Notice):
            tally.drop(SourceDrop.NO_CONTENT)
            return decoded
        if self._deliveries is not None and not self._deliveries.is_new(decoded.delivery):
            tally.drop(SourceDrop.REDELIVERED)
        else:
            self._timeline.push(decoded)
        return decoded

    def refuse(self, reason: SourceDrop) -> None:
        """Count a message that did not even get as far as being decoded."""
        self._tally.messages += 1
        self._tally.drop(reason)

    def settle(self) -> None:
        """Decide about rows whose time was in doubt: no more messages are to be expected soon."""
        self._timeline.settle()

    def batch(self) -> pa.RecordBatch:
        """The rows ready, as one batch, which the tally then counts as kept."""
        batch = to_batch(self._rows)
        self._tally.kept += len(self._rows)
        self._rows.clear()
        self._tally.report()
        return batch
