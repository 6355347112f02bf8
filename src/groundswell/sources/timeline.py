"""Puts rows onto one clock that never runs backwards.

Receive time counts: a row that arrives a little behind takes the running clock's time. A post that claims to
be from the far future must not drag the clock along, so a jump is believed only when the rows after it agree.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice

from groundswell.clock import HOUR_US
from groundswell.drops import SourceDrop
from groundswell.sources.rows import Row

__all__ = ["Timeline"]

DAY_US = 24 * HOUR_US
MONTH_US = 30 * DAY_US
YEAR_US = 365 * DAY_US
WITNESSES = 4
"""Rows looked at after a jump before it is believed or not."""


class Timeline:
    """Stamps rows with stream time, holding at most `WITNESSES + 1` of them back.

    Parameters
    ----------
    keep
        Called with each row whose time is settled; its `time_us` never decreases.
    drop
        Called with the reason for each row that is not kept: `CLOCK_OFF` or `LATE`.
    since_us
        Rows whose settled time is before this were handed on in an earlier run: they are `LATE`.
    """

    def __init__(
        self,
        keep: Callable[[Row], None],
        drop: Callable[[SourceDrop], None],
        since_us: int | None = None,
    ) -> None:
        self.clock_us: int | None = None
        self._keep = keep
        self._drop = drop
        self._since_us = since_us
        self._held: deque[Row] = deque()

    def push(self, row: Row) -> None:
        """Take the next row in the order of arrival."""
        clock_us = self.clock_us
        if not self._held and clock_us is not None and -HOUR_US <= row.time_us - clock_us <= DAY_US:
            self._pass(row)
            return
        self._held.append(row)
        self._release(waiting=True)

    def settle(self) -> None:
        """Decide about the rows still held: nothing more will come to speak for them."""
        self._release(waiting=False)

    def _release(self, *, waiting: bool) -> None:
        while self._held:
            if self._is_jump(self._held[0]):
                if waiting and len(self._held) <= WITNESSES:
                    return
                believed = self._believed()
                row = self._held.popleft()
                if believed:
                    self.clock_us = row.time_us
                    self._pass(row)
                else:
                    self._drop(SourceDrop.CLOCK_OFF)
                continue
            row = self._held.popleft()
            behind_us = (self.clock_us or 0) - row.time_us
            if behind_us > YEAR_US:
                self._drop(SourceDrop.CLOCK_OFF)
            elif behind_us > HOUR_US:
                self._drop(SourceDrop.LATE)
            else:
                self._pass(row)

    def _is_jump(self, row: Row) -> bool:
        return self.clock_us is None or row.time_us - self.clock_us > DAY_US

    def _believed(self) -> bool:
        """Whether most of the rows behind the first held one are where it says the stream is."""
        claimed_us = self._held[0].time_us
        witnesses = [row.time_us for row in islice(self._held, 1, WITNESSES + 1)]
        agreeing = sum(time_us >= claimed_us - HOUR_US for time_us in witnesses)
        if len(witnesses) < WITNESSES:
            return agreeing * 2 >= len(witnesses) and (bool(witnesses) or self.clock_us is None)
        if self.clock_us is None:
            # A first row may also be years too early: then all the others would look like jumps.
            agreeing -= sum(time_us > claimed_us + MONTH_US for time_us in witnesses)
        return agreeing * 2 > len(witnesses)

    def _pass(self, row: Row) -> None:
        clock_us = self.clock_us
        if clock_us is not None and row.time_us < clock_us:
            row.time_us = clock_us
        else:
            self.clock_us = row.time_us
        if self._since_us is not None and row.time_us < self._since_us:
            self._drop(SourceDrop.LATE)
        else:
            self._keep(row)
