"""What a crowd says, in numbers: phrases, places, languages, categories.

Owns the reading of phrases back from the posts that are warm, and the counting of distinct speakers for
whatever a set of posts has in common. Remembers nothing itself.
"""

from __future__ import annotations

import math
import unicodedata

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix

from groundswell.candidates import Counted, PhraseUse
from groundswell.clock import BIN_US
from groundswell.detect.bursts import HotTerms, crowd
from groundswell.detect.columns import Array, count_distinct, distinct, group
from groundswell.detect.gazette import Evidence, Gazette
from groundswell.detect.runs import is_unspaced, joined
from groundswell.detect.window import Window
from groundswell.names import plain as bare
from groundswell.names import words_of
from groundswell.pile_ons import UNSAID

__all__ = ["Crowds"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

_MAX_PHRASES = 40
_UNSURE = "und"
_CATEGORY_SHARE = 0.15
_TSHEG = "་"
_INNER = f"'’{_TSHEG}"
"""Apostrophes, and what stands between the syllables of Tibetan: part of words."""
_INSEPARABLE = 0.6
_COMMON = 0.02
"""Of posts, the part from which on a place is one that they speak of."""
_LEAST_RUN = 3
"""Speakers who must share a stretch of text for it to be looked at."""
_OWN = 0.6
"""Of a term's posts in the tick, the share that must be this crowd's for the term to name it."""


class Crowds:
    """Reads crowds off the window; rows are the window's row numbers."""

    def __init__(self, window: Window, gazette: Gazette, categories: tuple[str, ...]) -> None:
        self._window = window
        self._gazette = gazette
        self._categories = categories

    def surfaces(self, hot: HotTerms, terms: I64Array, posts: I64Array, inside: csc_matrix) -> list[str]:
        """How each of `terms` is written in the latest of `posts` that uses it; empty where none does.

        `inside` says which do: (posts, terms), row numbers in order.

        Read from the window each time: nothing of a post is remembered, and spellings that differ only in
        what hashing folds away come out the same after a restart.
        """
        used = np.flatnonzero(np.diff(inside.indptr))
        rows = hot.rows[posts[inside.indices[inside.indptr[used + 1] - 1]]]
        written = [""] * len(terms)
        for i, surface in zip(used.tolist(), self._window.written(rows, hot.terms[terms[used]]), strict=True):
            written[i] = plain(surface)
        return written

    def category(self, rows: I64Array, speakers: U64Array) -> str:
        """The category that most speakers' posts have, when at least a seventh of them do."""
        found, owners = self._window.lists_at("categories", rows)
        counts = distinct(found.astype(np.int64), speakers[owners], len(self._categories))
        counts[0] = 0
        top = int(counts.argmax())
        everyone = max(count_distinct(speakers), 1)
        return self._categories[top] if counts[top] >= _CATEGORY_SHARE * everyone else self._categories[0]

    def language(self, rows: I64Array) -> str:
        """The language that most of the posts at `rows` are in, ties by name; empty when none is sure."""
        words = self._window.words("lang")
        counts = np.bincount(self._window.at("lang", rows).astype(np.int64), minlength=len(words))
        ranked = sorted((-int(counts[at]), words[at]) for at in np.flatnonzero(counts).tolist())
        return next((word for _, word in ranked if word != _UNSURE), "")

    def of_category(self, rows: I64Array, category: str) -> npt.NDArray[np.bool_]:
        """Which of the posts at `rows` have the category."""
        found, owners = self._window.lists_at("categories", rows)
        saying = np.zeros(len(rows), bool)
        saying[owners[found == self._categories.index(category)]] = True
        return saying

    def evidence(self, rows: I64Array) -> Evidence:
        """What the posts at `rows` say of where."""
        places, owners = self._window.lists_at("places", rows)
        confidences, _ = self._window.lists_at("place_confidences", rows)
        return Evidence(places.astype(np.int64), confidences.astype(np.float64), owners, len(rows))

    def person_share(self, rows: I64Array) -> float:
        """The largest share of the posts that speak of, or to, one and the same private person."""
        if not len(rows):
            return 0.0
        persons, owners = self._window.lists_at("persons", rows)
        shares = [0.0]
        if len(persons):
            numbers, different = group(persons)
            shares.append(float(distinct(numbers, owners, len(different)).max()))
        targets = self._window.at("target", rows)
        targets = targets[targets != 0]
        if len(targets):
            shares.append(float(np.bincount(group(targets)[0]).max()))
        return max(shares) / len(rows)

    def share_about_one(self, hot: HotTerms, terms: I64Array, posts: I64Array, category: str) -> float:
        """`person_share`, and of a crowd that does not say what it is about also `unknown_name_share`."""
        known = self.person_share(hot.rows[posts])
        return known if category != UNSAID else max(known, self.unknown_name_share(hot, terms, posts))

    def unknown_name_share(self, hot: HotTerms, terms: I64Array, posts: I64Array) -> float:
        """The largest share of the posts that one inseparable pair of rare words is in.

        A full name that no lexicon has still behaves like one: two words without a history that hardly ever
        stand apart. So do titles and brands; where nothing else says what the matter is, they are taken for
        a person too. Pairs that are themselves places are not, `Porto Alegre`; one word that is a place makes
        none of a pair, for people are called after towns.
        """
        inside = hot.inside(posts, terms)
        surfaces = self.surfaces(hot, terms, posts, inside)
        index = {surface: at for at, surface in enumerate(surfaces) if surface}
        sizes = np.diff(inside.indptr)
        most = 0
        for surface, at in index.items():
            words = surface.split()
            if len(words) != 2 or not all(word in index for word in words):
                continue
            together = int(sizes[at])
            if not together or together < _INSEPARABLE * max(int(sizes[index[word]]) for word in words):
                continue
            rows = inside.indices[inside.indptr[at] : inside.indptr[at + 1]]
            if self._share_at(hot.rows[posts[rows]], words) < _INSEPARABLE:
                most = max(most, together)
        return most / max(len(posts), 1)

    def place_words(self, rows: I64Array) -> dict[str, I64Array]:
        """Posts (indices into `rows`) that speak of a common place, by each word of its name."""
        places, owners = self._window.lists_at("places", rows)
        numbers, different = group(places)
        common = np.flatnonzero(np.bincount(numbers, minlength=len(different)) >= _COMMON * len(rows))
        found: dict[str, I64Array] = {}
        for at, name in zip(common, self._gazette.names(different[common].astype(np.int64)), strict=True):
            for word in map(bare, words_of(name)):
                found[word] = np.union1d(found.get(word, owners[:0]), owners[numbers == at])
        return found

    def _share_at(self, rows: I64Array, words: list[str]) -> float:
        """The share of the posts that speak of a place whose name has all of `words` in it."""
        places, owners = self._window.lists_at("places", rows)
        distinct_places, which = np.unique(places.astype(np.int64), return_inverse=True)
        wanted = {bare(word) for word in words}
        names = self._gazette.names(distinct_places)
        fits = np.array([wanted <= {bare(word) for word in words_of(name)} for name in names], bool)
        return count_distinct(owners[fits[which]]) / max(len(rows), 1)

    def named(self, name: str, rows: I64Array, speakers: U64Array, most: int = 12) -> tuple[Counted, ...]:
        """Distinct speakers by `lang` or `source`, most first."""
        ranked = self._ranked(name, self._window.at(name, rows), speakers, most)
        return tuple(use for use in ranked if use.value != _UNSURE)

    def moods(
        self, rows: I64Array, speakers: U64Array, epochs: npt.NDArray[np.uint32]
    ) -> tuple[int, int, int]:
        """Distinct speakers by the mood of their newest post that has one, in the epoch with most of them.

        The posts at `rows` are in stream order.
        """
        moods = self._window.at("mood", rows)
        most = np.zeros(3, np.int64)
        for epoch in np.unique(epochs).tolist():
            newest_first = np.flatnonzero((epochs == epoch) & (moods >= 0))[::-1]
            _, newest = np.unique(speakers[newest_first], return_index=True)
            counts = np.bincount(moods[newest_first][newest], minlength=3)
            most = counts if counts.sum() > most.sum() else most
        return int(most[0]), int(most[1]), int(most[2])

    def domains(self, rows: I64Array, speakers: U64Array, most: int = 12) -> tuple[Counted, ...]:
        """Distinct speakers by the registered domains they link to, most first."""
        ids, owners = self._window.lists_at("domains", rows)
        return tuple(self._ranked("domains", ids, speakers[owners], most))

    def _ranked(self, name: str, ids: Array, speakers: U64Array, most: int) -> list[Counted]:
        words = self._window.words(name)
        counts = distinct(ids.astype(np.int64), speakers, len(words))
        ranked = sorted((-int(counts[i]), words[i]) for i in np.flatnonzero(counts).tolist())
        return [Counted(word, -count) for count, word in ranked[:most]]

    def phrases(self, hot: HotTerms, terms: I64Array, posts: I64Array) -> tuple[PhraseUse, ...]:
        """The hot `terms` as people wrote them, most telling first: surprising, shared, and this crowd's own.

        Words that other crowds of the tick use more than this one are left out while two others remain;
        words that hardly occur outside a longer phrase are left to it. Pairs of characters are joined again.
        """
        inside = hot.inside(posts, terms)
        uses = np.diff(inside.indptr)
        users = hot.speakers[posts][inside.indices]
        counts = distinct(np.repeat(np.arange(len(terms)), uses), users, len(terms))
        own = uses / np.maximum(hot.counts[terms], 1)
        surfaces = self.surfaces(hot, terms, posts, inside)
        langs = self._window.at("lang", hot.rows[posts]).astype(np.int64)
        spoken = np.bincount(langs)
        found: list[PhraseUse] = []
        shared: list[PhraseUse] = []
        for i in np.argsort(-hot.surprise[terms] * np.log1p(counts), kind="stable").tolist():
            surface = surfaces[i]
            if int(hot.terms[terms[i]]) & 1 and " " not in surface:
                continue  # two parts of one compound hashtag: the whole is a term of its own
            if surface and counts[i]:
                language = self._language(
                    langs[inside.indices[inside.indptr[i] : inside.indptr[i + 1]]], spoken
                )
                surprise = float(hot.surprise[terms[i]])
                use = PhraseUse(surface, int(counts[i]), language, round(surprise, 2))
                (found if own[i] >= _OWN else shared).append(use)
        if len(found) < 2:
            found += shared
        said = {use.text for use in found}
        pairs = [
            i for i, surface in enumerate(surfaces) if surface in said and is_unspaced(surface) and counts[i]
        ]
        if len(pairs) > 1:
            hashes, nats = hot.terms[terms[pairs]], hot.surprise[terms[pairs]]
            for run in joined(self._window, hot.rows[posts], hot.speakers[posts], hashes, nats, _LEAST_RUN):
                language = self._language(langs[run.posts], spoken)
                found.append(PhraseUse(plain(run.text), run.speakers, language, round(run.surprise, 2)))
            found.sort(key=lambda use: -use.surprise * math.log1p(use.speakers))
        return tuple(_fold_parts(found)[:_MAX_PHRASES])

    def _language(self, langs: I64Array, spoken: I64Array) -> str:
        """The code that most of `langs` are; ties to the one that the whole crowd speaks more."""
        words, speaking = self._window.words("lang"), np.bincount(langs)
        return min((-int(speaking[at]), -int(spoken[at]), words[at]) for at in np.flatnonzero(speaking))[2]

    def bins(
        self, times_us: I64Array, speakers: U64Array, epochs: npt.NDArray[np.uint32], now_us: int
    ) -> list[tuple[int, int]]:
        """Distinct speakers in each closed five-minute bin of the window, oldest first."""
        starts = times_us - times_us % BIN_US
        found = []
        for start in np.unique(starts).tolist():
            if start + BIN_US <= now_us:
                inside = starts == start
                found.append((int(start), crowd(speakers[inside], epochs[inside])))
        return found


def plain(written: str) -> str:
    """A surface form with one space for whatever stood between its words.

    >>> plain("hurricane, #sandy")
    'hurricane sandy'
    """
    kept = (char if unicodedata.category(char)[0] in "LMNS" or char in _INNER else " " for char in written)
    return " ".join("".join(kept).split()).strip(_TSHEG)


def _fold_parts(found: list[PhraseUse]) -> list[PhraseUse]:
    """Drop words that are used hardly more than a longer phrase with them in it."""
    kept: list[PhraseUse] = []
    for use in found:
        words = use.text if is_unspaced(use.text) else f" {use.text} "
        longer = (other for other in found if len(other.text) > len(use.text) and words in f" {other.text} ")
        if not any(other.speakers >= 0.6 * use.speakers for other in longer):
            kept.append(use)
    return kept
