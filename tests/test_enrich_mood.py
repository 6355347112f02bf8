"""Moods: guesses that only a crowd's share of means something."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from bench import _mood_sets as sets
from bench._language_sets import TEST, TRAIN
from bench.mood import guess, macro_f1
from hypothesis import given
from hypothesis import strategies as st

from groundswell.enrich.language_model import load
from groundswell.enrich.mood import LEAST_SKILL, MOODS, NONE, SPOKEN, Moods, mood_of_text
from groundswell.enrich.scripts import letters
from tests.measuring import measuring


def moods(*texts: str, code: str = "eng_Latn") -> list[str | None]:
    found = Moods().guess(pa.array(texts), pa.array([code] * len(texts)))
    return [None if mood == NONE else MOODS[mood] for mood in found.tolist()]


def test_plain_words_have_their_mood() -> None:
    assert moods("I love this so much, thank you! 😍", "this is terrible, I hate it 😡") == [
        "positive",
        "negative",
    ]
    assert moods("Que vergonha, que nojo desse governo", code="por_Latn") == ["negative"]


def test_other_languages_and_empty_posts_have_none() -> None:
    assert moods("Ez nagyon szomorú", code="hun_Latn") == [None]
    assert moods("I love this", code="und") == [None]
    assert moods("", "http://example.test") == [None, None]


def test_one_text_has_chances_that_add_up_to_one() -> None:
    chances = mood_of_text("I love this so much, thank you!")
    assert chances is not None
    assert list(chances) == list(MOODS)
    assert sum(chances.values()) == pytest.approx(1.0)
    assert mood_of_text("Ez nagyon szomorú, és nagyon esik az eső") is None
    assert mood_of_text("") is None


def test_emoji_exclamations_and_questions_are_read_where_they_are_asked_for() -> None:
    def read(text: str, *, signs: bool) -> list[int]:
        return list(letters(pa.array([text]), 128, signs=signs).codes.tolist())

    assert read("ok 😡👍🏿!", signs=False) == read("ok", signs=False)
    assert len(read("ok 😡👍🏿!", signs=True)) == len(" ok xx! ")
    assert read("👍🏿", signs=True) == read("👍", signs=True) != read("👎", signs=True)
    assert letters(pa.array(["😡!"]), 128, signs=True).counts.tolist() == [0]


def test_every_language_served_is_one_that_posts_can_be_in() -> None:
    codes = [code for codes in SPOKEN.values() for code in codes.split()]
    assert len(codes) == len(set(codes))
    assert set(codes) <= set(load()[0])
    assert len(SPOKEN) == 21


@given(st.lists(st.text(max_size=300), min_size=1, max_size=4))
def test_any_text_gets_a_mood_or_none(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    assert set(moods(*clean)) <= {*MOODS, None}


def test_a_slice_of_a_batch_is_read_in_its_own_place() -> None:
    texts, codes = (
        pa.array(["", "I love it, thank you!", "so sad and awful"]),
        pa.array(["und", "eng_Latn", "eng_Latn"]),
    )
    assert Moods().guess(texts[1:], codes[1:]).tolist() == Moods().guess(texts, codes).tolist()[1:]


def test_macro_f1_on_tweets_kept_from_training() -> None:
    measuring("language", "social_train.tsv.gz")
    rows = sets.read()
    assert not set(rows.text[rows.part == TRAIN].tolist()) & set(rows.text[rows.part == TEST].tolist())
    tweets = rows.where(rows.part == TEST)
    assert macro_f1(tweets.mood, guess(tweets)) >= 0.6


def test_only_moods_told_well_are_counted() -> None:
    """By tweets that the model has not seen; the list travels with the model."""
    measuring("language", "social_train.tsv.gz")
    rows = sets.read()
    tweets = rows.where(rows.part != TRAIN)
    codes = pa.array([SPOKEN[name].split()[0] for name in tweets.language.tolist()])
    counted = Moods().counted(pa.array(tweets.text.tolist(), pa.string()), codes)
    guesses = guess(tweets)
    told = set(tweets.language[counted != NONE].tolist())
    for name in SPOKEN:
        own = tweets.language == name
        assert (name in told) == (macro_f1(tweets.mood[own], guesses[own]) >= LEAST_SKILL)
        assert name not in told or np.array_equal(counted[own], guesses[own])
    assert told


def test_the_scorer_knows_right_from_wrong() -> None:
    truth = np.array([0, 0, 1, 2], np.int8)
    assert macro_f1(truth, truth) == 1.0
    assert macro_f1(truth, np.array([0, 1, 1, 2], np.int8)) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
