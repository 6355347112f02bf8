"""Copies: which belong together, which came too fast to be chance, and what is no sign of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from groundswell.candidates import Candidate
from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US
from groundswell.detect.amplification import (
    ONE_TEXT,
    chance,
    combined,
    constancy,
    is_over,
    is_unlikely,
    latest_spread,
    pace,
    seconds_apart,
)
from tests.enriched_posts import NOON_US, Row, chatter, detector, hashed, play, post

ONSET = 35 * 60
MINUTES = 45
BACKGROUND = chatter(MINUTES)
TEXT = "our council hides what the parking tax costs"
LINK = hashed("link") & ~1
Draw = Callable[[np.random.Generator, int], np.ndarray]

NULLS: dict[str, Draw] = {
    "exponential": lambda rng, size: rng.exponential(1.0, size),
    "lognormal": lambda rng, size: rng.lognormal(0.0, 1.5, size),
    "power law": lambda rng, size: rng.pareto(1.0, size),
}


def families(draw: Draw, count: int = 400, seed: int = 3, most_seconds: float = 3600.0) -> list[np.ndarray]:
    """Moments of copies that start at once and thin out, each family at a pace of its own."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(np.log(20), np.log(200), count)).astype(int).tolist()
    paces = rng.lognormal(6.0, 0.8, count).tolist()
    return [
        np.sort(np.minimum(draw(rng, size) * pace_s, most_seconds) * SECOND_US).astype(np.int64)
        for size, pace_s in zip(sizes, paces, strict=True)
    ]


@pytest.mark.parametrize("kind", NULLS)
def test_p_values_of_copies_that_spread_by_themselves_are_no_smaller_than_chance(kind: str) -> None:
    copies = families(NULLS[kind])
    others = [seconds_apart(times_us) for times_us in copies]
    p_values = np.array(
        [chance(times_us, others[at - 30 : at]) for at, times_us in enumerate(copies) if at >= 30]
    )
    for level in (0.01, 0.05, 0.2):
        assert (p_values <= level).mean() <= level + 0.02


def test_both_tests_alone_are_even_where_their_own_assumption_holds() -> None:
    copies = families(NULLS["exponential"], 1500, most_seconds=1e9)
    shapes = np.array([constancy(times_us) for times_us in copies])
    others = [seconds_apart(times_us) for times_us in copies]
    paces = np.array([pace(seconds, others[:at] + others[at + 1 :]) for at, seconds in enumerate(others)])
    for p_values in (shapes, paces):
        assert (p_values <= 0.05).mean() == pytest.approx(0.05, abs=0.025)
        assert (p_values <= 0.5).mean() == pytest.approx(0.5, abs=0.06)


def test_copies_that_keep_coming_and_then_stop_are_unlikely() -> None:
    rng = np.random.default_rng(1)
    burst = np.sort(rng.uniform(0, 60 * SECOND_US, 80)).astype(np.int64)
    usual = [seconds_apart(times_us) for times_us in families(NULLS["exponential"], 30)]
    assert is_unlikely(burst, usual)
    assert not is_unlikely(burst * 10, usual), "nobody was in a hurry"
    assert not is_unlikely(burst, [50.0] * 30), "where all are as fast it tells nothing"
    thinning = np.sort(rng.exponential(20 * SECOND_US, 80)).astype(np.int64)
    assert not is_unlikely(thinning, usual)


def test_stragglers_and_a_first_try_change_little() -> None:
    burst = np.linspace(0, 60, 80) * SECOND_US
    strayed = np.concatenate([[-600 * SECOND_US], burst, [900 * SECOND_US] * 2]).astype(np.int64)
    assert seconds_apart(strayed) < 60
    assert constancy(strayed) < 1e-3


def test_copies_at_one_moment_are_no_chance_and_two_tell_nothing() -> None:
    assert constancy(np.full(30, NOON_US)) == 0.0
    assert constancy(np.array([NOON_US, NOON_US])) == 1.0


def test_nothing_is_judged_while_it_comes() -> None:
    steady = np.arange(0, 60) * SECOND_US
    assert not is_over(steady, 61 * SECOND_US)
    assert is_over(steady, 121 * SECOND_US)


def test_a_text_that_comes_up_again_and_again_is_a_template() -> None:
    once = np.arange(0, 30) * SECOND_US
    again = np.concatenate([once, once + 20 * MINUTE_US])
    assert latest_spread(again, 20) == slice(30, 60)
    steady = np.concatenate([np.arange(0, 4) * 11 * MINUTE_US, once + 45 * MINUTE_US])
    assert latest_spread(steady, 20) == slice(0, 0)


def test_one_text_is_a_weak_claim_and_several_a_strong_one() -> None:
    assert combined([1e-12]) == pytest.approx(ONE_TEXT)
    assert combined([1e-3, 1e-3, 1e-3]) < 1e-6
    assert combined([0.04, 0.04]) == pytest.approx(0.0016 * (1 - np.log(0.0016)))


def told(rows: list[Row], minutes: float = MINUTES) -> list[Candidate]:
    found = play(detector(), [*BACKGROUND, *rows], minutes)
    return list({candidate.chain: candidate for candidate in found if candidate.state != "ended"}.values())


def burst(size: int = 60, first: int = 1000, seconds: float = 60.0, **changes: Any) -> list[Row]:
    return [post(ONSET + i * seconds / size, first + i, **{"text": TEXT, **changes}) for i in range(size)]


def with_term(row: Row, term: int) -> Row:
    """The same post with a link or a picture: a term that stands nowhere."""
    lists = {"terms": [*row["terms"], term]}
    return row | lists | {name: [*row[name], 0] for name in ("term_starts", "term_ends")}


def test_copies_that_came_at_once_are_amplification() -> None:
    (copies,) = told(burst())
    assert copies.kind == "amplification"
    assert copies.speakers == 60
    assert copies.p_value is not None
    assert ONE_TEXT <= copies.p_value <= 0.05
    assert copies.spread_seconds == pytest.approx(54, abs=2)


def test_a_cascade_is_neither_an_event_nor_amplification() -> None:
    rng = np.random.default_rng(4)
    for pace_seconds in (60, 120, 200):
        times = np.sort(rng.exponential(pace_seconds, 80)).tolist()
        assert told([post(ONSET + at, 1000 + i, TEXT) for i, at in enumerate(times) if at < 500]) == []


def test_a_crowd_that_shares_a_link_alone_is_seen() -> None:
    rows = [with_term(row, LINK) for row in burst(text="", shape=0)]
    (copies,) = told(rows)
    assert (copies.kind, copies.speakers, copies.phrases) == ("amplification", 60, ())


def test_whoever_uses_a_word_of_the_text_is_not_counted_with_its_copies() -> None:
    strays = [post(ONSET + i, 3000 + i, f"parking word{i} word{i + 7}") for i in range(30)]
    (copies,) = told([*burst(), *strays])
    assert (copies.kind, copies.speakers) == ("amplification", 60)


def test_several_texts_by_one_crowd_are_a_stronger_claim() -> None:
    (one,) = told(burst(40))
    texts = ("farmers deserve better than this shameful bill", "open your eyes and pass these numbers along")
    more = [
        post(ONSET + 120 * (k + 1) + i * 1.5, 1000 + i, text)
        for k, text in enumerate(texts)
        for i in range(40)
    ]
    several = [candidate for candidate in told([*burst(40), *more]) if candidate.kind == "amplification"]
    assert one.p_value is not None
    assert min(candidate.p_value or 1.0 for candidate in several) < one.p_value


def test_a_copied_text_carries_what_its_words_could_name() -> None:
    (copies,) = told(burst(naming=2))
    assert (copies.naming, copies.unclear) == (1.0, 0.0)
    (copies,) = told(burst(naming=1))
    assert (copies.naming, copies.unclear) == (0.0, 1.0)


def test_an_hour_of_copies_is_no_burst() -> None:
    rng = np.random.default_rng(2)
    even = np.sort(rng.uniform(0, HOUR_US, 60)).astype(np.int64)
    assert chance(even, []) > 0.5
