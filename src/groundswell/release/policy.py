"""Owns which matters are sensitive, and what that asks: a higher floor, a coarser place, a delay.

*Sensitive matters* need 50 speakers instead of 20. They are those where it can harm somebody to be known as
one of a small crowd: attacks and conflict (witnesses, victims), assemblies and elections (political opinion,
GDPR art. 9), outbreaks and health (who is ill). Natural hazards, transport and the like are not: a warning at
20 speakers saves lives there, and speaking of a storm gives nobody away.

*Sensitive places* (worship, clinics, shelters, schools, detention, migration routes) and assemblies are shown
coarsely: what is dangerous there is *where*, so the cell grows. An assembly waits six hours, unless enough
speakers tell of a threat to life at it, when a warning is worth more than the delay.

The words in `words.py` err towards caution: a false hit makes a place coarser than it need be, no more.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundswell.candidates import Candidate
from groundswell.clock import HOUR_US
from groundswell.drops import Refusal
from groundswell.release import words
from groundswell.release.geography import EVERYDAY, SENSITIVE, Coarseness

__all__ = ["ASSEMBLY_DELAY_US", "MOST_PERSON_SHARE", "Handling", "handling", "refusal"]

ASSEMBLY_DELAY_US = 6 * HOUR_US
MOST_PERSON_SHARE = 0.3

_ASSEMBLY = frozenset({"assembly", "protest"})
_SENSITIVE_MATTERS = _ASSEMBLY | {"attack", "conflict", "election", "health", "outbreak"}


@dataclass(frozen=True)
class Handling:
    """What the policy asks of one candidate."""

    sensitive: bool
    """The higher floor."""
    coarse: bool
    """The larger, more populous cell."""
    delayed: bool
    """An assembly, with no threat to life told of: shown six hours late."""

    @property
    def coarseness(self) -> Coarseness:
        return SENSITIVE if self.coarse else EVERYDAY


def handling(candidate: Candidate, floor: int) -> Handling:
    """What the policy asks of `candidate`; `floor` speakers must use a phrase for it to lift a delay."""
    assembly = candidate.category in _ASSEMBLY
    threatened = any(
        phrase.speakers >= floor and words.THREATS_TO_LIFE.found_in(phrase.text)
        for phrase in candidate.phrases
    )
    return Handling(
        sensitive=candidate.category in _SENSITIVE_MATTERS,
        coarse=assembly or _names_sensitive_place(candidate),
        delayed=assembly and not threatened,
    )


def refusal(candidate: Candidate, asked: Handling) -> Refusal | None:
    """Why the policy keeps `candidate` back, whatever its size; None when it does not."""
    if candidate.person_share > MOST_PERSON_SHARE:
        return Refusal.PERSON
    if asked.delayed and candidate.tick_us - candidate.first_us < ASSEMBLY_DELAY_US:
        return Refusal.DELAYED
    return None


def _names_sensitive_place(candidate: Candidate) -> bool:
    """Any phrase counts here, however few used it: caution needs no crowd."""
    return any(words.SENSITIVE_PLACES.found_in(phrase.text) for phrase in candidate.phrases) or any(
        words.SENSITIVE_PLACES.found_in(place.name) for place in candidate.places
    )
