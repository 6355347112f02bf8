"""Bluesky's public stream, Jetstream, versions 1 and 2: posts, edits, deletions and gone accounts.

Owns the connection: which host, from what cursor, for how long, and what could not be collected. Sequence
numbers mean something on one host only, so every connection asks for a time: a little before the newest row,
and what comes twice is dropped as `REDELIVERED`. No handle, text or server's words reach the log.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Event

import httpx
import pyarrow as pa
import structlog
import zstandard
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection

from groundswell.candidates import Gap
from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US, Clock, SystemClock
from groundswell.config import Settings
from groundswell.drops import SourceDrop
from groundswell.errors import ConfigurationError, SourceError
from groundswell.metrics import Metrics
from groundswell.sources.columns import BatchDecoder
from groundswell.sources.coverage import SERVER_LOOKBACK_US, Coverage
from groundswell.sources.endpoints import PUBLIC_HOSTS, Dictionary, Endpoint, opened
from groundswell.sources.intake import Intake
from groundswell.sources.redelivery import Deliveries
from groundswell.sources.rows import Tally
from groundswell.sources.wire import MESSAGE_BYTES

__all__ = ["Jetstream", "JetstreamSettings"]

log = structlog.get_logger(__name__)


class JetstreamSettings(Settings, frozen=True, kw_only=True):
    """How to read a Jetstream.

    Parameters
    ----------
    name
        The source's name, as it is published.
    hosts
        Addresses tried in turn; version 2 is told by its path, `…/network.bsky.jetstream.subscribeEvents`.
    lookback_minutes
        Where a first start begins, before now.
    overlap_seconds
        How far before the newest row a reconnection begins. Hosts see a message at times that differ by
        seconds, so this must be more than one host ever lags behind another.
    compress
        Ask for Zstandard frames: from version 2 with the dictionary that the host gives, from version 1
        only where `dictionary` names a file.
    dictionary
        File with version 1's dictionary.
    open_seconds
        Patience with a connection being opened, the look-up of its name included.
    ping_seconds
        Time between pings, and the time a pong may take.
    silence_seconds
        A stream without any message for so long is taken for dead.
    flush_seconds
        Rows wait no longer than this for a batch to fill.
    batch_rows
        Rows of a full batch.
    backoff_seconds
        Longest wait after all hosts failed once; it doubles each round.
    backoff_cap_seconds
        Longest wait ever.
    give_up_attempts
        Failed attempts after which a first start gives up; a stream that was open once is never given up.
    give_up_seconds
        Time after which a first start gives up.
    """

    name: str = "bluesky"
    hosts: tuple[str, ...] = PUBLIC_HOSTS
    lookback_minutes: float = 10.0
    overlap_seconds: float = 60.0
    compress: bool = False
    dictionary: str = ""
    open_seconds: float = 4.0
    ping_seconds: float = 20.0
    silence_seconds: float = 60.0
    flush_seconds: float = 0.25
    batch_rows: int = 4096
    backoff_seconds: float = 0.5
    backoff_cap_seconds: float = 60.0
    give_up_attempts: int = 6
    give_up_seconds: float = 20.0

    def build(self, metrics: Metrics | None = None, clock: Clock | None = None) -> Jetstream:
        return Jetstream(self, metrics, clock)


class Jetstream:
    """Reads Jetstream over WebSocket, from several hosts in turn.

    Parameters
    ----------
    settings
        See `JetstreamSettings`.
    clock
        Tells now, for the first cursor and for flushing.
    jitter
        Spreads reconnections; give a seeded one for a repeatable run.
    """

    def __init__(
        self,
        settings: JetstreamSettings,
        metrics: Metrics | None = None,
        clock: Clock | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        if not settings.hosts:
            raise ConfigurationError("jetstream `hosts`", "empty", "name at least one, or leave the key out")
        self.name = settings.name
        self.tally = Tally(settings.name, metrics)
        self.settings = settings
        self.endpoints = tuple(Endpoint(url) for url in settings.hosts)
        self.metrics = metrics
        self.clock: Clock = clock or SystemClock()
        self.jitter = jitter or random.Random()  # noqa: S311 - spreads load, guards nothing
        self.legacy_dictionary = _dictionary_in(settings.dictionary)

    def read(self, since_us: int | None, stop: Event) -> Iterator[pa.RecordBatch | Gap]:
        """Batches and gaps until `stop` is set.

        Raises `SourceError` when no host can be reached at the first start; later, it goes on trying.
        """
        yield from _Reading(self, since_us, stop).run()


class _Reading:
    """One call of `Jetstream.read`: what has come, what is to be asked for next, and how often it failed."""

    def __init__(self, source: Jetstream, since_us: int | None, stop: Event) -> None:
        settings = source.settings
        self._source = source
        self._settings = settings
        self._clock = source.clock
        self._stop = stop
        self._since_us = since_us
        self._overlap_us = int(settings.overlap_seconds * SECOND_US)
        decoder = BatchDecoder(settings.name, jetstream=settings.name)
        self._intake = Intake(decoder, source.tally, since_us, Deliveries())
        self._coverage = Coverage(settings.name, self._overlap_us)
        self._dictionaries: dict[str, Dictionary | None] = {}
        self._floor_us = 0
        self._drained_us = 0
        self._was_open = False

    def run(self) -> Iterator[pa.RecordBatch | Gap]:
        began_us = self._clock.now_us()
        attempts = failures = 0
        while not self._stop.is_set():
            endpoint = self._source.endpoints[attempts % len(self._source.endpoints)]
            attempts += 1
            newest_us = self._intake.clock_us
            try:
                yield from self._connection(endpoint)
            except (OSError, WebSocketException) as error:
                self._note(endpoint, error)
            yield from self._drain()
            # Only new rows are a success: a host that breaks inside the overlap every time is spared too.
            failures = failures + 1 if self._intake.clock_us == newest_us else 0
            if not self._was_open and self._is_hopeless(failures, began_us):
                raise SourceError(
                    "jetstream",
                    f"none of {len(self._source.endpoints)} hosts could be reached",
                    "check the network, or name other `hosts`",
                )
            self._stop.wait(self._delay_seconds(failures))
        self._intake.settle()
        if self._intake:
            yield from self._flush()

    def _connection(self, endpoint: Endpoint) -> Iterator[pa.RecordBatch | Gap]:
        """Open one connection and read it to its end."""
        settings = self._settings
        dictionary = self._dictionary_for(endpoint) if settings.compress else None
        url = endpoint.url(self._cursor_us(), dictionary)
        seconds = settings.open_seconds
        with opened(endpoint, url, open_seconds=seconds, ping_seconds=settings.ping_seconds) as connection:
            self._was_open = True
            if self._source.metrics is not None:
                self._source.metrics.source_connections.labels(settings.name).inc()
            log.info("source connected", source=settings.name, host=str(endpoint), version=endpoint.version)
            yield from self._receive(connection, dictionary)

    def _cursor_us(self) -> int:
        """Where the next connection begins; tells the coverage what has to come."""
        newest_us = self._intake.clock_us
        if newest_us is not None:
            self._coverage.resume(newest_us)
            cursor_us = newest_us - self._overlap_us
        elif self._since_us is not None:
            self._coverage.rewind(self._since_us)
            cursor_us = self._since_us
        else:
            cursor_us = self._clock.now_us() - int(self._settings.lookback_minutes * MINUTE_US)
        if cursor_us < self._floor_us:
            self._coverage.told_too_old()
        return max(cursor_us, self._floor_us)

    def _receive(
        self, connection: ClientConnection, dictionary: Dictionary | None
    ) -> Iterator[pa.RecordBatch | Gap]:
        settings, intake = self._settings, self._intake
        quiet_seconds = 0.0
        while not self._stop.is_set():
            try:
                frame = connection.recv(timeout=settings.flush_seconds, decode=False)
            except TimeoutError:
                quiet_seconds += settings.flush_seconds
                if quiet_seconds >= settings.silence_seconds:
                    raise TimeoutError("silence") from None
                if (yield from self._drain()):
                    return
                if intake.clock_us is None:
                    intake.settle()  # a first row that nothing follows must not wait for witnesses
                if intake:
                    yield from self._flush()
                continue
            quiet_seconds = 0.0
            message = self._take(frame, dictionary)
            # A notice is read when it comes; anything else may wait until there is more of it.
            is_notice = b"#info" in message or b'"error"' in message
            is_due = self._clock.now_us() - self._drained_us >= settings.flush_seconds * SECOND_US
            may_wait = not (is_notice or is_due or intake.is_full(settings.batch_rows))
            if not may_wait and (yield from self._drain()):
                return

    def _take(self, frame: bytes, dictionary: Dictionary | None) -> bytes:
        """Let the message in a frame wait; the message, empty when there is none."""
        if dictionary is not None:
            try:
                frame = dictionary.decompress(frame, MESSAGE_BYTES)
            except zstandard.ZstdError:
                self._intake.refuse(SourceDrop.BAD_ENCODING)
                return b""
        self._intake.take(frame)
        return frame

    def _drain(self) -> Generator[pa.RecordBatch | Gap, None, bool]:
        """Decode what waits and hand on the rows ready; true when the server ends the connection."""
        self._drained_us = self._clock.now_us()
        taken = self._intake.read()
        self._coverage.saw(taken.times_us)
        if self._intake:
            yield from self._flush()
        # A notice is read as soon as it comes, so the rows handed on came before it.
        for notice in taken.notices:
            if notice.name == "OutdatedCursor":
                self._coverage.told_too_old()
            elif notice.name == "ConsumerTooSlow":
                self._coverage.told_too_slow()
        return any(notice.fatal for notice in taken.notices)

    def _flush(self) -> Iterator[pa.RecordBatch | Gap]:
        """The rows ready, and before them the gap that they follow on."""
        now_us = self._clock.now_us()
        first_us = self._intake.first_us
        gap = None if first_us is None else self._coverage.gap(first_us, now_us)
        if gap is not None:
            log.warning(
                "source left a gap", source=gap.source, seconds=(gap.end_us - gap.start_us) // SECOND_US
            )
            yield gap
        if self._source.metrics is not None and self._intake.clock_us is not None:
            lag_seconds = (now_us - self._intake.clock_us) / SECOND_US
            self._source.metrics.source_lag_seconds.labels(self._settings.name).set(lag_seconds)
        yield self._intake.batch()

    def _dictionary_for(self, endpoint: Endpoint) -> Dictionary | None:
        """The dictionary to ask for; None, and so no compression, where there is none to be had."""
        if endpoint.version == 1:
            return self._source.legacy_dictionary
        if endpoint.host not in self._dictionaries:
            try:
                dictionary = endpoint.fetch_dictionary(self._settings.open_seconds)
            except (httpx.HTTPError, zstandard.ZstdError) as error:
                log.warning(
                    "no dictionary: goes on uncompressed", host=str(endpoint), error=type(error).__name__
                )
                return None
            self._dictionaries[endpoint.host] = dictionary
        return self._dictionaries[endpoint.host]

    def _note(self, endpoint: Endpoint, error: Exception) -> None:
        """Log a lost connection or a refusal, and learn from it what to ask for next time."""
        status = None
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            self._dictionaries.pop(endpoint.host, None)  # it may be the dictionary that is refused
            if b"CursorTooOld" in error.response.body:
                self._floor_us = self._clock.now_us() - SERVER_LOOKBACK_US + HOUR_US
        log.warning(
            "source connection lost" if status is None else "source refused the connection",
            source=self._settings.name,
            host=str(endpoint),
            error=type(error).__name__,
            status=status,
        )

    def _is_hopeless(self, failures: int, began_us: int) -> bool:
        waited_seconds = (self._clock.now_us() - began_us) / SECOND_US
        return failures >= self._settings.give_up_attempts or waited_seconds >= self._settings.give_up_seconds

    def _delay_seconds(self, failures: int) -> float:
        """Full jitter: anything up to a ceiling that doubles with each round of hosts."""
        rounds = min(failures // len(self._source.endpoints), 16)
        ceiling = self._settings.backoff_seconds * 2**rounds
        return self._source.jitter.uniform(0, min(ceiling, self._settings.backoff_cap_seconds))


def _dictionary_in(path: str) -> Dictionary | None:
    if not path:
        return None
    try:
        return Dictionary(Path(path).read_bytes())
    except (OSError, zstandard.ZstdError) as error:
        raise ConfigurationError(
            "jetstream `dictionary`",
            f"`{path}` cannot be read ({type(error).__name__})",
            "give the path of a Zstandard dictionary, or leave the key out",
        ) from None
