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

import base64
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from groundswell.candidates import Candidate, Counted, PhraseUse, StepUse
from groundswell.clock import BIN_US, MINUTE_US, QUARTER_US, floor_to
from groundswell.detect.bursts import BurstSettings, Heat, HotTerms, assign_posts, cluster_terms, crowd
from groundswell.detect.crowds import Crowds
from groundswell.detect.families import (
    Family,
    Marks,
    Sightings,
    core_words,
    is_shared_page,
    least_nats,
    profile,
)
from groundswell.detect.gazette import Gazette
from groundswell.detect.names_in import LEAST_ORDINARY, Ordinary, all_ordinary, name_share, ordinary_shares
from groundswell.detect.refrains import (
    FEATURES,
    Mark,
    Refrain,
    Refrains,
    begin_stretch,
    halves,
    is_new_stretch,
    recurrences,
)
from groundswell.detect.runs import is_unspaced
from groundswell.detect.window import Window

__all__ = ["Narratives", "Remembered"]

F64Array = npt.NDArray[np.float64]
I64Array = npt.NDArray[np.int64]
Observer = Callable[[Candidate, npt.NDArray[np.uint64]], None]

_WARM_TERMS = 600
_UNSAID = "other"
_SHARED = 0.3
"""Of the smaller of two newborn families, the part that must be the other's too for them to be one."""
_ALIKE = 0.4
"""Cosine of the words of two newborn families from which they are one."""
_MOST_NAMES = 0.15
"""As `release` has it of a crowd that does not say what it is about."""
_CORE_WORDS = 3
_MOST_BORN = 60
_MOST_WORDS = 40


class Remembered(Protocol):
    """What `release` says may be remembered of a candidate."""

    @property
    def words(self) -> frozenset[str]: ...
    @property
    def steps(self) -> frozenset[tuple[str, str]]: ...
    @property
    def domains(self) -> tuple[str, ...]: ...
    @property
    def floor(self) -> int: ...


class _Telling:
    """A family of this look, and the refrain it is a telling of, if it is of one."""

    def __init__(self, family: Family, refrain: Refrain | None) -> None:
        self.family = family
        self.refrain = refrain
        self.surfaces: list[str] = []
        self.start_us = self.last_us = 0


class Narratives:
    """Finds what is told again in the detector's window.

    Parameters
    ----------
    window, heat, crowds, gazette
        The detector's.
    floor_k
        See `Detector`.
    ordinary
        Whether words are everyday ones: none that could be the name of one who is not public.
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
        ordinary: Ordinary,
        observer: Observer | None = None,
    ) -> None:
        self._window = window
        self._heat = heat
        self._crowds = crowds
        self._gazette = gazette
        self._floor_k = floor_k
        self._lists = ordinary
        self._judged: dict[tuple[str, ...], bool] = {}
        self._observer = observer
        self._refrains = Refrains()
        self._told: dict[str, tuple[Candidate, _Telling]] = {}

    def look(self, now_us: int) -> list[Candidate]:
        """The narratives told in the hour up to `now_us`, the end of a quarter hour; and those that rest."""
        self._told = {}
        self._judged = {}
        found = []
        for telling in self._tellings():
            candidate = self._candidate(telling, now_us)
            if candidate is not None and candidate.chain not in self._told:
                self._told[candidate.chain] = candidate, telling
                found.append(candidate)
                if self._observer is not None:
                    self._observer(candidate, self._window.at("post_key", telling.family.rows))
        return found + [_rest(refrain, state, now_us) for refrain, state in self._refrains.rested(now_us)]

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

    def _tellings(self) -> list[_Telling]:
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
        told = [_Telling(family, refrains[at]) for family, at in zip(families, heard, strict=False)]
        return told + [_Telling(family, None) for family in self._apart(families[len(heard) :])]

    def _newborn(self) -> list[I64Array]:
        """Rows of posts that say warm words together, by the community of the words; crowds alone."""
        hot = self._warm_terms()
        if hot is None:
            return []
        single = (hot.terms & np.uint64(1)) == 0
        found, said = [], []
        for cluster in assign_posts(hot, cluster_terms(hot, BurstSettings())):
            words = cluster.terms[single[cluster.terms]]
            several = np.asarray(hot.uses[cluster.posts][:, words].sum(axis=1)).ravel() >= 2
            posts = cluster.posts[several]
            if self._crowd(hot.rows[posts]) >= max(3, self._floor_k // 2):
                found.append(hot.rows[posts])
                said.append(np.asarray(hot.uses[posts][:, single].mean(axis=0)).ravel())
        return _joined(found, said)[:_MOST_BORN]

    def _warm_terms(self) -> HotTerms | None:
        """Terms that surprised within the hour, and the hour's posts that use them."""
        terms = np.sort(self._heat.warm(_WARM_TERMS))
        if not len(terms):
            return None
        window = self._window
        rows, columns = window.holding("terms", terms)
        live = window.at("alive", rows)
        rows, columns = rows[live], columns[live]
        used, posts = np.unique(rows, return_inverse=True)
        if not len(used):
            return None
        from scipy.sparse import csr_matrix

        ones = np.ones(len(rows), np.float32)
        return HotTerms(
            terms=terms,
            surprise=np.ones(len(terms)),
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

    def _ordinary(self, words: Sequence[str]) -> bool:
        """What the lists say, asked once a look."""
        key = tuple(words)
        if key not in self._judged:
            self._judged[key] = self._lists(words)
        return self._judged[key]

    def _crowd(self, rows: I64Array) -> int:
        return crowd(self._window.at("speaker", rows), self._window.at("epoch", rows))

    # -- candidates -----------------------------------------------------------------------------------

    def _candidate(self, telling: _Telling, now_us: int) -> Candidate | None:
        """What `release` is asked of a telling; None for what says nothing of its own."""
        family, refrain = telling.family, telling.refrain
        hot = family.hot
        every, posts = np.arange(len(hot.terms)), np.arange(len(hot.rows))
        telling.surfaces = self._crowds.surfaces(hot, every, posts, hot.inside(posts, every))
        unspaced = np.array([is_unspaced(surface) for surface in telling.surfaces], bool)
        least = _CORE_WORDS - bool(family.marks["link_keys"])
        if core_words(family, self._floor_k, unspaced) < least or is_shared_page(self._window, family):
            return None
        telling.start_us, telling.last_us = self._busy(family)
        anew = refrain is not None and is_new_stretch(refrain, telling.start_us)
        begun = (
            [*refrain.stretches, telling.start_us]
            if refrain and anew
            else refrain.stretches
            if refrain
            else []
        )
        rows, speakers = family.rows, hot.speakers
        category = self._crowds.category(rows, speakers)
        if category == _UNSAID and refrain is not None:
            category = refrain.category
        places = self._gazette.uses(
            self._crowds.evidence(rows), speakers, prefer=refrain.country if refrain else -1
        )
        unsaid = category == _UNSAID
        # Whatever is said, a pair that could be a name counts: people are called after towns.
        names = name_share(family, telling.surfaces, self._ordinary, singles=unsaid)
        known = self._crowds.person_share(rows)
        phrases: tuple[PhraseUse, ...] = ()
        words: tuple[Counted, ...] = ()
        if not unsaid or names <= _MOST_NAMES:  # what is refused anyway need not be read
            phrases = self._crowds.phrases(hot, np.flatnonzero(family.own), posts)
            words = self._words(telling)
        if unsaid:
            phrases = tuple(use for use in phrases if all_ordinary(use.text, self._ordinary))
            words = tuple(use for use in words if all_ordinary(use.value, self._ordinary))
        return Candidate(
            kind="narrative",
            chain=refrain.id if refrain else _new_id(self._seed(family), now_us),
            seed=refrain.seed if refrain else self._seed(family),
            tick_us=now_us,
            first_us=refrain.first_us if refrain else floor_to(telling.start_us, MINUTE_US),
            last_us=max(floor_to(telling.last_us, MINUTE_US), refrain.last_us if refrain else 0),
            speakers=family.size,
            unique_texts=len(np.unique(hot.shapes)),
            bins=(),
            phrases=phrases,
            places=places,
            languages=self._crowds.named("lang", rows, speakers),
            sources=self._crowds.named("source", rows, speakers),
            domains=self._crowds.domains(rows, speakers),
            category=category,
            state=_state(hot.times_us, anew or refrain is None, now_us),
            person_share=round(max(known, names), 4),
            surprise=round(float(hot.surprise.max(initial=0.0)), 2),
            recurrences=recurrences(begun) if begun else 1,
            path=self._path(telling),
            cited=tuple(refrain.domains) if refrain else (),
            fit_floor=refrain.floor if refrain else 0,
            words=words,
            ordinary=len(ordinary_shares(family, telling.surfaces, self._ordinary)) >= LEAST_ORDINARY,
        )

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

    def _seed(self, family: Family) -> int:
        """The term that most of its speakers use, ties to the smaller hash."""
        if not len(family.hot.terms):
            return 0
        _, seed = min(zip((-family.speakers).tolist(), family.hot.terms.tolist(), strict=True))
        return int(seed)

    def _words(self, telling: _Telling) -> tuple[Counted, ...]:
        """The words it would be known by; each spelling once, with the most speakers."""
        family, found = telling.family, dict[str, int]()
        for at in np.flatnonzero(family.own).tolist():
            if int(family.hot.terms[at]) in family.common["terms"] and telling.surfaces[at]:
                word = telling.surfaces[at]
                found[word] = max(found.get(word, 0), int(family.speakers[at]))
        return tuple(Counted(word, count) for word, count in list(found.items())[:_MOST_WORDS])

    def _path(self, telling: _Telling) -> tuple[StepUse, ...]:
        """Steps that were fit before, then those of this hour that are new."""
        window, rows = self._window, telling.family.rows
        marks = telling.refrain.steps if telling.refrain else []
        known = [StepUse(mark.since_us, mark.source, mark.language, 0) for mark in marks]
        seen = {(mark.source, mark.language) for mark in marks}
        languages, sources = window.words("lang"), window.words("source")
        codes = window.at("source", rows).astype(np.int64) * len(languages) + window.at("lang", rows)
        fresh = []
        for code in np.unique(codes).tolist():
            pair = sources[code // len(languages)], languages[code % len(languages)]
            inside = (codes == code) & (telling.family.hot.times_us >= telling.start_us)
            if pair not in seen and inside.any():
                since_us = floor_to(int(telling.family.hot.times_us[inside].min()), BIN_US)
                fresh.append(StepUse(since_us, *pair, self._crowd(rows[inside])))
        return (*known, *sorted(fresh, key=lambda step: (step.since_us, step.source, step.language)))

    # -- memory ---------------------------------------------------------------------------------------

    def _remember(self, candidate: Candidate, telling: _Telling, fit: Remembered) -> Refrain | None:
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
        refrain.usual = max(refrain.usual, halves(family.usual))
        for name in FEATURES:
            refrain.learn(name, marks[name])
        known = {(mark.source, mark.language) for mark in refrain.steps}
        for step in candidate.path:
            pair = step.source, step.language
            if pair in fit.steps and pair not in known:
                refrain.steps.append(Mark(step.since_us, *pair))
        refrain.domains = list(dict.fromkeys((*refrain.domains, *fit.domains)))[:12]
        refrain.category = candidate.category
        refrain.floor = min(refrain.floor, fit.floor)
        refrain.resting = False
        if refrain.country < 0:
            evidence = self._crowds.evidence(family.rows)
            _, refrain.country = self._gazette.attested(evidence, family.hot.speakers, fit.floor)
        return refrain

    def _fit_marks(self, telling: _Telling, fit: Remembered) -> dict[str, dict[int, float]]:
        """What at least k speakers share; of words those alone that may show."""
        family = telling.family
        words = {
            int(term)
            for term, surface in zip(family.hot.terms.tolist(), telling.surfaces, strict=True)
            if surface in fit.words
        }
        marks = dict(family.common)
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
        category=candidate.category,
        country=-1,
        steps=[],
        domains=[],
        floor=floor,
    )


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


def _rest(refrain: Refrain, state: str, now_us: int) -> Candidate:
    """That nobody speaks of it any more, for now or for a week: nothing is counted, only this is told."""
    return Candidate(
        kind="narrative", chain=refrain.id, seed=refrain.seed, tick_us=now_us, first_us=refrain.first_us,
        last_us=refrain.last_us, speakers=0, unique_texts=0, bins=(), phrases=(), places=(), languages=(),
        sources=(), domains=(), category=refrain.category, state=state, person_share=0.0, surprise=0.0,
    )  # fmt: skip
