"""Which posts of a tick come into the window when there are more than it has room for?

The rule looks at nothing but the tick, so that a restarted run keeps the same posts as an undisturbed one.
What stays outside was counted in the rates and is missing from crowds only, whose counts are then too low,
never too high.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.detect.columns import group
from groundswell.detect.rates import Emissions

__all__ = ["admit"]

BoolArray = npt.NDArray[np.bool_]


def admit(posted: BoolArray, most: int, emitted: Emissions) -> BoolArray:
    """A mask of the rows of a tick that come in: of those that `posted` (not of deletions), at most `most`.

    First those that use a surprising term, by turns between the terms, so that a loud crowd does not shut a
    quiet one out; then others, evenly over the tick. A post takes its turn with its most surprising term,
    ties to the smaller hash.
    """
    if np.count_nonzero(posted) <= most:
        return posted
    mask = np.zeros(len(posted), bool)
    rows, terms, surprise, _ = emitted
    warm, turns = _turns(rows, terms, surprise, group(terms)[0]) if len(rows) else (rows, rows)
    if len(warm) > most:
        held = np.cumsum(np.bincount(turns))
        last = int(np.searchsorted(held, most))
        spare = most - (int(held[last - 1]) if last else 0)
        mask[warm[turns < last]] = True
        mask[warm[turns == last][:spare]] = True
        return mask
    mask[warm] = True
    others = np.flatnonzero(posted & ~mask)
    left = most - len(warm)
    mask[others[np.arange(left) * len(others) // max(left, 1)]] = True
    return mask


@njit(cache=True, nogil=True)
def _turns(rows: Any, terms: Any, surprise: Any, groups: Any) -> Any:
    """The rows in `rows` (ascending), once each, and how many came before with the same strongest term."""
    taken = np.zeros(groups.max() + 1, np.int64)
    warm, turns = np.empty(rows.shape[0], np.int64), np.empty(rows.shape[0], np.int64)
    found = 0
    best = 0
    for i in range(rows.shape[0]):
        if surprise[i] > surprise[best] or (surprise[i] == surprise[best] and terms[i] < terms[best]):
            best = i
        if i + 1 == rows.shape[0] or rows[i + 1] != rows[i]:
            warm[found] = rows[i]
            turns[found] = taken[groups[best]]
            taken[groups[best]] += 1
            found += 1
            best = i + 1
    return warm[:found], turns[:found]
