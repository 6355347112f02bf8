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
_BLOCK_BYTES = 1 << 20  # an attacker's block of newlines makes a million lines of it
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
    """The content of `chunks`, in blocks of about 1 MiB that end where a line ends.

    A line over `limit` bytes may be cut to `limit + 1`, so that the decoder counts it as oversize and no more
    of it is kept.
    """
    tail = b""
    skipped = 0
    for piece in _pieces(chunks):
        last = piece.rfind(b"\n")
        room = limit + 1 - len(tail)
        if last < 0:
            skipped += max(0, len(piece) - room)
            tail += piece[:room]
            if skipped > _RUNAWAY_BYTES:
                break
            continue
        skipped = 0
        first = piece.find(b"\n") if tail else 0
        yield tail + (piece[: min(first, room)] + piece[first : last + 1])
        tail = piece[last + 1 :][: limit + 1]
    if tail:
        yield tail


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of the chunks without a byte order mark, in pieces of about 1 MiB."""
    gathered: list[bytes] = []
    size = 0
    for number, chunk in enumerate(chunks):
        if number == 0:
            chunk = chunk.removeprefix(_BOM)
        gathered.append(chunk)
        size += len(chunk)
        if size >= _BLOCK_BYTES:
            whole = b"".join(gathered)
            yield from (whole[at : at + _BLOCK_BYTES] for at in range(0, size, _BLOCK_BYTES))
            gathered, size = [], 0
    yield b"".join(gathered)


def stretches(block: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each line of a block starts and where its newline stands; a blank line is no message."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == 0x0A)
    if len(data) and data[-1] != 0x0A:
        ends = np.append(ends, len(data))
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
