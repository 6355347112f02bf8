"""A telling: a family of one look, and what `release` is asked of it.

Owns how posts that say one thing become a candidate: its words, its path, whether they could name somebody.
Remembers nothing; what a narrative is known by from one telling to the next is `refrains`'.
"""

from __future__ import annotations

import base64
import hashlib

import numpy as np
import numpy.typing as npt

from groundswell.candidates import Candidate, Counted, StepUse
from groundswell.clock import BIN_US, MINUTE_US, QUARTER_US, floor_to
from groundswell.detect.bursts import crowd
from groundswell.detect.crowds import Crowds
from groundswell.detect.families import Family, core_words, is_shared_page
from groundswell.detect.gazette import Gazette
from groundswell.detect.names_in import Plain, doubt
from groundswell.detect.refrains import Refrain, is_new_stretch, recurrences
from groundswell.detect.runs import is_unspaced
from groundswell.detect.window import Window
from groundswell.names import plain as bare

__all__ = ["Teller", "Telling", "at_rest"]

I64Array = npt.NDArray[np.int64]

_UNSAID = "other"
_CORE_WORDS = 3
_MOST_WORDS = 40
_MOST_JUDGED = 10_000
_SYLLABLES = "vie_Latn"
"""Written a syllable at a time: people are called by everyday ones. No list can tell them apart."""
_FEW = 0.05
"""Of the posts, the part in that language from which on nothing is plain."""
_LEAST_TOWN = 0.05
_TOWN = 0.6
"""Of the posts with a word, the part that speaks of a place of that name."""


class Telling:
    """A family of this look, and the refrain it is a telling of, if it is of one."""

    def __init__(self, family: Family, refrain: Refrain | None) -> None:
        self.family = family
        self.refrain = refrain
        self.surfaces: list[str] = []
        self.start_us = self.last_us = 0


class Teller:
    """Describes tellings, by the detector's window and what reads it; see `Narratives`."""

    def __init__(self, window: Window, crowds: Crowds, gazette: Gazette, floor_k: int, plain: Plain) -> None:
        self._window = window
        self._crowds = crowds
        self._gazette = gazette
        self._floor_k = floor_k
        self._lists = plain
        self._judged: dict[str, bool] = {}
        self._towns_said: frozenset[str] = frozenset()
        self._is_syllables = False

    def candidate(self, telling: Telling, now_us: int) -> Candidate | None:
        """What `release` is asked of a telling; None for what says nothing of its own."""
        family, refrain = telling.family, telling.refrain
        hot, rows = family.hot, family.rows
        every, posts = np.arange(len(hot.terms)), np.arange(len(hot.rows))
        telling.surfaces = self._crowds.surfaces(hot, every, posts, hot.inside(posts, every))
        unspaced = np.array([is_unspaced(surface) for surface in telling.surfaces], bool)
        least = _CORE_WORDS - bool(family.marks["link_keys"])
        if core_words(family, self._floor_k, unspaced) < least or is_shared_page(self._window, family):
            return None
        telling.start_us, telling.last_us = self._busy(family)
        category = self._crowds.category(rows, hot.speakers)
        said = category != _UNSAID
        towns = self._towns(telling)
        self._towns_said = frozenset() if said else towns  # people are called after towns
        self._is_syllables = self._share(rows, _SYLLABLES) >= _FEW
        naming = doubt(
            family,
            telling.surfaces,
            self._plain,
            self._window.at("naming", rows),
            self._spoken(rows),
            towns if said else frozenset(),
        )
        unclear = 1.0 if self._is_syllables else naming.unclear
        clear = unclear == 0.0
        seed = refrain.seed if refrain else self._seed(telling)
        # What is not clear is told without a word, if at all.
        phrases = self._crowds.phrases(hot, np.flatnonzero(family.own), posts) if clear else ()
        return Candidate(
            kind="narrative",
            chain=refrain.id if refrain else _new_id(seed, now_us),
            seed=seed,
            tick_us=now_us,
            first_us=refrain.first_us if refrain else floor_to(telling.start_us, MINUTE_US),
            last_us=max(floor_to(telling.last_us, MINUTE_US), refrain.last_us if refrain else 0),
            speakers=family.size,
            unique_texts=len(np.unique(hot.shapes)),
            bins=(),
            phrases=tuple(use for use in phrases if all(map(self._plain, use.text.split()))),
            places=self._gazette.uses(self._crowds.evidence(rows), hot.speakers) if said and clear else (),
            languages=self._crowds.named("lang", rows, hot.speakers),
            sources=self._crowds.named("source", rows, hot.speakers),
            domains=self._crowds.domains(rows, hot.speakers) if said and clear else (),
            category=category,
            state=_state(hot.times_us, _is_anew(telling), now_us),
            person_share=round(max(self._crowds.person_share(rows), naming.naming), 4),
            surprise=round(float(hot.surprise.max(initial=0.0)), 2),
            unclear=round(unclear, 4),
            recurrences=recurrences(_stretches(telling)),
            path=self._path(telling),
            cited=tuple(refrain.domains) if refrain and said else (),
            fit_floor=refrain.floor if refrain else 0,
            words=self._words(telling),
        )

    def _plain(self, word: str) -> bool:
        """What the lists say, remembered for a while; no town, and nothing where lists cannot tell."""
        if self._is_syllables or (word.lower() == word.upper() and not word.isdigit()):
            return False
        if word not in self._judged:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged = {}
            self._judged[word] = self._lists(word)
        return self._judged[word] and word not in self._towns_said

    def _spoken(self, rows: I64Array) -> npt.NDArray[np.bool_]:
        """Which posts are in the language of most."""
        langs, words = self._window.at("lang", rows), self._window.words("lang")
        counts = np.bincount(langs)
        most = min(np.flatnonzero(counts).tolist(), key=lambda at: (-counts[at], words[at]))
        return np.asarray(langs == most)

    def _share(self, rows: I64Array, language: str) -> float:
        words = self._window.words("lang")
        at = words.index(language) if language in words else -1
        return float((self._window.at("lang", rows) == at).mean())

    def _towns(self, telling: Telling) -> frozenset[str]:
        """Words that the family shares and that its posts mean a place by."""
        hot, shares = telling.family.hot, telling.family.shares
        places = self._crowds.place_words(telling.family.rows)
        found = []
        for at, word in enumerate(telling.surfaces) if places else ():
            speaking = places.get(bare(word)) if shares[at] > _LEAST_TOWN else None
            if speaking is not None:
                posts = hot.uses[:, [at]].nonzero()[0]
                if np.isin(posts, speaking).mean() >= _TOWN:
                    found.append(word)
        return frozenset(found)

    def _busy(self, family: Family) -> tuple[int, int]:
        """First and last post of the quarter hours in which several spoke of it: stragglers tell nothing."""
        times_us, speakers = family.hot.times_us, family.hot.speakers
        quarters = times_us // QUARTER_US
        least = max(3, self._floor_k // 4)
        busy = [
            quarter
            for quarter in np.unique(quarters).tolist()
            if len(np.unique(speakers[quarters == quarter])) >= least
        ]
        inside = np.isin(quarters, busy) if busy else np.ones(len(quarters), bool)
        return int(times_us[inside].min()), int(times_us[inside].max())

    def _seed(self, telling: Telling) -> int:
        """The plain word that most of its speakers use, ties to the smaller hash; else its commonest link.

        The seed is remembered and ids are made of it, so that it can be no name.
        """
        family = telling.family
        for at in np.lexsort((family.hot.terms, -family.speakers)).tolist():
            if telling.surfaces[at] and all(map(self._plain, telling.surfaces[at].split())):
                return int(family.hot.terms[at])
        return min(family.common["link_keys"], default=0)

    def _words(self, telling: Telling) -> tuple[Counted, ...]:
        """The plain words it would be known by; each spelling once, with the most speakers."""
        family, found = telling.family, dict[str, int]()
        for at in np.flatnonzero(family.own).tolist():
            word = telling.surfaces[at]
            if word and int(family.hot.terms[at]) in family.common["terms"] and self._plain(word):
                found[word] = max(found.get(word, 0), int(family.speakers[at]))
        return tuple(Counted(word, count) for word, count in list(found.items())[:_MOST_WORDS])

    def _path(self, telling: Telling) -> tuple[StepUse, ...]:
        """Steps that were fit before, then those of this hour that are new."""
        window, rows = self._window, telling.family.rows
        times_us = telling.family.hot.times_us
        marks = telling.refrain.steps if telling.refrain else []
        known = [StepUse(mark.since_us, mark.source, mark.language, 0) for mark in marks]
        seen = {(mark.source, mark.language) for mark in marks}
        languages, sources = window.words("lang"), window.words("source")
        codes = window.at("source", rows).astype(np.int64) * len(languages) + window.at("lang", rows)
        fresh = []
        for code in np.unique(codes).tolist():
            pair = sources[code // len(languages)], languages[code % len(languages)]
            inside = (codes == code) & (times_us >= telling.start_us)
            if pair not in seen and inside.any():
                speakers = crowd(window.at("speaker", rows[inside]), window.at("epoch", rows[inside]))
                since_us = floor_to(int(times_us[inside].min()), BIN_US)
                fresh.append(StepUse(since_us, *pair, speakers))
        return (*known, *sorted(fresh, key=lambda step: (step.since_us, step.source, step.language)))


def _is_anew(telling: Telling) -> bool:
    return telling.refrain is None or is_new_stretch(telling.refrain, telling.start_us)


def _stretches(telling: Telling) -> list[int]:
    """When it was told, this time with it."""
    before = telling.refrain.stretches if telling.refrain else []
    return [*before, telling.start_us] if _is_anew(telling) else before


def _new_id(seed: int, now_us: int) -> str:
    digest = hashlib.blake2b(f"narrative/{seed}/{now_us}".encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode().lower()


def _state(times_us: I64Array, anew: bool, now_us: int) -> str:
    """From the last quarter hour's posts against the quarter hour before."""
    recent = int((times_us >= now_us - QUARTER_US).sum())
    before = int(((times_us >= now_us - 2 * QUARTER_US) & (times_us < now_us - QUARTER_US)).sum())
    if anew or recent >= 1.3 * before:
        return "growing"
    return "steady" if recent >= 0.7 * before else "fading"


def at_rest(refrain: Refrain, state: str, now_us: int) -> Candidate:
    """That nobody speaks of it any more, for now or for a week: nothing is counted, only this is told."""
    return Candidate(
        kind="narrative", chain=refrain.id, seed=refrain.seed, tick_us=now_us, first_us=refrain.first_us,
        last_us=refrain.last_us, speakers=0, unique_texts=0, bins=(), phrases=(), places=(), languages=(),
        sources=(), domains=(), category=_UNSAID, state=state, person_share=0.0, surprise=0.0,
    )  # fmt: skip
