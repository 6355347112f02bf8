"""Decodes many messages at once into a `RAW` batch: kernels where they are sure, the plain reader elsewhere.

Owns the joining of both. Row by row the answer is the plain reader's (`wire.Decoder`), so it says what a
message means and this only says it sooner. Of a stream as it comes off Jetstream the plain reader is asked
about the posts with outline tags and about what is broken (none of the recorded messages, none of the
simulated ones); a stream made to be odd throughout costs what the plain reader costs and one look more, and
no more memory.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.drops import SourceDrop
from groundswell.sources import messages
from groundswell.sources.fields import word
from groundswell.sources.forms import Notice
from groundswell.sources.messages import ASK, KEPT, Scratch, read_messages
from groundswell.sources.rows import Row, joined, to_batch
from groundswell.sources.sinks import batch_of, new_sinks
from groundswell.sources.wire import DELIVERY_KEY, MESSAGE_BYTES, Decoder

__all__ = ["BatchDecoder", "Decoded"]

_DROPS = {
    messages.OVERSIZE: SourceDrop.OVERSIZE,
    messages.NOT_A_POST: SourceDrop.NOT_A_POST,
    messages.NO_CONTENT: SourceDrop.NO_CONTENT,
    messages.CLOCK_OFF: SourceDrop.CLOCK_OFF,
}


class Decoded(msgspec.Struct, frozen=True):
    """What became of some messages: every one is a row, a drop or a notice."""

    rows: pa.RecordBatch
    """`RAW`, in the order of the messages, before they are put onto the clock."""
    deliveries: npt.NDArray[np.uint64]
    """For each row what a redelivered copy of it shares with it; 0 where nothing is redelivered."""
    drops: Counter[SourceDrop]
    notices: list[Notice]


class BatchDecoder:
    """Decodes batches of messages of all three forms, given as stretches of one buffer.

    >>> message = b'{"id":"1","created_at":"2026-05-01T00:00:00Z","account":"a","text":"rain"}'
    >>> BatchDecoder("mastodon").decode_all([message, message]).rows["text"].to_pylist()
    ['rain', 'rain']

    Parameters
    ----------
    source
        The source of plain posts that do not name one.
    jetstream
        The source of Jetstream messages.
    """

    def __init__(self, source: str, jetstream: str = "bluesky") -> None:
        self._plain = Decoder(source, jetstream)
        self._scratch = Scratch.new()
        self._names = (word(jetstream), word(source))
        self._name_bytes = max(32, *map(len, self._names))

    def decode_all(self, messages: list[bytes]) -> Decoded:
        """Messages that do not lie in one buffer."""
        ends = np.cumsum([len(message) for message in messages], dtype=np.int64)
        starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
        return self.decode(b"".join(messages), starts, ends)

    def decode(self, data: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Decoded:
        """The messages `data[starts[i]:ends[i]]`; never raises, whatever the bytes."""
        count = len(starts)
        total_bytes = int(ends[-1] - starts[0]) if count else 0
        sinks = new_sinks(count, total_bytes, self._name_bytes)
        verdicts = np.empty(count, np.uint8)
        read_messages(
            np.frombuffer(data, np.uint8), starts, ends, MESSAGE_BYTES,
            self._names, DELIVERY_KEY, self._scratch, sinks, verdicts,
        )  # fmt: skip
        fates = np.bincount(verdicts, minlength=len(_DROPS) + 2)
        drops = Counter({drop: int(fates[fate]) for fate, drop in _DROPS.items() if fates[fate]})
        notices: list[Notice] = []
        rows: list[Row] = []
        places: list[int] = []
        asked = np.flatnonzero(verdicts == ASK)
        for place in asked.tolist():
            answer = self._plain.decode(data[starts[place] : ends[place]])
            if isinstance(answer, Row):
                rows.append(answer)
                places.append(place)
            elif isinstance(answer, Notice):
                notices.append(answer)
            else:
                drops[answer] += 1
        batch, deliveries = batch_of(sinks), sinks.deliveries[: int(sinks.counts[0, 0])]
        if rows:
            batch = joined([batch, to_batch(rows)]) if batch.num_rows else to_batch(rows)
            order = np.argsort(np.concatenate([np.flatnonzero(verdicts == KEPT), places]), kind="stable")
            batch = batch.take(pa.array(order))
            of_rows = np.array([row.delivery for row in rows], np.uint64)
            deliveries = np.concatenate([deliveries, of_rows])[order]
        return Decoded(batch, deliveries, drops, notices)
