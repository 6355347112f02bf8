"""The line's second strand: from counted rows, gaps and the clock to what is published of missing posts.

It joins the watch over the volumes (`detect`) with what may be told of them (`release`), and remembers which
sources it told to be late, so that the record of a silence is revised and not told twice. When records are
written is the business of `Line`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from groundswell.candidates import Gap
from groundswell.clock import MINUTE_US, SECOND_US, moment_us, rfc3339
from groundswell.detect import Watch
from groundswell.metrics import Metrics
from groundswell.published import Coverage, Record
from groundswell.release import (
    CoverageRelease,
    Marks,
    PublishKey,
    ReleaseSettings,
    gap_record,
    is_gap,
    shortfall_id,
)

__all__ = ["CoverageLine"]

log = structlog.get_logger("groundswell.coverage")


class CoverageLine:
    """Tells of gaps, of sources that are late, and of volumes that fell.

    Parameters
    ----------
    settings, key, metrics, marks
        As `Release`.
    """

    def __init__(self, settings: ReleaseSettings, key: PublishKey, metrics: Metrics, marks: Marks) -> None:
        self._watch = Watch(settings.k)
        self._release = CoverageRelease(settings, key, metrics, marks)
        self._marks = marks
        self._late: dict[str, Coverage] = {}
        self._heard_us = -1
        self._newest_us = -1

    def start(self, start_us: int) -> None:
        """The stream begins, or goes on after a leap, at `start_us`."""
        self._watch.start(start_us)

    def leap(self, time_us: int) -> None:
        """Nothing came for hours, until `time_us`."""
        self._watch.leap(time_us)

    def count(self, rows: pa.RecordBatch) -> None:
        """Count `ENRICHED` rows of the tick that is running."""
        self._watch.count(rows)

    def tick(self, now_us: int, *, judge: bool) -> list[Coverage]:
        """End the tick at `now_us`; with `judge` false everything is counted and nothing told."""
        shortfalls = self._watch.tick(now_us)
        return self._release.decide(shortfalls, now_us) if judge else []

    def heard(self, now_us: int) -> None:
        """Something has come, and it is `now_us` by the clock."""
        self._heard_us = now_us

    def late(self, now_us: int) -> list[Coverage]:
        """Nothing has come for a while, and it is `now_us` by the clock: the sources that are late now."""
        if self._heard_us < 0 or self._newest_us < 0:
            return []
        late = self._watch.late(now_us - self._heard_us, self._newest_us, now_us)
        records = self._release.decide([each for each in late if each.source not in self._late], now_us)
        for record in records:
            self._late[record.source] = record
            log.warning("nothing comes", source=record.source, since=record.first_seen)
        return records

    def come(self, times_us: npt.NDArray[np.int64]) -> list[Coverage]:
        """Posts of these times, one at least, have come: what was late is here, or a stretch is missing.

        Missing is a stretch that nobody told of as a gap.
        """
        self._newest_us = int(times_us[-1])
        records = []
        for source, record in list(self._late.items()):
            first_us = moment_us(record.first_seen)
            after = int(np.searchsorted(times_us, first_us + SECOND_US))
            if after == len(times_us):
                continue
            end_us = int(times_us[after])
            missing = end_us - first_us > MINUTE_US
            if missing:
                self._watch.excuse(source, first_us, end_us)
            records.append(
                msgspec.structs.replace(
                    record,
                    published_at=rfc3339(max(self._heard_us, end_us)),
                    state="not_collected" if missing else "restored",
                    reason="silent" if missing else "late",
                    last_seen=rfc3339(end_us) if missing else record.last_seen,
                    ongoing=False,
                )
            )
            del self._late[source]
        return records

    def gap(self, gap: Gap, last_tick_us: int | None) -> Coverage:
        """The record of a gap, under the id of the record that told of its silence, if one did."""
        late = self._late.pop(gap.source, None)
        began_us = self._watch.excuse(gap.source, gap.start_us, gap.end_us)
        told, tick_us = None, last_tick_us or gap.end_us
        if late is not None or began_us is not None:
            told = late.id if late else shortfall_id(gap.source, None, began_us or 0)
            tick_us = max(tick_us, gap.end_us, self._heard_us)  # newer than what it takes the place of
        log.warning("not collected", source=gap.source, reason=gap.reason)
        return gap_record(gap, tick_us, self._marks, told)

    def snapshot(self, end_us: int) -> bytes:
        """The volumes as of `end_us`, for `refill`."""
        return self._watch.snapshot(end_us)

    def refill(self, since_us: int, told: Iterable[Record], snapshot: bytes | None) -> None:
        """Go on after a restart: the source is rewound to `since_us`.

        `told` are the coverage records published since then, the last of each: gaps are not found again by
        reading again, and what was late when the last run ended may still be. `snapshot` is of the volumes.
        """
        self._watch.start(since_us)
        for record in told:
            assert isinstance(record, Coverage)
            if record.state == "delayed":
                self._late[record.source] = record
            elif is_gap(record):
                end_us = moment_us(record.last_seen) + SECOND_US
                self._watch.excuse(record.source, moment_us(record.first_seen), end_us)
        if snapshot is not None:
            self._watch.restore(snapshot, since_us)
