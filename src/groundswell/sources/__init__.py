"""Where posts come from: each source speaks one platform's wire and gives `RAW` batches in stream-time order.

A source owns its connection, cursor, rewind, backoff and consent marks, and the news of what it could not
collect. It owns no post longer than it takes to hand it on, and nothing it reads touches the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Protocol

import pyarrow as pa

from groundswell.candidates import Gap
from groundswell.sources.files import Files, FilesSettings
from groundswell.sources.frames import from_records
from groundswell.sources.jetstream import Jetstream, JetstreamSettings
from groundswell.sources.lines import Lines, read_lines
from groundswell.sources.paced import Paced
from groundswell.sources.rows import Tally

__all__ = [
    "Files",
    "FilesSettings",
    "Jetstream",
    "JetstreamSettings",
    "Lines",
    "Paced",
    "Source",
    "Tally",
    "from_records",
    "read_lines",
]


class Source(Protocol):
    """What the pipeline reads from, in a thread of its own."""

    name: str

    def read(self, since_us: int | None, stop: Event) -> Iterator[pa.RecordBatch | Gap]:
        """Batches of `RAW` in stream-time order, with gaps where they belong.

        Parameters
        ----------
        since_us
            Rewind to this stream time, inclusive; None for the source's own start.
        stop
            Ends the reading soon after it is set.
        """
        ...
