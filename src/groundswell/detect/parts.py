"""The languages that a crowd speaks, each held against the rule on persons as if it stood alone.

People who turn on somebody must not come out because others, in another language, say what happens and where
at the same time. Owns how a crowd is seen by its languages; the rule is `pile_ons`', who is left out `groups`
says. Remembers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from groundswell.candidates import Part
from groundswell.detect.bursts import HotTerms
from groundswell.detect.crowds import Crowds
from groundswell.detect.gazette import Gazette
from groundswell.detect.membership import Cluster

__all__ = ["Parts"]

I64Array = npt.NDArray[np.int64]


class Parts:
    """Sees crowds by their languages.

    Parameters
    ----------
    floor_k
        See `Detector`.
    """

    def __init__(self, crowds: Crowds, gazette: Gazette, floor_k: int) -> None:
        self._crowds = crowds
        self._gazette = gazette
        self._floor_k = floor_k

    def by_language(self, hot: HotTerms, clusters: Sequence[Cluster]) -> dict[str, list[Cluster]]:
        """Clusters by what most of their posts are in; those in no sure language are one part, ``""``."""
        spoken: dict[str, list[Cluster]] = {}
        for cluster in clusters:
            spoken.setdefault(self._crowds.language(hot.rows[cluster.posts]), []).append(cluster)
        return spoken

    def of(self, hot: HotTerms, posts: I64Array, terms: I64Array) -> Part:
        """What `posts` say by themselves; `terms` are the hot ones that they are a crowd for.

        In no sure language a place says nothing: it could be half a name.
        """
        rows, speakers = hot.rows[posts], hot.speakers[posts]
        category = self._crowds.category(rows, speakers)
        places = self._gazette.uses(self._crowds.evidence(rows), speakers)
        language = self._crowds.language(rows)
        return Part(
            language=language,
            category=category,
            person_share=round(self._crowds.share_about_one(hot, terms, posts, category), 4),
            placed=max((place.speakers for place in places if language), default=0),
        )

    def can_stand_alone(self, part: Part) -> bool:
        """Whether `release` would not take it for a crowd that has turned on a person."""
        return not part.may_be_a_pile_on(self._floor_k)
