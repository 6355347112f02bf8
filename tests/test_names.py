"""What could be somebody's name, and what must not be taken for one. All names here are made up."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from groundswell import names
from groundswell.names import NameLexicon, plain

PACKED = Path(names.__file__).parent / "data" / "names.txt.xz"


@pytest.fixture(scope="module")
def lexicon() -> NameLexicon:
    return NameLexicon.load()


@pytest.mark.parametrize(
    "phrase",
    [
        "jessica meyer",
        "meyer, jessica",
        "help find jessica meyer please",
        "john smith",
        "john baker",
        "paris hilton",
        "juan de la cruz",
        "maria von meyer",
        "anna kowalska",
        "иван петров",
        "محمد الحسن",
        "김민준",
        "佐藤 明美",
        "josé fernández",
        "JESSICA MEYER",
    ],
)
def test_a_name_is_seen_in_any_order_and_script(lexicon: NameLexicon, phrase: str) -> None:
    assert lexicon.person_like(phrase)


@pytest.mark.parametrize(
    "phrase",
    [
        "hurricane maria",
        "hurricane harvey relief",
        "harvey flooding",
        "tropical storm michael",
        "sandy victims",
        "camp fire",
        "boston marathon bombing",
        "fort mcmurray",
        "san francisco",
        "santa rosa",
        "puerto rico",
        "virginia beach",
        "charlotte north",
        "new south wales",
        "prime minister",
        "angela merkel",
        "barack obama",
        "red cross",
        "death toll rises",
        "magnitude earthquake",
        "incendios forestales",
        "tremblement de terre",
        "жертвы наводнения",
        "سيول الاردن",
        "صباح الخير",
        "anne frank street",
        "jessica",
        "",
        "7.8",
    ],
)
def test_events_places_and_office_holders_are_let_through(lexicon: NameLexicon, phrase: str) -> None:
    assert not lexicon.person_like(phrase)


def test_one_spelling_for_all() -> None:
    assert plain("José ÖZTÜRK") == "jose ozturk"
    assert plain("Ёлкин") == "елкин"
    assert plain("أحمدة") == "احمده"
    assert plain("٢٠٢٣") == "2023"
    assert plain("йод") == "йод"
    assert plain("हिन्दी") == "हिन्दी"


def test_the_artefact_is_small_and_its_source_is_on_record() -> None:
    assert PACKED.stat().st_size <= 700_000
    source = PACKED.with_name("names.source.md").read_text("utf-8")
    assert "MIT" in source
    assert "CC BY 4.0" in source


def test_the_artefact_is_sorted_folded_and_complete() -> None:
    lines = lzma.decompress(PACKED.read_bytes()).decode("utf-8").splitlines()
    assert [line.strip("[]") for line in lines if line.startswith("[")] == list(names.SECTIONS)
    sections: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("["):
            sections[line] = []
        else:
            sections[list(sections)[-1]].append(line)
    for words in sections.values():
        assert words == sorted(set(words))
        assert all(plain(word) == word for word in words[:: max(1, len(words) // 500)])


def test_the_lexicon_is_read_once(lexicon: NameLexicon) -> None:
    assert NameLexicon.load() is lexicon


@pytest.mark.parametrize("phrase", ["佐藤明美", "田中太郎", "王小明", "陈伟", "李娜さん 李娜"])
def test_a_name_in_han_is_seen_without_a_space(lexicon: NameLexicon, phrase: str) -> None:
    assert lexicon.person_like(phrase)


@pytest.mark.parametrize(
    "phrase", ["地震速報", "石川県", "江西省", "高温", "洪水", "津波警報", "緊急地震速報", "能登半島地震"]
)
def test_words_and_provinces_in_han_are_no_names(lexicon: NameLexicon, phrase: str) -> None:
    assert not lexicon.person_like(phrase)
