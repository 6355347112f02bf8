"""Which crowds only copy, and which copies came too close together to be chance?

Owns what a family of copies is (posts of one near-identical text, one link or one picture), how it spread,
and what is held against it: how the other families of the last hour spread, and how reposts thin out. It
reads the open window and remembers nothing: who wrote two texts is compared in passing, by the window's keyed
hashes. Whether a crowd may be told of is for `release` to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.detect.bursts import HotTerms, crowd
from groundswell.detect.columns import count_distinct, distinct, group
from groundswell.detect.window import Window

__all__ = [
    "Amplification",
    "Copies",
    "Family",
    "chance",
    "combined",
    "constancy",
    "is_over",
    "is_unlikely",
    "latest_spread",
    "own_words",
    "pace",
    "seconds_apart",
]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]

MOST_P_VALUE = 0.05
MOST_FALSE = 0.02
"""Families an hour that may pass by chance, were the two tests independent."""
LONGEST_US = 5 * MINUTE_US
"""Copies that took longer were in no hurry, whatever the others did."""
ONE_TEXT = 1e-3
"""No p-value of a single text is smaller: only several texts by one crowd make a strong claim."""

PAUSE_US = 5 * MINUTE_US
"""Copies that come after so long are another spread of the same text."""
_MOST_BEFORE = 3
"""What came up more often within the hour before is a template: a share button's text, a greeting."""

_TRIM = 0.05
"""Of the copies, first and last: a try beforehand, and stragglers."""
_LEAST_COPIES = 8
"""Of a family that the others are held against."""
_LIKELY_US = 20 * MINUTE_US
_LIKELY_SPREAD = 1.0
_LIKELY_WEIGHT = 10
"""What is expected before others were seen: a lognormal around twenty minutes, worth so many families."""
_MOST_TEXTS = 8
_SAME_TEXT = 3
"""Copies of a family that must have another key for its posts to belong too."""


class Family(NamedTuple):
    """Posts that are copies of one another: indices into a `HotTerms`, and what they share."""

    posts: I64Array
    shapes: U64Array
    links: U64Array
    """Terms without words: links and pictures."""
    speakers: int


class Amplification(NamedTuple):
    """What is to be told of a family that came too fast."""

    p_value: float
    """An upper bound."""
    spread_seconds: float
    texts: int
    """Texts that the same crowd pushed within the hour, this one with them."""


def seconds_apart(times_us: I64Array) -> float:
    """The time in which the middle nine tenths of the copies came, in seconds.

    >>> seconds_apart(np.arange(0, 41) * 1_000_000)
    36.0
    """
    cut = round(_TRIM * len(times_us))
    ordered = np.sort(times_us)
    return float(ordered[len(ordered) - 1 - cut] - ordered[cut]) / SECOND_US


def latest_spread(times_us: I64Array, least: int) -> slice:
    """Of copies in stream order, the latest spread of at least `least`; none of a template.

    >>> minutes = np.array([0, 1, 2, 30, 31, 32, 50]) * 60_000_000
    >>> latest_spread(minutes, 3), latest_spread(minutes, 4)
    (slice(3, 6, None), slice(0, 0, None))
    """
    breaks = np.flatnonzero(np.diff(times_us) > PAUSE_US) + 1
    bounds = [0, *breaks.tolist(), len(times_us)]
    spreads = [
        (before, slice(first, last))
        for before, (first, last) in enumerate(pairwise(bounds))
        if last - first >= least
    ]
    return spreads[-1][1] if spreads and spreads[-1][0] <= _MOST_BEFORE else slice(0, 0)


def is_over(times_us: I64Array, now_us: int) -> bool:
    """Whether a spread can be judged: nineteen copies in twenty came in the first half of its time.

    Every spread looks constant while it has just begun; one that thins out exponentially has by then nearly
    all the copies that it will ever have.
    """
    first = int(times_us.min())
    late = int((times_us > first + (now_us - first) // 2).sum())
    return late <= _TRIM * len(times_us)


def constancy(times_us: I64Array) -> float:
    """The chance that copies which thin out come as evenly as these before they stop: an upper bound.

    Null hypothesis: after the first copies, each other comes after an exponential time of one unknown mean,
    or ever more slowly (a power law, a mixture). Then the normalised spacings (n - i) (x[i + 1] - x[i]) are
    independent and exponential, the last twentieth of the copies may be left out, and the running sums of the
    spacings over the whole lie as uniform points do: the cumulative total time on test (Barlow and others,
    "Statistical Inference under Order Restrictions", 1972, chapter 6). Their sum is large for an even rate
    that ends at once. The normal tail is above the true one.
    """
    ordered = np.sort(times_us).astype(np.float64)
    size = len(ordered)
    cut = round(_TRIM * size)
    kept = ordered[cut : size - cut]
    left = np.arange(size - cut - 1, cut, -1)
    spacings = left * np.diff(kept)
    total = spacings.sum()
    if len(spacings) < 3 or total <= 0.0:
        return 1.0 if len(spacings) < 3 else 0.0
    points = np.cumsum(spacings)[:-1] / total
    deviation = (points.sum() - len(points) / 2) / math.sqrt(len(points) / 12)
    return 0.5 * math.erfc(deviation / math.sqrt(2))


def pace(seconds: float, others: Sequence[float]) -> float:
    """The chance that a family spreads within `seconds`, as families spread that took `others`.

    The predictive distribution of one more lognormal spread, its two parameters learnt from the others and
    from a weak expectation (a Student t; Gelman and others, "Bayesian Data Analysis", 2013, 3.3).
    """
    seen = np.log(np.maximum(np.array(others, np.float64), 1.0))
    size, expected = len(seen), math.log(_LIKELY_US / SECOND_US)
    mean = float(seen.mean()) if size else 0.0
    weight = _LIKELY_WEIGHT + size
    centre = (_LIKELY_WEIGHT * expected + size * mean) / weight
    squares = _LIKELY_WEIGHT * _LIKELY_SPREAD**2 + float(((seen - mean) ** 2).sum())
    squares += _LIKELY_WEIGHT * size / weight * (mean - expected) ** 2
    scale = math.sqrt(squares / weight * (1.0 + 1.0 / weight))
    from scipy.special import stdtr  # slow to import, and asked for rarely

    return float(stdtr(weight, (math.log(max(seconds, 1.0)) - centre) / scale))


def chance(times_us: I64Array, others: Sequence[float]) -> float:
    """The chance of copies at these moments, beside families that took `others`: the larger of two.

    So it is an upper bound for copies that are as fast as others are, however they are spread, and for copies
    that thin out, however fast they are.
    """
    return max(pace(seconds_apart(times_us), others), constancy(times_us))


def is_unlikely(times_us: I64Array, others: Sequence[float]) -> bool:
    """Whether copies at these moments are tight and unlikely enough to be told of.

    The more families there are, the less likely each has to be: `MOST_FALSE`.
    """
    seconds = seconds_apart(times_us)
    if seconds > LONGEST_US / SECOND_US:
        return False
    even = constancy(times_us)
    fast = pace(seconds, others) if even <= MOST_P_VALUE else 1.0
    return max(fast, even) <= MOST_P_VALUE and (len(others) + 1) * fast * even <= MOST_FALSE


def combined(p_values: Sequence[float]) -> float:
    """Fisher's combination of independent p-values; no single text counts under `ONE_TEXT`.

    >>> round(combined([0.02]), 4), combined([1e-9]), combined([0.01, 0.01]) < 0.01**1.4
    (0.02, 0.001, True)
    """
    logs = [-math.log(max(p_value, ONE_TEXT)) for p_value in p_values]
    total = sum(logs)
    return math.exp(-total) * sum(total**k / math.factorial(k) for k in range(len(logs)))


def own_words(shapes: U64Array, posts: I64Array) -> I64Array:
    """Of `posts`, the first with each text: a crowd that copies says one thing once.

    >>> own_words(np.array([5, 7, 5, 5], np.uint64), np.array([0, 1, 2]))
    array([0, 1])
    """
    _, first = np.unique(shapes[posts], return_index=True)
    return posts[np.sort(first)]


class Copies:
    """Finds families of copies in the crowds of a tick, and judges them by the open window."""

    def __init__(self, window: Window, floor_k: int) -> None:
        self._window = window
        self._floor_k = floor_k
        self._others: tuple[int, list[float]] = (-1, [])

    def family(self, hot: HotTerms, posts: I64Array, terms: I64Array) -> Family | None:
        """The largest family among `posts`; None when fewer than k speakers are in it.

        It grows from the text, link or picture that most speakers share by those texts and links of which
        at least half of the posts belong to it already.
        """
        if len(posts) < self._floor_k:
            return None
        shapes = hot.shapes[posts]
        numbers, texts = group(shapes)
        wordless = self._wordless(hot, terms)
        uses = np.asarray(hot.uses[posts][:, wordless].todense() > 0).T
        users = distinct(numbers, hot.speakers[posts], len(texts))
        users[texts == 0] = 0  # of posts without words
        members: BoolArray = numbers == int(users.argmax())
        most = int(users.max(initial=0))
        for used in uses:
            sharing = count_distinct(hot.speakers[posts[used]])
            if sharing > most:
                members, most = used, sharing
        if 2 * most < self._floor_k:
            return None
        links = []
        for link, used in zip(wordless.tolist(), uses, strict=True):
            if _belongs(used, members):
                members = members | used
                links.append(int(hot.terms[link]))
        inside = np.bincount(numbers[members], minlength=len(texts))
        same = (inside >= _SAME_TEXT) & (2 * inside >= np.bincount(numbers, minlength=len(texts)))
        same &= texts != 0
        members = members | same[numbers]
        found = posts[members]
        speakers = crowd(hot.speakers[found], hot.epochs[found])
        if speakers < self._floor_k:
            return None
        return Family(found, texts[same], np.array(links, np.uint64), speakers)

    def judge(self, family: Family, now_us: int) -> Amplification | None:
        """What a family shows when it came too fast to be chance; None when it did not, or is not over."""
        rows = self._rows(family.shapes, family.links)
        return self._told(rows, family, now_us) if self._is_told(rows, now_us) else None

    def spread(self, family: Family, now_us: int) -> Amplification:
        """The same of a family that was told of already, whatever has become of it."""
        rows = self._rows(family.shapes, family.links)
        return self._told(rows, family, now_us) if len(rows) > 1 else Amplification(1.0, 0.0, 1)

    def _told(self, rows: I64Array, family: Family, now_us: int) -> Amplification:
        times_us = self._window.at("time_us", rows)
        texts = [rows, *self._others_by(rows, family.shapes, now_us)]
        p_values = [chance(self._window.at("time_us", each), self._spreads(now_us)) for each in texts]
        return Amplification(combined(p_values), round(seconds_apart(times_us), 1), len(texts))

    def _is_told(self, rows: I64Array, now_us: int) -> bool:
        times_us = self._window.at("time_us", rows)
        if len(rows) < 2 or not is_over(times_us, now_us) or seconds_apart(times_us) > LONGEST_US / SECOND_US:
            return False
        return is_unlikely(times_us, self._spreads(now_us))

    def _rows(self, shapes: U64Array, links: U64Array) -> I64Array:
        """The first copy of each speaker in the latest spread of the whole window, in stream order."""
        window = self._window
        rows = window.first_row + np.flatnonzero(np.isin(window.of("shape"), shapes))
        if len(links):
            rows = np.union1d(rows, window.find(np.sort(links), window.first_row)[0])
        rows = rows[window.at("alive", rows).astype(bool)]
        rows = rows[latest_spread(window.at("time_us", rows), self._floor_k // 2)]
        _, first = np.unique(window.at("speaker", rows), return_index=True)
        return np.sort(rows[first])

    def _spreads(self, now_us: int) -> list[float]:
        """How long the texts of the window took that many copied and that are over, in seconds.

        Left out is what is itself both tight and even: it is what these are asked about.
        """
        if self._others[0] == now_us:
            return self._others[1]
        window = self._window
        alive = np.flatnonzero(window.of("alive"))
        numbers, texts = group(window.of("shape")[alive])
        sizes = distinct(numbers, window.of("speaker")[alive], len(texts))
        sizes[texts == 0] = 0
        many = sizes >= _LEAST_COPIES
        chosen = np.flatnonzero(many[numbers])
        chosen = chosen[np.argsort(numbers[chosen], kind="stable")]
        ends = np.cumsum(np.bincount(numbers[chosen], minlength=len(texts))[np.flatnonzero(many)])
        times_us = window.of("time_us")[alive[chosen]]
        found = []
        for copies in np.split(times_us, ends[:-1]) if len(ends) else []:
            seconds = seconds_apart(copies)
            tight = seconds <= LONGEST_US / SECOND_US and constancy(copies) <= MOST_P_VALUE
            if is_over(copies, now_us) and not tight:
                found.append(seconds)
        self._others = (now_us, found)
        return found

    def _others_by(self, rows: I64Array, shapes: U64Array, now_us: int) -> list[I64Array]:
        """Copies of other texts of the window that this crowd wrote half of, and as fast; text by text."""
        window = self._window
        ours = np.isin(window.of("speaker"), window.at("speaker", rows)) & window.of("alive").astype(bool)
        ours &= ~np.isin(window.of("shape"), np.append(shapes, np.uint64(0)))
        numbers, texts = group(window.of("shape")[ours])
        sizes = distinct(numbers, window.of("speaker")[ours], len(texts))
        found = []
        for at in np.argsort(-sizes, kind="stable").tolist()[: _MOST_TEXTS - 1]:
            if sizes[at] < self._floor_k // 2:
                break
            copies = self._rows(texts[at : at + 1], np.empty(0, np.uint64))
            if 2 * sizes[at] >= len(copies) and self._is_told(copies, now_us):
                found.append(copies)
        return found

    def _wordless(self, hot: HotTerms, terms: I64Array) -> I64Array:
        """Those of `terms` that stand for a link or a picture: they are written nowhere in a post."""
        by_term = hot.uses[:, terms].tocsc()
        firsts = by_term.indices[by_term.indptr[:-1]]
        written = self._window.written(hot.rows[firsts], hot.terms[terms])
        return terms[[not surface for surface in written]]


def _belongs(used: BoolArray, members: BoolArray) -> bool:
    both = int((used & members).sum())
    return both >= _SAME_TEXT and 2 * both >= int(used.sum())
