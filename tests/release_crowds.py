"""Made-up crowds for the tests of `release`: sensible candidates, of which a test changes a part or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groundswell.candidates import Candidate, Counted, PhraseUse, PlaceUse
from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US
from groundswell.metrics import Metrics
from groundswell.release import Marks, PopulationGrid, PublishKey, Release, ReleaseSettings

NOON_US = 1_777_636_800_000_000  # 2026-05-01T12:00:00Z
KEY = PublishKey(bytes(range(32)))

LISBON = PlaceUse("Lisbon", "PT", 38.72, -9.14, 545_000, "city", 1_000, 0.8)
HAMLET = PlaceUse("Aldeia Pequena", "PT", 38.05, -7.20, 300, "city", 1_000, 0.7)
PORTUGAL = PlaceUse("Portugal", "PT", 39.5, -8.0, 10_300_000, "country", 1_000, 0.2)

# Lisbon, a middling town, two hamlets beside each other in the empty south-east, and a lonely one in Norway.
GRID = PopulationGrid.from_arrays(
    [38.72, 40.64, 38.05, 38.06, 70.0],
    [-9.14, -8.65, -7.20, -7.21, 25.0],
    [545_000, 60_000, 300, 29_000, 40],
    names=["Lisbon", "Aveiro", "Aldeia Pequena", "Vila Grande", "Utkant"],
    countries=["PT", "PT", "PT", "PT", "NO"],
)


def names_a_person(phrase: str) -> bool:
    return "jane roe" in phrase


def phrase(text: str, speakers: int = 1_000, surprise: float = 30.0) -> PhraseUse:
    return PhraseUse(text, speakers, "eng_Latn", surprise)


def crowd(chain: str = "c1", speakers: int = 1_000, **changes: Any) -> Candidate:
    """An event with `speakers` speakers at the noon tick, first seen at 11:30, unless told otherwise."""
    values: dict[str, Any] = {
        "kind": "event",
        "chain": chain,
        "seed": 7,
        "tick_us": NOON_US,
        "first_us": NOON_US - 30 * MINUTE_US,
        "last_us": NOON_US - 7 * SECOND_US,
        "speakers": speakers,
        "unique_texts": speakers,
        "bins": (),
        "phrases": (phrase("flash flood", speakers),),
        "places": (),
        "languages": (Counted("eng_Latn", speakers),),
        "sources": (Counted("plaza", speakers),),
        "domains": (),
        "category": "flood",
        "state": "growing",
        "person_share": 0.0,
        "surprise": 40.0,
    }
    return Candidate(**(values | changes))


def gatekeeper(
    key: PublishKey = KEY,
    settings: ReleaseSettings | None = None,
    marks: Marks | None = None,
    everyday: Callable[[str], bool] = lambda text: True,
    metrics: Metrics | None = None,
) -> Release:
    return Release(
        settings or ReleaseSettings(),
        key,
        GRID,
        names_a_person,
        metrics or Metrics(),
        marks or Marks(),
        everyday=everyday,
        country_names={"PT": "Portugal", "NO": "Norway"},
    )


__all__ = [
    "GRID",
    "HAMLET",
    "HOUR_US",
    "KEY",
    "LISBON",
    "MINUTE_US",
    "NOON_US",
    "PORTUGAL",
    "SECOND_US",
    "crowd",
    "gatekeeper",
    "names_a_person",
    "phrase",
]
