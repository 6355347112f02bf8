"""Owns which matters are sensitive, and what that asks: a higher floor, a coarser place, a delay.

*Sensitive matters* need 50 speakers instead of 20. They are those where it can harm somebody to be known as
one of a small crowd: attacks (witnesses, victims), assemblies and elections (political opinion, GDPR art. 9),
outbreaks (who is ill). Natural hazards, accidents and the like are not: a warning at 20 speakers saves lives
there, and speaking of a storm gives nobody away.

*Sensitive places* (worship, clinics, shelters, schools, detention, migration routes) and assemblies are shown
coarsely: what is dangerous there is *where*, so the cell grows. An assembly waits six hours, unless enough
speakers tell of a threat to life at it, when a warning is worth more than the delay.

The words in `words.py` err towards caution: a false hit makes a place coarser than it need be, no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from groundswell.candidates import Candidate
from groundswell.clock import HOUR_US
from groundswell.drops import Refusal
from groundswell.pile_ons import MOST_PERSON_SHARE, may_be_a_pile_on, may_name_somebody
from groundswell.release.floor import Floor
from groundswell.release.geography import EVERYDAY, SENSITIVE, Coarseness
from groundswell.release.words import THREATS_TO_LIFE

__all__ = [
    "ASSEMBLY_DELAY_US",
    "SENSITIVE_MATTERS",
    "Handling",
    "handling",
    "may_turn_on_a_person",
    "refusal",
]

ASSEMBLY_DELAY_US = 6 * HOUR_US
_MOST_OF_COPIES = MOST_PERSON_SHARE / 2
"""Of copies, which say one thing."""

_ABOUT_SHARE = 0.3

SENSITIVE_MATTERS = frozenset({"assembly", "attack", "election", "outbreak"})
_ASSEMBLY = "assembly"


@dataclass(frozen=True)
class Handling:
    """What the policy asks of one candidate."""

    sensitive: bool
    """The higher floor."""
    coarse: bool
    """The larger, more populous cell."""
    delayed: bool
    """An assembly, with no threat to life told of: shown six hours late."""
    hidden: bool = False
    """Of an assembly, or of what a sensitive place is about: no picture, which could tell where it is."""
    wordless: bool = False
    """Copies, or a narrative, of which nobody can tell whether they name somebody: no word of it shows."""

    @property
    def coarseness(self) -> Coarseness:
        return SENSITIVE if self.coarse else EVERYDAY


def handling(candidate: Candidate, floor: int, sensitive_place: Callable[[str], bool]) -> Handling:
    """What the policy asks of `candidate`.

    Parameters
    ----------
    floor
        Speakers that must use a phrase for it to lift a delay.
    sensitive_place
        Whether a phrase tells of a sensitive place: `SENSITIVE_PLACES.found_in`, remembered or not.
    """
    assembly = candidate.category == _ASSEMBLY
    return Handling(
        sensitive=candidate.category in SENSITIVE_MATTERS,
        coarse=assembly or _names_sensitive_place(candidate, sensitive_place),
        delayed=assembly and not _threatens_life(candidate, floor),
        hidden=assembly or _is_about_sensitive_place(candidate, sensitive_place),
        wordless=candidate.kind != "event" and candidate.naming + candidate.unclear > _MOST_OF_COPIES,
    )


def may_turn_on_a_person(candidate: Candidate) -> bool:
    """Whether enough of a crowd speaks of one person for what was shown of it to be taken back.

    Stricter than `refusal`: also a crowd that says what and where.
    """
    return max(candidate.person_share, candidate.naming) > _MOST_OF_COPIES


def refusal(candidate: Candidate, asked: Handling, floors: Floor) -> Refusal | None:
    """Why the policy keeps `candidate` back, whatever its size; None when it does not.

    Of a crowd that says neither what nor where nobody can tell whether it has turned on somebody, so that it
    does not show. Where only a place is said, half as many posts about one person are too many: people are
    called after towns; and where names are one word, a place alone is not enough. What speaks several
    languages is asked so in each of them: a crowd does not come out because others say what and where.
    Of a narrative only plain words show, or none (`Handling.wordless`): it may say neither.
    """
    if candidate.kind == "amplification":
        return _refused_copies(candidate, asked)
    floor = floors.of(sensitive=asked.sensitive)
    placed = max((place.speakers for place in candidate.places), default=0)
    language = candidate.languages[0].value if candidate.languages else ""
    if candidate.kind == "narrative":
        return _refused_narrative(candidate, asked)
    if may_name_somebody(candidate.category, language, candidate.person_share):
        return Refusal.PERSON
    if candidate.state != "ended" and may_be_a_pile_on(
        candidate.category, language, candidate.person_share, placed, floor
    ):
        return Refusal.PERSON
    if any(part.may_be_a_pile_on(floors.k) for part in candidate.parts):
        return Refusal.PERSON
    return Refusal.DELAYED if _is_early(candidate, asked) else None


def _refused_narrative(candidate: Candidate, asked: Handling) -> Refusal | None:
    if may_name_somebody(candidate.category, "", candidate.person_share):
        return Refusal.PERSON
    return Refusal.DELAYED if _is_early(candidate, asked) else None


def _refused_copies(candidate: Candidate, asked: Handling) -> Refusal | None:
    """Why a crowd that only copies is kept back.

    It says one thing in one wording, so that the wording can be asked whether it names somebody; what it is
    about and where need not be known. Where nobody can tell, only the crowd shows: see `Handling.wordless`.
    """
    if max(candidate.person_share, candidate.naming) > _MOST_OF_COPIES:
        return Refusal.PERSON
    return Refusal.DELAYED if _is_early(candidate, asked) else None


def _is_early(candidate: Candidate, asked: Handling) -> bool:
    return asked.delayed and candidate.tick_us - candidate.first_us < ASSEMBLY_DELAY_US


def _threatens_life(candidate: Candidate, floor: int) -> bool:
    return any(use.speakers >= floor and THREATS_TO_LIFE.found_in(use.text) for use in candidate.phrases)


def _is_about_sensitive_place(candidate: Candidate, sensitive_place: Callable[[str], bool]) -> bool:
    """By the place's name, or by what a good part of the crowd says; in any flood some speak of shelters."""
    enough = _ABOUT_SHARE * candidate.speakers
    return any(sensitive_place(place.name) for place in candidate.places[:1]) or any(
        use.speakers >= enough and sensitive_place(use.text) for use in candidate.phrases
    )


def _names_sensitive_place(candidate: Candidate, sensitive_place: Callable[[str], bool]) -> bool:
    """Any phrase counts here, however few used it: caution needs no crowd."""
    return any(sensitive_place(use.text) for use in candidate.phrases) or any(
        sensitive_place(place.name) for place in candidate.places
    )
