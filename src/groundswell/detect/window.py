"""The open window: the enriched posts of the last hour, in memory only, in columns.

Owns what is warm and lets go of it in time: posts leave after `minutes`, earlier when the hard cap is
reached (counted), and at once when their deletion or their account's end arrives. Row numbers grow for ever
and are never reused, so that postings can be kept between ticks.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import ENRICHED, Kind
from groundswell.clock import MINUTE_US
from groundswell.config import Settings

__all__ = ["Window", "WindowSettings"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
Array = npt.NDArray[np.generic]

_COLUMNS = ("time_us", "speaker", "epoch", "post_key", "shape", "target")
_LISTS = ("places", "place_confidences", "persons", "categories")
_NAMES = ("lang", "source")


class WindowSettings(Settings, frozen=True, kw_only=True):
    """How long and how many posts stay warm."""

    minutes: int = 60
    posts: int = 400_000
    """Hard cap; about 1 kB a post."""


def flat(column: pa.ListArray) -> tuple[npt.NDArray[np.generic], I64Array]:
    """A list column as (values, offsets from 0), without copying the values."""
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    start, end = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    return column.values.slice(start, end - start).to_numpy(zero_copy_only=False), offsets - start


class Queue:
    """A column that grows at its end and is forgotten from its front, contiguous in memory."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._data: Array = np.empty(1024, dtype)
        self._start = 0
        self._end = 0
        self.appended = 0

    @property
    def view(self) -> Array:
        return self._data[self._start : self._end]

    def extend(self, values: Array) -> None:
        size = self._end - self._start
        if self._end + len(values) > len(self._data):
            room = np.empty(max(1024, 2 * (size + len(values))), self._data.dtype)
            room[:size] = self.view
            self._data, self._start, self._end = room, 0, size
        self._data[self._end : self._end + len(values)] = values
        self._end += len(values)
        self.appended += len(values)

    def drop(self, count: int) -> None:
        self._start += count


class Window:
    """Posts of the last `minutes`, by row number; `first_row` moves on as posts leave.

    `uses` of terms are kept in one flat column with the row of each, so that finding a term is one pass.
    """

    def __init__(self, settings: WindowSettings) -> None:
        self._settings = settings
        self._columns = {name: Queue(ENRICHED.field(name).type.to_pandas_dtype()) for name in _COLUMNS}
        self._alive = Queue(bool)
        self._names = {name: Queue(np.int32) for name in _NAMES}
        self._name_ids: dict[str, dict[str, int]] = {name: {} for name in _NAMES}
        self._lists = {name: Queue(ENRICHED.field(name).type.value_type.to_pandas_dtype()) for name in _LISTS}
        self._list_ends = {name: Queue(np.int64) for name in _LISTS}
        self._terms = Queue(np.uint64)
        self._term_rows = Queue(np.int64)
        self._batches: deque[tuple[int, pa.RecordBatch]] = deque()
        self._row_of: dict[int, int] = {}
        self.first_row = 0
        self.end_row = 0
        self.evicted = 0

    def __len__(self) -> int:
        return self.end_row - self.first_row

    def take(self, batch: pa.RecordBatch) -> None:
        """Take in one tick's `ENRICHED` rows; edits and deletions act on the posts before them."""
        kinds = batch.column("kind").to_numpy()
        begin = 0
        for at in np.flatnonzero(kinds != Kind.POST).tolist():
            self._append(batch.slice(begin, at - begin))
            self._withdraw(batch, at, int(kinds[at]))
            begin = at if kinds[at] == Kind.EDIT else at + 1
        self._append(batch.slice(begin))

    def _append(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        first, end = self.end_row, self.end_row + batch.num_rows
        keys = batch.column("post_key").to_pylist()
        for name, column in self._columns.items():
            column.extend(batch.column(name).to_numpy())
        self._alive.extend(np.ones(batch.num_rows, bool))
        for name, numbers in self._names.items():
            numbers.extend(self._intern(name, batch.column(name)))
        for name, values in self._lists.items():
            found, offsets = flat(batch.column(name))
            self._list_ends[name].extend(offsets[1:] + values.appended)
            values.extend(found)
        terms, offsets = flat(batch.column("terms"))
        self._terms.extend(terms)
        self._term_rows.extend(np.repeat(np.arange(first, end), np.diff(offsets)))
        self._batches.append((first, batch))
        self.end_row = end
        self._row_of.update(zip(keys, range(first, end), strict=True))

    def _intern(self, name: str, column: pa.StringArray) -> Array:
        coded = column.dictionary_encode()
        ids = self._name_ids[name]
        known = [ids.setdefault(value, len(ids)) for value in coded.dictionary.to_pylist()]
        interned: Array = np.array(known, np.int32)[coded.indices.to_numpy()]
        return interned

    def _withdraw(self, batch: pa.RecordBatch, at: int, kind: int) -> None:
        if kind == Kind.ACCOUNT_GONE:
            self.of("alive")[self.of("speaker") == batch.column("speaker")[at].as_py()] = False
        else:
            self._kill(batch.column("post_key")[at].as_py())

    def _kill(self, post_key: int) -> None:
        row = self._row_of.pop(post_key, -1)
        if row >= self.first_row:
            self.of("alive")[row - self.first_row] = False

    def expire(self, now_us: int) -> None:
        """Let go of posts older than the window, then of the oldest over the cap."""
        oldest_us = now_us - self._settings.minutes * MINUTE_US
        gone = int(np.searchsorted(self.of("time_us"), oldest_us))
        over = len(self) - self._settings.posts
        if over > gone:
            self.evicted += over - gone
            gone = over
        if gone <= 0:
            return
        keys = self.of("post_key")[:gone].tolist()
        for row, key in enumerate(keys, self.first_row):
            if self._row_of.get(key) == row:
                del self._row_of[key]
        self.first_row += gone
        uses = int(np.searchsorted(self._term_rows.view, self.first_row))
        for name, values in self._lists.items():
            end = int(self._list_ends[name].view[gone - 1])
            values.drop(end - (values.appended - len(values.view)))
            self._list_ends[name].drop(gone)
        for column in (*self._columns.values(), *self._names.values(), self._alive):
            column.drop(gone)
        self._terms.drop(uses)
        self._term_rows.drop(uses)
        while self._batches and self._batches[0][0] + self._batches[0][1].num_rows <= self.first_row:
            self._batches.popleft()

    def of(self, name: str) -> Array:
        """A column (`time_us`, `speaker`, `epoch`, `shape`, `alive`, …) from `first_row` on."""
        if name == "alive":
            return self._alive.view
        return self._names[name].view if name in self._names else self._columns[name].view

    def at(self, name: str, rows: I64Array) -> Array:
        """The same column at `rows`; of `lang` and `source`, ids that `words` turns into words."""
        return self.of(name)[rows - self.first_row]

    def words(self, name: str) -> list[str]:
        """The words behind the ids of `lang` or `source`, by id."""
        return list(self._name_ids[name])

    def lists_at(self, name: str, rows: I64Array) -> tuple[Array, I64Array]:
        """A list column at `rows`, flat: (values, index into `rows` of each value)."""
        values, ends = self._lists[name], self._list_ends[name].view
        base = values.appended - len(values.view)
        at = rows - self.first_row
        stop = ends[at] - base
        start = np.where(at > 0, ends[at - 1] - base, 0)
        sizes = (stop - start).astype(np.int64)
        owners = np.repeat(np.arange(len(rows)), sizes)
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return values.view[np.repeat(start, sizes) + within], owners

    def find(self, terms: U64Array, from_row: int) -> tuple[I64Array, I64Array]:
        """Uses of `terms` (sorted, distinct) at or after `from_row`: (row numbers, positions in `terms`)."""
        start = int(np.searchsorted(self._term_rows.view, from_row))
        used = self._terms.view[start:]
        if not len(terms) or not len(used):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        at = np.searchsorted(terms, used)
        at[at == len(terms)] = 0
        hits = np.flatnonzero(terms[at] == used)
        return self._term_rows.view[start:][hits].astype(np.int64), at[hits]

    def select(self, rows: I64Array, columns: list[str]) -> pa.Table:
        """The posts at `rows` (ascending), as a table of the named `ENRICHED` columns."""
        starts = np.array([first for first, _ in self._batches], np.int64)
        where = np.searchsorted(starts, rows, side="right") - 1
        picked = []
        for index in np.unique(where).tolist():
            first, batch = self._batches[index]
            picked.append(batch.select(columns).take(pa.array(rows[where == index] - first)))
        return pa.Table.from_batches(picked, schema=pa.schema([ENRICHED.field(name) for name in columns]))
