"""How often one host is asked: two requests at a time, a pause between their beginnings, and what it asks
for.

Owns when a host may be asked again; remembers the hosts asked last, in memory, and nothing of what was
asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from groundswell.clock import SECOND_US, Clock

__all__ = ["BusyError", "Politeness", "retry_after_seconds"]

MAX_HOSTS = 4_096
LONGEST_RETRY_SECONDS = 3_600.0


class BusyError(Exception):
    """The host is not to be asked now."""


@dataclass
class _Host:
    running: int = 0
    free_us: int = 0
    """From when on the next request may begin."""


class Politeness:
    """For several threads. The clock tells when; only waiting is real time.

    Parameters
    ----------
    at_once
        Requests to one host at a time.
    interval_seconds
        Between the beginnings of two.
    patience_seconds
        A request waits so long for its turn, and is then given up.
    """

    def __init__(self, clock: Clock, at_once: int, interval_seconds: float, patience_seconds: float) -> None:
        self._clock = clock
        self._at_once = at_once
        self._interval_us = int(interval_seconds * SECOND_US)
        self._patience_us = int(patience_seconds * SECOND_US)
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for a turn at `host` and hold it; raises `BusyError` when none comes in time."""
        with self._changed:
            self._wait(host)
            state = self._state(host)
            state.running += 1
            state.free_us = max(state.free_us, self._clock.now_us() + self._interval_us)
        try:
            yield
        finally:
            with self._changed:
                self._state(host).running -= 1
                self._changed.notify_all()

    def rest(self, host: str, seconds: float) -> None:
        """The host asked not to be asked for so long."""
        with self._changed:
            until = self._clock.now_us() + int(min(seconds, LONGEST_RETRY_SECONDS) * SECOND_US)
            state = self._state(host)
            state.free_us = max(state.free_us, until)

    def _wait(self, host: str) -> None:
        deadline = self._clock.now_us() + self._patience_us
        while True:
            state, now = self._state(host), self._clock.now_us()
            if state.running < self._at_once and state.free_us <= now:
                return
            if state.free_us > deadline or now >= deadline:
                raise BusyError
            until = max(state.free_us, now + SECOND_US // 100) if state.running < self._at_once else deadline
            self._changed.wait(max(0.01, (until - now) / SECOND_US))

    def _state(self, host: str) -> _Host:
        state = self._hosts.setdefault(host, _Host())
        self._hosts.move_to_end(host)
        while len(self._hosts) > MAX_HOSTS:
            self._hosts.popitem(last=False)
        return state


def retry_after_seconds(header: str | None, clock: Clock) -> float | None:
    """What a `Retry-After` header asks for: seconds, or a date; None when it says neither.

    >>> from groundswell.clock import ManualClock
    >>> retry_after_seconds("120", ManualClock(0)), retry_after_seconds("soon", ManualClock(0))
    (120.0, None)
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header[:9]), LONGEST_RETRY_SECONDS)
    try:
        moment = parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, moment - clock.now_us() / SECOND_US), LONGEST_RETRY_SECONDS)
