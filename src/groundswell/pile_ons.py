"""Whether a crowd may have turned on one person: the one rule that `detect` and `release` both ask.

Owns the shares and nothing else. `detect` asks it of every language in a crowd that speaks several, and
leaves out what it answers for; `release` asks it again of whatever comes to the line.
"""

from __future__ import annotations

__all__ = ["MOST_PERSON_SHARE", "UNSAID", "is_about_a_person", "may_be_a_pile_on"]

MOST_PERSON_SHARE = 0.3
_MOST_WHERE_UNSAID = MOST_PERSON_SHARE / 2
"""The same where nothing else says what a crowd is about."""
UNSAID = "other"
"""The category of a crowd that does not say."""


def is_about_a_person(category: str, person_share: float) -> bool:
    """Whether too many of a crowd's posts speak of one private person.

    >>> is_about_a_person("flood", 0.2), is_about_a_person("other", 0.2)
    (False, True)
    """
    return person_share > (_MOST_WHERE_UNSAID if category == UNSAID else MOST_PERSON_SHARE)


def may_be_a_pile_on(category: str, person_share: float, placed: int, floor: int) -> bool:
    """Whether it is about a person, or nobody can tell.

    A crowd of which `floor` speakers say neither what it is about nor where looks just like one that has
    turned on a person whose name no lexicon knows; no list of names can tell them apart.

    Parameters
    ----------
    placed
        Most speakers who name one place.
    """
    return is_about_a_person(category, person_share) or (category == UNSAID and placed < floor)
