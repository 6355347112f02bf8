"""Owns what is said of a crowd's mood: shares in quarters, each with a crowd of its own behind it.

Nothing here may tell n from n + 1 accounts of one mood. A share shows only when the mood's speakers reach a
secret threshold of the ladder's first rung, and only when all who have a mood reach the third rung and are a
secret part, two to three fifths, of the crowd. Shares are rounded to quarters with a secret offset, fixed for
the chain and the mood, so that one account moves a share of n by a quarter with chance 4 / n at most: .04 at
the third rung of k = 20. What shows stays until the share is a quarter away from it, and is looked at only
when a revision is due. (As with bins: who can move a crowd for hours can wear these secrets down.)
"""

from __future__ import annotations

import math

from groundswell.candidates import Candidate
from groundswell.published import Mood
from groundswell.release.ladder import Ladder
from groundswell.release.publish_key import PublishKey

__all__ = ["STEP", "CrowdMoods"]

STEP = 0.25
_MOODS = ("negative", "neutral", "positive")
_FINENESS = 1 << 16
_LEAST_RUNG = 2


class CrowdMoods:
    """Moods under one publishing key."""

    def __init__(self, key: PublishKey) -> None:
        self._key = key

    def shown(self, candidate: Candidate, ladder: Ladder, last: Mood | None) -> Mood | None:
        """What `candidate` shows after it showed `last`; None when no share may show."""
        chain = f"{candidate.chain}\x1fmood"
        counted = sum(candidate.moods)
        least_part = 0.4 + 0.2 * self._fraction(f"{chain}\x1fpart")
        reached = ladder.rung(counted, chain) or 0
        if reached < ladder.rungs[_LEAST_RUNG] or counted < least_part * candidate.speakers:
            return None
        shares = [
            self._share(f"{chain}\x1f{name}", speakers, counted, ladder, getattr(last, name, None))
            for name, speakers in zip(_MOODS, candidate.moods, strict=True)
        ]
        return Mood(*shares) if any(share is not None for share in shares) else None

    def _share(
        self, series: str, speakers: int, counted: int, ladder: Ladder, last: float | None
    ) -> float | None:
        if ladder.rung(speakers, series) is None:
            return None
        share = speakers / counted
        if last is not None and abs(share - last) < STEP:
            return last
        return min(math.floor(share / STEP + self._fraction(f"{series}\x1foffset")) * STEP, 1.0)

    def _fraction(self, series: str) -> float:
        """A secret in [0, 1), fixed for `series`."""
        return self._key.draw(series, 0, _FINENESS) / _FINENESS
