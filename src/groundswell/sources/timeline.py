"""Puts rows onto one clock that never runs backwards.

Receive time counts: a row that arrives a little behind takes the running clock's time. A post that claims to
be from the far future must not drag the clock along, so a jump is believed only when the rows after it agree.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.clock import HOUR_US
from groundswell.kernels import inner, kernel

__all__ = ["Fate", "Settled", "Timeline"]

DAY_US = 24 * HOUR_US
MONTH_US = 30 * DAY_US
YEAR_US = 365 * DAY_US
WITNESSES = 4
"""Rows looked at after a jump before it is believed or not."""
_NO_CLOCK = -(1 << 62)


class Fate(IntEnum):
    """What becomes of a row."""

    KEPT = 0
    CLOCK_OFF = 1
    LATE = 2


_KEPT, _CLOCK_OFF, _LATE = (int(fate) for fate in Fate)


class Settled(NamedTuple):
    """The first rows of those that were looked at; what is behind them must be given again."""

    fates: npt.NDArray[np.uint8]
    stamps_us: npt.NDArray[np.int64]
    """The time that a kept row gets; it never decreases."""


class Timeline:
    """Stamps rows with stream time, holding at most `WITNESSES` of them back.

    >>> timeline = Timeline()
    >>> times = np.array([1_000_000, 3_000_000, 2_000_000, 4_000_000, 5_000_000]) + DAY_US
    >>> (timeline.settle(times).stamps_us - DAY_US).tolist()
    [1000000, 3000000, 3000000, 4000000, 5000000]

    Parameters
    ----------
    since_us
        Rows whose settled time is before this were handed on in an earlier run: they are late.
    """

    def __init__(self, since_us: int | None = None) -> None:
        self._clock = np.array([_NO_CLOCK], np.int64)
        self._since_us = _NO_CLOCK if since_us is None else since_us

    @property
    def clock_us(self) -> int | None:
        """Stream time of the newest row believed."""
        return None if self._clock[0] == _NO_CLOCK else int(self._clock[0])

    def settle(self, times_us: npt.NDArray[np.int64], *, more_to_come: bool = True) -> Settled:
        """Decide about rows in the order of their arrival, as far as can be done.

        The rows that a call leaves undecided are the first ones of the next call. When no more are to come
        soon, all are decided.
        """
        fates = np.empty(len(times_us), np.uint8)
        stamps_us = np.empty(len(times_us), np.int64)
        count = _settle(times_us, self._clock, self._since_us, more_to_come, fates, stamps_us)
        return Settled(fates[:count], stamps_us[:count])


@inner
def _is_believed(times, first, stop, clock):  # type: ignore[no-untyped-def]
    """Whether most of the rows behind the first one are where it says the stream is."""
    claimed = times[first]
    agreeing = astray = 0
    witnesses = min(stop - first - 1, WITNESSES)
    for place in range(first + 1, first + 1 + witnesses):
        agreeing += times[place] >= claimed - HOUR_US
        astray += times[place] > claimed + MONTH_US
    if witnesses < WITNESSES:
        return agreeing * 2 >= witnesses and (witnesses > 0 or clock == _NO_CLOCK)
    if clock == _NO_CLOCK:
        agreeing -= (
            astray  # a first row may also be years too early: then all the others would look like jumps
        )
    return agreeing * 2 > witnesses


@kernel
def _settle(times, clocks, since, more_to_come, fates, stamps):  # type: ignore[no-untyped-def]
    """Decide about the first rows: how many."""
    clock = clocks[0]
    first = 0
    while first < len(times):
        time = times[first]
        fate = _KEPT
        if clock == _NO_CLOCK or time - clock > DAY_US:
            if more_to_come and len(times) - first <= WITNESSES:
                break
            if _is_believed(times, first, len(times), clock):
                clock = time
            else:
                fate = _CLOCK_OFF
        elif clock - time > YEAR_US:
            fate = _CLOCK_OFF
        elif clock - time > HOUR_US:
            fate = _LATE
        if fate == _KEPT:
            clock = max(clock, time)
            stamps[first] = clock
            if clock < since:
                fate = _LATE
        fates[first] = fate
        first += 1
    clocks[0] = clock
    return first
