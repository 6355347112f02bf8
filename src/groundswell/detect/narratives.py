"""Narratives: what is said again and again. A look at the end of each quarter hour.

A look asks two things of the last hour's posts. Which refrains are *heard*: told by a crowd again, or still.
And what is *born*: words that were warm within the hour, by themselves or in bursts, and that a crowd uses
together. A newborn family most of whose posts, or a good part, are a refrain's already is that refrain in
other words, or in another language. Each family becomes a candidate; only what `release` then calls fit is
remembered (`settle`), and nothing is remembered that it would not show.

Owns no window: it reads the detector's. What it gives depends on the posts of the last hour, on what was warm
in it and on the refrains, so a restart that rebuilds these goes on alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from groundswell.candidates import Candidate
from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.detect.bursts import BurstSettings, Heat, HotTerms, cluster_terms, crowd
from groundswell.detect.crowds import Crowds
from groundswell.detect.families import Family, Marks, Sightings, least_nats, profile
from groundswell.detect.gazette import Gazette
from groundswell.detect.membership import assign_posts
from groundswell.detect.names_in import Plain
from groundswell.detect.refrains import (
    FEATURES,
    Mark,
    Refrain,
    Refrains,
    begin_stretch,
    halves,
    is_new_stretch,
)
from groundswell.detect.tellings import Teller, Telling, at_rest
from groundswell.detect.window import Window

__all__ = ["Narratives", "Remembered"]

F64Array = npt.NDArray[np.float64]
I64Array = npt.NDArray[np.int64]
Observer = Callable[[Candidate, npt.NDArray[np.uint64]], None]

_WARM_TERMS = 600
_SHARED = 0.3
"""Of the smaller of two newborn families, the part that must be the other's too for them to be one."""
_ALIKE = 0.4
"""Cosine of the words of two newborn families from which they are one."""
_MOST_BORN = 60
_MINUTES = HOUR_US // MINUTE_US


class Remembered(Protocol):
    """What `release` says may be remembered of a candidate."""

    @property
    def words(self) -> frozenset[str]: ...
    @property
    def steps(self) -> frozenset[tuple[str, str]]: ...
    @property
    def domains(self) -> tuple[str, ...]: ...
    @property
    def placed(self) -> bool: ...
    @property
    def floor(self) -> int: ...


class Narratives:
    """Finds what is told again in the detector's window.

    Parameters
    ----------
    window, heat, crowds, gazette
        The detector's.
    floor_k
        See `Detector`.
    plain
        Whether a word is an everyday one that nobody is called.
    observer
        See `Detector`.
    """

    def __init__(
        self,
        window: Window,
        heat: Heat,
        crowds: Crowds,
        gazette: Gazette,
        floor_k: int,
        plain: Plain,
        observer: Observer | None = None,
    ) -> None:
        self._window = window
        self._heat = heat
        self._floor_k = floor_k
        self._teller = Teller(window, crowds, gazette, floor_k, plain)
        self._observer = observer
        self._refrains = Refrains()
        self._told: dict[str, tuple[Candidate, Telling]] = {}

    def look(self, now_us: int) -> list[Candidate]:
        """The narratives told in the hour up to `now_us`, the end of a quarter hour; and those that rest."""
        self._told = {}
        found = []
        for telling in self._tellings():
            candidate = self._teller.candidate(telling, now_us)
            if candidate is not None and candidate.chain not in self._told:
                self._told[candidate.chain] = candidate, telling
                found.append(candidate)
                if self._observer is not None:
                    self._observer(candidate, self._window.at("post_key", telling.family.rows))
        return found + [at_rest(refrain, state, now_us) for refrain, state in self._refrains.rested(now_us)]

    def settle(self, fit: Mapping[str, Remembered], released: Collection[str]) -> None:
        """Remember of the last look's candidates what `release` called fit, and which are published."""
        for chain, remembered in fit.items():
            if chain in self._told:
                refrain = self._remember(*self._told[chain], remembered)
                if refrain is not None and chain in released:
                    refrain.told = True
        self._refrains.trim()

    def seal(self) -> bytes:
        """The refrains; see `Refrains.seal`."""
        return self._refrains.seal()

    def restore(self, sealed: bytes) -> None:
        """Go on with the refrains of a checkpoint; what else it reads comes from replaying the source."""
        self._refrains.restore(sealed)

    # -- families -------------------------------------------------------------------------------------

    def _tellings(self) -> list[Telling]:
        refrains = list(self._refrains)
        known: list[Marks] = [{name: refrain.marks(name) for name in FEATURES} for refrain in refrains]
        least = np.array([least_nats(refrain.usual) for refrain in refrains])
        usual = np.array([refrain.usual for refrain in refrains])
        sightings = Sightings(self._window, known)
        rows, which = sightings.members(least)
        heard: dict[int, I64Array] = {at: rows[which == at] for at in np.unique(which).tolist()}
        for at in sorted(heard, reverse=True):
            older = None if refrains[at].told else sightings.host(heard[at], usual[:at])
            if older is not None:  # it was born apart, and turns out to be the older one's
                heard[older] = np.union1d(heard.get(older, heard[at]), heard.pop(at))
                self._refrains.drop(refrains[at].id)
        fresh = []
        for posts in self._newborn():
            host = sightings.host(posts, usual)
            if host is None:
                fresh.append(posts)
            else:
                heard[host] = np.union1d(heard.get(host, posts), posts)
        heard = {at: posts for at, posts in heard.items() if self._crowd(posts) >= self._floor_k}
        families = profile(self._window, [*heard.values(), *fresh], self._floor_k)
        told = [Telling(family, refrains[at]) for family, at in zip(families, heard, strict=False)]
        return told + [Telling(family, None) for family in self._apart(families[len(heard) :])]

    def _newborn(self) -> list[I64Array]:
        """Rows of posts that say warm words together, by the community of the words; crowds alone."""
        hot = self._warm_terms()
        if hot is None:
            return []
        settings = BurstSettings()
        single = (hot.terms & np.uint64(1)) == 0
        found, said = [], []
        for cluster in assign_posts(hot, cluster_terms(hot, settings), settings):
            words = cluster.terms[single[cluster.terms]]
            several = np.asarray(hot.uses[cluster.posts][:, words].sum(axis=1)).ravel() >= 2
            posts = cluster.posts[several]
            if self._crowd(hot.rows[posts]) >= max(3, self._floor_k // 2):
                found.append(hot.rows[posts])
                said.append(np.asarray(hot.uses[posts][:, single].mean(axis=0)).ravel())
        return _joined(found, said)[:_MOST_BORN]

    def _warm_terms(self) -> HotTerms | None:
        """Terms that surprised within the hour, and the hour's posts that use them."""
        terms, usual = self._heat.warm(_WARM_TERMS)
        if not len(terms):
            return None
        window = self._window
        rows, columns = window.holding("terms", terms)
        live = window.at("alive", rows)
        rows, columns = rows[live], columns[live]
        used, posts = np.unique(rows, return_inverse=True)
        if not len(used):
            return None
        ones = np.ones(len(rows), np.float32)
        uses = np.maximum(np.bincount(columns, minlength=len(terms)), 1)
        return HotTerms(
            terms=terms,
            surprise=np.ones(len(terms)),
            usual=usual,
            doubts=np.clip(usual * _MINUTES / uses, 0.0, 1.0),
            uses=csr_matrix((ones, (posts, columns)), shape=(len(used), len(terms))),
            rows=used,
            speakers=window.at("speaker", used),
            epochs=window.at("epoch", used),
            times_us=window.at("time_us", used),
            shapes=window.at("shape", used),
        )

    def _apart(self, families: Sequence[Family]) -> list[Family]:
        """Newborn families with all the posts that their marks call for; those that share posts are one."""
        if not families:
            return []
        sightings = Sightings(self._window, [family.marks for family in families])
        least = np.array([family.least for family in families])
        fits = sightings.enough & (sightings.nats >= least[sightings.families])
        posts = [sightings.rows[fits & (sightings.families == at)] for at in range(len(families))]
        merged: list[I64Array] = []
        for rows in sorted(posts, key=lambda rows: (-len(rows), rows[:1].tolist())):
            for at, other in enumerate(merged):
                if len(np.intersect1d(rows, other)) >= _SHARED * max(min(len(rows), len(other)), 1):
                    merged[at] = np.union1d(rows, other)
                    break
            else:
                merged.append(rows)
        crowds = [rows for rows in merged if self._crowd(rows) >= self._floor_k]
        return profile(self._window, crowds, self._floor_k)

    def _crowd(self, rows: I64Array) -> int:
        return crowd(self._window.at("speaker", rows), self._window.at("epoch", rows))

    # -- memory ---------------------------------------------------------------------------------------

    def _remember(self, candidate: Candidate, telling: Telling, fit: Remembered) -> Refrain | None:
        """Let the refrain know what may be known of this telling; begin it where there is none."""
        family = telling.family
        marks = self._fit_marks(telling, fit)
        refrain = telling.refrain
        if refrain is None:
            if len(marks["terms"]) + len(marks["link_keys"]) < 2:
                return None
            refrain = _begin(candidate, fit.floor)
            self._refrains.add(refrain)
        if not refrain.stretches or is_new_stretch(refrain, telling.start_us):
            begin_stretch(refrain, telling.start_us)
        refrain.last_us = candidate.last_us
        for name in FEATURES:
            refrain.learn(name, marks[name])
        refrain.usual = halves(_evidence(family, refrain))
        known = {(mark.source, mark.language) for mark in refrain.steps}
        for step in candidate.path:
            pair = step.source, step.language
            if pair in fit.steps and pair not in known:
                refrain.steps.append(Mark(step.since_us, *pair))
        refrain.domains = list(dict.fromkeys((*refrain.domains, *fit.domains)))[:12]
        refrain.floor = min(refrain.floor, fit.floor)
        refrain.resting = False
        return refrain

    def _fit_marks(self, telling: Telling, fit: Remembered) -> dict[str, dict[int, float]]:
        """What at least k speakers share; of words those alone that may show."""
        family = telling.family
        words = {
            int(term)
            for term, surface in zip(family.hot.terms.tolist(), telling.surfaces, strict=True)
            if surface in fit.words
        }
        marks = dict(family.common) | ({} if fit.placed else {"places": {}})
        marks["terms"] = {term: nats for term, nats in marks["terms"].items() if term in words}
        return marks


def _joined(found: Sequence[I64Array], said: Sequence[F64Array]) -> list[I64Array]:
    """Rows of newborn families, largest first; those whose posts use the same words are one.

    `said` has the part of each family's posts that use each word, its own or another's.
    """
    order = sorted(range(len(found)), key=lambda at: (-len(found[at]), int(found[at][0])))
    joined: list[I64Array] = []
    heads: list[F64Array] = []
    for at in order:
        likeness = [_cosine(said[at], head) for head in heads]
        if likeness and max(likeness) >= _ALIKE:
            host = likeness.index(max(likeness))
            joined[host] = np.union1d(joined[host], found[at])
        else:
            joined.append(found[at])
            heads.append(said[at])
    return joined


def _cosine(one: F64Array, other: F64Array) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def _evidence(family: Family, refrain: Refrain) -> float:
    """Nats that the words it is remembered by are worth in the median post that has one."""
    worth = np.array([refrain.terms.get(term, 0.0) for term in family.hot.terms.tolist()])
    nats = np.asarray(family.hot.uses @ worth).ravel()
    return float(np.median(nats[nats > 0])) if (nats > 0).any() else 0.0


def _begin(candidate: Candidate, floor: int) -> Refrain:
    return Refrain(
        id=candidate.chain,
        seed=candidate.seed,
        first_us=candidate.first_us,
        last_us=candidate.last_us,
        stretches=[],
        terms={},
        link_keys={},
        places={},
        usual=0.0,
        steps=[],
        domains=[],
        floor=floor,
    )
