"""Whose is each post of a tick? Posts to communities of hot terms, and terms to where their posts belong.

Owns the company that a post needs to count for a crowd, and which terms bind nothing because several
crowds share them. Knows nothing of places or chains, and remembers nothing between ticks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.sparse import csr_matrix

from groundswell.detect.bursts import BurstSettings, HotTerms

__all__ = ["Cluster", "assign_posts", "likeness", "overlaps"]

I64Array = npt.NDArray[np.int64]
F64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_HOME = 1.5
"""A term leaves its community only for one that weighs so much more."""
_INFORMED = 5
"""Posts that must tell where a term belongs."""


@dataclass(frozen=True)
class Cluster:
    """Terms that burst together and the posts they brought together (indices into a `HotTerms`)."""

    terms: I64Array
    posts: I64Array


def assign_posts(hot: HotTerms, communities: list[I64Array], settings: BurstSettings) -> list[Cluster]:
    """Each post goes to the community whose hot terms in it weigh most, ties to the earlier one.

    A post needs company: its terms of that community must leave less than `settings.doubt` of a chance that
    it would be there without the burst. One term that was hardly used before is enough, or several everyday
    ones. Terms go where their posts would go without them, or bind nothing (see `_settled`); nor do the terms
    of a community that is a manner of speaking of several others (see `_borrowed`).
    """
    member = np.zeros(len(hot.terms), np.int64)
    for i, terms in enumerate(communities):
        member[terms] = i
    member, elsewhere = _settled(hot, member, len(communities), settings.bound)
    sure = -np.log(np.maximum(np.maximum(hot.doubts, elsewhere), 1e-3))
    for last in (False, True):
        best, second = _strongest(
            hot.uses.indptr, hot.uses.indices, hot.weights, sure, -np.log(settings.doubt), member,
            len(communities),
        )  # fmt: skip
        borrowed = _borrowed(best, second, len(communities), settings.bound)
        if last or not borrowed.any():
            break
        member = np.where((member >= 0) & borrowed[member], -1, member)
    order = np.argsort(best, kind="stable")
    posts = np.split(order, np.searchsorted(best[order], np.arange(len(communities) + 1)))[1:]
    return [Cluster(np.flatnonzero(member == i), posts[i]) for i in range(len(communities)) if len(posts[i])]


def _borrowed(best: I64Array, second: I64Array, size: int, bound: float) -> BoolArray:
    """Communities of which most posts are of others too, and no one other has most of those.

    `streets closed`, `pray for`: said of each of several matters, and of none alone.
    """
    table = np.zeros((size, size), np.int64)
    both = second >= 0
    np.add.at(table, (best[both], second[both]), 1)
    posts = np.bincount(best[best >= 0], minlength=size)
    shared, most = table.sum(axis=1), table.max(axis=1)
    largest = posts[table.argmax(axis=1)]
    several = (shared >= bound * posts) & (most < bound * shared)
    return np.asarray(several & (posts > 0) & (posts < 2 * largest))


def _settled(hot: HotTerms, member: I64Array, size: int, bound: float) -> tuple[I64Array, F64Array]:
    """Terms moved to where their posts belong by their other terms; -1 for such as belong to several.

    And of each the share of its posts that belong elsewhere.

    A word of the kind (`flood`, `rescue`) is hot in each of several disasters at once, and would bind them
    into one.
    """
    votes = _leaving_out(hot.uses.indptr, hot.uses.indices, hot.weights, member, size, len(hot.terms))
    informed = votes.sum(axis=1)
    top = votes.argmax(axis=1)
    share = votes[np.arange(len(top)), top] / np.maximum(informed, 1)
    told = informed >= _INFORMED
    return np.where(told, np.where(share >= bound, top, -1), member), np.where(told, 1.0 - share, 0.0)


@njit(cache=True, nogil=True)
def _leaving_out(starts: Any, terms: Any, weights: Any, member: Any, size: int, number: int) -> Any:
    """Votes (terms, communities): of each term's posts, where they belong by their other terms."""
    votes = np.zeros((number, size), np.int64)
    score = np.zeros(size)
    for post in range(starts.shape[0] - 1):
        for i in range(starts[post], starts[post + 1]):
            score[member[terms[i]]] += weights[terms[i]]
        for i in range(starts[post], starts[post + 1]):
            best, most = -1, 1e-9
            for j in range(starts[post], starts[post + 1]):
                which = member[terms[j]]
                value = score[which]
                if which == member[terms[i]]:
                    value = _HOME * (value - weights[terms[i]])
                if value > most + 1e-9 or (value > most - 1e-9 and which < best):
                    best, most = which, value
            if best >= 0:
                votes[terms[i], best] += 1
        for i in range(starts[post], starts[post + 1]):
            score[member[terms[i]]] = 0.0
    return votes


@njit(cache=True, nogil=True)
def _strongest(starts: Any, terms: Any, weights: Any, sure: Any, least: float, member: Any, size: int) -> Any:
    """Of each post the community whose terms in it weigh most, and the next; -1 where none is sure enough."""
    best = np.full(starts.shape[0] - 1, -1, np.int64)
    second = np.full(starts.shape[0] - 1, -1, np.int64)
    score, certain = np.zeros(size), np.zeros(size)
    for post in range(best.shape[0]):
        for i in range(starts[post], starts[post + 1]):
            which = member[terms[i]]
            if which >= 0:
                score[which] += weights[terms[i]]
                certain[which] += sure[terms[i]]
        for i in range(starts[post], starts[post + 1]):
            which = member[terms[i]]
            if which < 0 or certain[which] < least:
                continue
            ahead = score[which] - score[best[post]] if best[post] >= 0 else 1.0
            if ahead > 0.0 or (ahead == 0.0 and which < best[post]):
                best[post] = which
        for i in range(starts[post], starts[post + 1]):
            which = member[terms[i]]
            if which < 0 or certain[which] < least or which == best[post]:
                continue
            ahead = score[which] - score[second[post]] if second[post] >= 0 else 1.0
            if ahead > 0.0 or (ahead == 0.0 and which < second[post]):
                second[post] = which
        for i in range(starts[post], starts[post + 1]):
            if member[terms[i]] >= 0:
                score[member[terms[i]]] = certain[member[terms[i]]] = 0.0
    return best, second


@njit(cache=True, nogil=True)
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


def likeness(hot: HotTerms, groups: list[I64Array]) -> tuple[F64Array, BoolArray]:
    """How alike groups of posts use the hot terms, and which name which: two tables (groups, groups).

    The first holds cosines of the shares of posts that use each term, by what it tells. Two floods share all
    words but their rivers' names, so the second tells whether the one uses the term that tells most of the
    other at least half as often as that does.
    """
    if not groups:
        return np.zeros((0, 0)), np.zeros((0, 0), bool)
    sizes = np.array([len(posts) for posts in groups])
    ends, posts = np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(groups)
    of_group = csr_matrix((np.ones(len(posts)), posts, ends), shape=(len(groups), len(hot.rows)))
    rates = (of_group @ hot.uses).toarray() / np.maximum(sizes, 1)[:, None]
    telling = rates * hot.weights
    telling /= np.maximum(np.linalg.norm(telling, axis=1, keepdims=True), 1e-9)
    top = telling.argmax(axis=1)
    names = rates[:, top] >= 0.5 * rates[np.arange(len(groups)), top]
    return np.round(telling @ telling.T, 6), names
