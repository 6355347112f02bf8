"""What lets one simulated event be spoken of in several languages at once: its place's name in each of them,
invented names respelt in other scripts, and decoys that are easily taken for one event.

The names of `exonyms.csv` are what newspapers of the language write. Nothing here knows of time or posts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cache
from importlib import resources

import h3

from groundswell.simulator.dice import Dice
from groundswell.simulator.vocabulary import City, cities

__all__ = ["PARALLEL_LANGUAGES", "exonym", "neighbours", "respelt", "siblings", "told_cities", "voices"]

PARALLEL_LANGUAGES = ("en", "es", "fr", "pt", "de", "it", "tr", "id", "ar", "ru", "ja", "zh", "ko", "hi")
"""What an event can be told in beside its place's own language."""

_LEAST_APART_KM, _MOST_APART_KM = 250.0, 1500.0
_LETTERS = {
    "Cyrl": ("abcdefghijklmnopqrstuvwxyz", "абкдефгхижклмнопкрстуввхиз"),
    "Arab": ("abcdefghijklmnopqrstuvwxyz", "ابكديفغهيجكلمنوبقرستوفوخيز"),
    "Deva": ("bcdfghjklmnpqrstvwxyz", "बकदफगहजकलमनपकरसतववखयज"),
    "Grek": ("abcdefghijklmnopqrstuvwxyz", "αβκδεφγχιτκλμνοπκρστουβξιζ"),
}


def respelt(name: str, script: str) -> str:
    """A name of Latin letters as another script would write it, where one letter does for one.

    >>> respelt("Marono", "Cyrl"), respelt("Marono", "Latn")
    ('мароно', 'Marono')
    """
    if script not in _LETTERS:
        return name
    latin, letters = _LETTERS[script]
    known = dict(zip(latin, letters, strict=True))
    return "".join(known.get(letter, "") for letter in name.lower())


@cache
def _exonyms() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("exonyms.csv").read_text("utf-8")
    return {row.pop("name"): row for row in csv.DictReader(io.StringIO(text))}


def exonym(city: City, language: str) -> str:
    """What `language` calls the city: its own name at home, the English one where no other is known."""
    if language == city.language:
        return city.local
    return _exonyms().get(city.name, {}).get(language) or city.name


@cache
def told_cities() -> tuple[City, ...]:
    """The cities that have a name in every script."""
    return tuple(city for city in cities() if city.name in _exonyms())


@cache
def siblings() -> tuple[tuple[City, City], ...]:
    """Pairs of cities in one country that are too far apart for one event."""
    return tuple(pair for pair in _pairs() if pair[0].country == pair[1].country)


@cache
def neighbours() -> tuple[tuple[City, City], ...]:
    """Pairs of cities in different countries, no farther from each other than those in one can be."""
    return tuple(pair for pair in _pairs() if pair[0].country != pair[1].country)


def voices(dice: Dice, city: City, count: int, without: Sequence[str] = ()) -> dict[str, float]:
    """Shares of `count` languages that speak of a thing alike, the place's own first; none of `without`."""
    others = [code for code in PARALLEL_LANGUAGES if code not in (city.language, *without)]
    chosen = [] if city.language in without else [city.language]
    while len(chosen) < count:
        chosen.append(others.pop(dice.below(len(others))))
    return {code: dice.between(0.8, 1.2) for code in chosen}


def _pairs() -> list[tuple[City, City]]:
    told = told_cities()
    return [
        (one, other)
        for at, one in enumerate(told)
        for other in told[at + 1 :]
        if _LEAST_APART_KM <= _distance_km(one, other) <= _MOST_APART_KM
    ]


def _distance_km(one: City, other: City) -> float:
    km: float = h3.great_circle_distance(
        (one.latitude, one.longitude), (other.latitude, other.longitude), unit="km"
    )
    return km
