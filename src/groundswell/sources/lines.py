"""Reads JSON lines out of plain, gzip and Zstandard bytes, whatever their state, in bounded memory.

Owns decompression and the cutting of lines. What a line says is the business of `wire`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog
import zstandard

from groundswell.errors import UsageError
from groundswell.kernels import inner, kernel, word_at, zero_bytes
from groundswell.metrics import Metrics
from groundswell.sources.columns import BatchDecoder
from groundswell.sources.intake import Intake
from groundswell.sources.rows import Tally
from groundswell.sources.wire import MESSAGE_BYTES

__all__ = ["BATCH_ROWS", "Lines", "blocks", "decompressed", "read_lines", "stretches"]

BATCH_ROWS = 16_384
# One slice of input at a time bounds what a bomb makes of it: gzip gives at most 1,032 times its input, a
# Zstandard block at most 128 KiB for 4 bytes: 17 and 32 MiB.
_GZIP_SLICE_BYTES = 16 << 10
_ZSTD_SLICE_BYTES = 1 << 10
_PLAIN_SLICE_BYTES = 1 << 20
_ZSTD_WINDOW_BYTES = 1 << 27
_RUNAWAY_BYTES = 256 << 20
"""A line this long is no line: the rest of its file is not read."""
_BLOCK_BYTES = 1 << 22  # an attacker's block of newlines makes four million lines of it
_SPACE = np.zeros(256, np.bool_)
_SPACE[list(b" \t\n\r\v\f")] = True
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


def blocks(chunks: Iterable[bytes], limit: int = MESSAGE_BYTES) -> Iterator[bytes]:
    """The content of `chunks`, in blocks of about 4 MiB that end where a line ends.

    A line over `limit` bytes may be cut to `limit + 1`, so that the decoder counts it as oversize and no more
    of it is kept.
    """
    tail = b""
    skipped = 0
    for whole, start, stop in _pieces(chunks):
        last = whole.rfind(b"\n", start, stop)
        upto = start + limit + 1 - len(tail)
        if last < 0:
            skipped += max(0, stop - upto)
            tail += whole[start : min(stop, upto)]
            if skipped > _RUNAWAY_BYTES:
                break
            continue
        skipped = 0
        first = whole.find(b"\n", start, stop) if tail else start
        view = memoryview(whole)  # so that each byte is copied once
        yield b"".join((tail, view[start : min(first, upto)], view[first : last + 1]))
        tail = whole[last + 1 : min(stop, last + 2 + limit)]
    if tail:
        yield tail


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """The content of the chunks without a byte order mark, as stretches `whole[start:stop]`, a block each."""
    gathered: list[bytes] = []
    size = 0
    for number, chunk in enumerate(chunks):
        if number == 0:
            chunk = chunk.removeprefix(_BOM)
        gathered.append(chunk)
        size += len(chunk)
        if size >= _BLOCK_BYTES:
            whole = b"".join(gathered)
            yield from ((whole, at, min(at + _BLOCK_BYTES, size)) for at in range(0, size, _BLOCK_BYTES))
            gathered, size = [], 0
    yield b"".join(gathered), 0, size


@inner
def _has_newline(data, at, stop):  # type: ignore[no-untyped-def]
    """Is one of the eight bytes at `at` a newline? Not 0 then."""
    return zero_bytes(word_at(data, at, stop) ^ np.uint64(0x0A0A0A0A0A0A0A0A))


@kernel
def _newlines(data, ends):  # type: ignore[no-untyped-def]
    """Note where the newlines stand: how many."""
    count = 0
    stop = np.uint64(len(data))
    for start in range(0, len(data), 32):
        at = np.uint64(start)
        found = _has_newline(data, at, stop) | _has_newline(data, at + np.uint64(8), stop)
        found |= _has_newline(data, at + np.uint64(16), stop) | _has_newline(data, at + np.uint64(24), stop)
        if found:
            for place in range(start, min(start + 32, len(data))):
                if data[place] == 0x0A:
                    ends[count] = place
                    count += 1
    return count


def stretches(block: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each line of a block starts and where its newline stands; a blank line is no message."""
    data = np.frombuffer(block, np.uint8)
    ends = np.empty(len(data) + 1, np.int64)  # memory that is never written to is never really taken
    count = _newlines(data, ends)
    ends[count] = len(data)
    ends = ends[: count + (len(data) > 0 and data[-1] != 0x0A)]
    starts = np.zeros(len(ends), np.int64)
    starts[1:] = ends[:-1] + 1
    lengths = ends - starts
    short = np.flatnonzero(lengths < 3)
    if len(short):
        space = np.append(_SPACE[data], True)
        first, last = starts[short], np.maximum(ends[short] - 1, starts[short])
        is_blank = (lengths[short] == 0) | (space[first] & space[last])
        keeps = np.ones(len(ends), bool)
        keeps[short[is_blank]] = False
        starts, ends = starts[keeps], ends[keeps]
    return starts, ends


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
    tally = tally if tally is not None else Tally(source)
    intake = Intake(BatchDecoder(source), tally, since_us)
    for block in blocks(chunks):
        starts, ends = stretches(block)
        at = 0
        while at < len(starts):
            upto = at + batch_rows - len(intake)
            intake.take_stretches(block, starts[at:upto], ends[at:upto])
            at = upto
            while len(intake) >= batch_rows:
                yield intake.batch(batch_rows)
                if stop is not None and stop.is_set():
                    return
    intake.settle()
    while len(intake) > batch_rows:
        yield intake.batch(batch_rows)
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
