"""Stop terms: which words say nothing, told by the language of the post."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.enrich import stop_terms, terms
from groundswell.enrich.fold import fold
from groundswell.enrich.language_codes import head_of
from groundswell.enrich.language_model import load
from groundswell.enrich.tokens import PAIR, hash_words, tokenise
from groundswell.enrich.topics import read_terms


def shown(text: str, lang: str) -> list[str]:
    found = terms.extract(pa.array([text]), pa.array([lang]))
    folded = found.folded[0].as_py().encode()
    spans = zip(found.starts[0].as_py(), found.ends[0].as_py(), strict=True)
    return [folded[start:end].decode() for start, end in spans]


@pytest.mark.parametrize(
    ("text", "lang", "wanted"),
    [
        ("Earthquake in the centre of Izmir", "eng_Latn", ["earthquake", "centre", "izmir"]),
        ("Der Krieg war vorbei", "deu_Latn", ["krieg", "vorbei"]),
        ("the war", "eng_Latn", ["war"]),
        ("İzmir'de çok büyük deprem oldu", "tur_Latn", ["izmir'de", "deprem"]),
        ("May lindol sa Maynila", "tgl_Latn", ["lindol", "maynila"]),
        ("भूकंप के झटके और डर", "hin_Deva", ["भूकंप", "झटके", "डर"]),
        ("və bu zəlzələ üçün", "azj_Latn", ["zəlzələ"]),
        ("Hapa kuna mafuriko makubwa", "swh_Latn", ["mafuriko", "makubwa", "mafuriko makubwa"]),
    ],
)
def test_a_post_is_freed_of_the_stop_words_of_its_language(text: str, lang: str, wanted: list[str]) -> None:
    assert shown(text, lang) == wanted


def test_a_word_can_be_empty_in_one_language_and_telling_in_another() -> None:
    assert shown("war", "deu_Latn") == shown("sur", "fra_Latn") == []
    assert shown("war", "eng_Latn") == shown("war", "und") == ["war"]
    assert shown("sur", "spa_Latn") == ["sur"]


def test_borrowed_english_words_are_passed_over_everywhere_and_all_empty_words_where_nothing_is_known() -> (
    None
):
    assert shown("you and nicht", "ind_Latn") == ["nicht"]
    assert shown("you and nicht", "und") == []


def test_a_language_without_a_list_is_read_with_the_list_for_all() -> None:
    assert shown("flood and fire", "xxx_Latn") == ["flood", "fire"]


def test_members_of_a_family_share_the_list_of_its_head() -> None:
    assert shown("ذلك زلزال", "arz_Arab") == shown("ذلك زلزال", "arb_Arab") == ["زلزال"]


def test_most_labels_of_the_language_model_have_a_list_of_some_length() -> None:
    lists = stop_terms.read()
    labels, _ = load()
    covered = [label for label in labels if label in lists or head_of(label) in lists]
    assert len(covered) >= 0.8 * len(labels)
    assert all(len(words) >= 15 for words in lists.values())


def test_no_stop_term_is_a_word_of_the_concept_list() -> None:
    concepts = read_terms(Path(stop_terms.FILE).parent / "concepts.toml")
    written = [word.rstrip("*") for words in concepts.values() for word in words]
    cut = tokenise(fold(pa.array(written)))
    alone = {
        int(cut.hashes[token])
        for first, end in zip(cut.offsets, cut.offsets[1:], strict=False)
        for token in range(first, end)
        if end - first == 1 or cut.flags[token] & PAIR
    }
    stops = {int(hashed) for words in stop_terms.read().values() for hashed in hash_words(words)}
    assert stops & alone == set()
    told = "fire flood dead storm quake sismo sel crue deprem gempa banjir incendio feu глад наводнение"
    assert stops.isdisjoint(hash_words(told.split()).tolist())


def test_how_a_stream_is_cut_into_batches_changes_nothing() -> None:
    texts = ["the war", "der Krieg war", "le feu est là", "the war"]
    langs = ["eng_Latn", "deu_Latn", "fra_Latn", "und"]
    whole = terms.extract(pa.array(texts), pa.array(langs)).terms.to_pylist()
    parts = [
        terms.extract(pa.array([text]), pa.array([lang])) for text, lang in zip(texts, langs, strict=True)
    ]
    assert [part.terms.to_pylist()[0] for part in parts] == whole
