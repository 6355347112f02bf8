"""Owns what is published of narratives beyond what crowds share, and what may be remembered of them.

A narrative is published once it was told in `LEAST_RECURRENCES` stretches with quiet between them, each by a
crowd that the line would let over. Until then only that is remembered which could be published: words that
as many speakers used as the floor asks and that name nobody, steps and domains with a crowd of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from groundswell.candidates import Candidate, StepUse
from groundswell.clock import BIN_US, floor_to, rfc3339
from groundswell.published import Step

__all__ = ["LEAST_RECURRENCES", "NARRATIVE", "Fit", "fit", "longer_path", "united"]

NARRATIVE = "narrative"
LEAST_RECURRENCES = 3
_MOST_STEPS = 24
_UNTOLD = "und"

Reached = Callable[[int, str], bool]
"""Whether so many distinct speakers of a series reach the first rung."""


class Fit(msgspec.Struct, frozen=True):
    """What of a narrative may be remembered, published or not."""

    words: frozenset[str]
    steps: frozenset[tuple[str, str]]
    """Pairs of a source and a language."""
    domains: tuple[str, ...]
    placed: bool
    """Whether the places that it shares may be."""
    floor: int
    """The floor that all this passed."""


def fit(candidate: Candidate, floor: int, showable: Callable[[str], bool], reached: Reached) -> Fit:
    """What of `candidate`, which may be published as far as its crowd goes, is fit to be remembered."""
    return Fit(
        words=frozenset(
            use.value for use in candidate.words if use.speakers >= floor and showable(use.value)
        ),
        steps=frozenset((step.source, step.language) for step in _steps(candidate, floor, reached)),
        domains=tuple(use.value for use in candidate.domains if use.speakers >= floor),
        placed=bool(candidate.places),
        floor=floor,
    )


def longer_path(
    candidate: Candidate, before: Sequence[Step], floor: int, reached: Reached
) -> tuple[Step, ...]:
    """How the narrative moved: what was shown stays as it is, what has a crowd of its own comes after it."""
    known = {(step.source, step.language) for step in before}
    added = [
        Step(since=rfc3339(floor_to(step.since_us, BIN_US)), source=step.source, language=step.language)
        for step in _steps(candidate, floor, reached)
        if (step.source, step.language) not in known
    ]
    # Of equal steps the order says nothing; it must only be the same each time.
    return (*before, *sorted(added, key=lambda step: (step.since, step.source, step.language)))[:_MOST_STEPS]


def united(shown: Sequence[str], now: Sequence[str], most: int) -> tuple[str, ...]:
    """What was shown, then what is new."""
    return tuple(dict.fromkeys((*shown, *now)))[:most]


def _steps(candidate: Candidate, floor: int, reached: Reached) -> list[StepUse]:
    """Those with a crowd of their own now, or before at a floor that was as high."""
    return [
        step
        for step in candidate.path
        if step.language != _UNTOLD
        and (
            candidate.fit_floor >= floor
            if step.speakers == 0
            else reached(step.speakers, f"{step.source}\x1f{step.language}")
        )
    ]
