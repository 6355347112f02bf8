"""Which phrase stands first: one that reads as a title, in each language that has a crowd of its own."""

from __future__ import annotations

from groundswell.candidates import PhraseUse
from groundswell.release.revision import chosen_phrases

FLOOR = 20


def phrase(text: str, speakers: int, language: str = "spa_Latn") -> PhraseUse:
    return PhraseUse(text, speakers, language, 20.0)


def chosen(
    *uses: PhraseUse, languages: tuple[str, ...] = ("spa_Latn",), shown: dict[str, int] | None = None
) -> list[str]:
    return list(chosen_phrases(uses, shown or {}, lambda speakers, _: speakers, FLOOR, languages))


def test_a_phrase_around_the_main_words_stands_before_them() -> None:
    told = chosen(
        phrase("rosario", 200), phrase("temblor", 100), phrase("temblor rosario", 50), phrase("otra vez", 60)
    )
    assert told == ["temblor rosario", "rosario", "temblor", "otra vez"]


def test_a_phrase_of_few_is_no_title_of_many() -> None:
    assert chosen(phrase("rosario", 500), phrase("otra vez", 20)) == ["rosario", "otra vez"]


def test_each_language_with_a_crowd_has_one_in_front() -> None:
    told = chosen(
        phrase("rosario", 500),
        phrase("temblor rosario", 200),
        phrase("plaza mayor", 190),
        phrase("地震", 100, "zho_Hans"),
        phrase("罗萨里奥地震", 90, "zho_Hans"),
        phrase("séisme", 80, "fra_Latn"),
        languages=("spa_Latn", "zho_Hans"),
    )
    assert told[:2] == ["temblor rosario", "罗萨里奥地震"]
    assert told[2:] == ["rosario", "plaza mayor", "地震", "séisme"]


def test_a_title_stays_first_when_nobody_says_it_any_more() -> None:
    assert chosen(phrase("donaciones", 60), shown={"temblor rosario": 200}) == [
        "temblor rosario",
        "donaciones",
    ]


def test_without_a_crowd_of_any_language_the_strongest_stands_first() -> None:
    assert chosen(phrase("rosario", 90), phrase("temblor rosario", 40), languages=()) == [
        "rosario",
        "temblor rosario",
    ]


def test_no_more_than_eight_show() -> None:
    words = [phrase(f"palabra{at}", 100 - at) for at in range(12)]
    assert chosen(*words, phrase("temblor rosario", 40))[0] == "temblor rosario"
    assert len(chosen(*words, phrase("temblor rosario", 40))) == 8
