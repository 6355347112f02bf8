"""Wordings that many copy: which could name somebody, in scripts with and without capitals."""

from __future__ import annotations

import functools

import pyarrow as pa
import pytest

from groundswell.enrich import terms
from groundswell.enrich.naming import NAMING, PLAIN, UNCLEAR, Wording
from groundswell.names import NameLexicon
from groundswell.simulator.vocabulary import Language, languages


@functools.cache
def wording() -> Wording:
    return Wording(NameLexicon.load())


def naming(texts: list[str], lang: str = "eng_Latn") -> list[int]:
    column, codes = pa.array(texts), pa.array([lang] * len(texts))
    found = terms.extract(column, codes)
    answer: list[int] = wording().naming(found.folded, codes, found.tokens).to_pylist()
    return answer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The council is hiding the truth about the new parking tax, read it now", PLAIN),
        ("Nobody in the big media will show you these numbers", PLAIN),
        ("Zelvira Morantu must resign now", NAMING),
        ("Can you believe that Zelvira still has a job", NAMING),
        ("I went to school with Rowan and nobody is surprised", NAMING),
        ("Can you believe that zelvira morantu still has a job", UNCLEAR),
        ("everyone must see what zelvira did", UNCLEAR),
        ("EVERYONE MUST SEE WHAT ZELVIRA DID", UNCLEAR),
        ("Zelvira must resign now", UNCLEAR),
        ("", PLAIN),
    ],
)
def test_a_name_is_told_from_everyday_words_by_lists_and_capitals(text: str, told: int) -> None:
    assert naming([text]) == [told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Das Rathaus verschweigt die Wahrheit", UNCLEAR),
        ("Sagt es Wiebke Kaltofen endlich", NAMING),
        ("Lasst Friederun Achterberg nicht davonkommen", NAMING),
    ],
)
def test_where_every_noun_has_a_capital_one_alone_tells_nothing(text: str, told: int) -> None:
    assert naming([text], "deu_Latn") == [told]


@pytest.mark.parametrize("language", languages(), ids=lambda language: language.code)
def test_no_copied_text_against_a_private_person_is_plain(language: Language) -> None:
    """Invented names that mostly no lexicon has, in each language of the simulator, capitalised and not."""
    names = [
        f"{given} {family}" if language.joiner else f"{family}{given}"
        for given in language.given
        for family in language.family
    ]
    filled = [
        "".join(before + (name if slot == "who" else "") for before, slot in phrase).strip()
        for phrase in language.scold
        for name in names
    ]
    texts = [*filled, *(text[0].upper() + text[1:] for text in filled)]
    plain = [text for text, told in zip(texts, naming(texts), strict=True) if told == PLAIN]
    assert plain == []


def test_phrases_of_everyday_words_are_known() -> None:
    assert wording().everyday("parking tax")
    assert not wording().everyday("zelvira morantu")
    assert not wording().everyday("")
