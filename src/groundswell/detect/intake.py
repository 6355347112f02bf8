"""Which posts of a tick come into the window when there are more than it has room for?

The rule looks at nothing but the tick, so that a restarted run keeps the same posts as an undisturbed one.
What stays outside was counted in the rates and is missing from crowds only, whose counts are then too low,
never too high.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.detect.rates import Emissions

__all__ = ["admit"]


def admit(posts: int, most: int, emitted: Emissions) -> npt.NDArray[np.bool_]:
    """A mask of the `posts` of a tick, at most `most` of them true.

    First those that use a surprising term, by turns between the terms, so that a loud crowd does not shut a
    quiet one out; then others, evenly over the tick. A post takes its turn with its most surprising term,
    ties to the smaller hash.
    """
    mask = np.zeros(posts, bool)
    if posts <= most:
        return ~mask
    rows, terms, surprise = emitted
    order = np.lexsort((terms, -surprise, rows))
    first = order[_begins(rows[order])]
    warm, strongest = rows[first], terms[first]
    by_term = np.argsort(strongest, kind="stable")
    at = np.arange(len(warm))
    turn = np.empty(len(warm), np.int64)
    turn[by_term] = at - np.maximum.accumulate(np.where(_begins(strongest[by_term]), at, 0))
    mask[warm] = True
    others = np.flatnonzero(~mask)
    mask[warm[np.argsort(turn, kind="stable")[most:]]] = False
    left = max(most - len(warm), 0)
    mask[others[np.arange(left) * len(others) // max(left, 1)]] = True
    return mask


def _begins(ordered: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Where a new value begins in `ordered`."""
    begins = np.ones(len(ordered), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    return begins
