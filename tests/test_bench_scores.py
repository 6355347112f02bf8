"""The scoring of events and amplification: what is right, double, mixed, late or missing counts as such."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from bench import _replays, _tracks, amplification, false_events
from bench._about import MIXED, NONE
from bench._alerts import Alert, _threshold, alerts, crowd_label, interval, outcomes
from bench._baselines import first_stories, has_river, text_clusters
from bench._coordination import Coordinated, Share, coordinated, one_hour_crowd
from bench._observed import Observed
from bench._tracks import Placement, Post, Split, Track, crises, isolated, seeds_of

from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US, rfc3339
from groundswell.published import Amplification, Event
from groundswell.release import PublishKey
from groundswell.simulator import World
from groundswell.sources.wire import time_of
from tests.line_worlds import lexica
from tests.measuring import measuring
from tests.release_crowds import crowd, gatekeeper

START_US = 1_777_593_600_000_000
Kind = type[Event | Amplification]


def record(chain: str, minute: int, kind: Kind) -> Event | Amplification:
    at = rfc3339(START_US + minute * MINUTE_US)
    fields: dict[str, Any] = {
        "id": chain, "first_seen": at, "last_seen": at, "published_at": at, "accounts": "20+", "phrases": (),
        "category": "flood", "place": None, "languages": (), "sources": (), "domains": (), "state": "new",
    }  # fmt: skip
    return Event(**fields) if kind is Event else Amplification(**fields, p_value=0.1, spread_seconds=10.0)


def observed(*published: tuple[str, int, list[int], Kind]) -> Observed:
    return Observed(
        [record(chain, minute, kind) for chain, minute, _, kind in published],
        {chain: crowd(chain) for chain, *_ in published},
        np.empty(0, np.uint64),
        [],
        {chain: (np.array(posts, np.uint64), np.ones(len(posts), int)) for chain, _, posts, _ in published},
    )


LABELS = {1: "a", 2: "a", 3: "b", 4: "b", 5: None, 6: None, 7: "c"}


@pytest.mark.parametrize(
    ("posts", "about"),
    [
        ([1, 2, 3, 5], "a"),
        ([1, 3, 7, 5], MIXED),
        ([1, 5, 6], NONE),
        ([1, 3, 5, 6], NONE),
        ([1, 2, 3, 4], "a"),
    ],
)
def test_an_alert_is_about_whoever_wrote_half_of_its_posts(posts: list[int], about: str) -> None:
    (alert,) = alerts(observed(("x", 3, posts, Event)), LABELS)
    assert (alert.about, alert.published_us) == (about, START_US + 3 * MINUTE_US)


def test_a_post_weighs_as_long_as_it_was_there() -> None:
    keys, minutes = np.array([1, 3, 4, 5], np.uint64), np.array([5, 2, 2, 1])
    assert crowd_label(keys, minutes, LABELS) == "a"
    assert crowd_label(keys, minutes[::-1], LABELS) == NONE
    assert crowd_label(keys, np.array([4, 4, 1, 1]), LABELS) == "b"


def test_the_second_alert_about_an_event_is_a_duplicate() -> None:
    seen = observed(
        ("x", 1, [1], Event), ("x", 2, [1], Event), ("w", 3, [2], Amplification), ("y", 4, [2], Event),
        ("n", 5, [5], Event), ("m", 6, [6], Event), ("z", 7, [3], Event),
    )  # fmt: skip
    found = alerts(seen, LABELS)
    assert [(alert.chain, alert.duplicate) for alert in found] == [
        ("x", False), ("y", True), ("n", False), ("m", False), ("z", False),
    ]  # fmt: skip


@pytest.mark.parametrize("category", ["flood", "attack"])
def test_the_threshold_is_the_one_that_release_draws(category: str) -> None:
    for secret in range(5):
        key = PublishKey(secret.to_bytes(32, "big"))
        least = next(
            speakers
            for speakers in range(10, 200)
            if gatekeeper(key).decide([crowd(speakers=speakers, category=category)], START_US).records
        )
        assert _threshold(key, crowd(category=category)) == least


def test_delays_run_from_the_speaker_who_passed_the_threshold() -> None:
    times = [0, 10, 20, 30, 40]
    posts = [Post(START_US + at * SECOND_US, f"p{at}", f"u{at // 20}", "", "a") for at in times]
    posts.append(Post(START_US, "q", "v", "", "b"))
    track = Track([], posts, [Placement("a", 1.0), Placement("b", 1.0)])
    published_us = START_US + 100 * SECOND_US
    hit, miss = outcomes(track, [Alert("x", "a", published_us, 2, duplicate=False)])
    assert (hit.after_start_seconds, hit.after_threshold_seconds) == (
        100,
        80,
    )  # the second speaker came at 20
    assert miss.after_start_seconds == miss.after_threshold_seconds == np.inf
    (early,) = outcomes(
        track._replace(placements=track.placements[:1]), [Alert("x", "a", published_us, 9, False)]
    )
    assert early.after_threshold_seconds == 0


def test_intervals_hold_the_value_and_narrow_with_more() -> None:
    value, low, high = interval([1.0] * 8 + [0.0] * 2)
    assert low < value == 0.8 < high
    _, lower, higher = interval([1.0] * 80 + [0.0] * 20)
    assert low < lower < 0.8 < higher < high
    assert interval([3.0, np.inf, np.inf], lambda sample: float(np.max(sample)))[0] == np.inf
    assert all(np.isnan(interval([])))


def test_what_is_held_out_is_not_tuned_on() -> None:
    with Path(_tracks.__file__).with_name("events_split.tsv").open(newline="") as table:
        names = [row["name"] for row in csv.DictReader(table, delimiter="\t")]
    assert len(names) == len(set(names)) == 25
    assert not set(seeds_of("tuning", 100)) & set(seeds_of("held-out", 100))
    assert seeds_of("held-out", 90) == list(range(1004, 1094))  # 1001 to 1003 have been looked at


@pytest.mark.parametrize("split", ["tuning", "held-out"])
def test_tracks_follow_from_their_seed(split: Split) -> None:
    measuring("events", "mix.jsonl.gz")
    track = isolated(seeds_of(split, 1)[0], split)
    assert track.lines == isolated(seeds_of(split, 1)[0], split).lines
    assert len(track.placements) == len(_tracks.ISOLATED_RATES)
    assert sorted(placement.posts_per_second for placement in track.placements) == list(
        _tracks.ISOLATED_RATES
    )
    ends: list[int] = [0]
    for placement in track.placements:
        times = [post.time_us for post in track.posts if post.event == placement.event]
        assert times[0] > ends[-1] + 10 * MINUTE_US
        rate = len(times) / (times[-1] - times[0]) * SECOND_US
        assert rate == pytest.approx(placement.posts_per_second, rel=0.2)
        ends.append(times[-1])


def test_thirty_crises_run_at_once() -> None:
    measuring("events", "mix.jsonl.gz")
    track = crises(1001, "held-out")
    assert len(track.placements) == 30
    spans: dict[str | None, list[int]] = {}
    for post in track.posts:
        spans.setdefault(post.event, []).append(post.time_us)
    assert {placement.event for placement in track.placements} == spans.keys() - {None}
    middle = START_US + HOUR_US
    assert sum(times[0] < middle < times[-1] for event, times in spans.items() if event) >= 25


STORIES = [
    "Flood in Porto, the river is over its banks",
    "what a nice goal tonight",
    "The river is over its banks: flood in Porto!",
    "@user",
    "RT @a: flood in Porto, the river is over the banks",
]


def test_first_stories_join_near_posts() -> None:
    assert first_stories(STORIES) == ["0", "1", "0", "", "0"]


@pytest.mark.skipif(not has_river(), reason="River is not installed")
def test_text_clusters_join_near_posts() -> None:
    clusters = text_clusters(STORIES)
    assert clusters[0] == clusters[2] == clusters[4] != clusters[1]
    assert clusters[3] == ""


def test_who_shares_the_same_things_within_seconds_is_coordinated() -> None:
    often = [Share(1000.0 * at + place, who, f"o{at}") for at in range(4) for place, who in enumerate("abc")]
    once = [
        Share(9000.0 + 100 * number + place, who, f"p{number}")
        for number, pair in enumerate(("de", "fg", "hi", "jk"))
        for place, who in enumerate(pair)
    ]
    late = [Share(9900.0 + 400 * place, who, "q") for place, who in enumerate("defghijk")]
    (cluster,) = coordinated(often + once + late)
    assert cluster == Coordinated(frozenset("abc"), frozenset({"o0", "o1", "o2", "o3"}))
    assert coordinated([*late, *late]) == []
    assert one_hour_crowd(cluster, often) == 3
    apart = [Share(0.0, "a", "o0"), Share(3000.0, "b", "o0"), Share(3700.0, "c", "o0")]
    assert one_hour_crowd(cluster, apart) == 2


def test_share_buttons_stand_among_the_other_posts() -> None:
    world = World(amplification._settings(1))
    lines, labels = amplification._with_share_buttons(world, 1)
    kinds = Counter((label or "none").partition("-")[0] for label in labels)
    assert kinds["share"] > 100
    assert kinds["campaign"] > 100
    times = [msgspec.json.decode(line)["created_at"] for line in lines]
    assert [time_of(at) for at in times] == sorted(time_of(at) or 0 for at in times)


def test_p_values_of_copies_without_a_pattern_are_not_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amplification, "NULL_GROUPS", 200)
    rows = amplification._null_rows()
    shares = [float(row["value"]) for row in rows if "p-values" in row["figure"]]
    assert len(shares) == len(amplification.NULLS)
    assert max(shares) <= 0.07


def test_the_page_of_replays_says_what_was_published_and_what_was_not() -> None:
    known = _replays.Known("a", "idrisi", rfc3339(START_US), "it begins")
    seen = observed(("x", 90, [1], Event), ("n", 95, [5], Event))
    times = [START_US + minute * MINUTE_US for minute in (0, 30, 200)]
    told = _replays._section(known, times, seen, LABELS, lambda moment_us: moment_us)
    assert "First published 2026-05-01 01:30, 90 min after what was known, with 2 of its posts read." in told
    assert told.count("| flood |") == 1
    none = _replays._section(known, times, observed(), LABELS, lambda moment_us: moment_us)
    assert none.endswith("Nothing is published.\n")
    assert {each.file for each in _replays._known()} == {"crisislext6", "idrisi"}


def test_a_background_is_replayed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_events, "HOURS", 0.6)
    monkeypatch.setattr(false_events, "POSTS_PER_SECOND", 0.2)
    monkeypatch.setattr(false_events, "Lexica", lexica)
    rows = {row["figure"]: row["value"] for row in false_events.measure(seeds=2)}
    assert rows["counted hours of stream time"] == 0.2
    assert rows["false events"] == 0
