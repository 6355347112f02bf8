"""One event spoken of in several languages: is it one record, and are events that are like it kept apart?

Worlds of `many_voices`: each event is told alike by three languages in their own scripts, by crowds that
could each be published alone; beside them pairs of events of one kind at one time, in one country or in two
near each other, each told in one language of its own. A record tells of an event when the event wrote a fifth
or more of its crowd, each post weighed by the minutes it was in it. An event is one
record when the one with most of its posts has the greater part of each language's. Two events are joined
when one record tells of both; pairs with a language in common, whose words may mix, are counted apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from typing import Any, NamedTuple

import msgspec
from bench._data import progress, row
from bench._observed import Observed, observe_lines

from groundswell.pipeline import Lexica
from groundswell.published import Event
from groundswell.simulator import PlantedEvent, World, many_voices

__all__ = ["measure"]

SEEDS = 6
_FIRST = 5
"""Seeds 1 to 4 were looked at while the rules were set."""
_TELLS = 0.2
_MOST = 0.5


class Outcome(NamedTuple):
    """One planted event and how it was published."""

    planted: PlantedEvent
    records: tuple[str, ...]
    """Chains that tell of it."""
    whole: bool
    """Whether the one with most of its posts has the greater part of each language's."""


class _Post(msgspec.Struct):
    id: str
    langs: tuple[str, ...] = ()


def measure(seeds: int = SEEDS) -> list[dict[str, Any]]:
    """Events that are one record, of those told in three languages; pairs joined, of decoys and of others."""
    lexica = Lexica()
    told: list[Outcome] = []
    twins: list[bool] = []
    pairs: list[bool] = []
    mixed: list[bool] = []
    with progress("languages") as bar:
        for seed in range(_FIRST, _FIRST + seeds):
            outcomes = outcomes_of(World(many_voices(seed)), lexica, seed)
            told += [each for each in outcomes if each.planted.twin is None]
            for one, other in combinations(outcomes, 2):
                if (
                    one.planted.start_us < other.planted.end_us
                    and other.planted.start_us < one.planted.end_us
                ):
                    joined = bool(set(one.records) & set(other.records))
                    alike = bool(set(one.planted.languages) & set(other.planted.languages))
                    twin = one.planted.twin == other.planted.id
                    (twins if twin else mixed if alike else pairs).append(joined)
            bar(seed - _FIRST + 1, seeds)
    found = [each for each in told if each.records]
    whole = [each.whole for each in told]
    alone = [each.whole and len(each.records) == 1 for each in told]
    return [
        row("events told in three languages; published", f"{len(told)}; {len(found)}"),
        row("of them one record for all three", _share(whole), ">= .8"),
        row("and no other record tells of it, were it a fragment in one language", _share(alone)),
        row("records an event", f"{sum(len(e.records) for e in found) / max(len(found), 1):.2f}"),
        row(f"{len(twins)} pairs of one kind at one time: joined", _share(twins), "<= .02"),
        row(f"{len(pairs)} other pairs at one time, no language in common: joined", _share(pairs), "<= .02"),
        row(f"{len(mixed)} with a language in common: joined", _share(mixed)),
    ]  # fmt: skip


def _share(said: list[bool]) -> str:
    return f"{sum(said) / max(len(said), 1):.3f}"


def outcomes_of(world: World, lexica: Lexica, secret: int) -> list[Outcome]:
    """Replay the world, and say of each planted event which records tell of it."""
    lines = list(world.lines("plain"))
    seen, keys = observe_lines(lines, lexica, secret=secret)
    decoder = msgspec.json.Decoder(_Post)
    said: dict[int, tuple[str, str]] = {}
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for line, key in zip(lines, keys.tolist(), strict=True):
        post = decoder.decode(line)
        label = world.label(post.id)
        if label is not None:
            said[key] = (label, post.langs[0] if post.langs else "")
            sizes[said[key]] += 1
    shares = {
        chain: _shares(seen, chain, said)
        for chain, record in seen.latest.items()
        if isinstance(record, Event)
    }
    return [
        _outcome(each, seen, shares, said, sizes) for each in world.truth if isinstance(each, PlantedEvent)
    ]


def _shares(seen: Observed, chain: str, said: dict[int, tuple[str, str]]) -> dict[str, float]:
    """Of a chain's crowd, the part that each event wrote."""
    keys, minutes = seen.crowds[chain]
    weights: dict[str, float] = defaultdict(float)
    for key, weight in zip(keys.tolist(), minutes.tolist(), strict=True):
        if key in said:
            weights[said[key][0]] += weight
    return {label: weight / float(minutes.sum()) for label, weight in weights.items()}


def _outcome(
    planted: PlantedEvent,
    seen: Observed,
    shares: dict[str, dict[str, float]],
    said: dict[int, tuple[str, str]],
    sizes: dict[tuple[str, str], int],
) -> Outcome:
    records = tuple(chain for chain, share in shares.items() if share.get(planted.id, 0.0) >= _TELLS)
    inside = [
        Counter(
            said[key][1] for key in seen.crowds[chain][0].tolist() if said.get(key, ("",))[0] == planted.id
        )
        for chain in records
    ]
    largest = max(inside, key=lambda counts: counts.total(), default=Counter())
    whole = all(largest[code] >= _MOST * sizes[planted.id, code] for code in planted.languages)
    return Outcome(planted, records, whole)
