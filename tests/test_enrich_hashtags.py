"""Hashtags: cut into their words, in bounded work."""

from __future__ import annotations

import pytest
from bench.hashtags import parts_of
from hypothesis import assume, given
from hypothesis import strategies as st

from groundswell.enrich.hashtags import COST_SCALE, MAX_LETTERS, MAX_PARTS, read_costs


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("prayforitaly", "pray for italy"),
        ("PRAYFORITALY", "pray for italy"),
        ("italyearthquake", "italy earthquake"),
        ("TurkeyEarthquake2023", "turkey earthquake 2023"),
        ("turkeyearthquake2023", "turkey earthquake 2023"),
        ("bringbackourgirls", "bring back our girls"),
        ("fuerzamexico", "fuerza mexico"),
        ("depremistanbul", "deprem istanbul"),
        ("yycflood", "yyc flood"),
        ("санктпетербург", "санкт петербург"),
        ("भूकंपनेपाल", "भूकंप नेपाल"),
        ("منخفض_جوي", "منخفض جوي"),
        ("relief_for_nepal", "relief for nepal"),
        ("USAFlood", "usa flood"),
    ],
)
def test_a_hashtag_is_cut_into_its_words(tag: str, words: str) -> None:
    assert parts_of([tag]) == [words.split()]


@pytest.mark.parametrize("tag", ["earthquake", "wildfires", "queensland", "nyc", "ok", "überschwemmung"])
def test_one_word_stays_whole(tag: str) -> None:
    assert parts_of([tag]) == [[tag]]


def test_capitals_inside_tell_the_words_and_nothing_else_is_cut() -> None:
    assert parts_of(["PrayForStormgate"]) == [["pray", "for", "stormgate"]]


def test_what_is_no_hashtag_is_not_cut_into_words() -> None:
    """`parts_of` writes the `#`; a tag after a letter has none of its own."""
    assert parts_of(["x prayforitaly"]) == [["x", "prayforitaly"]]


def test_long_tags_are_left_alone() -> None:
    assert parts_of(["pray" * (MAX_LETTERS // 4 + 1)]) == [["pray" * (MAX_LETTERS // 4 + 1)]]
    assert len(parts_of(["and" * 10])[0]) in (1, MAX_PARTS)


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=100))
def test_the_words_of_any_tag_make_up_the_tag(tag: str) -> None:
    assume(not tag.startswith(("http", "www")))
    (parts,) = parts_of([tag])
    assert "".join(parts) == tag
    assert len(parts) <= MAX_PARTS


def test_every_word_of_the_list_has_a_cost_that_fits() -> None:
    costs = read_costs()
    assert len(costs) > 50_000
    assert all(0 < cost < 256 for cost in costs.values())
    assert costs["the"] < costs["earthquake"] < 14 * COST_SCALE
