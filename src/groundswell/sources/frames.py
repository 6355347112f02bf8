"""Recorded posts that are in memory already: dicts, or any frame that speaks Arrow.

Owns the conversion to the plain form; what a post must have is said once, in `wire`. Only the plain form's
columns leave a frame: no other is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from groundswell.drops import SourceDrop
from groundswell.errors import UsageError
from groundswell.sources.columns import BatchDecoder
from groundswell.sources.intake import Intake
from groundswell.sources.lines import BATCH_ROWS
from groundswell.sources.rows import Tally

__all__ = ["from_records"]

PLAIN_COLUMNS = ("id", "created_at", "account", "text", "source", "langs", "urls", "media", "geo", "deleted")
_REQUIRED = ("id", "created_at", "account", "text")


def from_records(
    data: Any, *, source: str = "records", tally: Tally | None = None, batch_rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """`RAW` batches out of posts in memory, in stream-time order; bad posts are counted in `tally`.

    Parameters
    ----------
    data
        An iterable of dicts in either recorded form, or a frame of plain posts: anything with
        `__arrow_c_stream__`, such as a pyarrow `Table`, a pandas or polars frame or a DuckDB relation.
        Posts must come in about the order of their times, as in a file.
    source
        The source of plain posts that do not name one.

    Raises
    ------
    UsageError
        `data` is neither, or the frame lacks a column.
    """
    records = _records(data)
    tally = tally if tally is not None else Tally(source)
    return _batches(records, Intake(BatchDecoder(source), tally), batch_rows)


def _batches(records: Iterator[Any], intake: Intake, batch_rows: int) -> Iterator[pa.RecordBatch]:
    for record in records:
        line = _line(record)
        if isinstance(line, SourceDrop):
            intake.refuse(line)
            continue
        intake.take(line)
        if intake.is_full(batch_rows - len(intake)):
            intake.read()
        while len(intake) >= batch_rows:
            yield intake.batch(batch_rows)
    intake.read()
    intake.settle()
    yield intake.batch()


def _records(data: Any) -> Iterator[Any]:
    if hasattr(data, "__arrow_c_stream__"):
        return _frame_records(data)
    if isinstance(data, (str, bytes, Mapping)) or not isinstance(data, Iterable):
        raise UsageError(
            "recorded posts",
            f"a `{type(data).__name__}` is no collection of posts",
            "give a path, an iterable of dicts, or a frame that has `__arrow_c_stream__`",
        )
    return iter(data)


def _frame_records(data: Any) -> Iterator[Any]:
    reader = pa.RecordBatchReader.from_stream(data)
    missing = [name for name in _REQUIRED if name not in reader.schema.names]
    if missing:
        raise UsageError(
            "recorded posts",
            f"the frame has no column `{missing[0]}`",
            "it needs " + ", ".join(f"`{name}`" for name in _REQUIRED),
        )
    columns = [name for name in PLAIN_COLUMNS if name in reader.schema.names]
    return _plain_rows(reader, columns)


def _plain_rows(reader: pa.RecordBatchReader, columns: list[str]) -> Iterator[Any]:
    for batch in reader:
        # The frame's own batch may be the whole frame: Python objects are made for a slice at a time.
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield from batch.select(columns).slice(start, BATCH_ROWS).to_pylist()


def _line(record: Any) -> bytes | SourceDrop:
    """One dict as a JSON line: a second road to a row would be a second set of rules."""
    if not isinstance(record, Mapping):
        return SourceDrop.WRONG_TYPE
    try:
        return msgspec.json.encode(dict(record), enc_hook=_scalar)
    except UnicodeEncodeError:
        return SourceDrop.BAD_ENCODING
    except (TypeError, ValueError, RecursionError):
        return SourceDrop.WRONG_TYPE


def _scalar(value: Any) -> Any:
    """What JSON has no word for: NumPy's scalars, and the datetimes of pandas."""
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError
