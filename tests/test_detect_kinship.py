"""Whether crowds of different languages are about one matter: what joins them, what keeps them apart."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from groundswell.candidates import Candidate
from groundswell.clock import MINUTE_US
from groundswell.detect.chains import Chain, Chains, ChainSettings
from groundswell.detect.crowds import Crowds
from groundswell.detect.detector import Detector
from groundswell.detect.gazette import Gazette
from groundswell.detect.kinship import Kinship, Profile
from groundswell.detect.parts import Parts
from groundswell.detect.window import Window, WindowSettings
from tests.enriched_posts import (
    BRAZIL,
    CATEGORIES,
    EXPLOSION,
    FLOOD,
    NOON_US,
    PLACES,
    PORTO_ALEGRE,
    RIO_GRANDE,
    SPAIN,
    VALENCIA,
    K,
    Row,
    chatter,
    detector,
    play,
    post,
)

ONSET = 35 * 60


class Nothing:
    """A window in which no domain is linked to."""

    def nats(self, domain: int) -> float:
        return 0.0


def kinship() -> Kinship:
    window, gazette = Window(WindowSettings()), Gazette(PLACES)
    crowds = Crowds(window, gazette, CATEGORIES)
    return Kinship(ChainSettings(), window, crowds, gazette, Parts(crowds, gazette, K), K)


def profile(**changes: Any) -> Profile:
    values: dict[str, Any] = {
        "language": "por_Latn",
        "place": -1,
        "country": -1,
        "category": "flood",
        "onset_us": NOON_US,
        "names": (),
        "numbers": frozenset(),
        "links": frozenset(),
        "domains": frozenset(),
    }
    return Profile(**(values | changes))


def nats(one: dict[str, Any], other: dict[str, Any]) -> float:
    weighed = kinship().nats(profile(**one), profile(language="arb_Arab", **other), Nothing())  # type: ignore[arg-type]
    assert weighed == kinship().nats(profile(**other), profile(**one), Nothing())  # type: ignore[arg-type]
    return weighed


TOWN = {"place": PORTO_ALEGRE, "country": BRAZIL}
LAND = {"place": -1, "country": BRAZIL}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TOWN, TOWN),
        ({"links": frozenset({1, 2})}, {"links": frozenset({1, 2})}),
        ({"names": ("NPSPLSK",)}, {"names": ("NPSPLSK",)}),
        (
            {"names": ("NPSPLSK",), "numbers": frozenset({"7.2"})},
            {"names": ("NPSPLSKT",), "numbers": frozenset({"7.2"})},
        ),
    ],
)
def test_a_town_a_link_or_a_rare_name_in_common_is_one_matter(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert nats(one, other) >= ChainSettings().kin


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LAND, LAND),  # two floods in one country at one time
        (LAND, TOWN),
        (TOWN, {"place": VALENCIA, "country": SPAIN}),
        ({"names": ("STN",)}, {"names": ("STN",)}),  # three consonants alone are soon found
        ({"numbers": frozenset({"12"})}, {"numbers": frozenset({"12"})}),
        ({"links": frozenset({1})}, {"links": frozenset({1}), "onset_us": NOON_US + 150 * MINUTE_US}),
        ({"links": frozenset({1})}, {"links": frozenset({1}), "category": "explosion"}),
    ],
)
def test_less_than_that_is_not(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert nats(one, other) < ChainSettings().kin


def test_each_thing_in_common_adds() -> None:
    alone = nats({"links": frozenset({1})}, {"links": frozenset({1})})
    named = {"links": frozenset({1}), "names": ("MNLL",)}
    assert nats(named, named) > alone
    assert nats({**named, "numbers": frozenset({"142"})}, {**named, "numbers": frozenset({"142"})}) > nats(
        named, named
    )
    assert nats(named, {**named, "onset_us": NOON_US + 20 * MINUTE_US}) < nats(named, named)


def told(phrases: list[str], language: str, first: int, start: float = ONSET, **changes: Any) -> list[Row]:
    """Forty-five people who say one of `phrases` each, within five minutes from the onset."""
    rng = np.random.default_rng(first)
    return [
        post(start + time, first + i, f"{phrases[i % len(phrases)]} own{first + i}", lang=language, **changes)
        for i, time in enumerate(np.sort(rng.uniform(0, 300, 45)).tolist())
    ]


PORTUGUESE = [
    "enchente forte em porto alegre",
    "enchente forte ponte fechada",
    "ponte fechada enchente forte",
]
RUSSIAN = ["сильное наводнение вода дома", "сильное наводнение мост закрыт", "мост закрыт вода дома"]
FLOODED: dict[str, Any] = {"categories": [FLOOD]}


def records(posts: list[Row], watching: Detector | None = None) -> dict[str, Candidate]:
    found = play(watching or detector(), [*chatter(50), *posts], 50)
    return {candidate.chain: candidate for candidate in found if candidate.state != "ended"}


def test_one_flood_told_in_two_languages_is_one_record() -> None:
    brazil = told(PORTUGUESE, "por_Latn", 1000, places=[PORTO_ALEGRE], link_keys=[7], **FLOODED)
    abroad = told(RUSSIAN, "rus_Cyrl", 2000, link_keys=[7], **FLOODED)
    (record,) = records([*brazil, *abroad]).values()
    assert {use.value for use in record.languages} == {"por_Latn", "rus_Cyrl"}
    assert record.speakers == 90


def test_two_floods_at_one_time_in_two_languages_are_two_records() -> None:
    brazil = told(PORTUGUESE, "por_Latn", 1000, places=[PORTO_ALEGRE], **FLOODED)
    elsewhere = told(RUSSIAN, "rus_Cyrl", 2000, places=[VALENCIA], **FLOODED)
    unsaid = told(RUSSIAN, "rus_Cyrl", 2000, **FLOODED)
    assert len(records([*brazil, *elsewhere])) == 2
    assert len(records([*brazil, *unsaid])) == 2


def chain(name: str, first_us: int, **changes: Any) -> Chain:
    values: dict[str, Any] = {
        "id": name, "kind": "event", "seed": 1, "first_us": first_us, "last_us": NOON_US, "terms": {1: 1.0},
        "place": PORTO_ALEGRE, "country": BRAZIL, "category": "flood",
    }  # fmt: skip
    return Chain(**(values | changes))


def test_a_chain_that_is_anothers_matter_ends_at_the_next_look_and_never_comes_back() -> None:
    chains = Chains(ChainSettings())
    older, younger = chain("older", NOON_US - 9), chain("younger", NOON_US, terms={2: 3.0})
    chains.add(older)
    chains.add(younger)
    chains.absorb(younger, older)
    assert older.terms == {1: 1.0, 2: 1.0}
    restored = Chains(ChainSettings())
    restored.restore(msgspec.msgpack.encode(list(chains)))
    for one in (chains, restored):
        assert [ended.id for ended in one.quiet(NOON_US + 10)] == ["younger"]
        assert one.match([{2: 1.0}], np.full((1, 2), 0.2)) == ["older"]


def test_two_records_that_turn_out_to_be_one_matter_go_on_as_the_older() -> None:
    brazil = told(PORTUGUESE, "por_Latn", 1000, places=[PORTO_ALEGRE], **FLOODED)
    abroad = told(RUSSIAN, "rus_Cyrl", 2000, start=ONSET + 120, **FLOODED)
    late = told(
        RUSSIAN, "rus_Cyrl", 3000, start=ONSET + 400, places=[RIO_GRANDE], link_keys=[7, 8], **FLOODED
    )
    linked = told(
        PORTUGUESE, "por_Latn", 4000, start=ONSET + 400, places=[PORTO_ALEGRE], link_keys=[7, 8], **FLOODED
    )
    posts = [*chatter(60), *brazil, *abroad, *late, *linked]
    found = play(detector(), posts, 60)
    ended = {candidate.chain for candidate in found if candidate.state == "ended"}
    first, second = dict.fromkeys(candidate.chain for candidate in found)
    assert ended == {second}
    last = [candidate for candidate in found if candidate.chain == first][-1]
    assert {use.value for use in last.languages} == {"por_Latn", "rus_Cyrl"}


def test_a_link_in_common_does_not_make_a_blast_a_flood() -> None:
    brazil = told(PORTUGUESE, "por_Latn", 1000, link_keys=[7], places=[PORTO_ALEGRE], **FLOODED)
    blast = told(RUSSIAN, "rus_Cyrl", 2000, link_keys=[7], categories=[EXPLOSION])
    assert len(records([*brazil, *blast])) == 2


def test_what_was_joined_is_joined_after_a_restart() -> None:
    brazil = told(PORTUGUESE, "por_Latn", 1000, places=[PORTO_ALEGRE], link_keys=[7], **FLOODED)
    posts = [
        *chatter(60),
        *brazil,
        *told(RUSSIAN, "rus_Cyrl", 2000, start=ONSET + 60, link_keys=[7], **FLOODED),
    ]
    undisturbed = detector()
    before = play(undisturbed, posts, 40)
    sealed = undisturbed.seal()
    expected = play(undisturbed, posts, 55, since=40)
    restarted = detector()
    restarted.restore(sealed)
    assert play(restarted, posts, 55, judged_from=40) == expected
    assert {candidate.chain for candidate in [*before, *expected]} == {before[0].chain}
