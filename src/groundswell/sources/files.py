"""Recorded posts in files: JSON lines, plain, gzip or Zstandard, one file or many.

Owns opening, merging by stream time and progress. Files are read at full speed, on their posts' own time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pyarrow as pa

from groundswell.config import Settings
from groundswell.errors import SourceError, UsageError
from groundswell.metrics import Metrics
from groundswell.sources.lines import BATCH_ROWS, decompressed, read_lines
from groundswell.sources.merge import Stream, merged
from groundswell.sources.rows import Tally

__all__ = ["Files", "FilesSettings", "Progress"]

Progress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes there are, as they lie on the disk."""
_OPEN_ROWS = 64 * BATCH_ROWS  # rows held for merging, over all files that overlap
_PROGRESS_BYTES = 1 << 18  # read between two calls of the progress function
_ALWAYS = -(1 << 63)


class FilesSettings(Settings, frozen=True, kw_only=True):
    """Which files to read.

    Parameters
    ----------
    paths
        Files of recorded posts; their order does not matter.
    name
        The source of plain posts that do not name one.
    """

    paths: tuple[str, ...]
    name: str = "files"

    def build(self, metrics: Metrics | None = None, progress: Progress | None = None) -> Files:
        return Files(self, metrics, progress)


class Files:
    """Reads recorded posts, each file's rows interleaved with the others' by stream time.

    Raises `UsageError` when a file is missing or no file.
    """

    def __init__(
        self, settings: FilesSettings, metrics: Metrics | None = None, progress: Progress | None = None
    ) -> None:
        if not settings.paths:
            raise UsageError("recorded posts", "no file given", "name at least one file of JSON lines")
        self.name = settings.name
        self.tally = Tally(settings.name, metrics)
        self._paths = [Path(path) for path in settings.paths]
        self._total_bytes = sum(_size(path) for path in self._paths)
        self._progress = progress
        self._read_bytes = 0

    def read(self, since_us: int | None, stop: Event) -> Iterator[pa.RecordBatch]:
        """Batches of `RAW` of about `BATCH_ROWS` rows; raises `SourceError` when a file cannot be read."""
        self._read_bytes = 0
        if len(self._paths) == 1:
            yield from self._rows(self._paths[0], since_us, stop, BATCH_ROWS)
            return
        rows = max(64, min(BATCH_ROWS, _OPEN_ROWS // len(self._paths)))
        streams = [
            Stream(self._first_us(path), partial(self._rows, path, since_us, stop, rows))
            for path in self._paths
        ]
        yield from merged(streams, BATCH_ROWS)

    def _rows(self, path: Path, since_us: int | None, stop: Event, rows: int) -> Iterator[pa.RecordBatch]:
        with _opened(path) as file:
            chunks = self._chunks(file, path)
            batches = read_lines(
                chunks, self.name, tally=self.tally, since_us=since_us, batch_rows=rows, stop=stop
            )
            yield from (batch for batch in batches if batch.num_rows)

    def _chunks(self, file: BinaryIO, path: Path) -> Iterator[bytes]:
        position = 0
        try:
            for chunk in decompressed(file, str(path)):
                if file.tell() - position >= _PROGRESS_BYTES:
                    self._advance(file.tell() - position)
                    position = file.tell()
                yield chunk
            self._advance(file.tell() - position)
        except OSError as error:
            raise _unreadable(path, error) from None

    def _advance(self, read_bytes: int) -> None:
        self._read_bytes += read_bytes
        if self._progress is not None:
            self._progress(self._read_bytes, self._total_bytes)

    def _first_us(self, path: Path) -> int:
        """Stream time of the file's first row; the look is not counted."""
        with _opened(path) as file:
            first = next(read_lines(decompressed(file, str(path)), self.name, batch_rows=1))
            return int(first.column("time_us")[0].as_py()) if first.num_rows else _ALWAYS


def _size(path: Path) -> int:
    if not path.exists():
        raise UsageError(str(path), "no such file", "give the path of a file of JSON lines")
    if path.is_dir():
        raise UsageError(str(path), "is a folder", "name the files in it")
    return path.stat().st_size


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(
        str(path), f"cannot be read ({type(error).__name__})", "check the file and its permissions"
    )
