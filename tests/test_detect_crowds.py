"""What a crowd says, in numbers: phrases, persons, names that no lexicon has, spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from groundswell.candidates import Counted
from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.detect.bursts import BurstSettings, Heat, HotTerms, Postings, hot_terms
from groundswell.detect.crowds import Crowds, plain
from groundswell.detect.gazette import Gazette
from groundswell.detect.window import Window, WindowSettings
from tests.enriched_posts import (
    CATEGORIES,
    FLOOD,
    NOON_US,
    OTHER,
    PLACES,
    PORTO_ALEGRE,
    STORM,
    Row,
    batch,
    hashed,
    post,
    term,
)

NOW_US = NOON_US + 10 * MINUTE_US


class Said:
    """Posts in a window, and the crowd that the named phrases, all hot, bring together."""

    def __init__(self, rows: list[Row], **hot: float) -> None:
        posts = batch(rows)
        window = Window(WindowSettings())
        window.take([posts])
        self.crowds = Crowds(window, Gazette(PLACES), CATEGORIES)
        words = [phrase.replace("_", " ") for phrase in hot]
        heat = Heat(BurstSettings())
        terms = np.array([term(word) for word in words], np.uint64)
        heat.add(NOON_US + MINUTE_US, terms, np.array(list(hot.values()), np.float32))
        found = hot_terms(window, heat, Postings(), BurstSettings(), NOW_US, 1)
        assert found is not None
        self.hot: HotTerms = found
        self.rows = np.arange(len(rows))
        self.terms = np.arange(len(found.terms))
        self.posts = np.arange(len(found.rows))
        self.speakers = window.of("speaker").astype(np.uint64)

    def phrases(self) -> list[tuple[str, int]]:
        return [(use.text, use.speakers) for use in self.crowds.phrases(self.hot, self.terms, self.posts)]

    def unknown_name_share(self) -> float:
        return self.crowds.unknown_name_share(self.hot, self.terms, self.posts)


def crowd_of(size: int, text: str, first: int = 0, **changes: Any) -> list[Row]:
    return [post(first + i, first + i, text, **changes) for i in range(size)]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("hurricane, #sandy", "hurricane sandy"),
        ("dos—tres", "dos tres"),
        ("l'aquila", "l'aquila"),
        ("बाढ़ की चेतावनी", "बाढ़ की चेतावनी"),  # vowel signs and nukta are marks, not gaps
        ("فَيَضان، عاجل", "فَيَضان عاجل"),  # so are the short vowels; the Arabic comma is a gap
        ("  🔥\tfire ", "🔥 fire"),
    ],
)
def test_a_surface_has_one_space_for_whatever_stood_between_its_words(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_a_pair_stands_for_the_words_that_only_occur_inside_it() -> None:
    said = Said(
        [*crowd_of(10, "flash flood"), *crowd_of(12, "bridge", first=20)],
        flash_flood=30,
        flash=20,
        flood=20,
        bridge=15,
    )
    assert said.phrases() == [("flash flood", 10), ("bridge", 12)]


def test_a_word_that_is_used_much_more_widely_than_the_pair_stands_beside_it() -> None:
    said = Said([*crowd_of(5, "flash flood"), *crowd_of(12, "flood", first=20)], flash_flood=30, flood=20)
    assert sorted(said.phrases()) == [("flash flood", 5), ("flood", 17)]


def test_phrases_count_speakers_and_tell_the_language_most_of_them_speak() -> None:
    rows = [post(i, 1, "enchente", lang="por_Latn") for i in range(3)]
    said = Said([*rows, post(5, 2, "enchente", lang="spa_Latn")], enchente=20)
    (use,) = said.crowds.phrases(said.hot, said.terms, said.posts)
    assert (use.text, use.speakers, use.language, use.surprise) == ("enchente", 2, "por_Latn", 20.0)


def test_person_share_is_that_of_the_one_person_most_spoken_of_or_to() -> None:
    about = [post(i, i, "shame", persons=[7]) for i in range(4)]
    to = [post(10 + i, i, "shame", target=hashed("x")) for i in range(5)]
    others = [post(20 + i, i, "shame", persons=[100 + i], target=200 + i) for i in range(3)]
    said = Said([*about, *to, *others], shame=20)
    assert said.crowds.person_share(said.rows) == pytest.approx(5 / 12)
    assert said.crowds.person_share(said.rows[:4]) == 1.0
    assert said.crowds.person_share(said.rows[:0]) == 0.0


def test_a_pile_on_on_a_name_that_no_lexicon_has_is_seen() -> None:
    pile_on = [*crowd_of(20, "zelvira morantu must resign"), *crowd_of(5, "resign now", first=30)]
    said = Said(pile_on, zelvira_morantu=40, zelvira=38, morantu=38, resign=20)
    assert said.unknown_name_share() == pytest.approx(20 / 25)


def test_a_place_of_two_words_is_no_name_of_a_person() -> None:
    located = crowd_of(20, "porto alegre under water", places=[PORTO_ALEGRE])
    hot = {"porto_alegre": 40.0, "porto": 38.0, "alegre": 38.0, "water": 20.0}
    assert Said(located, **hot).unknown_name_share() == 0.0
    assert Said(crowd_of(20, "porto alegre under water"), **hot).unknown_name_share() == 1.0


def test_a_town_that_is_half_of_a_name_makes_no_place_of_it() -> None:
    located = crowd_of(20, "alegre morantu must resign", places=[PORTO_ALEGRE])
    said = Said(located, alegre_morantu=40.0, alegre=38.0, morantu=38.0, resign=20.0)
    assert said.unknown_name_share() == 1.0


def test_words_that_often_stand_apart_are_no_name() -> None:
    rows = [*crowd_of(10, "flash flood"), *crowd_of(10, "flood", first=20), *crowd_of(10, "flash", first=40)]
    assert Said(rows, flash_flood=30, flash=20, flood=20).unknown_name_share() == 0.0


def test_the_category_is_that_of_most_speakers_when_enough_have_one() -> None:
    shouting = [post(i, 1, "water", categories=[STORM]) for i in range(9)]
    flooded = [post(20 + i, 2 + i, "water", categories=[FLOOD, STORM][: 1 + i % 2]) for i in range(4)]
    silent = [post(40 + i, 10 + i, "water", categories=[OTHER]) for i in range(30)]
    said = Said([*shouting, *flooded, *silent], water=20)
    assert said.crowds.category(said.rows[:13], said.speakers[:13]) == "flood"
    assert said.crowds.category(said.rows, said.speakers) == "other"


def test_languages_and_domains_count_distinct_speakers_most_first() -> None:
    rows = [post(i, 1, "water", lang="eng_Latn", domains=["a.example"]) for i in range(3)]
    rows += [
        post(10 + i, 2 + i, "water", lang="por_Latn", domains=["b.example", "a.example"]) for i in range(2)
    ]
    rows.append(post(20, 9, "water", lang="und"))
    said = Said(rows, water=20)
    assert said.crowds.named("lang", said.rows, said.speakers) == (
        Counted("por_Latn", 2),
        Counted("eng_Latn", 1),
    )
    assert said.crowds.domains(said.rows, said.speakers) == (Counted("a.example", 3), Counted("b.example", 2))


def test_a_speaker_has_one_mood_that_of_the_newest_post_with_one() -> None:
    rows = [post(i, i, "water", mood=0) for i in range(5)]
    rows += [post(10, 0, "water", mood=2), post(11, 0, "water", mood=-1), post(12, 9, "water")]
    rows += [post(13, 20, "water", mood=1, epoch=2)]
    said = Said(rows, water=20)
    epochs = np.array([row["epoch"] for row in rows], np.uint32)
    assert said.crowds.moods(said.rows, said.speakers, epochs) == (4, 0, 1)


def test_bins_are_closed_and_count_the_largest_epoch() -> None:
    times_us = NOON_US + np.array([0, 10, 20, 299, 300, 301]) * SECOND_US
    speakers = np.array([1, 2, 2, 3, 4, 5], np.uint64)
    epochs = np.array([1, 1, 1, 2, 2, 2], np.uint32)
    said = Said(crowd_of(1, "water"), water=20)
    first, second = (NOON_US, 2), (NOON_US + 5 * MINUTE_US, 2)
    assert said.crowds.bins(times_us, speakers, epochs, NOON_US + 599 * SECOND_US) == [first]
    assert said.crowds.bins(times_us, speakers, epochs, NOON_US + 600 * SECOND_US) == [first, second]
