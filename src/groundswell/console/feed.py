"""Carries published records from the pipeline's thread to every open page.

Owns the ring of the last messages, their ids and the wake-up of waiting streams. Owns no queue for any
client: a stream is only a place in the shared ring, so a client that reads slowly costs nothing. One that
falls off the ring's end, or comes back with an id the ring no longer holds, is told to `resync`, that is to
read the lists again, and goes on from the newest message.

The messages are server-sent events as the HTML standard has them (section 9.2).
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType

import msgspec

from groundswell.published import Bin, Record, to_json

__all__ = ["Feed", "Subscription", "frame"]

_RESUME_BATCH = 64


def frame(event: str, data: bytes, id: str | None = None) -> bytes:
    """One server-sent event; `data` is JSON, which has no line break of its own.

    >>> frame("record", b"{}", "a1-7")
    b'id: a1-7\\nevent: record\\ndata: {}\\n\\n'
    """
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {event}\ndata: ".encode() + data + b"\n\n"


class Feed:
    """A broadcast: one thread publishes, any number of streams read.

    Parameters
    ----------
    keep
        Messages in the ring: what a stream may fall behind, or miss while disconnected.
    keep_bytes
        The same limit in bytes; whichever comes first.
    max_streams
        Streams served at once; past that `full` is true.
    """

    def __init__(self, *, keep: int = 1024, keep_bytes: int = 8 << 20, max_streams: int = 64) -> None:
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._next = 1  # the number of the next message; the ring holds [_next - len, _next)
        # Numbers start again with each process: the prefix keeps an id of the last one from meaning ours.
        self._run = secrets.token_hex(4)
        self._streams: set[Subscription] = set()
        self._closed = False

    def publish(self, records: Sequence[Record], bins: Sequence[Bin] = ()) -> None:
        """Send each record as `event: record`, then the bins together as `event: bins`; never waits."""
        messages = [("record", to_json(record)) for record in records]
        if bins:
            messages.append(("bins", msgspec.json.encode(list(bins))))
        if not messages:
            return
        with self._lock:
            for event, data in messages:
                self._append(event, data)
            for stream in self._streams:
                stream.wake()

    def subscribe(self, last_event_id: str | None = None) -> Subscription:
        """A place in the ring: after `last_event_id`, or after the newest message. Needs a running loop."""
        with self._lock:
            stream = Subscription(self, self._resume_at(last_event_id))
            self._streams.add(stream)
        return stream

    def close(self) -> None:
        """End every stream, now and from now on."""
        with self._lock:
            self._closed = True
            for stream in self._streams:
                stream.wake()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def full(self) -> bool:
        with self._lock:
            return len(self._streams) >= self._max_streams

    def read(self, position: int) -> tuple[list[bytes], int]:
        """The messages from number `position` on, at most 64, and the position after them."""
        with self._lock:
            oldest = self._next - len(self._ring)
            if position < oldest:
                return [frame("resync", b"{}", f"{self._run}-{self._next - 1}")], self._next
            stop = min(position + _RESUME_BATCH, self._next)
            return [self._ring[number - oldest] for number in range(position, stop)], stop

    def leave(self, stream: Subscription) -> None:
        with self._lock:
            self._streams.discard(stream)

    def _append(self, event: str, data: bytes) -> None:
        message = frame(event, data, f"{self._run}-{self._next}")
        self._ring.append(message)
        self._ring_bytes += len(message)
        self._next += 1
        while len(self._ring) > self._keep or (self._ring_bytes > self._keep_bytes and len(self._ring) > 1):
            self._ring_bytes -= len(self._ring.popleft())

    def _resume_at(self, last_event_id: str | None) -> int:
        if last_event_id is None:
            return self._next
        run, _, number = last_event_id.partition("-")
        if run == self._run and number.isascii() and number.isdigit() and len(number) < 16:
            return min(int(number) + 1, self._next)
        return 0  # before any ring: the first read says resync


class Subscription:
    """One open stream's place in the feed; a context manager that gives the place back."""

    def __init__(self, feed: Feed, position: int) -> None:
        self._feed = feed
        self._position = position
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.leave(self)

    def wake(self) -> None:
        """Called under the feed's lock, from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def take(self, timeout_seconds: float) -> list[bytes]:
        """The next messages, waiting up to `timeout_seconds` for the first; empty when none came."""
        messages = self._read()
        if messages or self._feed.closed:
            return messages
        try:
            await asyncio.wait_for(self._woken.wait(), timeout_seconds)
        except TimeoutError:
            return []
        return self._read()

    def _read(self) -> list[bytes]:
        self._woken.clear()  # before reading, so that a message that comes meanwhile wakes the next wait
        messages, self._position = self._feed.read(self._position)
        return messages
