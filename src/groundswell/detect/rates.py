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

from groundswell.clock import MINUTE_US, QUARTER_US, SECOND_US
from groundswell.config import Settings

__all__ = ["Emissions", "RateSettings", "Rates"]

_MINUTES = 16  # slots of the mid window: fifteen whole minutes and the running one
_QUARTERS = 12  # slots of the reference: whole quarter hours; the running one is in the minutes
_SLOW_QUARTERS = 4
_LINE = 32  # 16-bit numbers in a bucket's line: minutes, quarters, stamp, a spare one, the long mean
_STAMP = _MINUTES + _QUARTERS
_BASE = 30
_MEAN = _BASE // 2  # the same place in 32-bit numbers
_COARSE = np.uint32(1 << 15)
_WAYS = 8
_CLOCK = (1 << 20) - 1  # seconds a speaker's use is dated in, twelve days round
_BLOCK = 256

U64Array = npt.NDArray[np.uint64]
F32Array = npt.NDArray[np.float32]
I64Array = npt.NDArray[np.int64]
Emissions = tuple[I64Array, U64Array, F32Array]
"""Rows of the batch, terms, and surprise in nats, for every use of a term that was warm."""


class RateSettings(Settings, frozen=True, kw_only=True):
    """How much memory the rates take and what counts as surprising."""

    bits: int = 20
    """log2 of the buckets in each of two rows; 20 takes 134 MB, 18 a quarter of it."""
    speaker_seconds: int = 900
    """A speaker counts once per term within this time."""
    speaker_bits: int = 22
    """log2 of the entries of the table that remembers who used which term; 8 bytes each."""
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
        for back in range(min(behind, _MINUTES)):
            lines[at, (minute - back) % _MINUTES] = 0
        lines[at, _STAMP] = minute & 0xFFFF


@njit(cache=True, nogil=True)
def _close_quarter(
    lines: Any, means: Any, last_minute: int, fold: bool, clip: bool, weight: Any, floor_k: Any
) -> None:
    """Write the minutes of the quarter hour that ends with `last_minute` over the oldest of the twelve.

    That one leaves for the long mean if `fold`. Buckets under k uses in it count as empty there; `clip`
    winsorises at mean + 3 sqrt(mean) + k, so that a burst cannot become its own baseline.
    """
    slot = _MINUTES + (last_minute // 15) % _QUARTERS
    for at in range(lines.shape[0]):
        used = np.uint32(0)
        for i in range(_MINUTES):
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
                count += np.uint32(lines[at, (last_minute - back) % _MINUTES])
        lines[at, slot] = _code(count)


@njit(cache=True, nogil=True)
def _forget_speakers(seen: Any, now: int, speaker_seconds: int) -> None:
    for at in range(seen.shape[0]):
        if (now - np.int64(seen[at] & np.uint64(_CLOCK))) & _CLOCK > speaker_seconds:
            seen[at] = 0


@njit(inline="always")
def _is_new(seen: Any, first: Any, key: Any, now: Any, speaker_seconds: Any) -> Any:
    """Note that a speaker used a term; whether they had not for `speaker_seconds`.

    An entry is 44 bits of `key` and the second of the last use; a set of eight fills one cache line, and the
    entry not used for longest gives way.
    """
    tag = key >> np.uint64(20)
    slot, oldest = first, np.int64(-1)
    for way in range(first, first + _WAYS):
        entry = seen[way]
        age = (now - np.int64(entry & np.uint64(_CLOCK))) & _CLOCK
        if entry == 0:
            age = np.int64(_CLOCK + 1)
        elif entry >> np.uint64(20) == tag:
            seen[way] = (tag << np.uint64(20)) | np.uint64(now & _CLOCK)
            return age > speaker_seconds
        if age > oldest:
            slot, oldest = way, age
    seen[slot] = (tag << np.uint64(20)) | np.uint64(now & _CLOCK)
    return True


@njit(inline="always")
def _surprise(
    lines: Any, means: Any, at: Any, minute: Any, running: Any, recent: Any, quarters_seen: Any,
    base_weight: Any, exposures: Any, expectant: Any, floors: Any, lift: Any,
) -> Any:  # fmt: skip
    """Nats by which one bucket's windows surpass what is expected of them."""
    mid, now = np.uint32(0), np.uint32(0)
    for i in range(_MINUTES):
        mid += np.uint32(lines[at, i])
        now += np.uint32(lines[at, i]) * running[i]
    whole, lately = np.uint32(0), np.uint32(0)
    for i in range(_QUARTERS):
        count = _whole(np.uint32(lines[at, _MINUTES + i]))
        whole += count
        lately += count * recent[i]
    in_slow = np.float64(now) + np.float64(lately)
    if in_slow < 3.0:
        return 0.0
    in_mid = np.float64(mid)
    in_total = np.float64(now) + np.float64(whole)
    in_fast = np.float64(lines[at, minute % _MINUTES]) + np.float64(lines[at, (minute - 1) % _MINUTES])
    long_count = np.float64(means[at, _MEAN]) * base_weight / 15.0
    rate = (in_total - in_mid + long_count) / max(exposures[3] - exposures[1] + base_weight, 5.0)
    size = 4.0
    if rate >= 1.0 and quarters_seen >= 4:
        square = 0.0
        for back in range(quarters_seen):
            slot = _MINUTES + (minute // 15 - 1 - back) % _QUARTERS
            count_back = np.float64(_whole(np.uint32(lines[at, slot])))
            square += count_back * count_back
        mean = np.float64(whole) / quarters_seen
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
    return best


@njit(cache=True, nogil=True)
def _observe(
    terms: Any, owners: Any, speakers: Any, seconds: Any, learning: bool, minute: int, quarters_seen: int,
    lines: Any, means: Any, base_weight: float, seen: Any, exposures: Any, expectant: Any, floors: Any,
    lift: float, warm: float, speaker_seconds: int, out_rows: Any, out_terms: Any, out_surprise: Any,
) -> Any:  # fmt: skip
    """Count each speaker's use of each term and emit the uses that surprise.

    `exposures` are the minutes behind (fast, mid, slow, reference), `expectant` the first three scaled by how
    the whole stream swells; `floors` the expected uses of a term without history. The tables are far larger
    than the caches, so the lines of a block are all asked for before the first is needed.
    """
    buckets = lines.shape[0] // 2
    bucket_mask = np.uint64(buckets - 1)
    set_mask = np.uint64(seen.shape[0] // _WAYS - 1)
    golden = np.uint64(0x9E3779B97F4A7C15)
    running = np.zeros(_MINUTES, np.uint32)
    for back in range(minute % 15 + 1):
        running[(minute - back) % _MINUTES] = 1
    recent = np.zeros(_QUARTERS, np.uint32)
    for back in range(1, _SLOW_QUARTERS + 1):
        recent[(minute // 15 - back) % _QUARTERS] = 1
    keys = np.empty(_BLOCK, np.uint64)
    sets, ones, twos = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64)
    asked = np.uint64(0)
    emitted = 0
    for begin in range(0, terms.shape[0], _BLOCK):
        size = min(_BLOCK, terms.shape[0] - begin)
        for i in range(size):
            term = terms[begin + i]
            keys[i] = _mix(term ^ (speakers[owners[begin + i]] * golden))
            sets[i] = np.int64(keys[i] & set_mask) * _WAYS
            hashed = _mix(term + np.uint64(1))
            ones[i] = np.int64(hashed & bucket_mask)
            twos[i] = buckets + np.int64(_mix(hashed + golden + np.uint64(1)) & bucket_mask)
            asked += seen[sets[i]] + np.uint64(lines[ones[i], 0]) + np.uint64(lines[twos[i], 0])
        for i in range(size):
            row = owners[begin + i]
            new = _is_new(seen, sets[i], keys[i], seconds[row], speaker_seconds)
            surprise = 1e9
            for at in (ones[i], twos[i]):
                _freshen(lines, at, minute)
                if new and lines[at, minute % _MINUTES] < 65535:
                    lines[at, minute % _MINUTES] += 1
                if learning:
                    surprise = 0.0
                elif surprise >= warm:
                    surprise = min(
                        surprise,
                        _surprise(
                            lines, means, at, minute, running, recent, quarters_seen,
                            base_weight, exposures, expectant, floors, lift,
                        ),
                    )  # fmt: skip
            if surprise >= warm and emitted < out_rows.shape[0]:
                out_rows[emitted] = row
                out_terms[emitted] = terms[begin + i]
                out_surprise[emitted] = surprise
                emitted += 1
    return emitted, asked


def _aligned(rows: int) -> npt.NDArray[np.uint16]:
    """`rows` empty lines, each of them one cache line."""
    room = np.zeros((rows + 1) * _LINE, np.uint16)
    skip = -room.ctypes.data % (2 * _LINE) // 2
    return room[skip : skip + rows * _LINE].reshape(rows, _LINE)


class Rates:
    """Counts of distinct uses per hashed term over four windows, and their surprise.

    Feed posts in stream-time order; `advance` moves the windows. All state is bounded by the settings.
    A line of 64 bytes is one bucket: sixteen minutes, twelve whole quarter hours, the minute up to which it
    is current, and the long mean. The sums of the windows are not kept: adding up a line costs less than
    fetching another.
    """

    def __init__(self, settings: RateSettings, floor_k: int) -> None:
        self._settings = settings
        self._floor_k = floor_k
        self._lines = _aligned(2 << settings.bits)
        self._means = self._lines.view(np.float32)
        self._base_quarters = 0.0
        self._seen = np.zeros(1 << settings.speaker_bits, np.uint64)
        self._posts = np.zeros((2, max(_MINUTES, _QUARTERS + 1)), np.int64)  # a minute, a quarter hour
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
            self._posts[0, now % _MINUTES] = 0
        self._minute = minute
        if quarter > self._quarter:
            _forget_speakers(self._seen, time_us // SECOND_US, self._settings.speaker_seconds)
        if quarter - self._quarter > _QUARTERS:
            self._lines[:, :_BASE] = 0
            self._posts[1] = 0
            self._quarter = self._first_quarter = quarter
        for now in range(self._quarter + 1, quarter + 1):
            self._close(now)
        self._quarter = quarter

    def _close(self, quarter: int) -> None:
        """Begin `quarter`: the one before is whole, and the thirteenth before goes into the long mean."""
        fold = quarter - _QUARTERS - 1 >= self._first_quarter
        keep = math.exp(-0.25 / self._settings.base_hours)
        weight = 1.0 / (1.0 + keep * self._base_quarters)
        _close_quarter(
            self._lines, self._means, 15 * quarter - 1, fold, self._base_quarters >= 4.0,
            np.float32(weight), np.float32(self._floor_k),
        )  # fmt: skip
        if fold:
            self._base_quarters = 1.0 + keep * self._base_quarters
        self._posts[1, quarter % (_QUARTERS + 1)] = 0

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
        self._posts[1, self._quarter % (_QUARTERS + 1)] += len(speakers)
        part = (now_us - self._minute * MINUTE_US) / MINUTE_US
        part_quarter = (now_us - self._quarter * QUARTER_US) / MINUTE_US
        lived = (now_us - self._start_us) / MINUTE_US
        quarters_seen = min(self._quarter - self._first_quarter, _QUARTERS)
        exposures = np.array(
            [
                1.0 + part,
                min(15.0 + part, lived),
                min(15.0 * _SLOW_QUARTERS + part_quarter, lived),
                min(15.0 * _QUARTERS + part_quarter, lived),
            ]
        )
        expectant = exposures[:3] * self._swell(exposures)
        settings = self._settings
        emitted, _ = _observe(
            terms, np.repeat(np.arange(len(speakers)), np.diff(offsets)), speakers, times_us // SECOND_US,
            lived < settings.learn_minutes, self._minute, quarters_seen, self._lines, self._means,
            15.0 * min(self._base_quarters, 12.0), self._seen, exposures, expectant,
            np.array([settings.fast_floor, settings.mid_floor, settings.slow_floor]),
            settings.lift, settings.warm, settings.speaker_seconds, *self._out,
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
        recent = [(self._quarter - back) % (_QUARTERS + 1) for back in range(_SLOW_QUARTERS + 1)]
        counts = np.array([fast, minutes[:_MINUTES].sum(), quarters[recent].sum()], float)
        total = quarters[: _QUARTERS + 1].sum()
        before = (total - counts + 1.0) / np.maximum(exposures[3] - exposures[:3], 1.0)
        swell = np.maximum(counts / np.maximum(exposures[:3], 0.1) / before, 1.0)
        return np.where(exposures[3] - exposures[:3] >= 15.0, swell, 1.0)

    def snapshot(self) -> tuple[I64Array, F32Array, float]:
        """The long baseline: filled buckets (flat index), their mean uses a quarter hour, quarters behind it.

        Buckets that fewer than k speakers filled are zero and so left out: no words, no accounts.
        """
        means = self._means[:, _MEAN]
        filled = np.flatnonzero(means)
        return filled.astype(np.int64), means[filled], self._base_quarters

    def restore(self, filled: I64Array, means: F32Array, quarters: float) -> None:
        """Put a snapshot in place of the long baseline; the windows are left as they are."""
        self._means[:, _MEAN] = 0.0
        self._means[filled, _MEAN] = means
        self._base_quarters = quarters
