"""Owns what is published of missing posts: gaps as sources tell them, shortfalls as their volumes do.

A shortfall names a language, or a source, only where a usual quarter hour of it reaches the ladder's secret
threshold of the first rung; whether anything at all still comes is told of whole sources only. So the silence
of a few is never told, nor that one of them still speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from groundswell.candidates import Gap, Shortfall
from groundswell.clock import rfc3339
from groundswell.drops import Refusal
from groundswell.metrics import Metrics
from groundswell.published import Coverage
from groundswell.release.floor import ReleaseSettings
from groundswell.release.ladder import Ladder
from groundswell.release.publish_key import PublishKey
from groundswell.release.release import Marks

__all__ = ["CoverageRelease", "gap_record", "is_gap", "shortfall_id"]

_GAP_REASONS = frozenset({"outage", "cursor_too_old", "slow_reader"})


class CoverageRelease:
    """Decides what of shortfalls is published. Holds no state.

    Parameters
    ----------
    settings, key, metrics, marks
        As `Release`.
    """

    def __init__(self, settings: ReleaseSettings, key: PublishKey, metrics: Metrics, marks: Marks) -> None:
        self._ladder = Ladder(key, settings.k)
        self._metrics = metrics
        self._marks = marks

    def decide(self, shortfalls: Sequence[Shortfall], tick_us: int) -> list[Coverage]:
        """The records of those `shortfalls` that may be told of."""
        records = []
        for shortfall in shortfalls:
            series = f"coverage\x1f{shortfall.source}\x1f{shortfall.language or ''}"
            if self._ladder.rung(shortfall.speakers, series) is None:
                self._metrics.release_refused.labels(Refusal.BELOW_FLOOR).inc()
                continue
            records.append(_record(shortfall, tick_us, self._marks))
            self._metrics.release_records.labels("coverage").inc()
        return records


def gap_record(gap: Gap, tick_us: int, marks: Marks = Marks(), id: str | None = None) -> Coverage:  # noqa: B008
    """What was not collected, as a record: the same gap has the same id.

    `id` is that of the record which told of the silence before it was known to be a gap.
    """
    start, end = rfc3339(gap.start_us), rfc3339(gap.end_us)
    return Coverage(
        id=id or f"gap-{gap.source}-{start}",
        source=gap.source,
        first_seen=start,
        last_seen=end,
        published_at=rfc3339(tick_us),
        state="not_collected",
        reason=gap.reason if gap.reason in _GAP_REASONS else "outage",
        simulated=marks.simulated,
        replayed=marks.replayed,
    )


def is_gap(record: Coverage) -> bool:
    """Whether `record` tells of a stretch whose end was known when it was told: nothing follows from it."""
    closed = record.state == "not_collected" and not record.ongoing
    return closed and (record.reason in _GAP_REASONS or record.reason == "silent")


def shortfall_id(source: str, language: str | None, first_us: int) -> str:
    """The same for every revision of one shortfall."""
    return "-".join(("quiet", source, *((language,) if language else ()), rfc3339(first_us)))


def _record(shortfall: Shortfall, tick_us: int, marks: Marks) -> Coverage:
    return Coverage(
        id=shortfall_id(shortfall.source, shortfall.language, shortfall.first_us),
        source=shortfall.source,
        language=shortfall.language,
        first_seen=rfc3339(shortfall.first_us),
        last_seen=rfc3339(shortfall.last_us),
        published_at=rfc3339(tick_us),
        state=_state(shortfall),
        reason="late" if shortfall.phase == "late" else "silent" if shortfall.nothing else "low_volume",
        ongoing=shortfall.phase in ("open", "late"),
        simulated=marks.simulated,
        replayed=marks.replayed,
    )


def _state(shortfall: Shortfall) -> Literal["not_collected", "below_expected", "delayed", "restored"]:
    if shortfall.phase == "late":
        return "delayed"
    if shortfall.phase == "restored":
        return "restored"
    return "not_collected" if shortfall.nothing else "below_expected"
