"""Decides whether a connection brought what was asked for, or left a stretch that nobody collected.

A server that cannot rewind far enough says so (version 2), or starts later in silence (version 1). The
silence is found out: the newest row seen lies inside the overlap that is asked for again, so when nothing of
the overlap comes, something was lost.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.candidates import Gap
from groundswell.clock import HOUR_US, MINUTE_US

__all__ = ["SERVER_LOOKBACK_US", "Coverage"]

SERVER_LOOKBACK_US = 36 * HOUR_US
"""How far back the public hosts can rewind."""
_SLACK_US = 10 * MINUTE_US  # our clock against theirs


class Coverage:
    """Watches one source's connections for gaps.

    >>> coverage = Coverage("bluesky", overlap_us=60_000_000)
    >>> coverage.resume(newest_us=1_000_000_000)
    >>> coverage.gap(first_us=9_000_000_000, now_us=9_000_000_000)
    Gap(source='bluesky', start_us=1000000000, end_us=9000000000, reason='outage')
    """

    def __init__(self, source: str, overlap_us: int) -> None:
        self._source = source
        self._overlap_us = overlap_us
        self._start_us: int | None = None
        self._was_seen = False
        self._too_old = False
        self._slow_reader = False

    def resume(self, newest_us: int) -> None:
        """A connection is opened that must continue after `newest_us`, the newest row seen."""
        self._start_us, self._was_seen, self._too_old = newest_us, True, False

    def rewind(self, since_us: int) -> None:
        """A connection is opened that must begin at `since_us`; whether there is a row at it is not known."""
        self._start_us, self._was_seen, self._too_old = since_us, False, False

    def told_too_old(self) -> None:
        """The server says that it cannot rewind so far."""
        self._too_old = True

    def told_too_slow(self) -> None:
        """The server says that it closes the connection because we read too slowly."""
        self._slow_reader = True

    def saw(self, times_us: npt.NDArray[np.int64]) -> None:
        """Rows came: one out of the overlap proves that nothing is missing."""
        if self._was_seen and self._start_us is not None and len(times_us):
            nearest_us = int(np.abs(times_us - self._start_us).min())
            if nearest_us <= self._overlap_us:
                self._done()

    def gap(self, first_us: int, now_us: int) -> Gap | None:
        """The gap before `first_us`, the first new row of a connection; None when there is none."""
        start_us = self._start_us
        if start_us is None:
            return None
        clamped = self._too_old or self._clamped_in_silence(start_us, first_us, now_us)
        reason = "slow_reader" if self._slow_reader else "cursor_too_old" if clamped else "outage"
        missing = (
            first_us - start_us > self._overlap_us if self._was_seen else clamped and first_us > start_us
        )
        self._done()
        return (
            Gap(source=self._source, start_us=start_us, end_us=first_us, reason=reason) if missing else None
        )

    def _clamped_in_silence(self, start_us: int, first_us: int, now_us: int) -> bool:
        floor_us = now_us - SERVER_LOOKBACK_US
        return start_us < floor_us and first_us >= floor_us - _SLACK_US

    def _done(self) -> None:
        self._start_us = None
        self._slow_reader = False
