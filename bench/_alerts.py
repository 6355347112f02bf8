"""What each published event is about, by the posts of its crowd, and how long after its crowd it came.

An alert is a published event. It is about the labelled event that wrote at least half of its posts; it is
mixed when only several together did, and else false. A post weighs as many minutes as it was in the crowd, so
that what strayed in for a moment counts for little. The second alert about an event is a duplicate.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from bench._about import MIXED, NONE
from bench._observed import Observed, microseconds
from bench._tracks import Placement, Post, Track

from groundswell.candidates import Candidate
from groundswell.clock import HOUR_US
from groundswell.published import Event
from groundswell.release import Floor, Ladder, PublishKey, ReleaseSettings
from groundswell.release.policy import SENSITIVE_MATTERS

__all__ = ["Alert", "Outcome", "alerts", "crowd_label", "interval", "outcomes"]

_DRAWS = 2_000


class Alert(NamedTuple):
    """One published event."""

    chain: str
    about: str
    """A label, `NONE` or `MIXED`."""
    published_us: int
    threshold: int
    """Speakers at which the ladder let it in."""
    duplicate: bool


class Outcome(NamedTuple):
    """What became of one event of a track."""

    placement: Placement
    after_start_seconds: float
    """From its first post to its first alert; infinite when there is none."""
    after_threshold_seconds: float
    """From the moment its crowd passed the threshold."""


def alerts(seen: Observed, label_of: dict[int, str | None], secret: int = 0) -> list[Alert]:
    """The alerts in order of publication.

    Parameters
    ----------
    label_of
        The label of each post, by the gate's key.
    secret
        The publishing key that the replay ran under.
    """
    key = PublishKey(secret.to_bytes(32, "big"))
    found: list[Alert] = []
    told: set[str] = set()
    for record in seen.revisions:
        if not isinstance(record, Event) or any(alert.chain == record.id for alert in found):
            continue
        about = crowd_label(*seen.crowds[record.id], label_of)
        found.append(
            Alert(
                record.id,
                about,
                microseconds(record.published_at),
                _threshold(key, seen.proposals[record.id]),
                duplicate=about in told,
            )
        )
        told.update({about} - {MIXED, NONE})
    return found


def crowd_label(
    keys: npt.NDArray[np.uint64], minutes: npt.NDArray[np.int64], label_of: dict[int, str | None]
) -> str:
    """The label that a crowd is about, `NONE` or `MIXED`."""
    votes: Counter[str | None] = Counter()
    for key, weight in zip(keys.tolist(), minutes.tolist(), strict=True):
        votes[label_of.get(key)] += weight
    label, most = votes.most_common(1)[0]
    if 2 * most >= votes.total():
        return NONE if label is None else label
    return MIXED if 2 * votes[None] < votes.total() else NONE


def _threshold(key: PublishKey, candidate: Candidate) -> int:
    """As `release` draws it: from the crowd's defining term and its first day."""
    settings = ReleaseSettings()
    floor = Floor(settings.k, settings.sensitive_k).of(sensitive=candidate.category in SENSITIVE_MATTERS)
    ladder = Ladder(key, floor, entry_until=settings.sensitive_k)
    return ladder.threshold(f"{candidate.seed}\x1f{candidate.first_us // (24 * HOUR_US)}", floor)


def outcomes(track: Track, found: list[Alert]) -> list[Outcome]:
    """What became of each event of the track: its first alert counts."""
    first = {alert.about: alert for alert in reversed(found)}
    posts: dict[str | None, list[Post]] = {}
    for post in track.posts:
        posts.setdefault(post.event, []).append(post)
    results = []
    for placement in track.placements:
        own, alert = posts[placement.event], first.get(placement.event)
        if alert is None:
            results.append(Outcome(placement, np.inf, np.inf))
            continue
        passed_us = _passed_us(own, alert.threshold)
        results.append(
            Outcome(
                placement,
                (alert.published_us - own[0].time_us) / 1e6,
                0.0 if passed_us is None else max(0.0, (alert.published_us - passed_us) / 1e6),
            )
        )
    return results


def _passed_us(posts: list[Post], threshold: int) -> int | None:
    """When `threshold` accounts had spoken within an hour; None when that never was, others helped then."""
    within: deque[Post] = deque()
    speaking: Counter[str] = Counter()
    for post in posts:
        within.append(post)
        speaking[post.account] += 1
        while within[0].time_us <= post.time_us - HOUR_US:
            gone = within.popleft()
            speaking[gone.account] -= 1
            if not speaking[gone.account]:
                del speaking[gone.account]
        if len(speaking) >= threshold:
            return post.time_us
    return None


def interval(
    values: Sequence[float], statistic: Callable[[npt.NDArray[np.float64]], float] = np.mean
) -> tuple[float, float, float]:
    """(value, 2.5 % and 97.5 % quantile over resamples): the percentile bootstrap of Efron (1979)."""
    sample = np.array(values, np.float64)
    if not len(sample):
        return np.nan, np.nan, np.nan
    rng = np.random.default_rng(0)
    drawn = [statistic(sample[rng.integers(0, len(sample), len(sample))]) for _ in range(_DRAWS)]
    low, high = np.quantile(drawn, (0.025, 0.975), method="nearest")
    return float(statistic(sample)), float(low), float(high)
