"""How often is each term used, and how surprising is that? Counts per hashed bucket, in fixed memory.

Everything here is a function of the last few hours of posts and of the snapshot they started from: windows
are sums of whole slots (integers, no decay), so that replaying the same posts gives the same numbers, bit
for bit. That is what lets a crashed run rebuild itself from its source (see `docs/architecture.md`).

    |<-------------- reference: 3 h --------------->|
                                  |<-- slow: 1 h -->|
                                        |<- 15 min->|  mid
                                              |1-2 m|  fast
    ... older: `base`, an exponential mean over quarter hours in which at least k speakers used the bucket

The reference leaves the tested window out, so that a burst does not teach itself into its own baseline.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.clock import MINUTE_US, QUARTER_US
from groundswell.config import Settings

__all__ = ["Emissions", "RateSettings", "Rates"]

_MINUTES = 16  # slots of the mid window: fifteen whole minutes and the running one
_QUARTERS = 13  # slots of the reference: twelve whole quarter hours and the running one
_SLOW_QUARTERS = 4
_DEDUP_WAYS = 4

U64Array = npt.NDArray[np.uint64]
F32Array = npt.NDArray[np.float32]
I64Array = npt.NDArray[np.int64]
Emissions = tuple[I64Array, U64Array, F32Array]
"""Rows of the batch, terms, and surprise in nats, for every use of a term that was warm."""


class RateSettings(Settings, frozen=True, kw_only=True):
    """How much memory the rates take and what counts as surprising."""

    bits: int = 20
    """log2 of the buckets in each of two rows; 20 takes about 150 MB, 18 about 40 MB."""
    speaker_seconds: int = 900
    """A speaker counts once per term within this time."""
    speaker_bits: int = 21
    """log2 of the entries of the table that remembers who used which term; 16 bytes each."""
    lift: float = 4.0
    """A rate must be this many times its baseline before it can surprise."""
    fast_floor: float = 0.35
    """Uses a term of no history is expected to have in the fast window."""
    mid_floor: float = 0.53
    slow_floor: float = 1.0
    warm: float = 8.0
    """Nats from which a term's use is worth remembering."""
    learn_minutes: int = 30
    """Nothing surprises before this much time was seen."""
    base_hours: float = 6.0
    """Time constant of the long baseline."""


@njit(inline="always")
def _mix(h: Any) -> Any:
    """The finaliser of MurmurHash3 (Appleby), a bijection on 64 bits."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return h


@njit(inline="always")
def _deviance(x: float, expected: float, size: float) -> float:
    """Negative-binomial deviance of `x` around `expected`, in nats; `size` is the dispersion r."""
    if x <= expected:
        return 0.0
    value = x * math.log(x / expected) - (x + size) * math.log((x + size) / (expected + size))
    return max(value, 0.0)


@njit(cache=True, nogil=True)
def _observe(
    terms: Any, offsets: Any, speakers: Any, seconds: Any, learning: bool,
    minute_slot: int, last_minute_slot: int, quarter_slot: int, quarters_seen: int,
    minutes: Any, mid: Any, quarters: Any, slow: Any, total: Any, base: Any, base_weight: float,
    tags: Any, times: Any, exposures: Any, expectant: Any, floors: Any, limits: Any,
    out_rows: Any, out_terms: Any, out_surprise: Any,
) -> int:  # fmt: skip
    """Count each speaker's use of each term and emit the uses that surprise.

    `exposures` are the minutes behind (fast, mid, slow, reference), `expectant` the first three scaled by how
    the whole stream swells; `floors` the expected uses of a term without history; `limits` (lift, warm,
    speaker seconds).
    """
    bucket_mask = np.uint64(mid.shape[1] - 1)
    set_mask = np.uint64(tags.shape[0] // _DEDUP_WAYS - 1)
    lift, warm, speaker_seconds = limits[0], limits[1], limits[2]
    emitted = 0
    for row in range(speakers.shape[0]):
        now = seconds[row]
        for i in range(offsets[row], offsets[row + 1]):
            term = terms[i]
            key = _mix(term ^ (speakers[row] * np.uint64(0x9E3779B97F4A7C15)))
            first: Any = np.int64(key & set_mask) * _DEDUP_WAYS
            slot: Any = first
            known = False
            for way in range(first, first + _DEDUP_WAYS):
                if tags[way] == key:
                    slot = way
                    known = now - times[way] <= speaker_seconds
                    break
                if times[way] < times[slot]:
                    slot = way
            tags[slot] = key
            times[slot] = now
            surprise: Any = np.float64(1e9)
            hashed = term
            for r in range(2):
                hashed = _mix(hashed + np.uint64(r) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1))
                bucket = np.int64(hashed & bucket_mask)
                if (
                    not known
                    and minutes[r, minute_slot, bucket] < 65535
                    and quarters[r, quarter_slot, bucket] < 65535
                ):
                    minutes[r, minute_slot, bucket] += np.uint16(1)
                    quarters[r, quarter_slot, bucket] += np.uint16(1)
                    mid[r, bucket] += np.uint32(1)
                    slow[r, bucket] += np.uint32(1)
                    total[r, bucket] += np.uint32(1)
                in_mid = np.float64(mid[r, bucket])
                in_slow = np.float64(slow[r, bucket])
                if learning or in_slow < 3.0:
                    surprise = 0.0
                    continue
                in_total = np.float64(total[r, bucket])
                in_fast = np.float64(minutes[r, minute_slot, bucket]) + np.float64(
                    minutes[r, last_minute_slot, bucket]
                )
                long_count = np.float64(base[r, bucket]) * base_weight / 15.0
                rate = (in_total - in_mid + long_count) / max(exposures[3] - exposures[1] + base_weight, 5.0)
                size: Any = 4.0
                if rate >= 1.0 and quarters_seen >= 4:
                    square = 0.0
                    for q in range(quarters_seen):
                        back = (quarter_slot - 1 - q) % _QUARTERS
                        count = np.float64(quarters[r, back, bucket])
                        square += count * count
                    mean = (in_total - np.float64(quarters[r, quarter_slot, bucket])) / quarters_seen
                    variance = square / quarters_seen - mean * mean
                    size = 1e6
                    if variance > mean * 1.05:
                        size = max(mean * mean / (variance - mean), 0.5)
                best = 0.0
                expected = rate * expectant[0] + floors[0]
                if in_fast >= lift * expected:
                    best = _deviance(2.0 * in_fast, 2.0 * expected, 2.0 * size)
                expected = rate * expectant[1] + floors[1]
                if in_mid >= lift * expected:
                    best = max(best, _deviance(2.0 * in_mid, 2.0 * expected, 2.0 * size))
                before_slow = exposures[3] - exposures[2] + base_weight
                if before_slow >= 45.0:
                    expected = (in_total - in_slow + long_count) / before_slow * expectant[2] + floors[2]
                    if in_slow >= lift * expected:
                        best = max(best, _deviance(2.0 * in_slow, 2.0 * expected, 2.0 * size))
                surprise = min(surprise, best)
            if surprise >= warm and emitted < out_rows.shape[0]:
                out_rows[emitted] = row
                out_terms[emitted] = term
                out_surprise[emitted] = surprise
                emitted += 1
    return emitted


class Rates:
    """Counts of distinct uses per hashed term over four windows, and their surprise.

    Feed posts in stream-time order; `advance` moves the windows. All state is bounded by the settings.
    """

    def __init__(self, settings: RateSettings, floor_k: int) -> None:
        buckets = 1 << settings.bits
        self._settings = settings
        self._floor_k = floor_k
        self._minutes = np.zeros((2, _MINUTES, buckets), np.uint16)
        self._quarters = np.zeros((2, _QUARTERS, buckets), np.uint16)
        self._mid = np.zeros((2, buckets), np.uint32)
        self._slow = np.zeros((2, buckets), np.uint32)
        self._total = np.zeros((2, buckets), np.uint32)
        self._base = np.zeros((2, buckets), np.float32)
        self._base_quarters = 0.0
        self._tags = np.zeros(1 << settings.speaker_bits, np.uint64)
        self._times = np.full(1 << settings.speaker_bits, -(2**40), np.int64)
        self._posts = np.zeros((2, max(_MINUTES, _QUARTERS)), np.int64)  # a minute, a quarter hour
        self._minute = -1
        self._quarter = -1
        self._first_quarter = -1
        self._start_us = -1
        self._out = self._buffers(1 << 16)

    @staticmethod
    def _buffers(size: int) -> Emissions:
        return np.empty(size, np.int64), np.empty(size, np.uint64), np.empty(size, np.float32)

    def advance(self, time_us: int) -> None:
        """Move the windows to `time_us`."""
        minute, quarter = time_us // MINUTE_US, time_us // QUARTER_US
        if self._minute < 0:
            self._start_us = time_us
            self._minute, self._quarter, self._first_quarter = minute, quarter, quarter
            return
        for now in range(max(self._minute + 1, minute - _MINUTES), minute + 1):
            slot = now % _MINUTES
            self._mid -= self._minutes[:, slot]
            self._minutes[:, slot] = 0
            self._posts[0, slot] = 0
        self._minute = minute
        if quarter - self._quarter >= _QUARTERS:
            for array in (self._quarters, self._slow, self._total, self._posts[1]):
                array[:] = 0
            self._quarter = self._first_quarter = quarter
        for now in range(max(self._quarter + 1, quarter - _QUARTERS), quarter + 1):
            slot = now % _QUARTERS
            leaving = self._quarters[:, slot]
            if now - _QUARTERS >= self._first_quarter:
                self._fold(leaving)
            self._total -= leaving
            leaving[:] = 0
            self._posts[1, slot] = 0
            self._slow -= self._quarters[:, (now - _SLOW_QUARTERS - 1) % _QUARTERS]
        self._quarter = quarter

    def _fold(self, counts: npt.NDArray[np.uint16]) -> None:
        """Take a quarter hour into the long mean; buckets under k speakers in it count as empty.

        Winsorised at mean + 3 sqrt(mean) + k, so that a burst cannot become its own baseline.
        """
        keep = math.exp(-0.25 / self._settings.base_hours)
        weight = 1.0 / (1.0 + keep * self._base_quarters)
        filled = np.where(counts >= self._floor_k, counts, 0).astype(np.float32)
        if self._base_quarters >= 4.0:
            np.minimum(filled, self._base + 3.0 * np.sqrt(self._base) + self._floor_k, out=filled)
        self._base += np.float32(weight) * (filled - self._base)
        self._base_quarters = 1.0 + keep * self._base_quarters

    def observe(
        self, terms: U64Array, offsets: I64Array, speakers: U64Array, times_us: I64Array, now_us: int
    ) -> Emissions:
        """Count the posts of one tick, which ends at `now_us` and lies within one minute.

        Shapes: `terms` (T,), `offsets` (P + 1,) into it, `speakers` and `times_us` (P,). `advance` must
        have been called with the tick's start.
        """
        if len(terms) > len(self._out[0]):
            self._out = self._buffers(int(len(terms) * 1.5))
        self._posts[0, self._minute % _MINUTES] += len(speakers)
        self._posts[1, self._quarter % _QUARTERS] += len(speakers)
        part = (now_us - self._minute * MINUTE_US) / MINUTE_US
        part_quarter = (now_us - self._quarter * QUARTER_US) / MINUTE_US
        lived = (now_us - self._start_us) / MINUTE_US
        quarters_seen = min(self._quarter - self._first_quarter, _QUARTERS - 1)
        exposures = np.array(
            [
                1.0 + part,
                min(15.0 + part, lived),
                min(15.0 * _SLOW_QUARTERS + part_quarter, lived),
                min(15.0 * (_QUARTERS - 1) + part_quarter, lived),
            ]
        )
        expectant = exposures[:3] * self._swell(exposures)
        settings = self._settings
        emitted = _observe(
            terms, offsets, speakers, times_us // 1_000_000, lived < settings.learn_minutes,
            self._minute % _MINUTES, (self._minute - 1) % _MINUTES, self._quarter % _QUARTERS, quarters_seen,
            self._minutes, self._mid, self._quarters, self._slow, self._total, self._base,
            15.0 * min(self._base_quarters, 12.0), self._tags, self._times, exposures, expectant,
            np.array([settings.fast_floor, settings.mid_floor, settings.slow_floor]),
            np.array([settings.lift, settings.warm, float(settings.speaker_seconds)]), *self._out,
        )  # fmt: skip
        rows, emitted_terms, surprise = self._out
        return rows[:emitted].copy(), emitted_terms[:emitted].copy(), surprise[:emitted].copy()

    def _swell(self, exposures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How much more is being posted in (fast, mid, slow) than before: at least 1.

        When the whole stream swells, every common word does; expecting that much more of each keeps them
        cool, while the words of what makes it swell have no history and stay hot.
        """
        minutes, quarters = self._posts
        now = self._minute % _MINUTES
        fast = minutes[now] + minutes[now - 1]
        recent = [(self._quarter - back) % _QUARTERS for back in range(_SLOW_QUARTERS + 1)]
        counts = np.array([fast, minutes[:_MINUTES].sum(), quarters[recent].sum()], float)
        total = quarters[:_QUARTERS].sum()
        before = (total - counts + 1.0) / np.maximum(exposures[3] - exposures[:3], 1.0)
        swell = np.maximum(counts / np.maximum(exposures[:3], 0.1) / before, 1.0)
        return np.where(exposures[3] - exposures[:3] >= 15.0, swell, 1.0)

    def snapshot(self) -> tuple[I64Array, F32Array, float]:
        """The long baseline: filled buckets (flat index), their mean uses a quarter hour, quarters behind it.

        Buckets that fewer than k speakers filled are zero and so left out: no words, no accounts.
        """
        flat = self._base.ravel()
        filled = np.flatnonzero(flat)
        return filled.astype(np.int64), flat[filled].copy(), self._base_quarters

    def restore(self, filled: I64Array, means: F32Array, quarters: float) -> None:
        """Put a snapshot in place of the long baseline; the windows are left as they are."""
        self._base[:] = 0.0
        self._base.ravel()[filled] = means
        self._base_quarters = quarters
