"""Which posts speak of a possible private person. All names here are made up."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pyarrow as pa
import pytest

from groundswell.enrich import terms
from groundswell.enrich.people import MAX_PERSONS, People
from groundswell.enrich.tokens import hash_pairs
from groundswell.names import NameLexicon
from tests.measuring import measuring


@pytest.fixture(scope="module")
def people() -> People:
    return People(NameLexicon.load())


def mentions(people: People, *texts: str) -> list[list[int]]:
    found = terms.extract(pa.array(texts))
    return list(people.mentions(found.folded, found.tokens).to_pylist())


def pair(first: str, second: str) -> int:
    return int(hash_pairs([(first, second)])[0])


def test_two_capitalised_words_that_could_be_a_name(people: People) -> None:
    assert mentions(people, "Everyone look at what Jessica Meyer did") == [[pair("jessica", "meyer")]]
    assert mentions(people, "that was Meyer, Jessica again") == [[pair("meyer", "jessica")]]
    assert mentions(people, "#JessicaMeyer out") == [[pair("jessica", "meyer")]]


def test_the_same_pair_is_a_term_so_that_a_crowd_can_be_counted(people: People) -> None:
    found = terms.extract(pa.array(["Jessica Meyer, Jessica Meyer"]))
    person = people.mentions(found.folded, found.tokens)[0].as_py()
    assert len(person) == 2  # and the pair across the comma
    assert set(person) <= set(found.terms[0].as_py())


@pytest.mark.parametrize(
    "text",
    [
        "look at what jessica meyer did",
        "JESSICA MEYER IS ALL OVER THE NEWS",
        "Hurricane Maria Garcia",
        "Prime Minister Jessica Meyer",
        "the Anna Meyer Bridge is closed",
        "San Francisco and Santa Rosa",
        "Angela Merkel spoke",
        "Boston Marathon, Red Cross, Fort McMurray",
        "Jessica. Meyer",
    ],
)
def test_what_is_no_private_name_or_not_written_like_one(people: People, text: str) -> None:
    assert mentions(people, text) == [[]]


def test_scripts_without_capitals(people: People) -> None:
    assert mentions(people, "شاهدوا محمد الحسن اليوم") == [[pair("محمد", "الحسن")]]
    assert mentions(people, "سيول في الاردن") == [[]]


def test_a_roll_call_is_capped(people: People) -> None:
    surnames = [
        "Meyer",
        "Miller",
        "Wagner",
        "Becker",
        "Schulz",
        "Hoffmann",
        "Koch",
        "Richter",
        "Neumann",
        "Schwarz",
    ]
    roll = ". ".join(f"Jessica {surname}" for surname in surnames)
    assert len(mentions(people, roll)[0]) == MAX_PERSONS


def test_disaster_crowds_are_not_taken_for_pile_ons(people: People) -> None:
    path = measuring("events", "mix.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    found = terms.extract(pa.array([post["text"] for post in posts]))
    persons = people.mentions(found.folded, found.tokens).to_pylist()
    sizes = Counter(post["event"] for post in posts)
    named: Counter[tuple[str, int]] = Counter()
    for post, row in zip(posts, persons, strict=True):
        named.update((post["event"], person) for person in row)
    shares = [count / sizes[event] for (event, _), count in named.items() if event]
    assert max(shares) < 0.1
