"""Invented identities: every class on the wire, no two alike, checksums right."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from groundswell.simulator import CANARY_CLASSES, World, WorldSettings
from groundswell.simulator.identities import identifier


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldSettings(seed=11, hours=1, posts_per_second=4, quiet_minutes=20, canary_rate=0.9))


def test_ten_thousand_distinct_canaries_of_every_class(world: World) -> None:
    canaries = world.canaries
    assert len(canaries) >= 10_000
    assert len({value for _, value in canaries}) == len(canaries)
    counts = Counter(kind for kind, _ in canaries)
    assert set(counts) == set(CANARY_CLASSES)
    assert min(counts.values()) > 500


def test_canaries_are_exactly_those_on_the_wire(world: World) -> None:
    posts = [json.loads(line) for line in world.lines("plain")]
    text = "\n".join(post["text"] for post in posts)
    accounts = {post["account"] for post in posts}
    for kind, value in world.canaries[::7]:
        assert value in accounts if kind == "account" else value in text


def test_planted_posts_carry_canaries_too(world: World) -> None:
    values = [value for kind, value in world.canaries if kind == "email"]
    planted = [post for post in map(json.loads, world.lines("plain")) if world.label(post["id"])]
    assert any(post["text"].endswith(tuple(values)) for post in planted)


@pytest.mark.parametrize("kind", [kind for kind in CANARY_CLASSES if kind != "account"])
def test_no_two_serials_make_the_same_identifier(kind: str) -> None:
    assert len({identifier(kind, serial) for serial in range(20_000)}) == 20_000


def test_ibans_pass_mod_97() -> None:
    for serial in range(200):
        iban = identifier("iban", serial).replace(" ", "")
        turned = iban[4:] + iban[:4]
        assert int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def test_cards_pass_luhn() -> None:
    for serial in range(200):
        digits = [int(d) for d in identifier("card", serial) if d.isdigit()]
        doubled = [d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)]
        assert len(digits) == 16
        assert sum(doubled) % 10 == 0


def test_a_rate_of_zero_sprinkles_nothing() -> None:
    assert World(WorldSettings(seed=1, hours=0.2, quiet_minutes=1, canary_rate=0)).canaries == []
