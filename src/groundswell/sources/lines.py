"""Reads JSON lines out of plain, gzip and Zstandard bytes, whatever their state, in bounded memory.

Owns decompression and the cutting of lines. What a line says is the business of `wire`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import BinaryIO, Protocol

import pyarrow as pa
import structlog
import zstandard

from groundswell.errors import UsageError
from groundswell.metrics import Metrics
from groundswell.sources.intake import Intake
from groundswell.sources.rows import Tally
from groundswell.sources.wire import MESSAGE_BYTES, Decoder

__all__ = ["BATCH_ROWS", "Lines", "decompressed", "read_lines", "split_lines"]

BATCH_ROWS = 8192
# One slice of input at a time bounds what a bomb makes of it: gzip gives at most 1,032 times its input, a
# Zstandard block at most 128 KiB for 4 bytes: 17 and 32 MiB.
_GZIP_SLICE_BYTES = 16 << 10
_ZSTD_SLICE_BYTES = 1 << 10
_PLAIN_SLICE_BYTES = 1 << 20
_ZSTD_WINDOW_BYTES = 1 << 27
_RUNAWAY_BYTES = 256 << 20
"""A line this long is no line: the rest of its file is not read."""
_BOM = b"\xef\xbb\xbf"

log = structlog.get_logger(__name__)


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def decompressed(file: BinaryIO, where: str) -> Iterator[bytes]:
    """The content of `file` in chunks; its first bytes say how it is packed.

    An archive that is torn or damaged gives what comes before the damage, and a warning that names `where`.
    """
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return _inflated(file, lambda: zlib.decompressobj(wbits=31), _GZIP_SLICE_BYTES, where)
    if magic == b"\x28\xb5\x2f\xfd":
        decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        return _inflated(file, decompressor.decompressobj, _ZSTD_SLICE_BYTES, where)
    return iter(lambda: file.read(_PLAIN_SLICE_BYTES), b"")


def _inflated(file: BinaryIO, new: Callable[[], _Inflater], slice_bytes: int, where: str) -> Iterator[bytes]:
    inflater = new()
    try:
        while piece := file.read(slice_bytes):
            while piece:
                if inflater.eof:  # archives may be several members, one after the other
                    inflater = new()
                if chunk := inflater.decompress(piece):
                    yield chunk
                piece = inflater.unused_data if inflater.eof else b""
    except (zlib.error, zstandard.ZstdError):
        log.warning("archive is damaged: read up to the damage", file=where)
        return
    if not inflater.eof:
        log.warning("archive is cut off: read up to its end", file=where)


def split_lines(chunks: Iterable[bytes], limit: int = MESSAGE_BYTES) -> Iterator[bytes]:
    """The lines of `chunks`, without their newlines.

    A line over `limit` bytes is cut to `limit + 1`, so that the decoder counts it as oversize and no more of
    it is kept.
    """
    tail = b""
    skipped = 0
    for number, chunk in enumerate(chunks):
        first, *rest = (chunk.removeprefix(_BOM) if number == 0 else chunk).split(b"\n")
        skipped += max(0, len(first) - (limit + 1 - len(tail)))
        tail += first[: limit + 1 - len(tail)]
        if not rest:
            if skipped > _RUNAWAY_BYTES:
                break
            continue
        yield tail
        skipped = 0
        tail = rest.pop()[: limit + 1]
        yield from rest
    if tail:
        yield tail


def read_lines(
    chunks: Iterable[bytes],
    source: str,
    *,
    tally: Tally | None = None,
    since_us: int | None = None,
    batch_rows: int = BATCH_ROWS,
    stop: Event | None = None,
) -> Iterator[pa.RecordBatch]:
    """`RAW` batches of at most `batch_rows` rows out of recorded posts, in stream-time order.

    Parameters
    ----------
    chunks
        Bytes of JSON lines, cut anywhere.
    source
        The source of plain posts that do not name one.
    tally
        Where messages, rows and drops are counted; afterwards `tally.balanced` holds.
    since_us
        Rows before this stream time are dropped as `LATE`.
    stop
        Set by another thread to end early.
    """
    intake = Intake(Decoder(source), tally if tally is not None else Tally(source), since_us)
    for line in split_lines(chunks):
        if len(line) < 3 and not line.strip():
            continue  # a blank line is no message
        intake.take(line)
        if len(intake) >= batch_rows:
            yield intake.batch()
            if stop is not None and stop.is_set():
                return
    intake.settle()
    yield intake.batch()


class Lines:
    """A source of recorded posts that something else makes: the simulated hour, a test.

    Parameters
    ----------
    name
        The source's name.
    lines
        Gives chunks of JSON lines from a stream time on (None: from the start).
    """

    def __init__(
        self,
        name: str,
        lines: Callable[[int | None], Iterable[bytes]],
        metrics: Metrics | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        if batch_rows < 1:
            raise UsageError("`Lines`", f"`batch_rows` is {batch_rows}", "give at least 1")
        self.name = name
        self.tally = Tally(name, metrics)
        self._lines = lines
        self._batch_rows = batch_rows

    def read(self, since_us: int | None, stop: Event) -> Iterator[pa.RecordBatch]:
        """Batches of `RAW`, from `since_us` on."""
        return read_lines(
            self._lines(since_us),
            self.name,
            tally=self.tally,
            since_us=since_us,
            batch_rows=self._batch_rows,
            stop=stop,
        )
