"""What is told of missing posts names no language of a few, and says of nobody that they still speak."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from groundswell.candidates import Gap, Shortfall
from groundswell.clock import HOUR_US
from groundswell.metrics import Metrics
from groundswell.published import Coverage, Record
from groundswell.release import (
    CoverageRelease,
    Ladder,
    Marks,
    PublishKey,
    ReleaseSettings,
    gap_record,
    is_gap,
    shortfall_id,
)

NOON_US = 1_777_636_800_000_000
KEY = PublishKey(bytes(range(32)))


def shortfall(**changes: Any) -> Shortfall:
    fields: dict[str, Any] = {
        "source": "plaza",
        "language": "tur_Latn",
        "first_us": NOON_US,
        "last_us": NOON_US + HOUR_US,
        "speakers": 40,
        "nothing": False,
        "phase": "open",
    }
    return Shortfall(**(fields | changes))


def decide(*shortfalls: Shortfall, metrics: Metrics | None = None) -> list[Coverage]:
    release = CoverageRelease(ReleaseSettings(), KEY, metrics or Metrics(), Marks(replayed=True))
    return release.decide(shortfalls, NOON_US + 2 * HOUR_US)


def test_a_shortfall_is_published_with_its_language() -> None:
    (record,) = decide(shortfall())
    assert msgspec.to_builtins(record) == {
        "kind": "coverage",
        "id": "quiet-plaza-tur_Latn-2026-05-01T12:00:00Z",
        "source": "plaza",
        "language": "tur_Latn",
        "first_seen": "2026-05-01T12:00:00Z",
        "last_seen": "2026-05-01T13:00:00Z",
        "published_at": "2026-05-01T14:00:00Z",
        "state": "below_expected",
        "reason": "low_volume",
        "ongoing": True,
        "simulated": False,
        "replayed": True,
    }


@pytest.mark.parametrize(
    ("phase", "nothing", "state", "reason", "ongoing"),
    [
        ("open", True, "not_collected", "silent", True),
        ("open", False, "below_expected", "low_volume", True),
        ("late", True, "delayed", "late", True),
        ("restored", True, "restored", "silent", False),
        ("restored", False, "restored", "low_volume", False),
        ("lapsed", True, "not_collected", "silent", False),
    ],
)
def test_every_phase_has_its_state(phase: Any, nothing: bool, state: str, reason: str, ongoing: bool) -> None:
    (record,) = decide(shortfall(language=None, phase=phase, nothing=nothing))
    assert (record.state, record.reason, record.ongoing) == (state, reason, ongoing)
    assert record.id == shortfall_id("plaza", None, NOON_US) == "quiet-plaza-2026-05-01T12:00:00Z"


def test_a_language_is_named_from_the_ladder_s_secret_threshold_on() -> None:
    threshold = Ladder(KEY, 20).threshold("coverage\x1fplaza\x1ftur_Latn", 20)
    metrics = Metrics()
    assert decide(shortfall(speakers=threshold - 1), metrics=metrics) == []
    assert metrics.registry.get_sample_value(
        "groundswell_release_refused_candidates_total", {"reason": "below_floor"}
    )
    assert len(decide(shortfall(speakers=threshold), metrics=metrics)) == 1
    assert metrics.registry.get_sample_value("groundswell_release_records_total", {"kind": "coverage"}) == 1


@pytest.mark.parametrize("language", [None, "isl_Latn"])
def test_nothing_is_told_of_fewer_than_k(language: str | None) -> None:
    assert decide(*(shortfall(language=language, speakers=speakers) for speakers in range(20))) == []


def test_a_gap_is_published_as_a_gap_under_the_same_id_each_time() -> None:
    gap = Gap(source="plaza", start_us=NOON_US, end_us=NOON_US + HOUR_US, reason="outage")
    record: Record = gap_record(gap, NOON_US + 2 * HOUR_US, Marks(replayed=True))
    assert msgspec.to_builtins(record) == {
        "kind": "coverage",
        "id": "gap-plaza-2026-05-01T12:00:00Z",
        "source": "plaza",
        "language": None,
        "first_seen": "2026-05-01T12:00:00Z",
        "last_seen": "2026-05-01T13:00:00Z",
        "published_at": "2026-05-01T14:00:00Z",
        "state": "not_collected",
        "reason": "outage",
        "ongoing": False,
        "simulated": False,
        "replayed": True,
    }


def test_a_host_s_own_words_never_become_a_reason() -> None:
    gap = Gap(source="plaza", start_us=0, end_us=1, reason="503 from someone.example")
    assert gap_record(gap, 2).reason == "outage"


def test_what_is_over_when_it_is_told_is_a_gap() -> None:
    gap = gap_record(Gap(source="plaza", start_us=0, end_us=1, reason="outage"), 2)
    assert is_gap(gap)
    assert not any(map(is_gap, decide(shortfall(language=None, nothing=True), shortfall(phase="restored"))))


def test_records_of_before_are_still_read() -> None:
    old = (
        b'{"kind":"coverage","id":"gap-plaza-2026-05-01T12:00:00Z","source":"plaza",'
        b'"first_seen":"2026-05-01T12:00:00Z","last_seen":"2026-05-01T13:00:00Z",'
        b'"published_at":"2026-05-01T14:00:00Z","state":"not_collected","reason":"outage",'
        b'"simulated":false,"replayed":false}'
    )
    record = msgspec.json.decode(old, type=Coverage)
    assert (record.language, record.ongoing) == (None, False)
