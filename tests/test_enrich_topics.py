"""Categories: a crowd's subject, from words in many languages."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.enrich import terms
from groundswell.enrich.topics import CATEGORIES, Topics, read_terms
from groundswell.names import plain
from tests.measuring import measuring

CONCEPTS = Path(terms.__file__).parent / "data" / "concepts.toml"


@pytest.fixture(scope="module")
def topics() -> Topics:
    return Topics.load()


def subjects(topics: Topics, text: str) -> list[str]:
    found = terms.extract(pa.array([text]))
    return [CATEGORIES[number] for number in topics.categories(found.folded, found.tokens)[0].as_py()]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Strong earthquake felt downtown", "earthquake"),
        ("#ItalyEarthquake", "earthquake"),
        ("#yycflood", "flood"),
        ("terremoto en el centro", "earthquake"),
        ("Erdbeben in der Nacht", "earthquake"),
        ("tremblement de terre ce matin", "earthquake"),
        ("Depremde yıkılan binalar", "earthquake"),
        ("землетрясения", "earthquake"),
        ("بالزلزال الأخير", "earthquake"),
        ("ברעידת אדמה", "earthquake"),
        ("भूकंप के झटके", "earthquake"),
        ("เกิดแผ่นดินไหวขึ้น", "earthquake"),
        ("ငလျင်လှုပ်", "earthquake"),
        ("今朝の地震", "earthquake"),
        ("지진이 났다", "earthquake"),
        ("gempa bumi", "earthquake"),
        ("động đất mạnh", "earthquake"),
        ("tetemeko la ardhi", "earthquake"),
        ("والسيول تجتاح المدينة", "flood"),
        ("فيضانات", "flood"),
        ("Überschwemmungen am Fluss", "flood"),
        ("banjir di mana mana", "flood"),
        ("mafuriko", "flood"),
        ("ambaliyar ruwa", "flood"),
        ("বন্যায় ডুবে গেছে", "flood"),
        ("வெள்ளத்தில்", "flood"),
        ("typhoon season", "storm"),
        ("العاصفة تقترب", "storm"),
        ("منخفض جوي", "storm"),
        ("台風が接近", "storm"),
        ("cơn bão số ba", "storm"),
        ("ola de calor", "heat"),
        ("incendios forestales", "wildfire"),
        ("山火事", "wildfire"),
        ("avalanche warning", "snow"),
        ("erupción del volcán", "eruption"),
        ("tanah longsor", "landslide"),
        ("huge explosion at the port", "explosion"),
        ("anschlag am markt", "attack"),
        ("train derailed", "transport"),
        ("停電しました", "outage"),
        ("cholera outbreak", "outbreak"),
        ("مظاهرات في الساحة", "assembly"),
        ("выборы завтра", "election"),
    ],
)
def test_a_post_says_what_it_is_about(topics: Topics, text: str, category: str) -> None:
    assert category in subjects(topics, text)


@pytest.mark.parametrize(
    "text",
    [
        "good morning everyone",
        "bom dia a todos",
        "así es la vida",
        "nevada desert road trip",
        "val de loire",
        "Snowden",
        "",
    ],
)
def test_everyday_words_have_no_subject(topics: Topics, text: str) -> None:
    assert subjects(topics, text) == []


def test_a_post_may_have_several_subjects_each_once(topics: Topics) -> None:
    assert subjects(topics, "hurricane floods town, floods, flood, storm") == ["storm", "flood"]


def test_every_term_of_one_word_is_found(topics: Topics) -> None:
    """No filter on the way to the list loses one."""
    listed = [
        (term.rstrip("*"), CATEGORIES.index(name))
        for name, written in read_terms(CONCEPTS).items()
        for term in written
        if " " not in term
    ]
    found = terms.extract(pa.array([term for term, _ in listed]))
    given = topics.categories(found.folded, found.tokens).to_pylist()
    missed = {term for (term, category), each in zip(listed, given, strict=True) if category not in each}
    # The Arabic word is that of a flood too; runs of Han and kana are cut where one follows the other.
    assert missed == {"طوفان", "がけ崩れ", "ガス漏れ", "ロケット打ち上げ"}


def test_no_term_stands_in_two_categories() -> None:
    owner: dict[str, str] = {}
    for category, listed in read_terms(CONCEPTS).items():
        for term in listed:
            assert term, category
            assert owner.setdefault(plain(term), category) == category, term


def test_disasters_are_named_in_many_languages() -> None:
    text = CONCEPTS.read_text("utf-8")
    for category in ("earthquake", "flood", "storm", "wildfire"):
        section = text.split(f"[{category}]")[1].split("\n[")[0]
        assert section.count(" = ") >= 50


def test_an_unknown_category_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "concepts.toml"
    path.write_text('[earthqake]\nen = "quake"\n')
    with pytest.raises(ValueError, match="earthqake"):
        read_terms(path)


def test_real_crowds_get_their_category(topics: Topics) -> None:
    path = measuring("events", "mix.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    found = terms.extract(pa.array([post["text"] for post in posts]))
    counts: dict[str, Counter[str]] = {}
    for post, row in zip(posts, topics.categories(found.folded, found.tokens).to_pylist(), strict=True):
        counts.setdefault(post["event"] or "background", Counter()).update(
            CATEGORIES[number] for number in row
        )
    background = counts.pop("background")
    assert max(background.values()) < 0.01 * sum(post["event"] is None for post in posts)
    kinds = {
        "flood": "flood",
        "hurricane": "storm",
        "storm": "storm",
        "tornado": "storm",
        "wildfire": "wildfire",
    }
    kinds |= {"earthquake": "earthquake", "explosion": "explosion", "bombing": "attack"}
    right = 0
    for event, counted in counts.items():
        wanted = next(category for word, category in kinds.items() if word in event.lower())
        right += counted.most_common(1)[0][0] == wanted
    assert right >= len(counts) - 1
