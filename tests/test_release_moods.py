"""A crowd's mood: in quarters, never of few, never moved by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.published import Event, Mood
from groundswell.release import PublishKey
from groundswell.release.ladder import Ladder
from groundswell.release.moods import STEP, CrowdMoods
from tests.release_crowds import KEY, MINUTE_US, NOON_US, crowd, gatekeeper

K = 20


def shown(
    moods: tuple[int, int, int], speakers: int, key: PublishKey = KEY, last: Mood | None = None
) -> Mood | None:
    candidate = crowd(speakers=speakers, moods=moods)
    return CrowdMoods(key).shown(candidate, Ladder(key, K), last)


def keys(count: int) -> list[PublishKey]:
    return [PublishKey(number.to_bytes(32, "big")) for number in range(count)]


def test_a_large_crowd_has_shares_in_quarters() -> None:
    mood = shown((700, 200, 100), 1_000)
    assert mood is not None
    for share, exact in zip((mood.negative, mood.neutral, mood.positive), (0.7, 0.2, 0.1), strict=True):
        assert share is not None
        assert share % STEP == 0.0
        assert abs(share - exact) < STEP


def test_a_share_without_a_crowd_of_its_own_is_null() -> None:
    mood = shown((700, 200, K - 1), 1_000)
    assert mood is not None
    assert mood.positive is None
    assert mood.negative is not None


@pytest.mark.parametrize(
    ("moods", "speakers"),
    [
        ((0, 0, 0), 1_000),
        ((30, 30, 30), 100),  # under the third rung
        ((200, 100, 30), 1_000),  # a third of the crowd
    ],
)
def test_few_moods_say_nothing(moods: tuple[int, int, int], speakers: int) -> None:
    assert all(shown(moods, speakers, key) is None for key in keys(50))


def test_what_shows_stays_until_the_share_is_a_step_away() -> None:
    first = shown((500, 300, 200), 1_000)
    assert first is not None
    assert first.negative is not None
    near = shown((int(1_000 * (first.negative + 0.2)), 300, 200), 1_100, last=first)
    assert near is not None
    assert near.negative == first.negative
    far = shown((3_000, 300, 200), 3_500, last=first)
    assert far is not None
    assert far.negative is not None
    assert far.negative > first.negative


@given(st.tuples(*(st.integers(0, 400),) * 3), st.integers(0, 400), st.integers(0, 1 << 30))
def test_no_share_ever_shows_of_fewer_than_k(moods: tuple[int, int, int], others: int, secret: int) -> None:
    mood = shown(moods, sum(moods) + others, PublishKey(secret.to_bytes(32, "big")))
    if mood is not None:
        assert sum(moods) >= 5 * K
        for share, speakers in zip((mood.negative, mood.neutral, mood.positive), moods, strict=True):
            assert share is None or (speakers >= K and 0.0 <= share <= 1.0 and share % STEP == 0.0)


@pytest.mark.parametrize("moods", [(60, 50, 30), (39, 100, 60), (150, 25, 60), (90, 90, 20), (21, 79, 49)])
def test_whoever_knows_all_but_one_account_learns_little_of_it(moods: tuple[int, int, int]) -> None:
    """The chance over keys that one look tells whether one more speaker of any mood is there."""
    speakers = sum(moods)
    for victim in range(3):
        more = [count + (mood == victim) for mood, count in enumerate(moods)]
        told = 0
        for key in keys(1_500):
            told += shown(moods, speakers, key) != shown((more[0], more[1], more[2]), speakers + 1, key)
        assert told / 1_500 <= 0.10


def test_mood_alone_makes_no_revision_and_waits_for_one_that_is_due() -> None:
    release = gatekeeper()

    def at(minutes: int, moods: tuple[int, int, int]) -> list[Event]:
        now_us = NOON_US + minutes * MINUTE_US
        candidate = crowd(moods=moods, tick_us=now_us, last_us=now_us - 1)
        return [record for record in release.decide([candidate], now_us).records if isinstance(record, Event)]

    (first,) = at(1, (900, 50, 50))
    assert first.mood is not None
    assert at(2, (50, 50, 900)) == []
    (later,) = at(6, (50, 50, 900))
    assert later.mood is not None
    assert later.mood != first.mood


def test_amplification_has_no_mood() -> None:
    (record,) = gatekeeper().decide([crowd(kind="amplification", moods=(900, 50, 50))], NOON_US).records
    assert not hasattr(record, "mood")
