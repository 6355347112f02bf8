"""Which events somebody with ten seconds should see first.

Owns one score, from published fields and nothing else: the same records give the same order to everybody. It
asks for no clock (*now* is the newest `last_seen` among the records), reads no text of a phrase and knows
nobody's past clicks. Points, added up:

* new: 4 when it has just been first seen, half as many with every hour;
* growing: `new` or `growing` 2, `steady` 1, `fading` 0, `ended` -4; while it is one of the
  first two, climbed suddenly 2, fast 1 (see `pace`);
* attested: a point for each tenfold of the crowd's label over 10, half a point for each further language and
  source (three and two at most) and a quarter for each site linked to (four at most);
* placed: its place's confidence, whole for a cell, 7 tenths of it for a region, 4 for a country;
* near: 3 in the cell that was asked for, falling to a third of that with every 300 km; 3 in the country.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar

import h3

from groundswell.published import Bin, CrowdRecord, Place

__all__ = ["Pace", "pace", "ranked", "score"]

Pace = Literal["slow", "fast", "sudden"]

Crowd = TypeVar("Crowd", bound=CrowdRecord)

_NEW = 4.0
_HALF_LIFE_HOURS = 1.0
_NEAR_KM = 300.0
_GROWING = frozenset({"new", "growing"})
_GROWTH = {"new": 2.0, "growing": 2.0, "steady": 1.0, "fading": 0.0, "ended": -4.0}
_PACES = {"sudden": 2.0, "fast": 1.0, "slow": 0.0}
_LEVELS = {"cell": 1.0, "region": 0.7, "country": 0.4}
_UNITS = {"k": 1_000, "M": 1_000_000}


def pace(record: CrowdRecord, bins: Sequence[Bin]) -> Pace | None:
    """How fast the crowd climbed the ladder; None while it has no bin with a label.

    Tenfolds from ten accounts to its highest bin, over the time from its first bin to that one: `sudden` from
    four an hour, `fast` from two. Bins are five minutes, so 100 accounts in the first two are sudden.
    """
    labelled = [(datetime.fromisoformat(bin.start), size(bin.accounts)) for bin in bins if bin.accounts]
    if not labelled:
        return None
    highest = max(accounts for _, accounts in labelled)
    reached = next(start for start, accounts in labelled if accounts == highest)
    first = min(datetime.fromisoformat(record.first_seen), labelled[0][0])
    hours = max((reached - first).total_seconds() / 3600, 1 / 12)
    climbed = math.log10(max(highest, 10) / 10) / hours
    return "sudden" if climbed >= 4.0 else "fast" if climbed >= 2.0 else "slow"


def size(label: str) -> int:
    """The least that a label says.

    >>> size("50+"), size("2k+")
    (50, 2000)
    """
    digits = label.rstrip("+")
    return int(digits[:-1]) * _UNITS[digits[-1]] if digits[-1] in _UNITS else int(digits)


def score(record: CrowdRecord, bins: Sequence[Bin], now: datetime, near: str | None = None) -> float:
    """The record's points at `now`, two decimals; `near` is an H3 cell or a country's code."""
    hours = max((now - datetime.fromisoformat(record.first_seen)).total_seconds() / 3600, 0.0)
    climbed = pace(record, bins) if record.state in _GROWING else None
    points = _NEW * math.pow(0.5, hours / _HALF_LIFE_HOURS)
    points += _GROWTH[record.state] + (_PACES[climbed] if climbed else 0.0)
    points += math.log10(size(record.accounts) / 10)
    points += 0.5 * (_further(record.languages, 3) + _further(record.sources, 2))
    points += 0.25 * min(len(record.domains), 4)
    if record.place is not None:
        points += record.place.confidence * _LEVELS[record.place.level]
        points += _nearness(record.place, near) if near else 0.0
    return round(points, 2)


def ranked(
    records: Sequence[Crowd], series: Mapping[str, Sequence[Bin]], near: str | None = None
) -> list[Crowd]:
    """Most points first; of equals the one last seen later, then the smaller id."""
    if not records:
        return []
    now = max(datetime.fromisoformat(record.last_seen) for record in records)
    points = {record.id: score(record, series.get(record.id, ()), now, near) for record in records}
    latest = sorted(sorted(records, key=lambda record: record.id), key=lambda r: r.last_seen, reverse=True)
    return sorted(latest, key=lambda record: -points[record.id])


def _further(values: Sequence[str], most: int) -> int:
    return min(max(len(values) - 1, 0), most)


def _nearness(place: Place, near: str) -> float:
    if len(near) == 2:
        return 3.0 if place.country == near else 0.0
    if place.h3 is None:
        return 0.0
    finest = min(h3.get_resolution(place.h3), h3.get_resolution(near))
    if h3.cell_to_parent(place.h3, finest) == h3.cell_to_parent(near, finest):
        return 3.0
    km: float = h3.great_circle_distance(h3.cell_to_latlng(place.h3), h3.cell_to_latlng(near))
    return 3.0 * math.exp(-km * math.log(3.0) / _NEAR_KM)
