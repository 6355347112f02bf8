"""An index of pairs of 64-bit hashes that finds near ones, a million pictures deep, in about a millisecond.

Multi-index hashing (Norouzi, Punjani, Fleet, https://arxiv.org/abs/1307.2982): a hash is four keys of
sixteen bits; two hashes within seven bits agree in one key but for at most one bit, and most within eleven
do. The second hash of a pair is only compared. Newcomers stand in a tail that is read from end to end, and
are sorted in when it is full. Owns hashes and slots, not what they mean; when it is full the oldest slot is
used again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.kernels import inner, kernel

__all__ = ["Hashes", "Near", "NearIndex"]

RADIUS = 12
"""Of the first hash's bits …"""
BOTH_RADIUS = 24
"""… and of both together, that may differ."""
TAIL = 4_096
MAX_LOOKED_AT = 200_000
"""Entries looked at for one hash; plain grounds crowd into a few keys, and what is beyond is not found."""
Hashes = tuple[tuple[int, int], ...]
_KEYS, _KEY_BITS = 4, 16
_NONE = 127
_SPREAD = 0x1111111111111111
"""Every fourth bit: a key takes its bits from all over the picture."""
_PRESS = ((3, 0x0303030303030303), (6, 0x000F000F000F000F), (12, 0x000000FF000000FF), (24, 0xFFFF))


class Near(NamedTuple):
    """A picture that was found, and by which pair of hashes it is nearest."""

    slot: int
    distance: int
    view: int
    asked: int


class NearIndex:
    """Slots `0 … capacity - 1`, each with the hashes of the views of one picture.

    >>> index = NearIndex(capacity=8, views=1)
    >>> slot = index.add(((0b1011, 0),))
    >>> index.find(((0b0011, 0),))
    [Near(slot=0, distance=1, view=0, asked=0)]
    """

    def __init__(self, capacity: int, views: int) -> None:
        self.capacity = capacity
        self._views = views
        self._hashes = np.zeros((capacity, views, 2), np.uint64)
        self._used = np.zeros(capacity, np.bool_)
        self._next = 0
        self._tail_from = 0
        self._tail_length = 0
        self._starts = np.zeros((_KEYS, (1 << _KEY_BITS) + 1), np.int64)
        self._entries = np.zeros((_KEYS, 0), np.int32)
        self._beside = np.zeros((_KEYS, 0), np.uint64)  # their hashes, so that most are judged in passing
        self._best = np.full((capacity, 3), _NONE, np.uint8)
        self._touched = np.zeros(65_536, np.int32)

    def __len__(self) -> int:
        return int(self._used.sum())

    def next_slot(self) -> int:
        """The slot that `add` will take; what stands there is the oldest, and goes."""
        return self._next

    def add(self, hashes: Hashes) -> int:
        """Take in a picture's hashes; gives its slot."""
        if self._tail_length >= min(TAIL, self.capacity):
            self._sort_in()
        slot = self._next
        self._hashes[slot] = hashes
        self._used[slot] = True
        self._next = (slot + 1) % self.capacity
        self._tail_length += 1
        return slot

    def remove(self, slot: int) -> None:
        """Forget what stands in a slot."""
        self._used[slot] = False

    def find(self, hashes: Hashes) -> list[Near]:
        """Pictures with a pair of hashes near one of `hashes`, nearest first."""
        asked = np.array(hashes, np.uint64)
        count = _search(
            asked, self._hashes, self._used, self._starts, self._entries, self._beside,
            self._tail_from, self._tail_length, self._best, self._touched,
        )  # fmt: skip
        slots = self._touched[:count]
        best = self._best[slots]
        self._best[slots] = _NONE
        order = np.argsort(best[:, 0], kind="stable")
        return [Near(int(slots[at]), *map(int, best[at])) for at in order]

    def _sort_in(self) -> None:
        slots = np.flatnonzero(self._used).astype(np.int32)
        hashes = self._hashes[slots, :, 0].reshape(-1)
        entries = (slots[:, None] * np.int32(self._views) + np.arange(self._views, dtype=np.int32)).reshape(
            -1
        )
        self._entries = np.empty((_KEYS, len(entries)), np.int32)
        self._beside = np.empty((_KEYS, len(entries)), np.uint64)
        for number in range(_KEYS):
            keys = _keys(hashes, number)
            self._starts[number, 1:] = np.cumsum(np.bincount(keys, minlength=1 << _KEY_BITS))
            order = np.argsort(keys, kind="stable")
            self._entries[number] = entries[order]
            self._beside[number] = hashes[order]
        self._tail_from, self._tail_length = self._next, 0

    def add_many(self, hashes: npt.NDArray[np.uint64]) -> None:
        """Take in the hashes of many pictures at once, as `add` would one after the other."""
        for first in range(0, len(hashes), self.capacity):
            part = hashes[first : first + self.capacity]
            slots = (self._next + np.arange(len(part))) % self.capacity
            self._hashes[slots] = part
            self._used[slots] = True
            self._next = int((self._next + len(part)) % self.capacity)
        self._sort_in()


@inner
def _key(value, number):  # type: ignore[no-untyped-def]
    bits = (value >> np.uint64(number)) & np.uint64(_SPREAD)
    bits = (bits | (bits >> np.uint64(3))) & np.uint64(0x0303030303030303)
    bits = (bits | (bits >> np.uint64(6))) & np.uint64(0x000F000F000F000F)
    bits = (bits | (bits >> np.uint64(12))) & np.uint64(0x000000FF000000FF)
    return np.int64((bits | (bits >> np.uint64(24))) & np.uint64(0xFFFF))


@inner
def _bits(value):  # type: ignore[no-untyped-def]
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + (
        (value >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


def _keys(values: npt.NDArray[np.uint64], number: int) -> npt.NDArray[np.uint16]:
    """Key `number` of each hash: every fourth bit, pressed together; as `_key` does."""
    bits = values >> np.uint64(number) & np.uint64(_SPREAD)
    for shift, mask in _PRESS:
        bits = (bits | bits >> np.uint64(shift)) & np.uint64(mask)
    return bits.astype(np.uint16)


@inner
def _apart(wanted, hashes, slot, view):  # type: ignore[no-untyped-def]
    """Bits in which two pairs differ; `_NONE` when too many."""
    first = _bits(wanted[0] ^ hashes[slot, view, 0])
    if first > RADIUS:
        return np.int64(_NONE)
    both = first + _bits(wanted[1] ^ hashes[slot, view, 1])
    return both if both <= BOTH_RADIUS else np.int64(_NONE)


@inner
def _note(slot, distance, view, number, best, touched, count):  # type: ignore[no-untyped-def]
    if best[slot, 0] == _NONE:
        if count >= len(touched):
            return count
        touched[count] = slot
        count += 1
    if distance < best[slot, 0]:
        best[slot, 0], best[slot, 1], best[slot, 2] = distance, view, number
    return count


@inner
def _tail(wanted, number, hashes, used, tail_from, tail_length, best, touched, count):  # type: ignore[no-untyped-def]
    for step in range(tail_length):
        slot = (tail_from + step) % len(hashes)
        if used[slot]:
            for view in range(hashes.shape[1]):
                distance = _apart(wanted, hashes, slot, view)
                if distance != _NONE:
                    count = _note(slot, distance, view, number, best, touched, count)
    return count


@kernel
def _search(  # type: ignore[no-untyped-def]
    asked, hashes, used, starts, entries, beside, tail_from, tail_length, best, touched
):
    views = hashes.shape[1]
    count = 0
    for number in range(len(asked)):
        wanted = asked[number]
        looked = 0
        for quarter in range(_KEYS):
            key = _key(wanted[0], quarter)
            for flip in range(_KEY_BITS + 1):
                near = key if flip == 0 else key ^ (1 << (flip - 1))
                begin, end = starts[quarter, near], starts[quarter, near + 1]
                looked += end - begin
                if looked > MAX_LOOKED_AT:
                    break
                for at in range(begin, end):
                    if _bits(wanted[0] ^ beside[quarter, at]) > RADIUS:
                        continue
                    slot = entries[quarter, at] // views
                    view = entries[quarter, at] - slot * views
                    distance = _apart(wanted, hashes, slot, view)
                    if distance != _NONE and used[slot]:
                        count = _note(slot, distance, view, number, best, touched, count)
        count = _tail(wanted, number, hashes, used, tail_from, tail_length, best, touched, count)
    return count
