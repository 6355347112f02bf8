"""Which terms burst now, and which of them burst together?

Owns the heat of terms (their surprise over the last quarter hour) and the clustering of one tick: hot terms
that share posts form communities (Louvain, Blondel et al. 2008), communities that share posts merge unless
they speak of different places, and each post goes to the community its hot terms weigh most for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, csr_matrix

from groundswell.clock import MINUTE_US
from groundswell.config import Settings
from groundswell.detect.columns import Queue, distinct, group, occurrences
from groundswell.detect.communities import louvain
from groundswell.detect.window import Window
from groundswell.kernels import allocating

__all__ = ["BurstSettings", "Cluster", "Heat", "HotTerms", "Postings", "cluster_terms", "crowd"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
F64Array = npt.NDArray[np.float64]


class BurstSettings(Settings, frozen=True, kw_only=True):
    """When terms are hot, and when they belong together."""

    hot: float = 12.0
    """Nats of surprise from which a term is hot."""
    hot_minutes: int = 15
    max_terms: int = 400
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


_TICK_TERMS = 10_000
"""Warm terms of one tick that are remembered, most surprising first."""


class Heat:
    """The surprise of warm terms: when each was, over the last hour, and how much, while it is hot."""

    def __init__(self, settings: BurstSettings) -> None:
        self._settings = settings
        self._warm = {"time_us": Queue(np.int64), "term": Queue(np.uint64)}
        self._hot = {"time_us": Queue(np.int64), "term": Queue(np.uint64), "nats": Queue(np.float64)}
        self._kindled_us = -1

    def add(self, now_us: int, terms: U64Array, surprise: npt.NDArray[np.float32]) -> None:
        """Note one tick's emissions; of a term used twice, the most surprising use counts."""
        numbers, distinct = group(terms)
        nats = np.zeros(len(distinct))
        np.maximum.at(nats, numbers, surprise)
        if len(distinct) > _TICK_TERMS:
            kept = np.sort(np.lexsort((distinct, -nats))[:_TICK_TERMS])
            distinct, nats = distinct[kept], nats[kept]
        hot = nats >= self._settings.hot
        fresh = distinct[hot]
        since = now_us - self._settings.hot_minutes * MINUTE_US
        before = self._hot["term"].view[np.searchsorted(self._hot["time_us"].view, since) :]
        if len(np.unique(occurrences(before, fresh)[1])) < len(fresh):
            self._kindled_us = now_us
        for log, chosen in ((self._warm, slice(None)), (self._hot, hot)):
            said = {"term": distinct[chosen], "nats": np.round(nats[chosen], 3)}
            said["time_us"] = np.full(len(said["term"]), now_us)
            for name, column in log.items():
                column.extend(said[name])

    def expire(self, now_us: int) -> None:
        """Forget what is an hour old, and how much it was when it is no longer hot."""
        for log, minutes in ((self._warm, 60), (self._hot, self._settings.hot_minutes)):
            old = int(np.searchsorted(log["time_us"].view, now_us - minutes * MINUTE_US))
            for column in log.values():
                column.drop(old)

    def hot(self, now_us: int) -> tuple[U64Array, F64Array, I64Array]:
        """(terms, surprise, first warm time) of the hottest `max_terms`, most surprising first."""
        since = now_us - self._settings.hot_minutes * MINUTE_US
        begin = int(np.searchsorted(self._hot["time_us"].view, since))
        numbers, terms = group(self._hot["term"].view[begin:])
        nats = np.zeros(len(terms))
        np.maximum.at(nats, numbers, self._hot["nats"].view[begin:])
        order = np.lexsort((terms, -nats))[: self._settings.max_terms]
        terms, nats = terms[order], nats[order]
        at, positions = occurrences(self._warm["term"].view, terms)
        firsts = np.full(len(terms), now_us)
        firsts[positions[::-1]] = self._warm["time_us"].view[at[::-1]]
        return terms, nats, firsts

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
    `terms` and `surprise` are (terms,), most surprising first.
    """

    terms: U64Array
    surprise: F64Array
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

    def inside(self, posts: I64Array, terms: I64Array) -> csc_matrix:
        """Which of `posts` use which of `terms`, by term, posts in order."""
        inside = self.uses[posts][:, terms].tocsc()
        inside.sort_indices()
        return inside


@dataclass(frozen=True)
class Cluster:
    """Terms that burst together and the posts they brought together (indices into a `HotTerms`)."""

    terms: I64Array
    posts: I64Array


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
    owned: Mapping[int, tuple[str, int]] = MappingProxyType({}),
) -> HotTerms | None:
    """The hot terms that at least `min_speakers` used, and their live posts; None when there are none.

    `owned` are the terms of chains that go on (see `Chains.own`): they are just hot, from their chain's first
    post on, while half of the posts that use one use another of the same chain. So an everyday word that was
    part of the matter is let go when it is used as usual again.
    """
    terms, nats, warm_us = heat.hot(now_us)
    since = warm_us - settings.lead_minutes * MINUTE_US
    burning = len(terms)
    kept = sorted(owned.keys() - set(terms.tolist()))[: settings.max_terms - burning]
    terms = np.concatenate([terms, np.array(kept, np.uint64)])
    nats = np.concatenate([nats, np.full(len(kept), settings.hot)])
    since = np.concatenate([since, np.full(len(kept), now_us)])
    numbers: dict[str, int] = {}
    owners = np.full(len(terms), -1)
    for at, term in enumerate(terms.tolist()):
        if term in owned:
            chain, first_us = owned[term]
            owners[at] = numbers.setdefault(chain, len(numbers))
            since[at] = min(int(since[at]), first_us)
    by_hash = np.argsort(terms)
    postings.follow(window, terms[by_hash], since[by_hash])
    columns, rows = by_hash[np.searchsorted(terms[by_hash], postings.terms)], postings.rows
    times_us, alive = window.of("time_us"), window.of("alive")
    first_row = window.first_row
    live = alive[rows - first_row] & (times_us[rows - first_row] >= since[columns])
    rows, columns = rows[live], columns[live]
    speakers = distinct(columns, window.at("speaker", rows), len(terms))
    enough = speakers >= min_speakers
    enough[burning:] &= _in_company(rows, columns, owners)[burning:]
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


def assign_posts(hot: HotTerms, communities: list[I64Array]) -> list[Cluster]:
    """Each post goes to the community whose hot terms in it surprise most, ties to the earlier one."""
    member = np.zeros(len(hot.terms), np.int64)
    for i, terms in enumerate(communities):
        member[terms] = i
    best = _strongest(hot.uses.indptr, hot.uses.indices, hot.surprise, member, len(communities))
    posts = np.split(
        np.argsort(best, kind="stable"), np.cumsum(np.bincount(best, minlength=len(communities)))
    )
    return [Cluster(terms, posts[i]) for i, terms in enumerate(communities)]


@allocating
def _strongest(starts: Any, terms: Any, surprise: Any, member: Any, size: int) -> Any:
    """Of each post the community whose terms in it surprise most together."""
    best = np.empty(starts.shape[0] - 1, np.int64)
    score = np.zeros(size)
    for post in range(best.shape[0]):
        best[post] = member[terms[starts[post]]]
        for i in range(starts[post], starts[post + 1]):
            score[member[terms[i]]] += surprise[terms[i]]
        for i in range(starts[post], starts[post + 1]):
            which = member[terms[i]]
            ahead = score[which] - score[best[post]]
            if ahead > 0.0 or (ahead == 0.0 and which < best[post]):
                best[post] = which
        for i in range(starts[post], starts[post + 1]):
            score[member[terms[i]]] = 0.0
    return best


@allocating
def _overlaps(starts: Any, terms: Any, of_term: Any, of_post: Any, shared: Any, using: Any) -> None:
    found = np.empty(shared.shape[0], np.int64)
    latest = np.full(shared.shape[0], -1, np.int64)
    for post in range(starts.shape[0] - 1):
        size = 0
        for i in range(starts[post], starts[post + 1]):
            group = of_term[terms[i]]
            if group >= 0 and latest[group] != post:
                latest[group] = post
                found[size] = group
                size += 1
        for i in range(size):
            for j in range(size):
                shared[found[i], found[j]] += 1
            if of_post[post] >= 0:
                using[of_post[post], found[i]] += 1


def overlaps(hot: HotTerms, groups: list[tuple[I64Array, I64Array]]) -> tuple[I64Array, I64Array]:
    """How groups of (terms, posts), disjoint in both, mix: two tables (groups, groups) of posts.

    The first counts posts that use terms of both groups (of one, in the diagonal), the second posts of the
    one that use terms of the other.
    """
    of_term, of_post = np.full(len(hot.terms), -1), np.full(len(hot.rows), -1)
    for i, (terms, posts) in enumerate(groups):
        of_term[terms] = i
        of_post[posts] = i
    shared, using = np.zeros((2, len(groups), len(groups)), np.int64)
    _overlaps(hot.uses.indptr, hot.uses.indices, of_term, of_post, shared, using)
    return shared, using
