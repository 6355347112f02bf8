"""Whether a crowd may have turned on one person: the one rule that `detect` and `release` both ask.

Owns the shares and nothing else. `detect` asks it of every language in a crowd that speaks several, and
leaves out what it answers for; `release` asks it again of whatever comes to the line.
"""

from __future__ import annotations

__all__ = ["MOST_PERSON_SHARE", "UNSAID", "may_be_a_pile_on", "may_name_somebody"]

MOST_PERSON_SHARE = 0.3
_MOST_WHERE_UNSAID = MOST_PERSON_SHARE / 2
"""The same where nothing else says what a crowd is about."""
UNSAID = "other"
"""The category of a crowd that does not say."""
_ONE_WORD = frozenset({"Hang", "Hans", "Hant", "Jpan", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"})
"""Scripts that write a full name as one word."""


def may_name_somebody(category: str, language: str, person_share: float) -> bool:
    """Whether too many of a crowd's posts speak of one private person, so far as anybody can tell.

    A name that no lexicon has is known by its two words, which do not stand apart. Where it is written as one
    word, a crowd that does not say what it is about may name anybody.

    >>> may_name_somebody("flood", "eng_Latn", 0.2), may_name_somebody("other", "eng_Latn", 0.2)
    (False, True)
    >>> may_name_somebody("flood", "jpn_Jpan", 0.0), may_name_somebody("other", "jpn_Jpan", 0.0)
    (False, True)
    """
    if category != UNSAID:
        return person_share > MOST_PERSON_SHARE
    return person_share > _MOST_WHERE_UNSAID or language.rpartition("_")[2] in _ONE_WORD


def may_be_a_pile_on(category: str, language: str, person_share: float, placed: int, floor: int) -> bool:
    """Whether it may name somebody, or says nothing else.

    A crowd of which `floor` speakers say neither what it is about nor where looks just like one that has
    turned on a person whose name no lexicon knows; no list of names can tell them apart.

    Parameters
    ----------
    language
        The code of what most of it is in; empty when nobody knows.
    placed
        Most speakers who name one place.
    """
    return may_name_somebody(category, language, person_share) or (category == UNSAID and placed < floor)
