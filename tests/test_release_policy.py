"""What is sensitive, and what that asks of a candidate."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from groundswell.candidates import Candidate, Counted, Part
from groundswell.clock import HOUR_US
from groundswell.drops import Refusal
from groundswell.enrich.topics import CATEGORIES
from groundswell.release import Floor
from groundswell.release.policy import SENSITIVE_MATTERS, Handling, handling, refusal
from groundswell.release.words import SENSITIVE_PLACES, THREATS_TO_LIFE
from tests.release_crowds import LISBON, NOON_US, crowd, phrase

FLOORS = Floor(20, 50)


def asked_of(candidate: Candidate) -> Handling:
    return handling(candidate, 50, SENSITIVE_PLACES.found_in)


@pytest.mark.parametrize("category", sorted(SENSITIVE_MATTERS))
def test_sensitive_matters_need_the_higher_floor(category: str) -> None:
    assert asked_of(crowd(category=category)).sensitive


@pytest.mark.parametrize("category", ["flood", "storm", "earthquake", "transport", "sport", "other"])
def test_others_do_not(category: str) -> None:
    asked = asked_of(crowd(category=category))
    assert (asked.sensitive, asked.coarse, asked.delayed) == (False, False, False)


def test_the_sensitive_matters_are_categories_that_crowds_can_have() -> None:
    assert set(CATEGORIES) >= SENSITIVE_MATTERS == {"attack", "assembly", "election", "outbreak"}


@pytest.mark.parametrize(
    "words",
    [
        "mosque",
        "explosion near church",
        "mezquita",
        "Мечеть",
        "清真寺",
        "المسجد الكبير",
        "abortion clinic",
        "hôpital",
        "hopital",
        "больница",
        "病院",
        "shelter",
        "elementary school",
        "escuelas",
        "학교",
        "prison riot",
        "cárcel",
        "監獄",
        "migrant boat",
        "flüchtlinge",
        "border crossing",
        "rumah sakit",
        "मस्जिद",
    ],
)
def test_a_sensitive_place_makes_the_map_coarse(words: str) -> None:
    assert SENSITIVE_PLACES.found_in(words)
    asked = asked_of(crowd(phrases=(phrase(words, 1),)))
    assert asked.coarse
    assert not asked.sensitive


@pytest.mark.parametrize(
    "words", ["christchurch", "flash flood", "templeton", "kita semua", "จังหวัด", "magnitude 7"]
)
def test_everyday_words_do_not(words: str) -> None:
    assert not SENSITIVE_PLACES.found_in(words)


def test_a_place_that_is_sensitive_by_name_makes_the_map_coarse() -> None:
    shrine = msgspec.structs.replace(LISBON, name="Evin Prison")
    assert asked_of(crowd(places=(shrine,))).coarse


def test_an_assembly_waits_six_hours_from_its_first_post() -> None:
    march = crowd(category="assembly", first_us=NOON_US - 6 * HOUR_US + 1)
    asked = asked_of(march)
    assert (asked.sensitive, asked.coarse, asked.delayed) == (True, True, True)
    assert refusal(march, asked, FLOORS) is Refusal.DELAYED
    assert refusal(msgspec.structs.replace(march, first_us=NOON_US - 6 * HOUR_US), asked, FLOORS) is None


@pytest.mark.parametrize(
    "words", ["mass shooting", "stampede", "взрыв", "踩踏", "tiroteo", "압사", "انفجار قوي", "fire"]
)
def test_a_threat_to_life_lifts_the_delay_but_not_the_coarseness(words: str) -> None:
    assert THREATS_TO_LIFE.found_in(words)
    asked = asked_of(crowd(category="assembly", phrases=(phrase(words, 50),)))
    assert (asked.delayed, asked.coarse, asked.sensitive) == (False, True, True)


def test_a_handful_of_accounts_cannot_lift_the_delay() -> None:
    assert asked_of(crowd(category="assembly", phrases=(phrase("stampede", 49),))).delayed


@pytest.mark.parametrize(
    "words", ["fired up", "march for justice", "in memory of the dead", "עירייה", "tote bag"]
)
def test_words_that_only_sound_alarming_do_not(words: str) -> None:
    assert not THREATS_TO_LIFE.found_in(words)


@pytest.mark.parametrize(("share", "refused"), [(0.3, None), (0.31, Refusal.PERSON), (1.0, Refusal.PERSON)])
def test_a_pile_on_is_no_event(share: float, refused: Refusal | None) -> None:
    candidate = crowd(person_share=share)
    assert refusal(candidate, asked_of(candidate), FLOORS) is refused


@pytest.mark.parametrize(("share", "refused"), [(0.15, None), (0.16, Refusal.PERSON)])
def test_a_crowd_that_does_not_say_what_it_is_about_is_a_pile_on_sooner(
    share: float, refused: Refusal | None
) -> None:
    candidate = crowd(category="other", places=(LISBON,), person_share=share)
    assert refusal(candidate, asked_of(candidate), FLOORS) is refused


def test_a_crowd_that_says_neither_what_nor_where_is_taken_for_a_pile_on() -> None:
    vague = crowd(category="other", places=())
    assert refusal(vague, asked_of(vague), FLOORS) is Refusal.PERSON
    named = msgspec.structs.replace(vague, category="flood")
    assert refusal(named, asked_of(named), FLOORS) is None


@pytest.mark.parametrize(("naming", "refused"), [(0.15, None), (0.16, Refusal.PERSON), (1.0, Refusal.PERSON)])
def test_copies_need_not_say_what_or_where_but_must_name_nobody(
    naming: float, refused: Refusal | None
) -> None:
    copies = crowd(kind="amplification", category="other", places=(), naming=naming)
    assert refusal(copies, asked_of(copies), FLOORS) is refused
    placed = msgspec.structs.replace(copies, category="flood", places=(LISBON,))
    assert refusal(placed, asked_of(placed), FLOORS) is refused


def test_copies_about_one_person_are_a_pile_on_whatever_their_category() -> None:
    copies = crowd(kind="amplification", person_share=0.16)
    assert refusal(copies, asked_of(copies), FLOORS) is Refusal.PERSON


@pytest.mark.parametrize(
    ("naming", "unclear", "wordless"), [(0.0, 0.15, False), (0.0, 0.16, True), (0.1, 0.06, True)]
)
def test_of_a_wording_of_which_nobody_can_tell_nothing_shows(
    naming: float, unclear: float, wordless: bool
) -> None:
    copies = crowd(kind="amplification", naming=naming, unclear=unclear)
    assert asked_of(copies).wordless is wordless
    assert refusal(copies, asked_of(copies), FLOORS) is None


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, None),
        ({"person_share": 0.31}, Refusal.PERSON),
        ({"category": "other", "placed": 20}, None),
        ({"category": "other", "placed": 19}, Refusal.PERSON),
        ({"category": "other", "placed": 20, "language": "kor_Hang"}, Refusal.PERSON),
        ({"category": "other", "placed": 20, "person_share": 0.16}, Refusal.PERSON),
    ],
)
def test_a_crowd_that_is_refused_alone_does_not_come_out_beside_another_language(
    changes: dict[str, Any], refused: Refusal | None
) -> None:
    values: dict[str, Any] = {
        "language": "eng_Latn", "category": "flood", "person_share": 0.0, "placed": 0,
    }  # fmt: skip
    flood, beside = Part(**values), Part(**(values | changes))
    candidate = crowd(category="flood", places=(LISBON,), parts=(flood, beside))
    assert refusal(candidate, asked_of(candidate), FLOORS) is refused


@pytest.mark.parametrize("language", ["jpn_Jpan", "zho_Hans", "kor_Hang", "tha_Thai"])
def test_where_a_name_is_one_word_a_place_does_not_tell_a_crowd_from_a_pile_on(language: str) -> None:
    placed = crowd(category="other", places=(LISBON,), languages=(Counted(language, 1_000),))
    assert refusal(placed, asked_of(placed), FLOORS) is Refusal.PERSON
    told = msgspec.structs.replace(placed, category="flood")
    assert refusal(told, asked_of(told), FLOORS) is None
