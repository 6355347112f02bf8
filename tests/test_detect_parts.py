"""A crowd in several languages: each of them must be fit to stand alone, or it is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from groundswell.candidates import Candidate
from tests.enriched_posts import (
    FLOOD,
    PORTO_ALEGRE,
    K,
    Row,
    chatter,
    detector,
    play,
    post,
)

ONSET = 35 * 60
FLOODED: dict[str, Any] = {"categories": [FLOOD], "places": [PORTO_ALEGRE]}
PORTUGUESE = [
    "enchente forte em porto alegre",
    "enchente forte ponte fechada",
    "ponte fechada enchente forte",
]
RUSSIAN = ["сильное наводнение вода дома", "сильное наводнение мост закрыт", "мост закрыт вода дома"]
ANGRY = {
    "jpn_Jpan": ["架空 山田 最低 許さない", "架空 山田 ひどい 謝れ", "架空 山田 謝れ 許さない"],
    "arb_Arab": ["سليم الخيالي عار عليك", "سليم الخيالي كاذب عار", "سليم الخيالي كاذب عليك"],
    "tur_Latn": ["kadir uydurma utan artık", "kadir uydurma yalancı utan", "kadir uydurma yalancı artık"],
}
"""Against somebody whom no lexicon knows, in words of no category."""


def told(phrases: list[str], language: str, first: int, start: float = ONSET, **changes: Any) -> list[Row]:
    """Forty-five people who say one of `phrases` each, within five minutes from the onset."""
    times = np.sort(np.random.default_rng(first).uniform(0, 300, 45)).tolist()
    return [
        post(start + time, first + i, f"{phrases[i % len(phrases)]} own{first + i}", lang=language, **changes)
        for i, time in enumerate(times)
    ]


def records(posts: list[Row]) -> list[Candidate]:
    """What `release` would let out: it refuses what neither says what nor where, and who names somebody."""
    found = play(detector(), [*chatter(50), *posts], 50, passes=lambda each: each.category != "other")
    return [each for each in found if each.category != "other"]


def flood() -> list[Row]:
    return [
        *told(PORTUGUESE, "por_Latn", 1000, **FLOODED),
        *told(RUSSIAN, "rus_Cyrl", 2000, **FLOODED),
    ]


def test_each_language_of_a_crowd_is_told_of_by_itself() -> None:
    last = records(flood())[-1]
    assert {use.value for use in last.languages} == {"por_Latn", "rus_Cyrl"}
    assert [(part.category, part.person_share, part.placed) for part in last.parts] == [
        ("flood", 0.0, 45)
    ] * 2


@pytest.mark.parametrize("language", ANGRY)
@pytest.mark.parametrize("places", [[], [PORTO_ALEGRE]], ids=["nowhere", "there"])
@pytest.mark.parametrize("start", [ONSET, ONSET + 240], ids=["at once", "once it is out"])
def test_a_crowd_against_a_person_is_no_part_of_what_others_tell_of_there_and_then(
    language: str, places: list[int], start: float
) -> None:
    angry = told(ANGRY[language], language, 3000, start, places=places, link_keys=[7], picture_keys=[8])
    flooded = [row | post_links(row) for row in flood()]
    said = records([*flooded, *angry])
    words = {word for phrase in ANGRY[language] for word in phrase.split()}
    assert said
    for record in said:
        assert language not in {use.value for use in record.languages}
        assert record.speakers <= 90
        assert not words & {word for use in record.phrases for word in use.text.split()}


def post_links(row: Row) -> Row:
    """The link and the picture of the angry crowd in the row too."""
    return {
        "link_keys": [7],
        "picture_keys": [8],
        "terms": [*row["terms"], 7, 8],
        "term_starts": [*row["term_starts"], 0, 0],
        "term_ends": [*row["term_ends"], 0, 0],
    }


def test_a_crowd_of_another_language_joins_once_it_can_stand_alone() -> None:
    words = ["вода", "везде", "мост", "дома", "улица", "лодка", "дождь", "крыша", "берег"]
    rng = np.random.default_rng(5)
    mixed = [" ".join(rng.permutation(words)[:3].tolist()) for _ in range(45)]
    vague = told(mixed, "rus_Cyrl", 2000, places=[PORTO_ALEGRE])
    brazil = told(PORTUGUESE, "por_Latn", 1000, **FLOODED)
    last = records([*brazil, *vague])[-1]
    assert {use.value for use in last.languages} == {"por_Latn", "rus_Cyrl"}
    assert [part.placed for part in last.parts if part.category == "other"] >= [K]


@pytest.mark.parametrize("language", ANGRY)
def test_nor_of_what_the_same_language_tells_of_there(language: str) -> None:
    angry = told(ANGRY[language], "por_Latn", 3000, ONSET + 240, places=[PORTO_ALEGRE])
    said = records([*told(PORTUGUESE, "por_Latn", 1000, **FLOODED), *angry])
    words = {word for phrase in ANGRY[language] for word in phrase.split()}
    assert said
    for record in said:
        assert record.speakers <= 45
        assert not words & {word for use in record.phrases for word in use.text.split()}
