"""Recorded posts through the line, on their own time and at full speed.

Owns what may be given as a recording, and when a matter in it has had its last word. A live run is the
`runner`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa

from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.published import Bin, Record
from groundswell.release import Marks, PublishKey
from groundswell.sources import FilesSettings, Tally, from_records
from groundswell.sources.files import Progress

__all__ = ["recorded", "replay"]


def recorded(data: Any, metrics: Metrics, progress: Progress | None = None) -> Iterator[pa.RecordBatch]:
    """`RAW` batches of recorded posts: paths, an iterable of dicts, or any Arrow-compatible frame."""
    if isinstance(data, str | Path):
        data = (data,)
    if isinstance(data, list | tuple) and data and all(isinstance(item, str | Path) for item in data):
        files = FilesSettings(paths=tuple(str(path) for path in data))
        return files.build(metrics, progress).read(None, Event())
    return from_records(data, tally=Tally("records", metrics))


def replay(
    data: Any,
    *,
    folder: str | Path | None = None,
    settings: LineSettings | None = None,
    lexica: Lexica | None = None,
    metrics: Metrics | None = None,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Run recorded posts through the line at full speed, on their own time, and give what is published.

    Each matter is given once, in its last state: when it has ended, or at the end of the recording.

    Parameters
    ----------
    data
        A path or paths of recorded posts, an iterable of dicts, or any Arrow-compatible frame.
    folder
        A data folder to publish into; None to keep nothing.
    settings, lexica, metrics
        See `Line`.
    progress
        Called with the bytes read and the bytes there are.

    Raises
    ------
    UsageError
        `data` is none of these.

    >>> list(replay([]))
    []
    """
    metrics = metrics or Metrics()
    settings = settings or LineSettings()
    where = Path(folder) if folder is not None else None
    batches = recorded(data, metrics, progress)
    open_records: dict[tuple[type[Record], str], Record] = {}
    ended: list[Record] = []

    def take(records: Sequence[Record], bins: Sequence[Bin]) -> None:
        for record in records:
            open_records[type(record), record.id] = record
            if record.state == "ended":
                ended.append(open_records.pop((type(record), record.id)))

    line = Line(
        settings,
        lexica or Lexica(settings.places),
        PublishKey.open(where) if where is not None else PublishKey.of_machine(),
        metrics,
        folder=where,
        marks=Marks(replayed=True),
        published=take,
        resume=False,
    )
    try:
        for _ in line.run(batches):
            yield from ended
            ended.clear()
        line.finish()
        yield from ended
        yield from open_records.values()
    finally:
        line.close()
