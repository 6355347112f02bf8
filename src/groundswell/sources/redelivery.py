"""Remembers which messages came already, so that an overlap after a reconnection is folded.

Owns a bounded set of 64-bit hashes in memory: nothing that could be read back as an account or a post.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.kernels import kernel

__all__ = ["Deliveries"]


class Deliveries:
    """The last `capacity` to `2 * capacity` deliveries.

    Two generations: when the young one is full it becomes the old one, and the old one is forgotten. At the
    120 posts a second of a busy day, 131,072 are eighteen minutes, many times any overlap asked for.

    >>> Deliveries().are_new(np.array([7, 7, 8], np.uint64)).tolist()
    [True, False, True]
    """

    def __init__(self, capacity: int = 131_072) -> None:
        self._capacity = capacity
        slots = 1 << (2 * capacity - 1).bit_length()
        self._generations: npt.NDArray[np.uint64] = np.zeros((2, slots), np.uint64)
        self._state = np.zeros(2, np.int64)  # which generation is the young one, and how many it holds

    def are_new(self, deliveries: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which of the deliveries, one after the other, were not seen yet; remembers them."""
        new = np.empty(len(deliveries), np.bool_)
        _are_new(deliveries, self._generations, self._state, self._capacity, new)
        return new


@kernel
def _place(table, value):  # type: ignore[no-untyped-def]
    """The slot that holds the value, or the free slot where it would go. The values are hashes already."""
    slot = np.int64(value & np.uint64(len(table) - 1))
    while table[slot] != 0 and table[slot] != value:
        slot = (slot + 1) & (len(table) - 1)
    return slot


@kernel
def _are_new(deliveries, generations, state, capacity, new):  # type: ignore[no-untyped-def]
    for row in range(len(deliveries)):
        value = max(deliveries[row], np.uint64(1))  # 0 is a free slot
        young = generations[state[0]]
        old = generations[1 - state[0]]
        slot = _place(young, value)
        new[row] = young[slot] == 0 and old[_place(old, value)] == 0
        if not new[row]:
            continue
        young[slot] = value
        state[1] += 1
        if state[1] >= capacity:
            old[:] = 0
            state[0] = 1 - state[0]
            state[1] = 0
