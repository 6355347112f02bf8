"""Remembers which keys were seen within a finite horizon of stream time, in fixed memory.

Whether a key counts as seen is a pure function of the sightings in the horizon before a row: every
sighting is recorded, whatever became of the row, and the last one decides. So it does not matter how a
stream is cut into batches, and a stream rewound by the horizon or more leads to the same answers. When
memory is full the oldest sighting is forgotten early, and counted.
"""

from __future__ import annotations

import numpy as np

from groundswell.clock import SECOND_US
from groundswell.kernels import inner, kernel

__all__ = ["Horizon"]

_FREE = 0  # an untouched table costs no memory; a used slot holds its ring position plus one


@inner
def _home(key, mask):  # type: ignore[no-untyped-def]
    return np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask


@inner
def _find(table, mask, keys, key):  # type: ignore[no-untyped-def]
    """The table slot that holds `key`, or the free slot where it would go."""
    slot = _home(key, mask)
    while table[slot] != _FREE and keys[table[slot] - 1] != key:
        slot = (slot + 1) & mask
    return slot


@inner
def _release(table, mask, keys, slot):  # type: ignore[no-untyped-def]
    """Free `slot` and move later entries of its probe chain back (Knuth, TAOCP 3, algorithm 6.4R)."""
    hole = slot
    slot = (slot + 1) & mask
    while table[slot] != _FREE:
        home = _home(keys[table[slot] - 1], mask)
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            table[hole] = table[slot]
            hole = slot
        slot = (slot + 1) & mask
    table[hole] = _FREE


@kernel
def _sight(table, ring, ends, horizon, rows, found, last):  # type: ignore[no-untyped-def]
    ring_keys, ring_times, ring_values = ring
    keys, times, values, asks, marks = rows
    mask = len(table) - 1
    capacity = len(ring_keys)
    head, count, now, evicted = ends[0], ends[1], ends[2], ends[3]
    for row in range(len(keys)):
        now = max(now, times[row])
        while count and ring_times[head] < now - horizon:
            slot = _find(table, mask, ring_keys, ring_keys[head])
            if table[slot] == head + 1:
                _release(table, mask, ring_keys, slot)
            head = (head + 1) % capacity
            count -= 1
        if not (asks[row] or marks[row]):
            continue
        slot = _find(table, mask, ring_keys, keys[row])
        if asks[row] and table[slot] != _FREE:
            found[row] = True
            last[row] = ring_values[table[slot] - 1]
        if not marks[row]:
            continue
        if count == capacity:
            oldest = _find(table, mask, ring_keys, ring_keys[head])
            if table[oldest] == head + 1:
                _release(table, mask, ring_keys, oldest)
                evicted += 1
                slot = _find(table, mask, ring_keys, keys[row])
            head = (head + 1) % capacity
            count -= 1
        at = (head + count) % capacity
        ring_keys[at] = keys[row]
        ring_times[at] = now
        ring_values[at] = values[row]
        table[slot] = at + 1
        count += 1
    ends[0], ends[1], ends[2], ends[3] = head, count, now, evicted


class Horizon:
    """Sightings of 64-bit keys, each with a 64-bit value, forgotten `seconds` after the key's last one.

    >>> horizon = Horizon(seconds=600, capacity=16)
    >>> keys, yes = np.array([7, 7], np.uint64), np.ones(2, bool)
    >>> found, _ = horizon.sight(keys, np.array([0, 599_000_000]), keys, asks=yes, marks=yes)
    >>> found.tolist()
    [False, True]
    """

    def __init__(self, seconds: float, capacity: int) -> None:
        self._horizon_us = int(seconds * SECOND_US)
        slots = 1 << (2 * capacity - 1).bit_length()
        self._table = np.zeros(slots, np.int32)
        self._keys = np.zeros(capacity, np.uint64)
        self._times = np.zeros(capacity, np.int64)
        self._values = np.zeros(capacity, np.uint64)
        self._ends = np.array([0, 0, np.iinfo(np.int64).min // 2, 0], np.int64)

    def __len__(self) -> int:
        """Sightings remembered, as of the last row that was looked at."""
        return int(self._ends[1])

    @property
    def evicted(self) -> int:
        """Keys forgotten before their time because memory was full."""
        return int(self._ends[3])

    def sight(
        self,
        keys: np.ndarray,
        times_us: np.ndarray,
        values: np.ndarray,
        *,
        asks: np.ndarray,
        marks: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """For each row in order: was its key seen within the horizon, and with which value last?

        `asks` marks the rows that want to know, `marks` the rows that are sightings; a row that is both asks
        first. Times are microseconds; one that runs backwards counts as the latest before it.
        """
        found = np.zeros(len(keys), bool)
        last = np.zeros(len(keys), np.uint64)
        ring = (self._keys, self._times, self._values)
        rows = (keys, times_us, values, asks, marks)
        _sight(self._table, ring, self._ends, self._horizon_us, rows, found, last)
        return found, last
