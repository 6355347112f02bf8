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
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.clock import MINUTE_US, QUARTER_US, SECOND_US
from groundswell.config import Settings
from groundswell.detect.buckets import MINUTES, QUARTERS, SLOW_QUARTERS, Buckets, Outlook
from groundswell.detect.columns import flat
from groundswell.detect.speakers import Speakers
from groundswell.detect.spreading import CHUNK

__all__ = ["Emissions", "RateSettings", "Rates", "Uses"]

U64Array = npt.NDArray[np.uint64]
F32Array = npt.NDArray[np.float32]
F64Array = npt.NDArray[np.float64]
I64Array = npt.NDArray[np.int64]


class Emissions(NamedTuple):
    """Every use of a term that was warm: all columns are (uses,)."""

    rows: I64Array
    """Of the batch, ascending."""
    terms: U64Array
    surprise: F32Array
    """Nats."""
    usual: F32Array
    """Uses a minute in the reference, before the last quarter hour."""


class Uses(NamedTuple):
    """The terms of some rows: `terms` (T,), `offsets` (P + 1,) into it, `speakers` (P,)."""

    terms: U64Array
    offsets: I64Array
    speakers: U64Array

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch]) -> Uses:
        """Those of at least one batch of `ENRICHED` rows; deletions have none."""
        lists = [flat(batch.column("terms")) for batch in batches]
        sizes = np.concatenate([np.diff(offsets) for _, offsets in lists])
        return cls(
            np.concatenate([terms for terms, _ in lists]).astype(np.uint64, copy=False),
            np.concatenate([[0], np.cumsum(sizes)]),
            np.concatenate([batch.column("speaker").to_numpy() for batch in batches]),
        )


class RateSettings(Settings, frozen=True, kw_only=True):
    """How much memory the rates take and what counts as surprising."""

    bits: Annotated[int, msgspec.Meta(ge=8, le=26)] = 20
    """log2 of the buckets in each of two rows; 20 takes 134 MB, 18 a quarter of it."""
    speaker_seconds: int = 900
    """A speaker counts once per term within this time."""
    speaker_bits: Annotated[int, msgspec.Meta(ge=8, le=28)] = 22
    """log2 of the entries of the table that remembers who used which term; 8 bytes each."""
    lift: float = 4.0
    """A rate must be this many times its baseline before it can surprise."""
    fast_floor: float = 0.35
    """Uses a term of no history is expected to have in the fast window."""
    mid_floor: float = 0.53
    slow_floor: float = 1.0
    warm: float = 8.0
    """Nats from which a term's use is worth remembering."""
    learn_minutes: Annotated[int, msgspec.Meta(ge=20)] = 30
    """Nothing surprises before so much was seen: the mid window, and five minutes to hold it against."""
    base_hours: float = 6.0
    """Time constant of the long baseline."""


class Rates:
    """Counts of distinct uses per hashed term over four windows, and their surprise.

    Feed ticks in stream-time order; `advance` moves the windows. All state is bounded by the settings.
    """

    def __init__(self, settings: RateSettings, floor_k: int) -> None:
        self._settings = settings
        self._floor_k = floor_k
        self._buckets = Buckets(settings.bits)
        self._base_quarters = 0.0
        self._speakers = Speakers(settings.speaker_bits, settings.speaker_seconds)
        self._posts = np.zeros((2, max(MINUTES, QUARTERS + 1)), np.int64)  # a minute, a quarter hour
        self._minute = -1
        self._quarter = -1
        self._first_quarter = -1
        self._start_us = -1
        self._now_us = -1

    def advance(self, time_us: int) -> None:
        """Move the windows to `time_us`."""
        minute, quarter = time_us // MINUTE_US, time_us // QUARTER_US
        self._now_us = time_us
        if self._minute < 0:
            self._start_us = time_us
            self._minute, self._quarter, self._first_quarter = minute, quarter, quarter
            return
        for now in range(max(self._minute + 1, minute - MINUTES), minute + 1):
            self._posts[0, now % MINUTES] = 0
        self._minute = minute
        if quarter > self._quarter:
            self._speakers.forget(time_us // SECOND_US)
        if quarter - self._quarter > QUARTERS:
            self._buckets.forget_windows()
            self._posts[1] = 0
            self._quarter = self._first_quarter = quarter
        for now in range(self._quarter + 1, quarter + 1):
            self._close(now)
        self._quarter = quarter

    def _close(self, quarter: int) -> None:
        """Begin `quarter`: the one before is whole, and the thirteenth before goes into the long mean."""
        fold = quarter - QUARTERS - 1 >= self._first_quarter
        keep = math.exp(-0.25 / self._settings.base_hours)
        self._buckets.close_quarter(
            15 * quarter - 1,
            fold=fold,
            clip=self._base_quarters >= 4.0,
            weight=1.0 / (1.0 + keep * self._base_quarters),
            floor_k=self._floor_k,
        )
        if fold:
            self._base_quarters = 1.0 + keep * self._base_quarters
        self._posts[1, quarter % (QUARTERS + 1)] = 0

    def observe(self, uses: Uses, now_us: int) -> Emissions:
        """Count the posts of one tick, which ends at `now_us` and lies within one minute.

        All are counted before any is judged, so their order does not matter. `advance` must have been called
        with the tick's start, by which uses are dated.
        """
        posts = np.count_nonzero(np.diff(uses.offsets))
        self._posts[0, self._minute % MINUTES] += posts
        self._posts[1, self._quarter % (QUARTERS + 1)] += posts
        for part in _chunks(uses):
            first = self._speakers.first_uses(*part, self._now_us // SECOND_US)
            self._buckets.add(first, self._minute)
        if (now_us - self._start_us) / MINUTE_US < self._settings.learn_minutes:
            none = np.empty(0, np.float32)
            return Emissions(np.empty(0, np.int64), np.empty(0, np.uint64), none, none)
        at, nats, usual = self._buckets.surprising(uses.terms, self._outlook(now_us), self._settings.warm)
        return Emissions(np.searchsorted(uses.offsets, at, side="right") - 1, uses.terms[at], nats, usual)

    def _outlook(self, now_us: int) -> Outlook:
        part = (now_us - self._minute * MINUTE_US) / MINUTE_US
        part_quarter = (now_us - self._quarter * QUARTER_US) / MINUTE_US
        lived = (now_us - self._start_us) / MINUTE_US
        exposures = np.array(
            [
                1.0 + part,
                min(15.0 + part, lived),
                min(15.0 * SLOW_QUARTERS + part_quarter, lived),
                min(15.0 * QUARTERS + part_quarter, lived),
            ]
        )
        settings = self._settings
        return Outlook(
            minute=self._minute,
            quarters_seen=min(self._quarter - self._first_quarter, QUARTERS),
            exposures=exposures,
            expectant=exposures[:3] * self._swell(exposures),
            floors=np.array([settings.fast_floor, settings.mid_floor, settings.slow_floor]),
            lift=settings.lift,
            base_weight=15.0 * min(self._base_quarters, 12.0),
        )

    def _swell(self, exposures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How much more is being posted in (fast, mid, slow) than before: at least 1.

        When the whole stream swells, every common word does; expecting that much more of each keeps them
        cool, while the words of what makes it swell have no history and stay hot.
        """
        minutes, quarters = self._posts
        now = self._minute % MINUTES
        fast = minutes[now] + minutes[now - 1]
        recent = [(self._quarter - back) % (QUARTERS + 1) for back in range(SLOW_QUARTERS + 1)]
        counts = np.array([fast, minutes[:MINUTES].sum(), quarters[recent].sum()], float)
        total = quarters[: QUARTERS + 1].sum()
        before = (total - counts + 1.0) / np.maximum(exposures[3] - exposures[:3], 1.0)
        swell = np.maximum(counts / np.maximum(exposures[:3], 0.1) / before, 1.0)
        return np.where(exposures[3] - exposures[:3] >= 15.0, swell, 1.0)

    def snapshot(self) -> tuple[I64Array, F32Array, float]:
        """The long baseline: filled buckets (flat index), their mean uses a quarter hour, quarters behind it.

        Buckets that fewer than k speakers filled are zero and so left out: no words, no accounts.
        """
        means = self._buckets.means
        filled = np.flatnonzero(means)
        return filled.astype(np.int64), means[filled], self._base_quarters

    def restore(self, filled: I64Array, means: F32Array, quarters: float) -> None:
        """Put a snapshot in place of the long baseline; the windows are left as they are."""
        self._buckets.means[:] = 0.0
        self._buckets.means[filled] = means
        self._base_quarters = quarters


def _chunks(uses: Uses) -> Iterator[Uses]:
    """The same uses, at most `CHUNK` at a time."""
    first = 0
    while first < len(uses.speakers):
        most = uses.offsets[first] + CHUNK
        last = max(int(np.searchsorted(uses.offsets, most, side="right")) - 1, first + 1)
        offsets = uses.offsets[first : last + 1]
        yield Uses(uses.terms[offsets[0] : offsets[-1]], offsets, uses.speakers[first:last])
        first = last
