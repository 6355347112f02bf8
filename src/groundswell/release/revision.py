"""Owns how a released crowd is written down, and when a new revision of its record is worth publishing.

Fields are rounded here so that no exact number of the candidate leaves by a side door: times to the minute,
spreads to ten seconds, p-values to a power of ten and never under 10⁻⁶, since a smaller one would count
accounts. Whether a crowd may be written about at all is `release`'s to decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from groundswell.candidates import Candidate, Counted, PhraseUse
from groundswell.clock import BIN_US, MINUTE_US, floor_to, rfc3339
from groundswell.published import Amplification, Event, Mood, Narrative, Place, Step
from groundswell.release.ladder import label
from groundswell.release.phrases import is_part
from groundswell.release.tellings import NARRATIVE, united
from groundswell.release.titles import titled

__all__ = [
    "CrowdRecord",
    "Standing",
    "chosen_phrases",
    "closing",
    "draft",
    "is_due",
    "same_to_a_reader",
]

_MOST_VALUES = 12
_LEAST_P_VALUE_EXPONENT = -6
_SPREAD_STEP_SECONDS = 10

CrowdRecord = Event | Amplification | Narrative


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A chain that is out: all that is remembered of it, and all of it published."""

    record: CrowdRecord
    """Its last revision."""
    rung: int
    """The highest rung it showed: labels never go down."""
    last_seen_us: int
    """As in the record, to the minute."""
    phrases: dict[str, int] = {}
    """Its phrases and the highest rung each has reached."""
    bins_until_us: int = -1
    """Start of its last published bin."""
    sensitive: bool = False
    """It was once of a sensitive matter, and keeps the higher floor."""
    coarse: bool = False
    """It once had a coarse place, and is shown no finer again."""


def draft(
    candidate: Candidate,
    *,
    rung: int,
    phrases: tuple[str, ...],
    place: Place | None,
    mood: Mood | None,
    path: tuple[Step, ...],
    wordless: bool,
    floor: int,
    tick_us: int,
    last: Standing | None,
    simulated: bool,
    replayed: bool,
) -> CrowdRecord:
    """The record that `candidate` would show as, at `floor` distinct speakers for every value in it."""
    first_seen = rfc3339(floor_to(candidate.first_us, MINUTE_US))
    last_seen = rfc3339(floor_to(candidate.last_us, MINUTE_US))
    shared: dict[str, Any] = {
        "id": candidate.chain,
        "first_seen": min(first_seen, last.record.first_seen) if last else first_seen,
        "last_seen": max(last_seen, last.record.last_seen) if last else last_seen,
        "published_at": rfc3339(tick_us),
        "accounts": label(rung),
        "phrases": phrases,
        "category": last.record.category if last and candidate.category == "other" else candidate.category,
        "place": place,
        "languages": _used(candidate.languages, floor, without="und"),
        "sources": _sources(candidate.sources, floor),
        "domains": _used(candidate.domains, floor),
        "state": candidate.state,
        "simulated": simulated,
        "replayed": replayed,
    }
    if candidate.kind == "amplification":
        return Amplification(
            **shared,
            p_value=_coarse_p_value(candidate.p_value),
            spread_seconds=_coarse_spread(candidate.spread_seconds),
        )
    if candidate.kind == NARRATIVE:
        return _narrative(shared, candidate, path, wordless, floor, last)
    return Event(**shared, mood=mood)


def _narrative(
    shared: dict[str, Any],
    candidate: Candidate,
    path: tuple[Step, ...],
    wordless: bool,
    floor: int,
    last: Standing | None,
) -> Narrative:
    """Of a narrative what was shown of earlier stretches stays: its languages, sources and domains."""
    told = last.record if last is not None and isinstance(last.record, Narrative) else None
    moved: dict[str, Sequence[str]] = {
        "languages": [step.language for step in path],
        "sources": [step.source for step in path],
        "domains": candidate.cited if candidate.fit_floor >= floor else (),
    }
    for name in ("languages", "sources", "domains"):
        before = getattr(told, name) if told is not None and not (wordless and name == "domains") else ()
        shared[name] = united(before, (*moved[name], *shared[name]), _MOST_VALUES)
    if wordless:
        shared["category"] = candidate.category
    recurrences = max(candidate.recurrences, told.recurrences if told is not None else 0)
    return Narrative(**shared, recurrences=recurrences, path=path)


def closing(record: CrowdRecord, state: str, published_at: str) -> CrowdRecord:
    """The same record with another state: nothing else of the crowd is looked at."""
    return msgspec.structs.replace(record, state=state, published_at=published_at)


def chosen_phrases(
    showable: Sequence[PhraseUse],
    shown: Mapping[str, int],
    rung_of: Callable[[int, str], int],
    floor: int,
    languages: Sequence[str] = (),
) -> dict[str, int]:
    """The eight phrases that name the matter, with the highest rung each has reached, strongest first.

    A title in each of `languages` stands before them (see `titles`).

    What was shown stays in the running: a matter keeps its name when the crowd's words move on, and a later
    phrase takes a place only by having had more speakers.
    """
    reached = {text: rung for text, rung in shown.items() if rung >= floor}
    for use in showable:
        reached[use.text] = max(reached.get(use.text, 0), rung_of(use.speakers, use.text))
    order = {text: at for at, text in enumerate(reached)}
    ranked = sorted(reached, key=lambda text: (-reached[text], order[text]))
    parts = {text for text in ranked for other in ranked if text != other and is_part(text, other)}
    kept = [text for text in ranked if text not in parts or reached[text] > _longer_rung(text, reached)]
    spoken = {use.text: use.language for use in showable}
    return {text: reached[text] for text in titled(kept, reached, spoken, languages)}


def _longer_rung(part: str, reached: Mapping[str, int]) -> int:
    return max(rung for text, rung in reached.items() if text != part and is_part(part, text))


def is_due(candidate: Candidate, last: Standing) -> bool:
    """Whether `last_seen` has crossed a five-minute boundary: then it may change by itself."""
    return floor_to(candidate.last_us, BIN_US) > floor_to(last.last_seen_us, BIN_US)


def same_to_a_reader(one: CrowdRecord, other: CrowdRecord) -> bool:
    """Whether two revisions differ in nothing but times, order, mood and a place's confidence."""
    return _seen(one) == _seen(other)


def _seen(record: CrowdRecord) -> tuple[object, ...]:
    place = record.place
    return (
        type(record),
        record.accounts,
        frozenset(record.phrases),
        record.category,
        None if place is None else (place.name, place.country, place.h3, place.level),
        frozenset(record.languages),
        frozenset(record.sources),
        frozenset(record.domains),
        record.state,
        (record.recurrences, record.path) if isinstance(record, Narrative) else None,
    )


def _used(values: Sequence[Counted], floor: int, without: str = "") -> tuple[str, ...]:
    shown = [use.value for use in values if use.speakers >= floor and use.value not in ("", without)]
    return tuple(shown[:_MOST_VALUES])


def _sources(values: Sequence[Counted], floor: int) -> tuple[str, ...]:
    """The sources with a crowd of their own; the only source needs none, it tells nothing new."""
    if len(values) == 1:
        return (values[0].value,)
    return _used(values, floor)


def _coarse_p_value(p_value: float | None) -> float:
    """The next power of ten above, at least 10⁻⁶; 1 where none was worked out."""
    if p_value is None or p_value >= 1:
        return 1.0
    exponent = math.ceil(math.log10(p_value)) if p_value > 0 else _LEAST_P_VALUE_EXPONENT
    return float(10.0 ** max(exponent, _LEAST_P_VALUE_EXPONENT))


def _coarse_spread(seconds: float | None) -> float:
    """Rounded up to ten seconds: at least one step, so that nothing looks simultaneous that is not."""
    steps = math.ceil((seconds or 0.0) / _SPREAD_STEP_SECONDS)
    return float(max(steps, 1) * _SPREAD_STEP_SECONDS)
