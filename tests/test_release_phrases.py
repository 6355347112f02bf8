"""Phrases: used by many, naming nobody, identifying nobody, short."""

from __future__ import annotations

import pytest

from groundswell.release.phrases import identifies, is_part, is_showable, showable_phrases
from groundswell.release.verdicts import Verdicts
from tests.release_crowds import names_a_person, phrase


def shown(*uses: tuple[str, int], floor: int = 20) -> tuple[str, ...]:
    phrases = [phrase(text, speakers) for text, speakers in uses]
    kept = showable_phrases(phrases, floor, lambda text: is_showable(text, names_a_person))
    return tuple(use.text for use in kept)


def test_a_phrase_shows_from_the_floor_on() -> None:
    assert shown(("flash flood", 19)) == ()
    assert shown(("flash flood", 20)) == ("flash flood",)
    assert shown(("flash flood", 49), floor=50) == ()


def test_the_person_gate_has_a_veto() -> None:
    assert shown(("jane roe", 9_000), ("flash flood", 30)) == ("flash flood",)


def test_a_part_gives_way_to_the_longer_phrase_that_most_used() -> None:
    assert shown(("hurricane", 100), ("hurricane sandy", 80), ("landfall", 40)) == (
        "hurricane sandy",
        "landfall",
    )


def test_a_part_stays_where_few_used_the_longer_phrase() -> None:
    assert shown(("hurricane", 100), ("hurricane sandy", 30)) == ("hurricane", "hurricane sandy")


def test_a_part_stays_where_the_longer_phrase_may_not_show() -> None:
    assert shown(("hurricane", 25), ("hurricane sandy", 19)) == ("hurricane",)
    assert shown(("attack on", 25), ("attack on jane roe", 25)) == ("attack on",)


def test_parts_are_whole_tokens_except_in_scripts_without_spaces() -> None:
    assert is_part("sandy", "hurricane sandy")
    assert not is_part("sand", "hurricane sandy")
    assert is_part("地震", "能登半島地震")


@pytest.mark.parametrize(
    "text",
    [
        "call 555 123 4567",
        "call ٠٥٠١٢٣٤",
        "no 123456",
        "１２３４５６７",
        "@someone here",
        "＠someone",
        "some\u200bone@mail.example",
        "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "https://t.example/x",
        "www example",
        "someone.bsky.social",
        "someone.example said",
        "ip 10.0.0.1",
        "gb33bukb20201555555555",
        "12-34-56-78",
    ],
)
def test_what_looks_like_an_identifier_does_not_show(text: str) -> None:
    assert identifies(text)
    assert shown((text, 9_000)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "flash flood",
        "covid19",
        "magnitude 7.8 earthquake",
        "10,000 evacuated",
        "may 12 2026",
        "u.s. coast guard",
        "能登半島地震",
        "आपातकाल घोषित",
        "زلزال قوي",
        "می\u200cشود",
        "g20 summit",
        "#prayforitaly",
    ],
)
def test_everyday_phrases_show(text: str) -> None:
    assert not identifies(text)
    assert shown((text, 30)) == (text,)


@pytest.mark.parametrize(
    "text", ["", "   ", "!!!", "one two three four five six", "x" * 65, "地" * 11, "line\nbreak", "bell\x07"]
)
def test_long_empty_and_unprintable_phrases_do_not_show(text: str) -> None:
    assert shown((text, 9_000)) == ()


def test_the_same_phrase_shows_once() -> None:
    assert shown(("flood", 30), ("flood", 25)) == ("flood",)


def test_verdicts_are_forgotten_when_a_tick_does_not_ask_for_them() -> None:
    asked: list[str] = []

    def is_flood(text: str) -> bool:
        asked.append(text)
        return text == "flood"

    verdicts = Verdicts(is_flood)
    for _ in range(3):
        assert verdicts("flood")
        verdicts.turn()
    assert asked == ["flood"]
    verdicts.turn()
    assert verdicts("flood")
    assert asked == ["flood", "flood"]
    assert not verdicts("storm")
