"""Which pictures show beside a published crowd, and when they are taken back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.candidates import Candidate, Emblem, PictureSeen, PictureUse, Sign
from groundswell.published import Mark, Picture
from groundswell.release import Decision, Marks, Release
from tests.release_crowds import HOUR_US, KEY, LISBON, MINUTE_US, NOON_US, crowd, gatekeeper, phrase

RIVER = 11
SEEN = PictureSeen(
    picture=RIVER,
    image=b"\xff\xd8 a picture",
    width=640,
    height=480,
    signs=(
        Sign("Rua da Praia", "por_Latn", 0.95),
        Sign("Jane Roe", "und", 0.9),
        Sign("call 555 0100 now", "eng_Latn", 0.9),
        Sign("one two three four five six", "eng_Latn", 0.9),
    ),
    emblems=(Emblem("Red Cross", "humanitarian", 0.98), Emblem("Red Cross", "humanitarian", 0.9)),
    tags=("map",),
)


def show(
    release: Release,
    speakers: int,
    candidate: Candidate | None = None,
    tick_us: int = NOON_US,
    seen: PictureSeen | None = SEEN,
) -> Decision:
    """Decide on a crowd, by default the usual one, and on its one picture."""
    crowds = [candidate or crowd(places=(LISBON,), tick_us=tick_us, last_us=tick_us)]
    return release.decide(crowds, tick_us, [PictureUse("c1", RIVER, speakers)], lambda picture: seen)


def pictures(decision: Decision) -> list[Picture]:
    return [record for record in decision.records if isinstance(record, Picture)]


def test_a_picture_shows_with_what_stands_in_it_and_nothing_that_could_name_somebody() -> None:
    decision = show(gatekeeper(marks=Marks(simulated=True)), 1_000)
    (picture,) = pictures(decision)
    assert picture.event == "c1"
    assert picture.accounts in ("500+", "1k+")
    assert picture.words == ("Rua da Praia",)
    assert picture.languages == ("por_Latn",)
    assert picture.emblems == (Mark("Red Cross", "humanitarian"),)
    assert (picture.state, picture.media_type, picture.tags) == ("shown", "image/jpeg", ("map",))
    assert picture.simulated
    (image,) = decision.images
    assert (image.id, image.body) == (picture.id, SEEN.image)


@pytest.mark.parametrize("speakers", [0, 1, 19])
def test_no_picture_of_fewer_than_the_floor_shows(speakers: int) -> None:
    decision = show(gatekeeper(), speakers)
    assert (pictures(decision), decision.images) == ([], [])


@given(st.integers(0, 200), st.binary(min_size=32, max_size=32))
def test_a_picture_shows_from_a_secret_threshold_between_k_and_2k(speakers: int, secret: bytes) -> None:
    decision = show(gatekeeper(type(KEY)(secret)), speakers)
    if speakers < 20:
        assert pictures(decision) == []
    if speakers >= 39:
        assert len(pictures(decision)) == 1


def test_a_sensitive_matter_asks_more_speakers() -> None:
    attack = crowd(category="attack", places=(LISBON,))
    assert pictures(show(gatekeeper(), 49, attack)) == []
    assert len(pictures(show(gatekeeper(), 100, attack))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"person_share": 0.5},
        {"category": "other", "places": ()},
        {"category": "assembly", "first_us": NOON_US - 7 * HOUR_US},
        {"phrases": (phrase("flash flood"), phrase("the mosque"))},
        {"kind": "amplification", "unclear": 0.9},
        {"speakers": 5},
    ],
    ids=["a person", "neither what nor where", "an assembly", "a sensitive place", "wordless", "no record"],
)
def test_no_picture_shows_where_the_crowd_may_not_be_described_in_full(changes: dict[str, Any]) -> None:
    assert pictures(show(gatekeeper(), 1_000, crowd(**({"places": (LISBON,)} | changes)))) == []


def test_a_picture_that_could_not_be_shielded_is_told_and_not_shown() -> None:
    seen = PictureSeen(picture=RIVER, image=b"", signs=SEEN.signs)
    decision = show(gatekeeper(), 1_000, seen=seen)
    (picture,) = pictures(decision)
    assert (picture.state, picture.media_type, picture.words) == ("told", None, ("Rua da Praia",))
    assert decision.images == []


def test_nothing_is_said_of_a_picture_before_it_was_looked_at() -> None:
    release = gatekeeper()
    assert pictures(show(release, 1_000, seen=None)) == []
    assert len(pictures(show(release, 1_000, tick_us=NOON_US + MINUTE_US))) == 1


def test_it_is_published_again_only_when_it_reaches_another_rung() -> None:
    release = gatekeeper()
    first = show(release, 45)
    assert len(pictures(first)) == 1
    assert pictures(show(release, 45, tick_us=NOON_US + MINUTE_US)) == []
    again = show(release, 1_000, tick_us=NOON_US + 2 * MINUTE_US)
    assert [picture.id for picture in pictures(again)] == [pictures(first)[0].id]
    assert again.images == []


def test_it_is_taken_back_when_its_crowd_turns_on_a_person() -> None:
    release = gatekeeper()
    (shown,) = pictures(show(release, 1_000))
    turned = crowd(places=(LISBON,), person_share=0.9, tick_us=NOON_US + MINUTE_US)
    (gone,) = pictures(show(release, 1_000, turned, NOON_US + MINUTE_US))
    assert (gone.id, gone.state, gone.words, gone.emblems) == (shown.id, "withdrawn", (), ())
    assert pictures(show(release, 1_000, turned, NOON_US + 2 * MINUTE_US)) == []


def test_what_is_out_stays_when_too_few_are_left_to_say_what_it_is_about() -> None:
    release = gatekeeper()
    assert len(pictures(show(release, 1_000))) == 1
    faded = crowd(category="other", state="fading", tick_us=NOON_US + MINUTE_US)
    assert pictures(show(release, 1_000, faded, NOON_US + MINUTE_US)) == []


def test_it_is_taken_back_after_three_days() -> None:
    release = gatekeeper()
    assert len(pictures(show(release, 1_000))) == 1
    later = NOON_US + 72 * HOUR_US
    assert pictures(release.decide([], later - MINUTE_US)) == []
    (gone,) = pictures(release.decide([], later))
    assert gone.state == "withdrawn"


def test_a_restart_knows_what_is_out() -> None:
    release, again = gatekeeper(), gatekeeper()
    assert len(pictures(show(release, 1_000))) == 1
    again.restore(release.state())
    assert again.state() == release.state()
    assert pictures(show(again, 1_000, tick_us=NOON_US + MINUTE_US)) == []
