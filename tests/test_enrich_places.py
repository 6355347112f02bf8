"""Which places a post speaks of: by example, in columns, and whatever the text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.enrich.places import MAX_PLACES, Found, Gazetteer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def said(gazetteer: Gazetteer, text: str) -> list[tuple[str, str]]:
    """The words of each mention, and the country they were read as."""
    return [(text[found.start : found.end], found.country) for found in gazetteer.find_text(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Earthquake in Ecuador", [("Ecuador", "EC")]),
        ("Ecuadorian rescuers arrive", [("Ecuadorian", "EC")]),
        ("stuck in NYC and in the U.S. embassy", [("NYC", "US"), ("U.S", "US")]),
        (
            "Portland, OR or Portland, ME",
            [("Portland", "US"), ("OR", "US"), ("Portland", "US"), ("ME", "US")],
        ),
        ("Perth WA floods", [("Perth", "AU"), ("WA", "AU")]),
        ("Tbilisi, Georgia", [("Tbilisi", "GE"), ("Georgia", "GE")]),
        ("Atlanta, Georgia", [("Atlanta", "US"), ("Georgia", "US")]),
        ("Dominica and the Dominican Republic", [("Dominica", "DM"), ("Dominican Republic", "DO")]),
        ("Haiti's Port-au-Prince", [("Haiti", "HT"), ("Port-au-Prince", "HT")]),
        ("Feuer in Köln, incendie à Marseille", [("Köln", "DE"), ("Marseille", "FR")]),
        ("Взрыв в Москве", [("Москве", "RU")]),
        ("سيول بالقاهرة وفي للأردن", [("بالقاهرة", "EG"), ("للأردن", "JO")]),
        ("火災 大阪市", [("大阪市", "JP")]),
        ("ニューヨークで火事", [("ニューヨーク", "US")]),
        ("서울에서 지진", [("서울에서", "KR")]),
        ("भूकंप दिल्ली में", [("दिल्ली", "IN")]),
        ("น้ำท่วมกรุงเทพ", [("กรุงเทพ", "TH")]),
        ("🇮🇹 forza", [("🇮🇹", "IT")]),
        ("Europe, Asia and the Middle East", [("Europe", ""), ("Asia", ""), ("Middle East", "")]),
        ("Snow in the Sierra Nevada", [("Sierra Nevada", "US")]),
        ("سيول في الخفجي شرق السعودية", [("الخفجي", "SA"), ("السعودية", "SA")]),
        ("أمطار بحفر الباطن", [("بحفر الباطن", "SA")]),
        ("Chinese rescuers", [("Chinese", "CN")]),
    ],
)
def test_places_are_found_as_people_write_them(
    gazetteer: Gazetteer, text: str, expected: list[tuple[str, str]]
) -> None:
    assert said(gazetteer, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#حفر_الباطن", [("حفر_الباطن", "SA")]),
        ("#ItalyEarthquake", [("Italy", "IT")]),
        ("#QueenslandFloods", [("Queensland", "AU")]),
        ("#prayforecuador", [("prayforecuador", "EC")]),
        ("#houstonflood", [("houstonflood", "US")]),
        ("#yyc is flooded", [("yyc", "CA")]),
        ("#SriLanka #FloodSL", [("SriLanka", "LK"), ("FloodSL", "LK")]),
        ("#NebraskaStrong", [("Nebraska", "US")]),
    ],
)
def test_hashtags_are_taken_apart(gazetteer: Gazetteer, text: str, expected: list[tuple[str, str]]) -> None:
    assert said(gazetteer, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "lol nice split in the office",
        "most of us were reading in bed",
        "OK I am IN",
        "so hot in here, pray for us",
        "la casa en la playa",
        "May the force be with you",
        "ask @paris or see www.london.com/berlin or https://rome.example/madrid",
        "Hurricane Florence makes landfall",
        "storm Harvey and hurricane Maria",
        "the Red Cross and the White House",
        "",
    ],
)
def test_everyday_words_storms_and_links_are_no_places(gazetteer: Gazetteer, text: str) -> None:
    assert said(gazetteer, text) == []


def test_a_neighbour_settles_an_ambiguous_name(gazetteer: Gazetteer) -> None:
    alone = gazetteer.find_text("Explosion in Moore")
    beside = gazetteer.find_text("Explosion in Moore, Oklahoma")
    assert beside[0].confidence > max((found.confidence for found in alone), default=0.0)
    assert abs(beside[0].lat - 35.34) < 0.1
    cambridge = gazetteer.find_text("Cambridge, Massachusetts")[0]
    assert cambridge.country == "US"
    assert gazetteer.find_text("Oxford and Cambridge, England")[1].country == "GB"


def test_the_language_speaks_mildly_for_its_countries(gazetteer: Gazetteer) -> None:
    def confidence(lang: str) -> float:
        return gazetteer.find_text("Flood in Valencia", lang)[0].confidence

    assert confidence("spa_Latn") > confidence("und")


def test_columns_hold_each_place_once_with_its_best_confidence(gazetteer: Gazetteer) -> None:
    text = pa.array(["skip", "Quito, Ecuador. Ecuador!", "nothing here", "Lagos e Abuja"])[1:]
    rows, confidences = gazetteer.find(text, text, pa.array(["und"] * 3))
    assert rows.type == pa.list_(pa.int32())
    assert confidences.type == pa.list_(pa.float32())
    names = [[gazetteer.table["name"][row].as_py() for row in post] for post in rows.to_pylist()]
    assert names == [["Quito", "Ecuador"], [], ["Lagos", "Abuja"]]
    single: dict[str, float] = {}
    for found in gazetteer.find_text("Quito, Ecuador. Ecuador!"):
        single[found.name] = max(single.get(found.name, 0.0), found.confidence)
    assert confidences[0].as_py() == pytest.approx(list(single.values()), abs=1e-3)


def test_the_circle_is_as_wide_as_the_place_and_the_doubt(gazetteer: Gazetteer) -> None:
    def radius(text: str) -> float:
        return gazetteer.find_text(text)[0].radius_km

    assert radius("Luxembourg") < radius("France") < radius("Russia")
    assert radius("Flood in Paris, France") < 50 < radius("Flood in Valencia")
    assert gazetteer.find_text("Europe")[0].radius_km > 300


def test_no_crowd_is_put_in_a_continent_or_a_sea(gazetteer: Gazetteer) -> None:
    text = pa.array(["a ship in the Atlantic, off Portugal, Europe"])
    rows, _ = gazetteer.find(text, text, pa.array(["eng_Latn"]))
    assert [gazetteer.table["name"][row].as_py() for row in rows[0].as_py()] == ["Portugal"]


def test_a_name_settled_once_is_settled_wherever_it_stands(gazetteer: Gazetteer) -> None:
    found = gazetteer.find_text("A tornado hit Moore, Oklahoma. The damage in Moore is great.")
    moore = [place for place in found if place.name == "Moore"]
    assert [round(place.lat) for place in moore] == [35, 35]


def test_a_post_of_many_places_is_capped(gazetteer: Gazetteer) -> None:
    countries = gazetteer.table.filter(pa.compute.equal(gazetteer.table["level"], "country"))
    text = pa.array([", ".join(countries["name"].to_pylist()[:60])])
    rows, _ = gazetteer.find(text, text, pa.array(["eng_Latn"]))
    assert len(rows[0]) == MAX_PLACES
    assert len(set(rows[0].as_py())) == MAX_PLACES


def test_the_table_is_what_others_read(gazetteer: Gazetteer) -> None:
    assert gazetteer.table.schema == pa.schema(
        [
            ("name", pa.string()),
            ("country", pa.string()),
            ("latitude", pa.float64()),
            ("longitude", pa.float64()),
            ("population", pa.int64()),
            ("level", pa.string()),
            ("within", pa.int32()),
        ]
    )
    assert set(gazetteer.table["level"].unique().to_pylist()) == {"city", "region", "country"}
    assert all(len(code) == 2 for code in gazetteer.table["country"].unique().to_pylist())


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=400), lang=st.sampled_from(["und", "eng_Latn", "zzz", ""]))
def test_any_text_is_read_without_harm(gazetteer: Gazetteer, text: str, lang: str) -> None:
    for found in gazetteer.find_text(text, lang):
        assert 0 <= found.start < found.end <= len(text)
        assert 0.0 <= found.confidence <= 1.0
        assert isinstance(found, Found)


@pytest.mark.parametrize(
    "text", ["#" + "a" * 100_000, "Paris " * 50_000, "東" * 50_000, "\ud800Rome", "#" * 9_999]
)
def test_hostile_lengths_are_capped(gazetteer: Gazetteer, text: str) -> None:
    assert len(gazetteer.find_text(text)) <= 128


def test_a_town_knows_its_region(gazetteer: Gazetteer) -> None:
    rows = {name: row for row, name in reversed(list(enumerate(gazetteer.table["name"].to_pylist())))}
    within = gazetteer.table["within"].to_pylist()
    assert within[rows["Sunshine Coast"]] == rows["Queensland"]
    assert within[rows["Queensland"]] == -1
    assert within[rows["Australia"]] == -1
    assert all(row < len(within) for row in within)
