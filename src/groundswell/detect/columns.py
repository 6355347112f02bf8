"""Columns that grow at their end and are forgotten from their front, and the search in them.

Owns how a sliding window lies in memory; knows nothing of posts. Everything is contiguous, so that kernels
and numpy read it in one pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.kernels import allocating

__all__ = ["Lists", "Names", "Queue", "count_distinct", "distinct", "flat", "group", "letters", "occurrences"]

Array = npt.NDArray[Any]
I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

_IDLE_NAMES = 4096
"""Names that stand behind no row and are put up with before they are cleared away."""


def flat(column: pa.ListArray) -> tuple[Array, I64Array]:
    """A list column as (values, offsets from 0), without copying the values."""
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    start, end = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    return column.values.slice(start, end - start).to_numpy(zero_copy_only=False), offsets - start


def letters(column: pa.StringArray) -> tuple[Array, I64Array]:
    """A column of texts as (UTF-8 bytes, offsets from 0), without copying the bytes."""
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return np.empty(0, np.uint8), np.zeros(len(column) + 1, np.int64)
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]], ends - ends[0]


@allocating
def _empty_slots(least: int) -> Any:
    """A hash table of at least so many slots, a power of two, each -1 for free."""
    slots = 16
    while slots < least:
        slots *= 2
    return np.full(slots, -1, np.int32)


@allocating
def _occurrences(values: Any, wanted: Any, at: Any, positions: Any) -> int:
    """Fill `at` and `positions`; a bitmap of 32 kB, which stays in the nearest cache, refuses nearly all."""
    bits = np.zeros(1 << 12, np.uint64)
    table = _empty_slots(4 * wanted.shape[0])
    mask = np.uint64(len(table) - 1)
    low = np.uint64(63)
    for i in range(wanted.shape[0]):
        mixed = wanted[i] * np.uint64(0x9E3779B97F4A7C15)
        bits[mixed >> np.uint64(52)] |= np.uint64(1) << ((mixed >> np.uint64(46)) & low)
        slot = (mixed >> np.uint64(32)) & mask
        while table[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = i
    found = 0
    for i in range(values.shape[0]):
        mixed = values[i] * np.uint64(0x9E3779B97F4A7C15)
        if not (bits[mixed >> np.uint64(52)] >> ((mixed >> np.uint64(46)) & low)) & np.uint64(1):
            continue
        slot = (mixed >> np.uint64(32)) & mask
        while table[slot] >= 0:
            if wanted[table[slot]] == values[i]:
                at[found] = i
                positions[found] = table[slot]
                found += 1
                break
            slot = (slot + np.uint64(1)) & mask
    return found


def occurrences(values: Array, wanted: U64Array) -> tuple[I64Array, I64Array]:
    """Where the distinct `wanted` occur: (indices of `values`, ascending; position in `wanted` of each)."""
    if not len(values) or not len(wanted):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    at, positions = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    found = _occurrences(values, wanted, at, positions)
    return at[:found].copy(), positions[:found].copy()


@allocating
def _group(values: Any, groups: Any, distinct: Any) -> int:
    table = _empty_slots(2 * values.shape[0])
    mask = np.uint64(len(table) - 1)
    found = 0
    for i in range(values.shape[0]):
        slot = ((values[i] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask
        while table[slot] >= 0 and distinct[table[slot]] != values[i]:
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            table[slot] = found
            distinct[found] = values[i]
            found += 1
        groups[i] = table[slot]
    return found


def group(values: Array) -> tuple[I64Array, U64Array]:
    """Number equal values alike: (number of each, the distinct values by number), in order of appearance."""
    groups, distinct = np.empty(len(values), np.int64), np.empty(len(values), np.uint64)
    found = _group(values.astype(np.uint64, copy=False), groups, distinct)
    return groups, distinct[:found].copy()


def count_distinct(values: Array) -> int:
    """How many different `values` there are."""
    return len(group(values)[1])


@allocating
def _distinct(groups: Any, values: Any, counts: Any) -> None:
    table = _empty_slots(2 * values.shape[0])
    mask = np.uint64(len(table) - 1)
    for i in range(values.shape[0]):
        mixed = (values[i] + np.uint64(groups[i]) * np.uint64(0xC4CEB9FE1A85EC53)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        slot = (mixed >> np.uint64(20)) & mask
        while table[slot] >= 0:
            if values[table[slot]] == values[i] and groups[table[slot]] == groups[i]:
                break
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            table[slot] = i
            counts[groups[i]] += 1


def distinct(groups: Array, values: Array, size: int) -> I64Array:
    """The number of distinct `values` in each of `size` groups."""
    counts = np.zeros(size, np.int64)
    if len(groups):
        _distinct(groups.astype(np.int64, copy=False), values.astype(np.uint64, copy=False), counts)
    return counts


class Queue:
    """One column."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._data: Array = np.empty(1024, dtype)
        self._start = 0
        self._end = 0
        self.appended = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def view(self) -> Array:
        return self._data[self._start : self._end]

    @property
    def dropped(self) -> int:
        return self.appended - len(self)

    def extend(self, values: Array) -> None:
        size = len(self)
        if self._end + len(values) > len(self._data):
            room = np.empty(max(1024, (size + len(values)) * 3 // 2), self._data.dtype)
            room[:size] = self.view
            self._data, self._start, self._end = room, 0, size
        self._data[self._end : self._end + len(values)] = values
        self._end += len(values)
        self.appended += len(values)

    def drop(self, count: int) -> None:
        self._start += count


@allocating
def _ranges(ends: Any, base: int, rows: Any) -> Any:
    size = 0
    for row in rows:
        size += ends[row] - (ends[row - 1] if row else base)
    indices, owners = np.empty(size, np.int64), np.empty(size, np.int64)
    at = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        for index in range((ends[row - 1] if row else base) - base, ends[row] - base):
            indices[at] = index
            owners[at] = i
            at += 1
    return indices, owners


class Lists:
    """List columns whose rows are equally long: the values end to end, and where each row's end."""

    def __init__(self, **values: Queue) -> None:
        self.values = values
        self._lead = next(iter(values.values()))
        self._ends = Queue(np.int64)

    def extend(self, offsets: I64Array, **values: Array) -> None:
        """Append the rows between `offsets` (from 0) of the flat `values`."""
        self._ends.extend(offsets[1:] + self._lead.appended)
        for name, column in self.values.items():
            column.extend(values[name])

    def drop(self, rows: int) -> None:
        values = self.start(rows)
        self._ends.drop(rows)
        for column in self.values.values():
            column.drop(values)

    def start(self, row: int) -> int:
        """Where the values of `row`, counted from the front, begin in the columns' views."""
        return int(self._ends.view[row - 1]) - self._lead.dropped if row else 0

    def over(self, most: int) -> int:
        """Rows that must leave from the front before at most `most` values remain."""
        if len(self._lead) <= most:
            return 0
        return int(np.searchsorted(self._ends.view, self._lead.appended - most)) + 1

    def owners(self, indices: I64Array) -> I64Array:
        """The rows, counted from the front, that hold the values at `indices` of the views."""
        return np.searchsorted(self._ends.view, indices + self._lead.dropped, side="right")

    def ranges(self, rows: I64Array) -> tuple[I64Array, I64Array]:
        """Of `rows`, counted from the front: (indices of their values, index into `rows` of each)."""
        indices, owners = _ranges(self._ends.view, self._lead.dropped, rows)
        return indices, owners


class Names:
    """A column of words as small numbers; words that no row uses any more are forgotten in time."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self.numbers = Queue(np.int32)

    def number(self, words: pa.StringArray) -> Array:
        """The number of each word."""
        coded = words.dictionary_encode()
        known = [self._ids.setdefault(word, len(self._ids)) for word in coded.dictionary.to_pylist()]
        numbers: Array = np.array(known, np.int32)[coded.indices.to_numpy()]
        return numbers

    def tidy(self) -> None:
        """Forget idle words when there are many; numbers change then."""
        if len(self._ids) > len(self.numbers) + _IDLE_NAMES:
            words = self.words()
            used, renumbered = np.unique(self.numbers.view, return_inverse=True)
            self.numbers.view[:] = renumbered
            self._ids = {words[old]: new for new, old in enumerate(used.tolist())}

    def words(self) -> list[str]:
        """By number."""
        return list(self._ids)
