"""Works out `src/groundswell/enrich/data/stop_terms.tsv`, the words that say nothing, language by language.

    python scripts/train_stop_terms.py [--out FILE]

Reads the training part of `bench/_language_sets.py`, cut into tokens as posts are, so that scripts which do
not write words apart give pairs of characters. Of each label with at least `LEAST_TEXTS` texts:

* *Frequent and even.* A token's rate in each source is its share of the source's tokens, once a text. (The
  declaration of human rights is left out: it speaks of one thing.) The geometric mean of the rates over the
  sources, each raised by `EPSILON`, must reach `LEAST_RATE`. A name that one source is full of has a rate of
  nearly nothing elsewhere.
* *Saying nothing.* FLORES has the same sentences in all its languages. What stands in the same sentences as
  one English word that is not frequent itself (correlation `MOST_ALIKE` or more) translates it, and means
  something: it is left out. English words are held against French ones. The words of the concept list, the
  names of countries, and numerals are left out too.

The label `mul` holds what reaches `LEAST_MULTILINGUAL` in a language of several sources and means something
in no other such, in any of its sources. English words are borrowed by all: from them less is asked, and a
meaning must show in the mean of a language's sources.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench import _language_sets as sets
from bench._data import data_file
from bench._language_sets import SOURCES, TRAIN

from groundswell.enrich.fold import Folded, fold
from groundswell.enrich.stop_terms import FILE, MULTILINGUAL
from groundswell.enrich.tokens import ICON, NUMBER, PAIR, WHOLE, Tokens, tokenise

LEAST_TEXTS = 400
LEAST_TEXTS_OF_A_SOURCE = 150
EPSILON = 1e-4
LEAST_RATE = 1e-3
LEAST_RATE_WELL_TESTED = 6e-4
"""Where `MANY_SOURCES` or more agree; and for pairs of characters, which are many more than words."""
MANY_SOURCES = 3
MOST_WORDS = 200
LEAST_MULTILINGUAL = 2e-3
MEANT = 2e-4
MEANT_SHARE = 0.06
"""A word means something where it is no stop word and has, in some source, at least the rate `MEANT`, and
this part of the rate that makes it a stop word elsewhere."""
MOST_ALIKE = 0.6
LEAST_SENTENCES = 4
"""A word must stand in so many sentences of FLORES to tell what another word means."""

_DATA = Path(FILE).parent
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Said = tuple[float, str]
"""A word's rate, and how it is written."""


class Cut:
    """Texts as tokens."""

    def __init__(self, texts: list[str]) -> None:
        self.folded: Folded = fold(pa.array(texts, pa.string()))
        self.tokens: Tokens = tokenise(self.folded)
        self.rows = np.repeat(np.arange(len(texts)), np.diff(self.tokens.offsets))
        plain = (self.tokens.flags & (WHOLE | ICON | NUMBER)) == 0
        order = np.lexsort((self.tokens.hashes, self.rows))
        hashes, rows = self.tokens.hashes[order], self.rows[order]
        fresh = np.ones(len(order), bool)
        fresh[1:] = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])
        self.once = np.sort(order[fresh & plain[order]])
        """Tokens that are words, once a text."""

    def word(self, token: int) -> str:
        base = self.folded.offsets[self.rows[token]]
        span = slice(base + self.tokens.starts[token], base + self.tokens.ends[token])
        return self.folded.data[span].tobytes().decode()


class Words(NamedTuple):
    """The tokens of one label, hashes ascending."""

    hashes: U64
    rate: F64
    """The mean over its sources."""
    most: F64
    """The rate in the source that has most of it."""
    written: list[str]
    sources: int
    """That were large enough to count."""
    is_pairs: bool
    """Most are pairs of characters."""


def count(sentences: sets.Sentences) -> dict[str, Words]:
    """The words of every label that has enough texts."""
    cut = Cut(sentences.text.tolist())
    labels, number = np.unique(sentences.label, return_inverse=True)
    tokens = cut.once[np.argsort(number[cut.rows[cut.once]], kind="stable")]
    bounds = np.searchsorted(number[cut.rows[tokens]], np.arange(len(labels) + 1))
    texts = np.zeros((len(labels), len(SOURCES)), int)
    np.add.at(texts, (number, sentences.source), 1)
    usable = (texts >= LEAST_TEXTS_OF_A_SOURCE) & (np.array(SOURCES) != "udhr")
    counted = {}
    for at in np.flatnonzero((texts.sum(axis=1) >= LEAST_TEXTS) & usable.any(axis=1)).tolist():
        own = tokens[bounds[at] : bounds[at + 1]]
        sources = sentences.source[cut.rows[own]]
        hashes, first, which = np.unique(cut.tokens.hashes[own], return_index=True, return_inverse=True)
        logs = []
        for source in np.flatnonzero(usable[at]).tolist():
            inside = sources == source
            uses = np.bincount(which[inside], minlength=len(hashes))
            logs.append(np.log(uses / inside.sum() + EPSILON))
        counted[str(labels[at])] = Words(
            hashes,
            np.exp(np.mean(logs, axis=0)) - EPSILON,
            np.exp(np.max(logs, axis=0)) - EPSILON,
            [cut.word(token) for token in own[first].tolist()],
            len(logs),
            bool(np.mean(cut.tokens.flags[own] & PAIR != 0) > 0.5),
        )
    return counted


class Meanings:
    """What the tokens of FLORES mean, by the words of one language, `pivot`, in the same sentences."""

    def __init__(self, pivot: str, stops: U64) -> None:
        self._texts: defaultdict[str, list[str]] = defaultdict(list)
        with gzip.open(data_file("language", "flores_train.tsv.gz"), "rt", encoding="utf-8") as lines:
            for line in lines:
                name, text = line.rstrip("\n").split("\t")
                self._texts[name].append(text)
        cut = Cut(self._texts[pivot])
        distinct, uses = np.unique(cut.tokens.hashes[cut.once], return_counts=True)
        telling = np.setdiff1d(distinct[uses >= LEAST_SENTENCES], stops)
        self._telling = self._table(cut, telling)

    def _table(self, cut: Cut, hashes: U64) -> F64:
        """(sentences, hashes): 1 where the sentence has the token; centred, of unit length."""
        used = cut.tokens.hashes[cut.once]
        at = np.minimum(np.searchsorted(hashes, used), len(hashes) - 1)
        known = hashes[at] == used
        table = np.zeros((len(self._texts["eng_Latn"]), len(hashes)))
        table[cut.rows[cut.once][known], at[known]] = 1.0
        table -= table.mean(axis=0)
        return np.asarray(table / np.maximum(np.linalg.norm(table, axis=0), 1e-9))

    def alike(self, label: str, hashes: U64) -> F64:
        """Of each token (`hashes` ascend), the best correlation with a telling word of the pivot."""
        if label not in self._texts or not len(hashes):
            return np.zeros(len(hashes))
        table = self._table(Cut(self._texts[label]), hashes)
        return np.asarray((table.T @ self._telling).max(axis=1))


def concept_words() -> list[str]:
    """The concept list's terms; stems end in `*`."""
    concepts = tomllib.loads((_DATA / "concepts.toml").read_text("utf-8"))
    lines = [line for languages in concepts.values() for line in languages.values()]
    return [term.strip() for line in lines for term in line.split(",")]


def kept_words() -> U64:
    """Hashes that are never stop terms: of the concept list's words, and of countries' names."""
    words = [term.rstrip("*") for term in concept_words()]
    for line in (_DATA / "places_countries.tsv").read_text("utf-8").splitlines()[1:]:
        cells = line.split("\t")
        words += [cells[1], *cells[6].split("|")]
    cut = tokenise(fold(pa.array(words, pa.string())))
    alone = np.repeat(np.diff(cut.offsets) == 1, np.diff(cut.offsets))
    return np.unique(cut.hashes[alone | (cut.flags & PAIR != 0)])


def multilingual(found: dict[str, dict[int, Said]], counted: dict[str, Words]) -> dict[int, Said]:
    """What is empty in one language and tells something in no other; see the head of this file."""
    tested = [label for label, words in counted.items() if words.sources > 1]
    usual: dict[int, float] = {}
    most: dict[int, float] = {}
    for label in tested:
        words = counted[label]
        for at in np.flatnonzero(words.most >= MEANT).tolist():
            word = int(words.hashes[at])
            if word not in found[label]:
                usual[word] = max(float(words.rate[at]), usual.get(word, 0.0))
                most[word] = max(float(words.most[at]), most.get(word, 0.0))
    strongest: dict[int, Said] = {}
    for label in tested:
        meant, least = (usual, LEAST_RATE) if label == "eng_Latn" else (most, LEAST_MULTILINGUAL)
        for word, said in found[label].items():
            if said[0] >= least and meant.get(word, 0.0) < max(MEANT, MEANT_SHARE * said[0]):
                strongest[word] = max(said, strongest.get(word, said))
    return strongest


def learn(counted: dict[str, Words]) -> dict[str, list[str]]:
    """The stop terms of each label, most frequent first."""
    held = kept_words()
    chosen = {label: frequent(words, held) for label, words in counted.items()}
    stops = {label: counted[label].hashes[chosen[label]] for label in ("eng_Latn", "fra_Latn")}
    english, french = (Meanings(pivot, hashes) for pivot, hashes in stops.items())
    found: dict[str, dict[int, Said]] = {}
    for label, words in counted.items():
        at = chosen[label]
        meanings = french if label == "eng_Latn" else english
        at = at[meanings.alike(label, words.hashes[at]) < MOST_ALIKE]
        at = at[np.argsort(-words.rate[at], kind="stable")][:MOST_WORDS]
        found[label] = {int(words.hashes[i]): (float(words.rate[i]), words.written[i]) for i in at.tolist()}
    found[MULTILINGUAL] = multilingual(found, counted)
    return {
        label: [text for _, text in sorted(words.values(), key=lambda said: (-said[0], said[1]))]
        for label, words in sorted(found.items())
    }


def frequent(words: Words, held: U64) -> I64:
    """Where words are frequent enough for a stop term, and not among the `held` back."""
    well_tested = words.sources >= MANY_SOURCES or words.is_pairs
    least = LEAST_RATE_WELL_TESTED if well_tested else LEAST_RATE
    return np.flatnonzero((words.rate >= least) & ~np.isin(words.hashes, held))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    sentences = sets.read()
    words = learn(count(sentences.where(sentences.part == TRAIN)))
    lines = [f"{label}\t{' '.join(listed)}\n" for label, listed in words.items()]
    options.out.write_text("# Written by scripts/train_stop_terms.py.\n" + "".join(lines), "utf-8")
    size = sum(map(len, words.values()))
    sys.stderr.write(f"{size} words of {len(words)} labels, {options.out.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main()
