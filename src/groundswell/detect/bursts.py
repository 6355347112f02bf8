"""Which terms burst now, and which of them burst together?

Owns the heat of terms (their surprise over the last quarter hour) and the clustering of one tick: hot terms
that share posts form communities (Louvain, Blondel et al. 2008). Whose each post is, `membership` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, csr_matrix

from groundswell.clock import MINUTE_US
from groundswell.config import Settings
from groundswell.detect.chains import Owned
from groundswell.detect.columns import Array, Queue, distinct, group, occurrences
from groundswell.detect.communities import louvain
from groundswell.detect.window import Window

__all__ = ["BurstSettings", "Heat", "HotTerms", "Postings", "cluster_terms", "crowd"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
F32Array = npt.NDArray[np.float32]
F64Array = npt.NDArray[np.float64]


class BurstSettings(Settings, frozen=True, kw_only=True):
    """When terms are hot, and when they belong together."""

    hot: float = 12.0
    """Nats of surprise from which a term is hot."""
    hot_minutes: int = 15
    max_terms: int = 1_000
    """Hot terms clustered in one tick, most surprising first: bounds the cost however many crises run."""
    min_cosine: float = 0.2
    """Two terms are neighbours when their posts overlap this much …"""
    min_shared: int = 3
    """… in at least so many posts."""
    resolution: float = 0.7
    """Of the modularity that Louvain maximises; lower gives larger communities."""
    merge_overlap: float = 0.5
    """Communities that share this part of the smaller one's posts are one."""
    lead_minutes: int = 10
    """A term's posts count from so long before it first surprised."""
    chain_terms: int = 40
    """Hot terms that one chain may take of `max_terms`: what is published leaves room for what is not."""
    doubt: float = 0.25
    """The chance, by its terms' usual rates, that a post is no part of the crowd: more leaves it out."""
    bound: float = 0.6
    """A term whose posts are divided between clusters, none with this share of them, binds nothing."""


_TICK_TERMS = 10_000
"""Warm terms of one tick that are remembered, most surprising first."""


class Burning(NamedTuple):
    """Hot terms, most surprising first; all columns are (terms,)."""

    terms: U64Array
    surprise: F64Array
    warm_us: I64Array
    """When each was first warm within the hour."""
    usual: F64Array
    """The least of the rates that were usual for it since then, uses a minute."""


class Heat:
    """The surprise of warm terms: when each was, over the last hour, and how much, while it is hot."""

    def __init__(self, settings: BurstSettings) -> None:
        self._settings = settings
        self._warm = {"time_us": Queue(np.int64), "term": Queue(np.uint64), "usual": Queue(np.float32)}
        self._hot = {"time_us": Queue(np.int64), "term": Queue(np.uint64), "nats": Queue(np.float64)}
        self._kindled_us = -1

    def add(self, now_us: int, terms: U64Array, surprise: F32Array, rates: F32Array | None = None) -> None:
        """Note one tick's emissions; all uses of a term in it are judged alike. `rates` are 0 for None."""
        numbers, distinct = group(terms)
        nats, usual = np.zeros(len(distinct)), np.zeros(len(distinct), np.float32)
        nats[numbers] = surprise
        if rates is not None:
            usual[numbers] = rates
        if len(distinct) > _TICK_TERMS:
            kept = np.sort(np.lexsort((distinct, -nats))[:_TICK_TERMS])
            distinct, nats, usual = distinct[kept], nats[kept], usual[kept]
        hot = nats >= self._settings.hot
        fresh = distinct[hot]
        since = now_us - self._settings.hot_minutes * MINUTE_US
        before = self._hot["term"].view[np.searchsorted(self._hot["time_us"].view, since) :]
        if len(np.unique(occurrences(before, fresh)[1])) < len(fresh):
            self._kindled_us = now_us
        for log, chosen in ((self._warm, slice(None)), (self._hot, hot)):
            said: dict[str, Array] = {
                "term": distinct[chosen],
                "nats": np.round(nats[chosen], 3),
                "usual": usual[chosen],
            }
            said["time_us"] = np.full(len(said["term"]), now_us)
            for name, column in log.items():
                column.extend(said[name])

    def expire(self, now_us: int) -> None:
        """Forget what is an hour old, and how much it was when it is no longer hot."""
        for log, minutes in ((self._warm, 60), (self._hot, self._settings.hot_minutes)):
            old = int(np.searchsorted(log["time_us"].view, now_us - minutes * MINUTE_US))
            for column in log.values():
                column.drop(old)

    def hot(self, now_us: int, owned: Mapping[int, Owned] = MappingProxyType({})) -> Burning:
        """The hottest `max_terms`, of each chain's at most `chain_terms`."""
        since = now_us - self._settings.hot_minutes * MINUTE_US
        begin = int(np.searchsorted(self._hot["time_us"].view, since))
        numbers, terms = group(self._hot["term"].view[begin:])
        nats = np.zeros(len(terms))
        np.maximum.at(nats, numbers, self._hot["nats"].view[begin:])
        order = np.lexsort((terms, -nats))
        order = order[self._shared_out(terms[order], owned)]
        terms, nats = terms[order], nats[order]
        at, positions = occurrences(self._warm["term"].view, terms)
        firsts = np.full(len(terms), now_us)
        firsts[positions[::-1]] = self._warm["time_us"].view[at[::-1]]
        usual = np.full(len(terms), np.inf)
        np.minimum.at(usual, positions, self._warm["usual"].view[at])
        return Burning(terms, nats, firsts, usual)

    def _shared_out(self, terms: U64Array, owned: Mapping[int, Owned]) -> I64Array:
        """Which of `terms`, in their order, are clustered: loud chains do not shut quiet crowds out."""
        taken: Counter[str] = Counter()
        kept = []
        for at, term in enumerate(terms.tolist()):
            owner = owned.get(term)
            if owner is not None:
                taken[owner.chain] += 1
                if taken[owner.chain] > self._settings.chain_terms:
                    continue
            kept.append(at)
            if len(kept) == self._settings.max_terms:
                break
        return np.array(kept, np.int64)

    def warm(self, most: int) -> tuple[U64Array, F64Array]:
        """The terms of the hour that were warm in most ticks, at most so many; and their usual rates."""
        numbers, terms = group(self._warm["term"].view)
        ticks = np.bincount(numbers, minlength=len(terms))
        usual = np.full(len(terms), np.inf)
        np.minimum.at(usual, numbers, self._warm["usual"].view)
        chosen = np.sort(np.lexsort((terms, -ticks))[:most])
        return terms[chosen], usual[chosen]

    def kindled(self, now_us: int) -> bool:
        """Whether a term became hot in the tick that ended at `now_us`."""
        return self._kindled_us == now_us


class Postings:
    """Which rows use which hot term, kept up from tick to tick; flat, in no order."""

    def __init__(self) -> None:
        self.rows: I64Array = np.empty(0, np.int64)
        self.terms: U64Array = np.empty(0, np.uint64)
        self._followed: U64Array = np.empty(0, np.uint64)
        self._since_us: I64Array = np.empty(0, np.int64)
        self._end_row = 0

    def follow(self, window: Window, terms: U64Array, since_us: I64Array) -> None:
        """Follow the terms in `terms` (sorted, distinct), each at least since then, and no others."""
        known, now, before = np.intersect1d(terms, self._followed, assume_unique=True, return_indices=True)
        known = known[since_us[now] >= self._since_us[before]]  # what is wanted from earlier on is found anew
        fresh = np.setdiff1d(terms, known, assume_unique=True)
        keep = self.rows >= window.first_row
        if len(known) < len(self._followed):
            keep &= np.isin(self.terms, known)
        rows, found = [self.rows[keep]], [self.terms[keep]]
        back_us = since_us[np.isin(terms, fresh, assume_unique=True)].min(initial=np.iinfo(np.int64).max)
        for part, from_row in ((known, self._end_row), (fresh, window.row_at(int(back_us)))):
            used, positions = window.find(part, from_row)
            rows.append(used)
            found.append(part[positions])
        self.rows, self.terms = np.concatenate(rows), np.concatenate(found)
        self._followed, self._since_us = terms, since_us
        self._end_row = window.end_row


@dataclass(frozen=True)
class HotTerms:
    """The hot terms of one tick and the posts that use them.

    `uses` is (posts, terms), 0/1; `rows`, `speakers`, `epochs`, `times_us` and `shapes` are (posts,);
    `terms`, `surprise`, `usual` (uses a minute) and `doubts` are (terms,), most surprising first.
    """

    terms: U64Array
    surprise: F64Array
    usual: F64Array
    doubts: F64Array
    """The part of a term's posts that would be there without the burst, by its usual rate."""
    uses: csr_matrix
    rows: I64Array
    speakers: U64Array
    epochs: npt.NDArray[np.uint32]
    times_us: I64Array
    shapes: U64Array

    @cached_property
    def counts(self) -> I64Array:
        """Posts that use each term."""
        return np.bincount(self.uses.indices, minlength=len(self.terms))

    @cached_property
    def weights(self) -> F64Array:
        """How much a term says of whose a post is: rare among the posts of the tick, and new to the world.

        A pair says half as much, for its words are mostly hot too.
        """
        rarity = np.log1p(len(self.rows) / np.maximum(self.counts, 1))
        rarity = np.where(self.terms & np.uint64(1), 0.5, 1.0) * rarity
        return np.round(rarity * (1.0 - self.doubts) + 1e-3, 6)

    def usually(self, terms: I64Array) -> dict[int, float]:
        """The usual rate of those of `terms` of which it is known, by hash."""
        known = terms[np.isfinite(self.usual[terms])]
        return dict(zip(self.terms[known].tolist(), self.usual[known].tolist(), strict=True))

    def inside(self, posts: I64Array, terms: I64Array) -> csc_matrix:
        """Which of `posts` use which of `terms`, by term, posts in order."""
        inside = self.uses[posts][:, terms].tocsc()
        inside.sort_indices()
        return inside


def crowd(speakers: U64Array, epochs: npt.NDArray[np.uint32]) -> int:
    """Distinct speakers: the maximum over key epochs, never their sum.

    >>> crowd(np.array([1, 1, 2, 3], np.uint64), np.array([7, 7, 7, 8], np.uint32))
    2
    """
    if not len(speakers):
        return 0
    numbers, different = group(epochs)
    return int(distinct(numbers, speakers, len(different)).max())


def hot_terms(
    window: Window,
    heat: Heat,
    postings: Postings,
    settings: BurstSettings,
    now_us: int,
    min_speakers: int,
    owned: Mapping[int, Owned] = MappingProxyType({}),
) -> HotTerms | None:
    """The hot terms that at least `min_speakers` used, and their live posts; None when there are none.

    `owned` are the terms of chains that go on (see `Chains.own`): those that are followed are just hot, from
    their chain's first post on, while most of the posts with one would not be there but for the matter: by
    the rate that was usual before the chain began, or because they use another of its terms. So an everyday
    word that was part of the matter is let go when it is used as usual again.
    """
    terms, nats, warm_us, usual = heat.hot(now_us, owned)
    since = warm_us - settings.lead_minutes * MINUTE_US
    burning = len(terms)
    followed = {term for term, owner in owned.items() if owner.followed}
    kept = sorted(followed - set(terms.tolist()))[: 2 * settings.max_terms - burning]
    terms = np.concatenate([terms, np.array(kept, np.uint64)])
    nats = np.concatenate([nats, np.full(len(kept), settings.hot)])
    since = np.concatenate([since, np.full(len(kept), now_us)])
    usual = np.concatenate([usual, np.full(len(kept), np.inf)])
    numbers: dict[str, int] = {}
    owners = np.full(len(terms), -1)
    for at, term in enumerate(terms.tolist()):
        owner = owned.get(term)
        if owner is not None:
            owners[at] = numbers.setdefault(owner.chain, len(numbers))
            since[at] = min(int(since[at]), owner.since_us)
            usual[at] = min(float(usual[at]), owner.usual)
    by_hash = np.argsort(terms)
    postings.follow(window, terms[by_hash], since[by_hash])
    columns, rows = by_hash[np.searchsorted(terms[by_hash], postings.terms)], postings.rows
    times_us, alive = window.of("time_us"), window.of("alive")
    first_row = window.first_row
    live = alive[rows - first_row] & (times_us[rows - first_row] >= since[columns])
    rows, columns = rows[live], columns[live]
    speakers = distinct(columns, window.at("speaker", rows), len(terms))
    enough = speakers >= min_speakers
    minutes = (now_us - np.maximum(since, int(times_us[0]) if len(times_us) else now_us)) / MINUTE_US
    uses = np.maximum(np.bincount(columns, minlength=len(terms)), 1)
    doubts = np.clip(usual * minutes / uses, 0.0, 1.0)
    enough[burning:] &= (_in_company(rows, columns, owners) | (doubts <= 0.5))[burning:]
    wide = np.flatnonzero(enough)
    if not len(wide):
        return None
    place = np.full(len(terms), -1)
    place[wide] = np.arange(len(wide))
    columns = place[columns]
    rows, columns = rows[columns >= 0] - first_row, columns[columns >= 0]
    used = np.zeros(len(window), bool)
    used[rows] = True
    number = np.cumsum(used) - 1
    found = first_row + np.flatnonzero(used)
    ones = np.ones(len(rows), np.float32)
    return HotTerms(
        terms=terms[wide],
        surprise=nats[wide],
        usual=usual[wide],
        doubts=doubts[wide],
        uses=csr_matrix((ones, (number[rows], columns)), shape=(len(found), len(wide))),
        rows=found,
        speakers=window.at("speaker", found),
        epochs=window.at("epoch", found),
        times_us=window.at("time_us", found),
        shapes=window.at("shape", found),
    )


def _in_company(rows: I64Array, columns: I64Array, owners: I64Array) -> npt.NDArray[np.bool_]:
    """Of each term whether half of its posts use another term of the same owner.

    `rows` and `columns` are the uses (post, term), distinct; `owners` is by term, -1 for none.
    """
    owned = owners[columns] >= 0
    rows, columns = rows[owned], columns[owned]
    _, pair, uses = np.unique(
        rows * (len(owners) + 1) + owners[columns], return_inverse=True, return_counts=True
    )
    together = np.bincount(columns, uses[pair] >= 2, len(owners))
    return np.asarray(2 * together >= np.maximum(np.bincount(columns, minlength=len(owners)), 1))


def cluster_terms(hot: HotTerms, settings: BurstSettings) -> list[I64Array]:
    """Communities of hot terms by shared posts; each is an ascending array of term indices."""
    shared = (hot.uses.T @ hot.uses).tocoo()
    counts = hot.counts
    keep = (shared.row < shared.col) & (shared.data >= settings.min_shared)
    left, right, both = shared.row[keep], shared.col[keep], shared.data[keep]
    cosine = both / np.sqrt(counts[left] * counts[right])
    near = cosine >= settings.min_cosine
    size = len(hot.terms)
    weights = np.round(cosine[near], 6).astype(np.float64)
    graph = csr_matrix((weights, (left[near], right[near])), shape=(size, size))
    labels = louvain((graph + graph.T).tocsr(), settings.resolution)
    return [np.flatnonzero(labels == label) for label in range(int(labels.max()) + 1)]
