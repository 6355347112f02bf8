"""One bucket of the rates: what a cache line holds of a term's uses, and how surprising that is.

A line is 64 bytes: sixteen minutes and twelve whole quarter hours in 16 bits each, the minute up to which it
is current, and the long mean. The sums of the windows are not kept, for adding up a line costs less than
fetching another: four counts are added at a time, as lanes of one 64-bit number (the lanes' order is that of
a little-endian machine, the only kind there are wheels for).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.detect.columns import group
from groundswell.detect.spreading import CHUNK, cache_lines, part_shift, sort_by_part
from groundswell.kernels import mix

__all__ = ["MINUTES", "QUARTERS", "SLOW_QUARTERS", "Buckets", "Outlook"]

MINUTES = 16
"""Slots of the mid window: fifteen whole minutes and the running one."""
QUARTERS = 12
"""Slots of the reference: whole quarter hours; the running one is in the minutes."""
SLOW_QUARTERS = 4
_LINE = 32  # 16-bit numbers in a line
_STAMP = MINUTES + QUARTERS
_BASE = 30
_MEAN = _BASE // 2  # the same place in 32-bit numbers
_COARSE = np.uint32(1 << 15)

_LANES = np.uint64(0x0000FFFF0000FFFF)
_COARSE_LANES = np.uint64(0x8000800080008000)
_HALF = np.uint64(0xFFFFFFFF)
_SLACK = 1.0 - 1e-9
"""The quick test of a line rounds otherwise than the exact one, and must never be the stricter."""

I64Array = npt.NDArray[np.int64]
U16Array = npt.NDArray[np.uint16]
U64Array = npt.NDArray[np.uint64]
F32Array = npt.NDArray[np.float32]
F64Array = npt.NDArray[np.float64]


@njit(inline="always")
def _deviance(x: float, expected: float, size: float) -> float:
    """Negative-binomial deviance of `x` around `expected`, in nats; `size` is the dispersion r."""
    if x <= expected:
        return 0.0
    value = x * math.log(x / expected) - (x + size) * math.log((x + size) / (expected + size))
    return max(value, 0.0)


@njit(inline="always")
def _whole(code: Any) -> Any:
    """The count behind a quarter hour's 16 bits: exact to 2¹⁵, in steps of 32 above, to a million."""
    return code if code < _COARSE else (code - _COARSE) << 5


@njit(inline="always")
def _code(count: Any) -> Any:
    return count if count < _COARSE else _COARSE + (count >> 5)


@njit(inline="always")
def _freshen(lines: Any, at: Any, minute: Any) -> None:
    """Empty the slots of the minutes that have passed since the line was last brought up to date."""
    behind = (minute - np.int64(lines[at, _STAMP])) & 0xFFFF
    if behind:
        for back in range(min(behind, MINUTES)):
            lines[at, (minute - back) % MINUTES] = 0
        lines[at, _STAMP] = minute & 0xFFFF


@njit(cache=True, nogil=True)
def _add(lines: Any, places: Any, minute: int) -> None:
    """Count one use more in each line of `places`."""
    slot = minute % MINUTES
    for i in range(places.shape[0]):
        at = np.int64(places[i])
        _freshen(lines, at, minute)
        if lines[at, slot] < 65535:
            lines[at, slot] += 1


@njit(cache=True, nogil=True)
def _close_quarter(
    lines: Any, means: Any, last_minute: int, fold: bool, clip: bool, weight: Any, floor_k: Any
) -> None:
    """Write the minutes of the quarter hour that ends with `last_minute` over the oldest of the twelve.

    That one leaves for the long mean if `fold`. Buckets under k uses in it count as empty there; `clip`
    winsorises at mean + 3 sqrt(mean) + k, so that a burst cannot become its own baseline.
    """
    slot = MINUTES + (last_minute // 15) % QUARTERS
    for at in range(lines.shape[0]):
        used = np.uint32(0)
        for i in range(MINUTES):
            used |= np.uint32(lines[at, i])
        if used:
            _freshen(lines, at, last_minute)
        if fold:
            leaving = _whole(np.uint32(lines[at, slot]))
            filled = np.float32(leaving) if leaving >= floor_k else np.float32(0.0)
            mean = means[at, _MEAN]
            if clip:
                filled = min(filled, mean + np.float32(3.0) * np.sqrt(mean) + floor_k)
            means[at, _MEAN] = mean + weight * (filled - mean)
        count = np.uint32(0)
        if used:
            for back in range(15):
                count += np.uint32(lines[at, (last_minute - back) % MINUTES])
        lines[at, slot] = _code(count)


@njit(inline="always")
def _lanes(four: Any) -> Any:
    return (four & _LANES) + ((four >> np.uint64(16)) & _LANES)


@njit(inline="always")
def _summed(two: Any) -> Any:
    return np.float64(np.int64((two & _HALF) + (two >> np.uint64(32))))


@njit(inline="always")
def _windows(lines: Any, words: Any, at: Any, minute: Any, masks: Any) -> Any:
    """Uses in the fast, mid and slow window and in the whole reference."""
    m0, m1, m2, m3 = words[at, 0], words[at, 1], words[at, 2], words[at, 3]
    q0, q1, q2 = words[at, 4], words[at, 5], words[at, 6]
    fast = np.float64(lines[at, minute % MINUTES]) + np.float64(lines[at, (minute - 1) % MINUTES])
    mid = _summed(_lanes(m0) + _lanes(m1) + _lanes(m2) + _lanes(m3))
    now = _lanes(m0 & masks[0]) + _lanes(m1 & masks[1]) + _lanes(m2 & masks[2]) + _lanes(m3 & masks[3])
    if (q0 | q1 | q2) & _COARSE_LANES:
        slow = total = _summed(now)
        recent = masks.view(np.uint16)
        for i in range(MINUTES, _STAMP):
            count = np.float64(_whole(np.uint32(lines[at, i])))
            total += count
            slow += count if recent[i] else 0.0
        return fast, mid, slow, total
    slow = _summed(now + _lanes(q0 & masks[4]) + _lanes(q1 & masks[5]) + _lanes(q2 & masks[6]))
    return fast, mid, slow, _summed(now + _lanes(q0) + _lanes(q1) + _lanes(q2))


@njit(cache=True, nogil=True)
def _lift(
    lines: Any, words: Any, means: Any, used: Any, minute: int, masks: Any, limits: Any, lifted: Any
) -> None:
    """Of the lines in the bitmap `used`, those that some window lifts over what is expected of it.

    `limits` are factor and floor of that for each of three windows, then the weight of the long mean.
    """
    one = np.uint64(1)
    for at64 in range(used.shape[0]):
        bits = used[at64]
        found = np.uint64(0)
        at = 64 * at64
        while bits:
            if bits & one:
                _freshen(lines, at, minute)
                fast, mid, slow, total = _windows(lines, words, at, minute, masks)
                total += np.float64(means[at, _MEAN]) * limits[6]
                if slow >= 3.0 and (
                    fast >= (total - mid) * limits[0] + limits[1]
                    or mid >= (total - mid) * limits[2] + limits[3]
                    or slow >= (total - slow) * limits[4] + limits[5]
                ):
                    found |= one << np.uint64(at & 63)
            bits >>= one
            at += 1
        lifted[at64] = found


@njit(cache=True, nogil=True)
def _surprises(
    lines: Any, words: Any, means: Any, places: Any, minute: int, masks: Any, quarters_seen: int,
    base_weight: float, exposures: Any, expectant: Any, floors: Any, lift: float, nats: Any, usual: Any,
) -> None:  # fmt: skip
    """Of the lines at `places`: nats by which they surpass what is expected, and usual uses a minute."""
    for i in range(places.shape[0]):
        at = np.int64(places[i])
        nats[i], usual[i] = 0.0, 0.0
        _freshen(lines, at, minute)
        in_fast, in_mid, in_slow, in_total = _windows(lines, words, at, minute, masks)
        if in_slow < 3.0:
            continue
        long_count = np.float64(means[at, _MEAN]) * base_weight / 15.0
        rate = (in_total - in_mid + long_count) / max(exposures[3] - exposures[1] + base_weight, 5.0)
        usual[i] = rate
        size = 4.0
        if rate >= 1.0 and quarters_seen >= 4:
            size = _dispersion(lines, at, minute, quarters_seen)
        expected = rate * expectant[0] + floors[0]
        if in_fast >= lift * expected:
            nats[i] = _deviance(2.0 * in_fast, 2.0 * expected, 2.0 * size)
        expected = rate * expectant[1] + floors[1]
        if in_mid >= lift * expected:
            nats[i] = max(nats[i], _deviance(2.0 * in_mid, 2.0 * expected, 2.0 * size))
        before_slow = exposures[3] - exposures[2] + base_weight
        if before_slow >= 45.0:
            expected = (in_total - in_slow + long_count) / before_slow * expectant[2] + floors[2]
            if in_slow >= lift * expected:
                nats[i] = max(nats[i], _deviance(2.0 * in_slow, 2.0 * expected, 2.0 * size))


@njit(inline="always")
def _dispersion(lines: Any, at: Any, minute: Any, quarters_seen: Any) -> Any:
    """The r that the last whole quarter hours' variance speaks for."""
    whole, square = 0.0, 0.0
    for back in range(quarters_seen):
        slot = MINUTES + (minute // 15 - 1 - back) % QUARTERS
        count = np.float64(_whole(np.uint32(lines[at, slot])))
        whole += count
        square += count * count
    mean = whole / quarters_seen
    variance = square / quarters_seen - mean * mean
    return max(mean * mean / (variance - mean), 0.5) if variance > mean * 1.05 else 1e6


@njit(inline="always")
def _first(term: Any, mask: Any) -> Any:
    return mix(term + np.uint64(1)) & mask


@njit(inline="always")
def _second(term: Any, mask: Any) -> Any:
    return mix(mix(term + np.uint64(1)) + np.uint64(0x9E3779B97F4A7C16)) & mask


@njit(cache=True, nogil=True)
def _place(terms: Any, second: bool, mask: Any, places: Any) -> None:
    """The line of each of `terms` in one of the two rows, numbered from that row's first."""
    if second:
        for i in range(terms.shape[0]):
            places[i] = _second(terms[i], mask)
    else:
        for i in range(terms.shape[0]):
            places[i] = _first(terms[i], mask)


@njit(cache=True, nogil=True)
def _mark(terms: Any, mask: Any, used: Any) -> None:
    for i in range(terms.shape[0]):
        at = _first(terms[i], mask)
        used[at >> np.uint64(6)] |= np.uint64(1) << (at & np.uint64(63))


@njit(cache=True, nogil=True)
def _marked(terms: Any, mask: Any, lifted: Any, found: Any) -> int:
    """Fill `found` with the indices of those `terms` whose first line is in the bitmap `lifted`."""
    size = 0
    for i in range(terms.shape[0]):
        at = _first(terms[i], mask)
        if (lifted[at >> np.uint64(6)] >> (at & np.uint64(63))) & np.uint64(1):
            found[size] = i
            size += 1
    return size


class Outlook(NamedTuple):
    """What the windows are expected to hold as of one moment."""

    minute: int
    quarters_seen: int
    """Whole quarter hours of the reference that have been counted."""
    exposures: F64Array
    """Minutes behind the fast, the mid and the slow window and the reference: shape (4,)."""
    expectant: F64Array
    """The first three, scaled by how the whole stream swells."""
    floors: F64Array
    """Uses that a term without history is expected to have in each of the three."""
    lift: float
    base_weight: float
    """Minutes that the long mean counts for."""

    def limits(self) -> F64Array:
        """Factor and floor of what lifts each of the three windows, then the weight of the long mean."""
        outside = self.exposures[3] - self.exposures[1:3] + self.base_weight
        minutes = np.array([max(outside[0], 5.0), max(outside[0], 5.0), outside[1]])
        factors = np.where(
            [True, True, outside[1] >= 45.0], self.expectant / np.maximum(minutes, 5.0), np.inf
        )
        return np.append(
            _SLACK * self.lift * np.stack([factors, self.floors], axis=1), self.base_weight / 15.0
        )

    def masks(self) -> U64Array:
        """Over a line: the minutes of the running quarter hour, and the whole ones of the slow window."""
        lanes = np.zeros(_LINE, np.uint16)
        lanes[[(self.minute - back) % MINUTES for back in range(self.minute % 15 + 1)]] = 0xFFFF
        quarter = self.minute // 15
        lanes[[MINUTES + (quarter - back) % QUARTERS for back in range(1, SLOW_QUARTERS + 1)]] = 0xFFFF
        return lanes.view(np.uint64)


class Buckets:
    """Two rows of 2^`bits` lines; a term has a line in each, and what they hold of it is the smaller."""

    def __init__(self, bits: int) -> None:
        self.lines = cache_lines(_LINE * (2 << bits), np.uint16).reshape(-1, _LINE)
        self._words = self.lines.view(np.uint64)
        self._means = self.lines.view(np.float32)
        self._size = 1 << bits
        self._mask = np.uint64(self._size - 1)
        self._used, self._lifted = np.zeros((2, self._size // 64), np.uint64)
        self._places, self._sorted = np.empty((2, CHUNK), np.uint32)

    def _row(self, second: bool) -> tuple[U16Array, U64Array, F32Array]:
        chosen = slice(self._size, None) if second else slice(self._size)
        return self.lines[chosen], self._words[chosen], self._means[chosen]

    def add(self, terms: U64Array, minute: int) -> None:
        """Count a use of each of at most `CHUNK` terms."""
        shift = np.uint32(part_shift(self._size))
        places, ordered = self._places[: len(terms)], self._sorted[: len(terms)]
        for second in (False, True):
            _place(terms, second, self._mask, places)
            sort_by_part(places, shift, ordered)
            _add(self._row(second)[0], ordered, minute)

    def close_quarter(self, last_minute: int, *, fold: bool, clip: bool, weight: float, floor_k: int) -> None:
        """The quarter hour that ends with `last_minute` is whole; see `_close_quarter`."""
        _close_quarter(
            self.lines, self._means, last_minute, fold, clip, np.float32(weight), np.float32(floor_k)
        )

    def forget_windows(self) -> None:
        """Empty all but the long means."""
        self.lines[:, :_BASE] = 0

    @property
    def means(self) -> F32Array:
        """The long mean of each line, uses a quarter hour: a view."""
        return self._means[:, _MEAN]

    def surprising(
        self, terms: U64Array, outlook: Outlook, warm: float
    ) -> tuple[I64Array, F32Array, F32Array]:
        """Which of `terms` (indices, ascending) are `warm` or more, the nats and the usual rate of each.

        That is its uses a minute in the reference, outside the mid window.
        """
        self._used[:] = 0
        _mark(terms, self._mask, self._used)
        masks = outlook.masks()
        _lift(*self._row(False), self._used, outlook.minute, masks, outlook.limits(), self._lifted)
        at = np.empty(len(terms), np.int64)
        at = at[: _marked(terms, self._mask, self._lifted, at)].copy()
        numbers, different = group(terms[at])
        nats, usual = self._judged(different, masks, outlook)[:, numbers]
        kept = nats >= warm
        return at[kept], nats[kept], usual[kept]

    def _judged(self, terms: U64Array, masks: U64Array, outlook: Outlook) -> F32Array:
        """The nats and the usual rate of each of `terms`: the smaller of its two lines, either time."""
        least = np.full((2, len(terms)), np.inf, np.float32)
        places, judged = np.empty(len(terms), np.uint32), np.empty((2, len(terms)))
        for second in (False, True):
            _place(terms, second, self._mask, places)
            _surprises(
                *self._row(second), places, outlook.minute, masks, outlook.quarters_seen,
                outlook.base_weight, outlook.exposures, outlook.expectant, outlook.floors, outlook.lift,
                *judged,
            )  # fmt: skip
            least = np.minimum(least, judged.astype(np.float32))
        return least
