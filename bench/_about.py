"""What is a published record about? Truth is looked up here and nowhere else.

A record is about the labelled event that wrote at least half of the posts with one of its phrases in them,
between its first and its last minute; about `NONE` when unlabelled posts wrote half; else it is `MIXED`. The
matching is of plain words, not of the terms that the detector counts, so that it cannot share their faults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.clock import MINUTE_US
from groundswell.published import Amplification, Event

__all__ = ["MIXED", "NONE", "Truth"]

NONE = "none"
MIXED = "mixed"
_BETWEEN_WORDS = r"[^\pL\pM\pN\pS'’]+"
_WRITTEN_WITHOUT_SPACES = (
    r"[\x{e00}-\x{eff}\x{1000}-\x{109f}\x{1780}-\x{17ff}\x{3040}-\x{30ff}\x{3400}-\x{9fff}]"
)


class Truth:
    """Labelled posts, in stream-time order.

    Parameters
    ----------
    times_us
        Stream time of each post, never decreasing.
    texts
        As they were read.
    labels
        The event each belongs to; None for the background.
    """

    def __init__(self, times_us: Sequence[int], texts: Sequence[str], labels: Sequence[str | None]) -> None:
        self._times_us = np.array(times_us, np.int64)
        self._texts = _plain(pa.array(texts, pa.string()))
        self._labels = labels

    def about(self, record: Event | Amplification) -> str:
        """The label `record` is about, `NONE` or `MIXED`."""
        start = int(np.searchsorted(self._times_us, _microseconds(record.first_seen)))
        # Times in records are floored to the minute.
        end = int(np.searchsorted(self._times_us, _microseconds(record.last_seen) + MINUTE_US))
        texts = self._texts.slice(start, end - start)
        said = np.zeros(len(texts), bool)
        for phrase in record.phrases:
            said |= _contain(texts, phrase)
        votes = Counter(self._labels[start + at] for at in np.flatnonzero(said).tolist())
        if not votes:
            return NONE
        label, count = votes.most_common(1)[0]
        if 2 * count < votes.total():
            return MIXED
        return NONE if label is None else label


def _plain(texts: pa.StringArray) -> pa.StringArray:
    """Lower-case words between single spaces, one at either end too."""
    spaced = pc.replace_substring_regex(pc.utf8_lower(texts), _BETWEEN_WORDS, " ")
    return pc.binary_join_element_wise("", pc.utf8_trim_whitespace(spaced), "", " ")


def _contain(texts: pa.StringArray, phrase: str) -> np.ndarray:
    """Which texts have the phrase: as words, or run together as in a hashtag."""
    plain = _plain(pa.array([phrase], pa.string()))[0].as_py()
    if pc.match_substring_regex(pa.scalar(phrase), _WRITTEN_WITHOUT_SPACES).as_py():
        plain = plain.strip()
    found = pc.match_substring(texts, plain)
    joined = f" {plain.replace(' ', '')} "
    if joined != plain:
        found = pc.or_(found, pc.match_substring(texts, joined))
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _microseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp()) * 1_000_000
