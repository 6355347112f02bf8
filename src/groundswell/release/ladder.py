"""Owns the ladder: how a count of distinct speakers becomes a label, and when it climbs.

Labels are the rungs 20+, 50+, 100+, 200+, 500+, 1k+ … A rung r is reached at a secret threshold, uniform in
r … 2r − 1 and fixed for its series, so that whoever knows every other account still cannot tell n from
n + 1 by pushing accounts in and watching the label: over all rungs the advantage of the best such attacker
is 1 − Π(1 − 1/r), .086 at k = 20 (see `tests/test_release_ladder.py`). Rungs stand at least a factor of
two apart, so the ranges of their thresholds are disjoint and a ladder cannot contradict itself.

The ladder holds no state: that a published label never goes down is `release`'s to keep.
"""

from __future__ import annotations

from groundswell.release.publish_key import PublishKey

__all__ = ["Ladder", "label", "rungs"]

_HIGHEST = 1_000_000_000


def rungs(floor: int) -> tuple[int, ...]:
    """`floor`, then every 1, 2 or 5 times a power of ten that is at least twice the rung before it.

    >>> rungs(20)[:5], rungs(15)[:3]
    ((20, 50, 100, 200, 500), (15, 50, 100))
    """
    steps = [floor]
    power = 10
    while power < _HIGHEST:
        for rung in (power, 2 * power, 5 * power):
            if rung >= 2 * steps[-1]:
                steps.append(rung)
        power *= 10
    return tuple(steps)


def label(rung: int) -> str:
    """How a rung is written.

    >>> label(50), label(2_000), label(5_000_000)
    ('50+', '2k+', '5M+')
    """
    for unit, suffix in ((1_000_000, "M"), (1_000, "k")):
        if rung >= unit and rung % unit == 0:
            return f"{rung // unit}{suffix}+"
    return f"{rung}+"


class Ladder:
    """The ladder that starts at `floor`, under one publishing key.

    Parameters
    ----------
    entry_until
        The rungs up to this one are entries: they take their thresholds from the entry context. With a
        higher floor for sensitive matters that is the higher floor, so that a matter whose sensitivity
        changes draws no threshold twice.
    """

    def __init__(self, key: PublishKey, floor: int, entry_until: int | None = None) -> None:
        self._key = key
        self._entry_until = floor if entry_until is None else entry_until
        self.rungs = rungs(floor)

    def threshold(self, series: str, rung: int) -> int:
        """Distinct speakers at which `series` reaches `rung`: uniform in rung … 2·rung − 1."""
        return rung + self._key.draw(series, rung, rung)

    def leaving(self, entry: str) -> int:
        """Distinct speakers under which a series that got in is no longer described.

        Uniform in k … the first rung's own threshold: were the two equal, an attacker who sees a crowd both
        arrive and thin out could subtract one crossing from the other and be left without the secret.
        """
        first = self.rungs[0]
        entered_at = self.threshold(entry, first)
        return first + self._key.draw(f"leaving\x1f{entry}", first, entered_at - first + 1)

    def rung(self, count: int, series: str, entry: str | None = None) -> int | None:
        """The highest rung whose threshold `count` reaches; None under the first.

        Parameters
        ----------
        count
            Distinct speakers, deletions taken out.
        series
            The context that the thresholds belong to.
        entry
            The context of the entry rungs, where it is another: an attacker who can have a chain begin
            anew must not get a fresh draw of the threshold that decides whether anything shows.
        """
        reached = None
        for rung in self.rungs:
            if count < rung:
                break
            context = entry if entry is not None and rung <= self._entry_until else series
            if count < self.threshold(context, rung):
                break
            reached = rung
        return reached

    def label(self, series: str, count: int) -> str | None:
        """The label that `count` distinct speakers of `series` show as; None under the floor."""
        reached = self.rung(count, series)
        return None if reached is None else label(reached)
