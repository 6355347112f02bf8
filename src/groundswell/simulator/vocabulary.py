"""The words of the simulated world: languages, phrase grammars and cities, read from the files beside it.

A language file holds everyday words and clauses written for this project; what makes the vocabulary large is
a tail of pseudo-words built from the language's syllables, used by Zipf's law. Nothing here knows of time,
accounts or planted truth.

Slots of a phrase: `{n}` a thing, `{a}` how it is, `{v}` something to do, `{t}` the topic of the hour, `{x}`
an invented proper name, `{d}` a number, `{p}` a place, `{l}` the place in the locative, `{h}` what an event
is called, `{s}` an invented street or quarter, `{m}` one digit, `{f}` a floor, `{c}` per cent, `{who}` a
person, `{u}` a link.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import numpy as np

from groundswell.simulator.dice import Dice, Purpose

__all__ = [
    "KINDS",
    "City",
    "Language",
    "Phrase",
    "cities",
    "compile_phrase",
    "fill",
    "languages",
    "zipf_deck",
]

KINDS = (
    "earthquake", "flood", "storm", "wildfire", "explosion", "transport",
    "outage", "outbreak", "assembly", "election", "sport", "landslide",
)  # fmt: skip
"""What a planted event can be; every language has words for each."""

TAIL_WORDS = 3000
"""Pseudo-words a language."""

Phrase = tuple[tuple[str, str], ...]
"""Pairs of a literal and the slot that follows it; the last slot is empty."""

_SLOT = re.compile(r"\{(\w+)\}")


class City(msgspec.Struct, frozen=True):
    """A real city that events are planted in."""

    name: str
    country: str
    latitude: float
    longitude: float
    language: str
    local: str
    locative: str


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """One language's words, compiled."""

    index: int
    code: str
    script: str
    weight: float
    utc_offset: float
    joiner: str
    openers: tuple[str, ...]
    closers: tuple[str, ...]
    clauses: tuple[Phrase, ...]
    morning: tuple[Phrase, ...]
    scold: tuple[Phrase, ...]
    campaigns: tuple[Phrase, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    syllables: tuple[str, ...]
    heads: Mapping[str, tuple[str, ...]]
    phases: tuple[tuple[Phrase, ...], ...]
    public: tuple[Phrase, ...]
    kind_phrases: Mapping[str, tuple[Phrase, ...]]
    topics: tuple[tuple[str, tuple[str, ...]], ...]
    decks: Mapping[str, Sequence[str]]

    def invented_name(self, dice: Dice, syllables: int = 3) -> str:
        """A capitalised pseudo-word, such as a quarter or a team could be called."""
        return "".join(dice.choose(self.syllables) for _ in range(syllables)).capitalize()


def compile_phrase(text: str) -> Phrase:
    """Split a phrase at its slots.

    >>> compile_phrase("in {p}!")
    (('in ', 'p'), ('!', ''))
    """
    parts = _SLOT.split(text)
    return tuple(zip(parts[::2], [*parts[1::2], ""], strict=True))


def fill(phrase: Phrase, decks: Mapping[str, Sequence[str]], unit: Callable[[], float]) -> str:
    """The phrase with each slot drawn from its deck; a word's share of the deck is its probability."""
    out = []
    for literal, slot in phrase:
        out.append(literal)
        if slot:
            deck = decks[slot]
            out.append(deck[int(unit() * len(deck))])
    return "".join(out)


def zipf_deck(words: Sequence[str], exponent: float = 1.0) -> list[str]:
    """Words repeated in proportion to 1 / (rank + 2.7)^exponent (Mandelbrot's form), each at least once."""
    weights = 1.0 / (np.arange(len(words)) + 2.7) ** exponent
    copies = np.maximum(1, np.round(weights / weights.sum() * 3 * len(words))).astype(int)
    return [word for word, count in zip(words, copies, strict=True) for _ in range(count)]


@cache
def cities() -> tuple[City, ...]:
    """The cities that events are planted in, in the file's order."""
    rows = csv.DictReader(io.StringIO(_read("cities.csv")))
    return tuple(
        City(
            name=row["name"],
            country=row["country"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            language=row["language"],
            local=row["local"] or row["name"],
            locative=row["locative"] or row["local"] or row["name"],
        )
        for row in rows
    )


@cache
def languages() -> tuple[Language, ...]:
    """Every language, in the order of its code."""
    folder = resources.files(__package__).joinpath("languages")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(
        _language(index, tomllib.loads(_read(f"languages/{name}"))) for index, name in enumerate(names)
    )


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _language(index: int, table: Mapping[str, Any]) -> Language:
    events = table["events"]
    syllables = tuple(table["syllables"].split())
    given, family = _words(table["given"]), _words(table["family"])
    return Language(
        index=index,
        code=table["code"],
        script=table["script"],
        weight=table["weight"],
        utc_offset=table["utc_offset"],
        joiner=table["joiner"],
        openers=_words(table["openers"]),
        closers=_words(table["closers"]),
        clauses=_phrases(table["clauses"]),
        morning=_phrases(table["morning"]),
        scold=_phrases(table["scold"]),
        campaigns=_phrases(table["campaigns"]),
        given=given,
        family=family,
        syllables=syllables,
        heads={kind: _words(events["heads"][kind]) for kind in KINDS},
        phases=tuple(_phrases(events[phase]) for phase in ("shock", "details", "relief")),
        public=_phrases(events["public"]),
        kind_phrases={kind: _phrases(text) for kind, text in events.get("phrases", {}).items()},
        topics=tuple((name, _words(words)) for name, words in table["topics"].items()),
        decks=_decks(index, table, syllables),
    )


def _decks(index: int, table: Mapping[str, Any], syllables: tuple[str, ...]) -> dict[str, list[str]]:
    """What fills the slots of everyday clauses. Authored words come first in rank, the tail after them."""
    tail = _tail(index, syllables, " " if table["joiner"] else "")
    half = len(tail) // 2
    own = [city.local for city in cities() if city.language == table["code"]]
    return {
        "n": zipf_deck([*_words(table["nouns"]), *tail[:half]]),
        "a": zipf_deck(_words(table["adjectives"]), 0.5),
        "v": zipf_deck(_words(table["activities"]), 0.3),
        "x": zipf_deck([word.capitalize() for word in tail[half:]], 0.7),
        "d": [str(number) for number in (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 45, 60, 90)],
        "p": own * 4 + [city.name for city in cities()],
    }


def _tail(index: int, syllables: tuple[str, ...], separator: str) -> list[str]:
    """Distinct pseudo-words of two to four syllables; two or three characters where words are not spaced."""
    dice = Dice(0, Purpose.WORDS, index)
    shortest, spread = (2, 3) if separator else (2, 2)
    seen: dict[str, None] = {}
    while len(seen) < TAIL_WORDS:
        seen.setdefault("".join(dice.choose(syllables) for _ in range(shortest + dice.below(spread))))
    return list(seen)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(", ") if word.strip())


def _phrases(text: str) -> tuple[Phrase, ...]:
    return tuple(compile_phrase(line) for line in text.strip().splitlines())
