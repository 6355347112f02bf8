"""Could what a family says be somebody's name?

A family says one thing in many words, so that posts cannot be asked one by one, as copies are: some word in
each could be a name. What its posts *share* is asked instead. A shared word is *doubtful* unless lists know
it as an everyday one that nobody is called, or the writers' capitals show that it is no name, or it is the
place of a crowd that says what the matter is. A crowd that turns on somebody shares the name and little else:
then the doubtful word *stands out*. Both answers err towards a name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.detect.families import MOST_TERMS, Family

__all__ = ["Doubt", "Plain", "doubt"]

F64Array = npt.NDArray[np.float64]
Plain = Callable[[str], bool]
"""Whether a word is an everyday one that nobody is called."""

SHARED = 0.15
"""The part of the posts from which a word is one that the family shares: as `release` has it of copies."""
_COMPANY = 3
_NEARLY = 0.6
"""So many other words must be so nearly as common as a doubtful one, for it not to stand out."""
_SMALL, _CAPITAL = 0.3, 0.05
"""Of the posts with a word: so many in ordinary capitals, it without; and so few with anything like one."""


class Doubt(NamedTuple):
    """Both are parts of the posts, in [0, 1]."""

    unclear: float
    """Those that use the commonest doubtful word."""
    naming: float
    """The same if that word stands out, else 0."""


def doubt(
    family: Family,
    surfaces: Sequence[str],
    plain: Plain,
    naming: npt.NDArray[np.uint8],
    spoken: npt.NDArray[np.bool_],
    places: Collection[str],
) -> Doubt:
    """What of a family could be a name.

    Parameters
    ----------
    surfaces
        How each of its terms is written.
    naming, spoken
        Of its posts: the window's column, and which are in the language that most are in.
    places
        Words that are a place's name and nobody's.
    """
    hot = family.hot
    single = np.array([bool(surface) and " " not in surface for surface in surfaces], bool)
    if not single.any():
        return Doubt(1.0, 0.0)  # nobody can tell
    common = np.where(single, np.asarray(hot.uses[np.flatnonzero(spoken)].mean(axis=0)).ravel(), 0.0)
    shares = np.maximum(np.where(single, family.shares, 0.0), common)
    if len(shares) == MOST_TERMS and family.shares.min() > SHARED:
        return Doubt(1.0, 0.0)  # there are more words than were looked at
    small, capital = (_part(family, naming == answer) for answer in (0, 2))
    doubtful = [
        at
        for at in np.flatnonzero(shares > SHARED).tolist()
        if not plain(surfaces[at])
        and not (_is_cased(surfaces[at]) and small[at] >= _SMALL and capital[at] <= _CAPITAL)
        and surfaces[at] not in places
    ]
    if not doubtful:
        return Doubt(0.0, 0.0)
    ranked = np.sort(common[family.own])[::-1]  # words that are as common everywhere are no company
    most = float(common[doubtful].max())
    company = _COMPANY + _is_pair(surfaces, shares, family.shares, doubtful)
    alone = len(ranked) <= company or ranked[company] < _NEARLY * most
    unclear = float(shares[doubtful].max())
    return Doubt(unclear, unclear if alone else 0.0)


def _is_pair(surfaces: Sequence[str], shares: F64Array, together: F64Array, doubtful: Sequence[int]) -> bool:
    """Whether two doubtful words hardly ever stand apart: they are no company to one another."""
    words = {surfaces[at]: float(shares[at]) for at in doubtful}
    for at, surface in enumerate(surfaces):
        first, _, second = surface.partition(" ")
        if first in words and second in words and together[at] >= _NEARLY * max(words[first], words[second]):
            return True
    return False


def _is_cased(word: str) -> bool:
    return word.lower() != word.upper()


def _part(family: Family, posts: npt.NDArray[np.bool_]) -> F64Array:
    """Of each term's posts the part that is among `posts`."""
    uses = np.asarray(family.hot.uses[posts].sum(axis=0)).ravel()
    return uses / np.maximum(family.hot.counts, 1)
