"""Counts and surprise: windows are sums of whole slots, and only what is new in kind surprises."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.clock import MINUTE_US, QUARTER_US, SECOND_US
from groundswell.detect.buckets import Buckets, Outlook, _code, _freshen, _whole
from groundswell.detect.rates import Rates, RateSettings, Uses
from tests.enriched_posts import NOON_US, hashed, term

TICK_US = 10 * SECOND_US
SMALL = RateSettings(bits=12, speaker_bits=14)
HOT = 12.0

Post = tuple[int, int, tuple[str, ...]]
"""Seconds after noon, speaker, words."""


def feed(rates: Rates, posts: list[Post]) -> dict[str, float]:
    """Count the posts tick by tick; the most that each word surprised."""
    words = {term(word): word for _, _, said in posts for word in said}
    most: dict[str, float] = {}
    ticks: dict[int, list[Post]] = {}
    for post in posts:
        ticks.setdefault(post[0] // 10, []).append(post)
    for tick, inside in ticks.items():
        start_us = NOON_US + tick * TICK_US
        rates.advance(start_us)
        uses = Uses(
            np.array([term(word) for _, _, said in inside for word in said], np.uint64),
            np.cumsum([0, *(len(said) for _, _, said in inside)]).astype(np.int64),
            np.array([hashed(speaker) for _, speaker, _ in inside], np.uint64),
        )
        _, emitted, surprise, _ = rates.observe(uses, start_us + TICK_US)
        for hash_, value in zip(emitted.tolist(), surprise.tolist(), strict=True):
            most[words[hash_]] = max(most.get(words[hash_], 0.0), value)
    return most


def steady(word: str, seconds: range) -> list[Post]:
    """A word once in every step, always from somebody else."""
    return [(second, second, (word,)) for second in seconds]


def together(*streams: list[Post]) -> list[Post]:
    return sorted(post for stream in streams for post in stream)


def naive(posts: list[Post], now_us: int) -> dict[str, Counter[str]]:
    """The same windows, counted from the posts alone."""
    last: dict[tuple[int, str], int] = {}
    counts: dict[str, Counter[str]] = {"mid": Counter(), "slow": Counter(), "total": Counter()}
    for seconds, speaker, words in posts:
        time_us = NOON_US + seconds * SECOND_US
        for word in words:
            tick = seconds // 10 * 10  # uses are dated by their tick
            known = tick - last.get((speaker, word), -(10**9)) <= SMALL.speaker_seconds
            last[speaker, word] = tick
            minutes_ago = now_us // MINUTE_US - time_us // MINUTE_US
            quarters_ago = now_us // QUARTER_US - time_us // QUARTER_US
            counts["mid"][word] += not known and minutes_ago <= 15
            counts["slow"][word] += not known and quarters_ago <= 4
            counts["total"][word] += not known and quarters_ago <= 12
    return {window: +counter for window, counter in counts.items()}


def windows(rates: Rates) -> dict[str, npt.NDArray[np.int64]]:
    """What the windows hold by bucket, in two rows."""
    lines = rates._buckets.lines.astype(np.int64)
    for at in np.flatnonzero(lines.any(axis=1)).tolist():
        _freshen.py_func(lines, at, rates._minute)
    minutes, codes = lines[:, :16], lines[:, 16:28]
    running = minutes[:, [(rates._minute - back) % 16 for back in range(rates._minute % 15 + 1)]].sum(axis=1)
    whole = np.where(codes < 1 << 15, codes, (codes - (1 << 15)) << 5)
    lately = whole[:, [(rates._quarter - back) % 12 for back in range(1, 5)]].sum(axis=1)
    found = {"mid": minutes.sum(axis=1), "slow": running + lately, "total": running + whole.sum(axis=1)}
    return {name: counts.reshape(2, -1) for name, counts in found.items()}


gaps = st.one_of(st.integers(0, 90), st.integers(0, 1500), st.integers(0, 6 * 3600))
said = st.sets(st.sampled_from(["flood", "storm", "the", "cat"]), min_size=1).map(sorted).map(tuple)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(gaps, st.integers(0, 3), said), min_size=1, max_size=40), gaps)
def test_windows_equal_a_recount_of_the_posts_whatever_the_silences(spoken: list[Post], silence: int) -> None:
    times = accumulate(gap for gap, _, _ in spoken)
    posts = [(time, speaker, words) for time, (_, speaker, words) in zip(times, spoken, strict=True)]
    rates = Rates(SMALL, floor_k=3)
    feed(rates, posts)
    now_us = NOON_US + (posts[-1][0] + silence) // 10 * TICK_US
    rates.advance(now_us)
    for name, expected in naive(posts, now_us).items():
        for row in windows(rates)[name]:
            assert sorted(row[row > 0].tolist()) == sorted(expected.values()), name


def test_neither_the_order_in_a_tick_nor_how_many_uses_are_spread_at_once_matters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weather = steady("rain", range(0, 3600, 20))
    news: list[Post] = [(2400 + i // 8, i, ("explosion", "rain")) for i in range(200)]
    expected = feed(Rates(SMALL, floor_k=20), together(weather, news))
    assert expected["explosion"] > HOT
    turned = sorted(together(weather, news), key=lambda post: (post[0] // 10, -post[0], -post[1]))
    assert feed(Rates(SMALL, floor_k=20), turned) == expected
    monkeypatch.setattr("groundswell.detect.rates.CHUNK", 7)
    assert feed(Rates(SMALL, floor_k=20), together(weather, news)) == expected


counts = st.one_of(st.integers(0, 6), st.integers(0, 300), st.integers(0, 65535))


@settings(max_examples=300, deadline=None)
@given(st.lists(counts, min_size=28, max_size=28), st.integers(20, 600), st.floats(0, 9), st.floats(1, 3))
def test_the_quick_look_at_a_line_misses_nothing_that_surprises(
    line: list[int], minutes: int, mean: float, swell: float
) -> None:
    buckets = Buckets(8)
    word = np.array([term("explosion")], np.uint64)
    buckets.add(word, minutes)
    for line_at in np.flatnonzero(buckets.lines.any(axis=1)):
        buckets.lines[line_at, :28] = line
        buckets.means[line_at] = mean
    exposures = np.minimum([1.5, 15.5, 65.0, 185.0], minutes)
    outlook = Outlook(
        minute=minutes,
        quarters_seen=min(minutes // 15, 12),
        exposures=exposures,
        expectant=exposures[:3] * swell,
        floors=np.array([0.35, 0.53, 1.0]),
        lift=4.0,
        base_weight=15.0 if mean else 0.0,
    )
    exact = float(buckets._judged(word, outlook.masks(), outlook)[0, 0])
    at, nats, _ = buckets.surprising(word, outlook, warm=1e-6)
    assert nats.tolist() == ([exact] if exact >= 1e-6 else [])
    assert at.tolist() == [0] * len(nats)


def test_a_steady_word_never_surprises_and_a_new_one_does() -> None:
    weather = steady("rain", range(0, 3 * 3600, 20))
    news = steady("explosion", range(2 * 3600, 2 * 3600 + 120, 6))
    most = feed(Rates(SMALL, floor_k=20), together(weather, news))
    assert most["explosion"] > 2 * HOT
    assert "rain" not in most


def test_nothing_surprises_before_enough_was_seen() -> None:
    early = steady("explosion", range(25 * 60, 27 * 60, 6))
    assert feed(Rates(SMALL, floor_k=20), together(steady("rain", range(0, 1800, 20)), early)) == {}


@pytest.mark.parametrize("everything_swells", [True, False])
def test_a_swell_of_the_whole_stream_leaves_common_words_cool(everything_swells: bool) -> None:
    rng = np.random.default_rng(4)
    vocabulary = [f"word{i}" for i in range(40)]

    def posts(start: int, seconds: int, per_second: float, words: list[str]) -> list[Post]:
        times = rng.integers(start, start + seconds, int(per_second * seconds)).tolist()
        return [(time, int(rng.integers(1 << 40)), (words[int(rng.integers(len(words)))],)) for time in times]

    calm = posts(0, 2 * 3600, 1.0, vocabulary)
    swelling = vocabulary if everything_swells else vocabulary[:4]
    burst = posts(2 * 3600, 600, 10.0 * len(swelling) / len(vocabulary), swelling)
    hot = {
        word for word, nats in feed(Rates(SMALL, floor_k=20), together(calm, burst)).items() if nats >= HOT
    }
    assert hot == (set() if everything_swells else set(swelling))


@pytest.mark.parametrize(("speakers", "surprises"), [(1, False), (2, False), (30, True)])
def test_a_speaker_counts_once_however_often_they_repeat_themselves(speakers: int, surprises: bool) -> None:
    background = steady("rain", range(0, 3600, 20))
    shouting: list[Post] = [(2400 + 5 * i, i % speakers, ("explosion",)) for i in range(119)]
    assert ("explosion" in feed(Rates(SMALL, floor_k=20), together(background, shouting))) is surprises


def test_a_speaker_counts_again_once_they_have_been_silent_for_long_enough() -> None:
    rates = Rates(RateSettings(bits=12, speaker_bits=14, speaker_seconds=600), floor_k=20)
    feed(rates, [(0, 1, ("hello",)), (600, 1, ("hello",)), (1211, 1, ("hello",))])
    assert windows(rates)["total"].sum(axis=1).tolist() == [2, 2]


def test_a_word_too_common_to_be_counted_to_the_end_stays_cool() -> None:
    rates = Rates(SMALL, floor_k=20)
    size = 11_000  # 66,000 a minute: more than sixteen bits hold
    uses = np.full(size, term("the"), np.uint64)
    for tick in range(6 * 90):
        end_us = NOON_US + (tick + 1) * TICK_US
        rates.advance(end_us - TICK_US)
        speakers = np.arange(tick * size, (tick + 1) * size, dtype=np.uint64)
        assert not len(rates.observe(Uses(uses, np.arange(size + 1), speakers), end_us)[0])
    assert windows(rates)["mid"].max() == 16 * 65535
    assert 75 * 65535 * 0.99 < windows(rates)["slow"].max() <= 75 * 65535


@settings(deadline=None)
@given(st.integers(0, 15 * 65535))
def test_a_quarter_hour_is_kept_exactly_or_to_one_in_a_thousand(count: int) -> None:
    code = _code.py_func(np.uint32(count))
    assert 0 <= code < 1 << 16
    whole = int(_whole.py_func(np.uint32(code)))
    assert whole == count if count < 1 << 15 else 0 <= count - whole < 32


def test_a_speaker_cannot_fill_a_bucket_of_the_baseline_alone_or_twice_in_a_quarter_hour() -> None:
    rates = Rates(SMALL, floor_k=2)
    feed(rates, [(second, 1, ("hello",)) for second in range(0, 3600, 10)])
    feed(rates, [(3600 + second, 1 + second // 450, ("hello",)) for second in range(0, 890, 10)])
    for quarter in range(5, 18):
        rates.advance(NOON_US + quarter * QUARTER_US)
        assert rates.snapshot()[0].tolist() == []


def test_the_baseline_holds_no_bucket_that_fewer_than_k_filled_in_a_quarter_hour() -> None:
    rates = Rates(SMALL, floor_k=5)
    posts: list[Post] = [(10 * i, i, ("common",)) for i in range(5)]
    posts += [(10 * i + 1, i, ("rare",)) for i in range(4)]
    posts += [(900 * quarter + 2, 9, ("seldom",)) for quarter in range(12)]
    feed(rates, sorted(posts))
    for quarter in range(1, 14):
        assert rates.snapshot()[0].tolist() == []
        rates.advance(NOON_US + quarter * QUARTER_US)
    filled, means, quarters = rates.snapshot()
    assert means.tolist() == [5.0, 5.0]  # one bucket in each row
    assert quarters == 1.0
    assert len(filled) == 2


def test_a_burst_does_not_become_its_own_baseline() -> None:
    rates = Rates(SMALL, floor_k=5)
    words: list[Post] = [(900 * q + 10 * i, 100 * q + i, ("common",)) for q in range(8) for i in range(10)]
    words += [(900 * 8 + i // 4, 1000 + i, ("common",)) for i in range(3000)]
    feed(rates, words)
    for quarter in range(9, 23):
        rates.advance(NOON_US + quarter * QUARTER_US)
    _, means, _ = rates.snapshot()
    assert 5.0 < means.max() < 15.0


def test_a_restored_baseline_is_the_one_that_was_stored_and_keeps_common_words_cool() -> None:
    before = Rates(SMALL, floor_k=5)
    feed(before, steady("rain", range(0, 6 * 3600, 20)))
    stored = before.snapshot()
    after = Rates(SMALL, floor_k=5)
    after.restore(*stored)
    for old, new in zip(stored, after.snapshot(), strict=True):
        np.testing.assert_array_equal(old, new)
    day_us = 24 * 3600
    news = [
        (second + day_us, speaker, words) for second, speaker, words in steady("rain", range(2000, 2600, 20))
    ]
    opening: list[Post] = [(day_us, 1, ("hello",))]
    assert feed(after, opening + news) == {}
    assert feed(Rates(SMALL, floor_k=5), opening + news)["rain"] >= HOT
