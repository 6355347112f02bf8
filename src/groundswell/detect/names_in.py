"""Could what a family says be somebody's name? Asked where nothing else says what a crowd speaks of.

A name that no lexicon has is still a word that few use. So a pair of words that hardly ever stand apart and
could be a name is taken for a full name. A single word that is no ordinary one is taken for a name, unless it
is one of several words that a reworded claim keeps: at least three ordinary ones are nearly as common, and
the texts differ. What shows of such a crowd, and what is remembered of it, are its ordinary words alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from groundswell.detect.columns import count_distinct
from groundswell.detect.families import Family
from groundswell.detect.runs import is_unspaced

__all__ = ["LEAST_ORDINARY", "Ordinary", "all_ordinary", "name_share", "ordinary_shares"]

Ordinary = Callable[[Sequence[str]], bool]
"""Whether a word is ordinary; whether several, beside one another, are no name."""
LEAST_ORDINARY = 3
_INSEPARABLE = 0.6
_NEARLY = 0.6
_DIFFERENT_TEXTS = 0.5
_TOLD = 0.15
"""The part of the posts from which a word is a good part of what is said."""


def name_share(family: Family, surfaces: Sequence[str], ordinary: Ordinary, *, singles: bool = True) -> float:
    """The largest part of the posts in which one pair of words, or one of the `singles`, may be a name."""
    shares = {surface: float(family.shares[at]) for at, surface in enumerate(surfaces) if surface}
    common = ordinary_shares(family, surfaces, ordinary)
    third = common[LEAST_ORDINARY - 1] if len(common) >= LEAST_ORDINARY else 0.0
    reworded = count_distinct(family.hot.shapes) >= _DIFFERENT_TEXTS * family.size
    most = 0.0
    for surface, share in shares.items():
        words = surface.split()
        if share <= max(_TOLD, most) or ordinary(words):
            continue
        if len(words) == 1:
            suspected = singles and (not reworded or third < _NEARLY * share)
        else:
            suspected = share >= _INSEPARABLE * max(shares.get(word, 0.0) for word in words)
        most = share if suspected else most
    return most


def ordinary_shares(family: Family, surfaces: Sequence[str], ordinary: Ordinary) -> list[float]:
    """How large a part of the posts use each ordinary word of the family's own, largest first.

    There are none in scripts that write words together.
    """
    own = np.flatnonzero(family.own & (family.shares > _TOLD)).tolist()
    singles = [at for at in own if surfaces[at] and " " not in surfaces[at] and not is_unspaced(surfaces[at])]
    return sorted((float(family.shares[at]) for at in singles if ordinary([surfaces[at]])), reverse=True)


def all_ordinary(text: str, ordinary: Ordinary) -> bool:
    """Whether a phrase holds ordinary words alone, and is no name."""
    words = text.split()
    return ordinary(words) and all(ordinary([word]) for word in words)
