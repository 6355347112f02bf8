"""The whole stage: POST in, ENRICHED out."""

from __future__ import annotations

import pyarrow as pa
import pytest

from groundswell.batches import ENRICHED, POST, Kind, empty
from groundswell.config import Document
from groundswell.enrich import Enricher, EnrichSettings
from groundswell.enrich.mood import MOODS, NONE
from groundswell.enrich.topics import CATEGORIES
from groundswell.errors import ConfigurationError
from groundswell.names import NameLexicon


class OneTown:
    """A gazetteer that knows a single town."""

    def find(
        self, folded: pa.StringArray, text: pa.StringArray, lang: pa.StringArray
    ) -> tuple[pa.ListArray, pa.ListArray]:
        rows = [[7] if "springfield" in said else [] for said in folded.to_pylist()]
        assert len(text) == len(lang) == len(rows)
        sure = [[0.5] * len(row) for row in rows]
        return pa.array(rows, pa.list_(pa.int32())), pa.array(sure, pa.list_(pa.float32()))


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return Enricher(EnrichSettings(), OneTown(), NameLexicon.load())


def posts(*texts: str, kind: Kind = Kind.POST, langs: tuple[str, ...] = ()) -> pa.RecordBatch:
    rows = [
        {
            "kind": int(kind),
            "source": "files",
            "post_key": number + 1,
            "speaker": number + 1,
            "epoch": 0,
            "text": text,
            "langs": list(langs),
            "domains": [],
            "link_keys": [],
            "picture_keys": [],
            "cell": 0,
            "target": 0,
            "time_us": number,
        }
        for number, text in enumerate(texts)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=POST)


def test_a_post_gets_all_its_columns(enricher: Enricher) -> None:
    batch = posts("Earthquake near Springfield this morning, stay safe everyone")
    said = enricher.enrich(batch).to_pylist()[0]
    assert said["lang"] == "eng_Latn"
    assert said["folded"] == "earthquake near springfield this morning, stay safe everyone"
    assert [CATEGORIES[number] for number in said["categories"]] == ["earthquake"]
    assert said["places"] == [7]
    assert said["place_confidences"] == [0.5]
    assert said["persons"] == []
    assert said["shape"] != 0
    assert len(said["terms"]) == len(said["term_starts"]) == len(said["term_ends"]) > 5


def test_the_schema_is_kept_and_the_posts_stay_as_they_came(enricher: Enricher) -> None:
    batch = posts("one storm", "", "two floods")
    enriched = enricher.enrich(batch)
    assert enriched.schema == ENRICHED
    enriched.validate(full=True)
    assert enriched.select(POST.names).equals(batch)


@pytest.mark.parametrize("kind", [Kind.DELETE, Kind.ACCOUNT_GONE])
def test_news_of_deletions_pass_with_empty_columns(enricher: Enricher, kind: Kind) -> None:
    said = enricher.enrich(posts("left over text of Jessica Meyer in Springfield", kind=kind)).to_pylist()[0]
    assert said["lang"] == "und"
    assert said["folded"] == ""
    assert said["shape"] == 0
    for column in (
        "terms",
        "term_starts",
        "term_ends",
        "places",
        "place_confidences",
        "categories",
        "persons",
    ):
        assert said[column] == []


def test_moods_count_in_languages_that_they_are_told_well_in(enricher: Enricher) -> None:
    loved, sad = (
        "Ina son wannan sosai, na gode kwarai da gaske 😍😍",
        "I am so sad, this is terrible and awful 😡",
    )
    moods = enricher.enrich(posts(loved, sad)).column("mood").to_pylist()
    assert moods == [MOODS.index("positive"), NONE]


def test_an_edit_is_read_like_a_post(enricher: Enricher) -> None:
    assert enricher.enrich(posts("flood waters", kind=Kind.EDIT)).to_pylist()[0]["terms"] != []


def test_an_empty_batch(enricher: Enricher) -> None:
    assert enricher.enrich(empty(POST)).equals(empty(ENRICHED))


def test_a_slice_and_batches_of_any_cut_say_the_same(enricher: Enricher) -> None:
    batch = posts("storm over Springfield", "Jessica Meyer again", "洪水が出た", "ok", langs=("pt",))
    whole = enricher.enrich(batch).to_pylist()
    parts = [row for start in range(4) for row in enricher.enrich(batch.slice(start, 1)).to_pylist()]
    assert parts == whole


def test_an_unsure_language_is_left_open() -> None:
    batch = posts("ok", langs=("pt",))
    for least, code in ((0.35, "por_Latn"), (0.9, "und")):
        enricher = Enricher(EnrichSettings(min_language_confidence=least), OneTown(), NameLexicon.load())
        assert enricher.enrich(batch).column("lang")[0].as_py() == code


def test_settings_name_what_they_cannot_use() -> None:
    document = Document.parse("[enrich]\nmin_language_confidence = 2.0\n", "example.toml")
    with pytest.raises(ConfigurationError, match=r"example\.toml \[enrich\]"):
        document.section("enrich", EnrichSettings)
