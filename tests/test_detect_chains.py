"""Chains: who is linked to what, how words move, what is sealed, and when a chain ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.detect.chains import Chain, Chains, ChainSettings, alike
from tests.enriched_posts import BRAZIL, NOON_US, PORTO_ALEGRE

FLOOD, BRIDGE, RAIN, MATCH, GOAL = range(1, 6)


def chain(name: str, terms: dict[int, float], **changes: Any) -> Chain:
    values: dict[str, Any] = {
        "id": name,
        "kind": "event",
        "seed": 1,
        "first_us": NOON_US,
        "last_us": NOON_US,
        "terms": terms,
        "place": PORTO_ALEGRE,
        "country": BRAZIL,
        "category": "flood",
    }
    return Chain(**(values | changes))


def chains(*members: Chain, **settings: Any) -> Chains:
    made = Chains(ChainSettings(**settings))
    for member in members:
        made.add(member)
    return made


def link(made: Chains, clusters: list[dict[int, float]], least: float = 0.2) -> list[str | None]:
    return made.match(clusters, np.full((len(clusters), len(made)), least))


def test_a_chain_owns_its_strongest_words_but_none_that_another_has_too() -> None:
    made = chains(
        chain("a", {FLOOD: 1.0, BRIDGE: 0.8, RAIN: 0.2, GOAL: 0.5}, first_us=NOON_US + 7),
        chain("b", {MATCH: 2.0, GOAL: 1.0}),
        follow_share=0.3,
    )
    owned = made.own()
    assert {term: (owner.chain, owner.since_us) for term, owner in owned.items()} == {
        FLOOD: ("a", NOON_US + 7), BRIDGE: ("a", NOON_US + 7), RAIN: ("a", NOON_US + 7), MATCH: ("b", NOON_US)
    }  # fmt: skip
    assert {term for term, owner in owned.items() if owner.followed} == {FLOOD, BRIDGE, MATCH}
    made.settings = ChainSettings(follow=1)
    assert {term for term, owner in made.own().items() if owner.followed} == {FLOOD, MATCH}
    made.quiet(NOON_US + 61 * MINUTE_US)
    assert made.own() == {}


def test_clusters_and_chains_are_matched_one_to_one_by_total_cosine() -> None:
    """Each cluster is most like the first chain; only one of them can be."""
    made = chains(chain("a", {FLOOD: 1.0, BRIDGE: 1.0}), chain("b", {FLOOD: 1.0, RAIN: 2.0}))
    clusters = [{FLOOD: 2.0, BRIDGE: 2.0}, {FLOOD: 2.0, BRIDGE: 1.0, RAIN: 1.9}]
    assert made.get("a") is not None
    assert link(made, clusters) == ["a", "b"]
    assert link(made, clusters[::-1]) == ["b", "a"]


def test_a_fragment_joins_a_chain_that_is_taken_only_when_it_is_much_alike() -> None:
    made = chains(chain("a", {FLOOD: 1.0, BRIDGE: 1.0}))
    assert link(made, [{FLOOD: 1.0, BRIDGE: 1.0}, {BRIDGE: 1.0}]) == ["a", "a"]
    assert link(made, [{FLOOD: 1.0, BRIDGE: 1.0}, {BRIDGE: 1.0, GOAL: 3.0}]) == ["a", None]


def test_what_is_too_little_alike_is_linked_to_nothing() -> None:
    made = chains(chain("a", {FLOOD: 1.0}))
    assert link(made, [{MATCH: 1.0}]) == [None]
    assert link(made, [{FLOOD: 1.0, MATCH: 2.0}], least=0.4) == ["a"]
    assert link(made, [{FLOOD: 1.0, MATCH: 2.0}], least=0.5) == [None]
    assert link(made, []) == []
    assert link(chains(), [{FLOOD: 1.0}]) == [None]


def test_a_loud_cluster_moves_a_chains_words_no_further_than_a_quiet_one() -> None:
    quiet, loud = chain("q", {FLOOD: 10.0}), chain("l", {FLOOD: 10.0})
    made = chains(quiet, loud, inertia=0.9)
    made.learn(quiet, {RAIN: 1.0}, NOON_US + MINUTE_US)
    made.learn(loud, {RAIN: 1000.0}, NOON_US + MINUTE_US)
    assert quiet.terms == pytest.approx(loud.terms)
    assert quiet.terms == pytest.approx({FLOOD: 0.9, RAIN: 0.1})


def test_learning_wakes_a_chain_and_never_turns_its_clock_back() -> None:
    one = chain("a", {FLOOD: 1.0}, ended=True)
    made = chains(one)
    made.learn(one, {FLOOD: 1.0}, NOON_US - MINUTE_US)
    assert (one.ended, one.last_us) == (False, NOON_US)


def test_a_chain_remembers_the_least_usual_rate_of_the_words_that_it_keeps() -> None:
    one = chain("a", {FLOOD: 1.0})
    made = chains(one)
    made.learn(one, {FLOOD: 2.0, RAIN: 1.0}, NOON_US, {FLOOD: 0.5, RAIN: 0.2})
    made.learn(one, {FLOOD: 2.0}, NOON_US, {FLOOD: 9.0})
    assert made.own()[FLOOD].usual == 0.5
    restored = chains()
    restored.restore(made.seal({FLOOD}))
    (kept,) = restored
    assert kept.usual == {FLOOD: 0.5}


def test_a_chain_keeps_its_strongest_words_only() -> None:
    one = chain("a", {FLOOD: 1.0})
    made = chains(one, terms=3, inertia=0.5)
    made.learn(one, {word: float(word) for word in range(100, 110)}, NOON_US)
    assert set(one.terms) == {FLOOD, 108, 109}


def test_sealing_cuts_words_that_fewer_than_k_used_and_keeps_those_sealed_before() -> None:
    one = chain("a", {FLOOD: 1.0, BRIDGE: 0.5, RAIN: 0.25})
    made = chains(one)
    made.seal({FLOOD, BRIDGE})
    assert set(one.terms) == {FLOOD, BRIDGE}
    made.learn(one, {MATCH: 1.0}, NOON_US)
    made.seal({RAIN})
    assert set(one.terms) == {FLOOD, BRIDGE}


def test_a_restored_run_goes_on_exactly_as_the_undisturbed_one() -> None:
    def go_on(made: Chains) -> bytes:
        for one in made:
            made.learn(one, {FLOOD: 2.0, GOAL: 1.0 / 3.0}, NOON_US + 10 * MINUTE_US)
        return made.seal({GOAL})

    undisturbed = chains(
        chain("a", {FLOOD: 1 / 3, BRIDGE: 1 / 7}), chain("b", {RAIN: 0.1, MATCH: 0.2}, ended=True)
    )
    sealed = undisturbed.seal({FLOOD, BRIDGE, RAIN})
    restored = chains()
    restored.restore(sealed)
    assert list(restored) == list(undisturbed)
    assert go_on(restored) == go_on(undisturbed)


def test_a_quiet_chain_ends_once_comes_back_when_spoken_of_and_is_forgotten_at_last() -> None:
    one = chain("a", {FLOOD: 1.0})
    made = chains(one)
    assert made.quiet(NOON_US + 60 * MINUTE_US) == []
    assert made.quiet(NOON_US + 61 * MINUTE_US) == [one]
    assert made.quiet(NOON_US + 62 * MINUTE_US) == []
    made.learn(one, {FLOOD: 1.0}, NOON_US + 2 * HOUR_US)
    assert made.quiet(NOON_US + 3 * HOUR_US + MINUTE_US) == [one]
    assert made.quiet(NOON_US + 14 * HOUR_US) == []
    assert len(made) == 1
    made.quiet(NOON_US + 14 * HOUR_US + MINUTE_US)
    assert len(made) == 0


def test_a_chain_is_told_to_have_ended_before_it_is_forgotten_however_long_the_silence() -> None:
    one = chain("a", {FLOOD: 1.0})
    made = chains(one)
    assert made.quiet(NOON_US + 48 * HOUR_US) == [one]
    assert made.quiet(NOON_US + 49 * HOUR_US) == []
    assert len(made) == 0


def test_disasters_that_come_together_are_alike() -> None:
    assert alike("earthquake", "tsunami")
    assert alike("flood", "flood")
    assert not alike("flood", "sport")
