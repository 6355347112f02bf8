"""Owns the memory of judgements about phrases: one tick long.

The same phrases come back tick after tick, and judging one is dear. But a phrase that never crosses the line
must not linger in memory, so a verdict that a whole tick did not ask for is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Verdicts"]


class Verdicts:
    """A judgement that depends on the text alone, remembered from one tick to the next.

    >>> is_long = Verdicts(lambda text: len(text) > 3)
    >>> is_long("flood"), is_long("flood")
    (True, True)
    """

    def __init__(self, judge: Callable[[str], bool]) -> None:
        self._judge = judge
        self._now: dict[str, bool] = {}
        self._before: dict[str, bool] = {}

    def __call__(self, text: str) -> bool:
        verdict = self._now.get(text)
        if verdict is None:
            verdict = self._before.get(text)
            if verdict is None:
                verdict = self._judge(text)
            self._now[text] = verdict
        return verdict

    def turn(self) -> None:
        """A tick is over: forget what it did not ask for."""
        self._before, self._now = self._now, {}
