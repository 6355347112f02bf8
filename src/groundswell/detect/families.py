"""Families: posts of the last hour that say one thing, in whatever words.

A family's *marks* are the words, links and places that its posts share and others lack. How much a mark tells
is the logarithm of its share in the family over its share in all other posts; a post belongs to the family
when its marks add up to a good part of what the usual post has (naive Bayes, one feature of two at least, or
a link). So reworded copies belong to it, and so do posts in another language that share its link, its place
and its numbers. Nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from groundswell.detect.bursts import HotTerms, crowd
from groundswell.detect.columns import count_distinct, distinct, group
from groundswell.detect.refrains import FEATURES
from groundswell.detect.window import Window

__all__ = [
    "MOST_TERMS",
    "Family",
    "Marks",
    "Sightings",
    "core_words",
    "is_shared_page",
    "least_nats",
    "profile",
]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
F64Array = npt.NDArray[np.float64]
Marks = Mapping[str, Mapping[int, float]]
"""Nats by value, for each column of the window that has marks."""

LEAST_NATS = 10.0
"""Of evidence, before a post belongs to a family."""
USUAL_PART = 0.5
"""Of the usual post's evidence, that every post needs."""
_HOST_NATS, _HOST_PART, _HOST_SHARE, _HOST_MARKS = 4.0, 0.15, 0.2, 1.2
"""Of newborn posts, before they are a refrain's: nats of the mean post, and that part of the usual; the part
that has its link, or its marks a post, of which two count."""
_RARE_LINK = 3.0
_LIFT = 8.0
_SHARE = 0.1
_CORE_SHARE = 0.2
_MOST_POSTS = 20_000
MOST_TERMS = 64
"""Of a family, those that tell most of it."""
_PAGE_LINKS, _PAGE_TEXTS = 0.8, 0.3


class Sightings:
    """Which live posts of the window have marks of which families, and how much these add up to.

    One entry a post and family: `rows` (ascending), `families`, `nats`; and whether the marks are `enough`
    in kind: two at least, or a link.
    """

    def __init__(self, window: Window, families: Sequence[Marks]) -> None:
        parts = [_evidence(window, name, [marks[name] for marks in families]) for name in FEATURES]
        rows, which, nats = (np.concatenate(column) for column in zip(*parts, strict=True))
        linked = np.repeat([name == "link_keys" for name in FEATURES], [len(part[0]) for part in parts])
        linked &= nats >= _RARE_LINK
        live = window.at("alive", rows)
        keys, entry = np.unique(rows[live] * max(len(families), 1) + which[live], return_inverse=True)
        self.rows, self.families = np.divmod(keys, max(len(families), 1))
        self.nats = np.bincount(entry, nats[live], len(keys))
        placed = np.repeat([name == "places" for name in FEATURES], [len(part[0]) for part in parts])
        marks = np.bincount(entry, minlength=len(keys))
        self.links = np.minimum(np.bincount(entry, linked[live], len(keys)), 1)
        self.spoken = np.bincount(entry, ~placed[live], len(keys))
        self.enough = (marks >= 2) | (self.links >= 1)

    def host(self, posts: I64Array, usual: F64Array) -> int | None:
        """The family that `posts` tell in other words: they share so much of what it is known by.

        A link that is rare elsewhere; or two marks at least that are no places, for a place alone is that of
        many matters. `usual` are the nats of the first so many families' usual posts; no others are asked.
        """
        inside = np.isin(self.rows, posts) & (self.families < len(usual))
        if not inside.any():
            return None
        size, of = len(usual), self.families[inside]
        mean = np.bincount(of, self.nats[inside], size) / len(posts)
        linked = np.bincount(of, self.links[inside], size) >= _HOST_SHARE * len(posts)
        several = np.bincount(of, np.minimum(self.spoken[inside], 2), size) >= _HOST_MARKS * len(posts)
        fits = linked | (several & (mean >= np.maximum(_HOST_NATS, _HOST_PART * usual)))
        return int(np.where(fits, mean, 0.0).argmax()) if fits.any() else None

    def members(self, least: F64Array) -> tuple[I64Array, I64Array]:
        """(rows, families): posts with `least` nats for a family, each in the one it has most for."""
        fits = self.enough & (self.nats >= least[self.families]) if len(self.rows) else self.enough
        rows, families, nats = self.rows[fits], self.families[fits], self.nats[fits]
        order = np.lexsort((families, -nats, rows))
        rows, families = rows[order], families[order]
        first = np.append(True, rows[1:] != rows[:-1])[: len(rows)]
        return rows[first], families[first]


def _evidence(
    window: Window, name: str, families: Sequence[Mapping[int, float]]
) -> tuple[I64Array, I64Array, F64Array]:
    """(row, family, nats) of every mark in the column `name`."""
    entries = [(mark, at, nats) for at, marks in enumerate(families) for mark, nats in marks.items()]
    if not entries:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    values = np.array([entry[0] for entry in entries], np.uint64)
    order = np.argsort(values, kind="stable")
    wanted, starts = np.unique(values[order], return_index=True)
    sizes = np.diff(np.append(starts, len(order)))
    rows, positions = _holding(window, name, wanted)
    entry = order[np.repeat(starts[positions], sizes[positions]) + _within(sizes[positions])]
    which, nats = (np.array([each[part] for each in entries]) for part in (1, 2))
    return np.repeat(rows, sizes[positions]), which[entry], nats[entry]


def _holding(window: Window, name: str, wanted: U64Array) -> tuple[I64Array, I64Array]:
    """(row, position in `wanted`) of what posts have in the column `name`, each once."""
    rows, positions = window.holding(name, wanted)
    if name == "terms" or not len(rows):
        return rows, positions  # terms are distinct within a post
    keys = np.unique(rows * len(wanted) + positions)
    return keys // len(wanted), keys % len(wanted)


def _within(sizes: I64Array) -> I64Array:
    """0, 1, … for each of `sizes`, end to end."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)


@dataclass(frozen=True)
class Family:
    """Posts that say one thing, and what they share.

    `hot` has their common terms (words and pairs of words) as the crowd's readers want them; `speakers` are
    the distinct speakers of each of its terms; `own` which of its terms tell it from all other posts.
    """

    rows: I64Array
    size: int
    """Distinct speakers: the maximum over key epochs."""
    hot: HotTerms
    speakers: I64Array
    own: npt.NDArray[np.bool_]
    shares: F64Array
    """The part of its posts that use each term."""
    marks: dict[str, dict[int, float]]
    """What it is known by now, however few share it."""
    common: dict[str, dict[int, float]]
    """The part of it that at least k speakers share."""
    usual: float

    @property
    def least(self) -> float:
        return least_nats(self.usual)


def least_nats(usual: float) -> float:
    """Nats that a post needs where the usual one has `usual`."""
    return max(LEAST_NATS, USUAL_PART * usual)


def profile(window: Window, families: Sequence[I64Array], floor_k: int) -> list[Family]:
    """What the posts at each of the rows share, and how much it tells them from all others.

    Two passes over the window's terms, however many families there are.
    """
    least = max(3, floor_k // 3)
    taken = [_at_most(rows) for rows in families]
    terms = [_shared(window, "terms", rows, least) for rows in taken]
    links = [_shared(window, "link_keys", rows, least) for rows in taken]
    places = [_shared(window, "places", rows, least) for rows in taken]
    parts = {"terms": terms, "link_keys": links, "places": places}
    totals = {name: _totals(window, name, parts[name]) for name in FEATURES}
    return [
        _family(window, rows, {name: (parts[name][at], totals[name]) for name in FEATURES}, floor_k)
        for at, rows in enumerate(taken)
    ]


def _at_most(rows: I64Array) -> I64Array:
    step = -(-len(rows) // _MOST_POSTS)
    return rows[:: max(step, 1)]


@dataclass(frozen=True)
class _Shared:
    """Values of a column that several speakers of some posts share: uses are (post, value)."""

    values: U64Array
    posts: I64Array
    """Posts that have each."""
    speakers: I64Array
    """Distinct speakers who used each."""
    uses: tuple[I64Array, I64Array]


def _shared(window: Window, name: str, rows: I64Array, least: int) -> _Shared:
    values, owners = window.lists_at(name, rows)
    numbers, different = group(values)
    speakers = _most_speakers(window, rows, numbers, owners, len(different))
    kept = np.flatnonzero(speakers >= least)
    place = np.full(len(different), -1)
    place[kept] = np.arange(len(kept))
    columns = place[numbers]
    owners, columns = owners[columns >= 0], columns[columns >= 0]
    pairs = np.unique(owners * max(len(kept), 1) + columns)
    owners, columns = np.divmod(pairs, max(len(kept), 1))
    return _Shared(
        different[kept], np.bincount(columns, minlength=len(kept)), speakers[kept], (owners, columns)
    )


def _most_speakers(
    window: Window, rows: I64Array, numbers: I64Array, owners: I64Array, size: int
) -> I64Array:
    """Distinct speakers by number, in the epoch with most of them."""
    speakers, epochs = window.at("speaker", rows)[owners], window.at("epoch", rows)[owners]
    most = np.zeros(size, np.int64)
    for epoch in np.unique(epochs).tolist():
        of_epoch = epochs == epoch
        most = np.maximum(most, distinct(numbers[of_epoch], speakers[of_epoch], size))
    return most


def _totals(window: Window, name: str, parts: Sequence[_Shared]) -> tuple[U64Array, I64Array]:
    """Live posts of the window that have each value of any part: (values, ascending; posts)."""
    wanted = np.unique(np.concatenate([np.empty(0, np.uint64), *(part.values for part in parts)]))
    rows, positions = _holding(window, name, wanted)
    live = window.at("alive", rows)
    return wanted, np.bincount(positions[live], minlength=len(wanted))


def _family(window: Window, rows: I64Array, parts: Mapping[str, Any], floor_k: int) -> Family:
    others = max(int(np.count_nonzero(window.of("alive"))) - len(rows), 0)
    marks: dict[str, dict[int, float]] = {}
    common: dict[str, dict[int, float]] = {}
    told: dict[str, tuple[F64Array, F64Array]] = {}
    for name, (shared, (wanted, posts)) in parts.items():
        share = shared.posts / max(len(rows), 1)
        outside = posts[np.searchsorted(wanted, shared.values)] - shared.posts
        rate = (np.maximum(outside, 0) + 1.0) / (others + 2.0)
        nats = np.log(np.maximum(share, 1e-9) / rate)
        told[name] = share, nats
        own = (nats >= np.log(_LIFT)) & (share >= _SHARE)
        if name == "terms":
            own &= shared.values & np.uint64(1) == 0  # pairs say again what their words say
        marks[name], common[name] = (
            {int(shared.values[i]): round(float(nats[i]), 3) for i in np.flatnonzero(own & crowded).tolist()}
            for crowded in (shared.speakers >= 0, shared.speakers >= floor_k)
        )
    shared, (share, nats) = parts["terms"][0], told["terms"]
    own = (nats >= np.log(_LIFT)) & (share >= _SHARE)
    strength = np.where(own, shared.posts * nats, 0.0)
    ranked = np.lexsort((shared.values, -shared.posts, -strength))[:MOST_TERMS]
    speakers, epochs = window.at("speaker", rows), window.at("epoch", rows)
    return Family(
        rows=rows,
        size=crowd(speakers, epochs),
        hot=_hot(window, rows, shared, ranked, np.minimum(strength, 999.0)),
        speakers=shared.speakers[ranked],
        own=own[ranked],
        shares=share[ranked],
        marks=marks,
        common=common,
        usual=_usual(shared, marks["terms"], len(rows)),
    )


def _usual(shared: _Shared, marks: Mapping[int, float], posts: int) -> float:
    """Nats of evidence in the words of the median post."""
    worth = np.array([marks.get(value, 0.0) for value in shared.values.tolist()] or [0.0])
    owners, columns = shared.uses
    return float(np.median(np.bincount(owners, worth[columns], posts))) if posts else 0.0


def _hot(window: Window, rows: I64Array, shared: _Shared, ranked: I64Array, strength: F64Array) -> HotTerms:
    place = np.full(len(shared.values), -1)
    place[ranked] = np.arange(len(ranked))
    owners, columns = shared.uses
    columns = place[columns]
    owners, columns = owners[columns >= 0], columns[columns >= 0]
    ones = np.ones(len(owners), np.float32)
    return HotTerms(
        terms=shared.values[ranked],
        surprise=strength[ranked],
        usual=np.full(len(ranked), np.inf),
        doubts=np.zeros(len(ranked)),
        uses=csr_matrix((ones, (owners, columns)), shape=(len(rows), len(ranked))),
        rows=rows,
        speakers=window.at("speaker", rows),
        epochs=window.at("epoch", rows),
        times_us=window.at("time_us", rows),
        shapes=window.at("shape", rows),
    )


def core_words(family: Family, floor_k: int, unspaced: npt.NDArray[np.bool_]) -> float:
    """How many words that are rare elsewhere its posts say together; pairs of characters count half.

    A greeting has one or two.
    """
    single = (family.hot.terms & np.uint64(1)) == 0
    core = family.own & single & (family.shares >= _CORE_SHARE) & (family.speakers >= max(3, floor_k // 3))
    return float(np.where(unspaced, 0.5, 1.0)[core].sum())


def is_shared_page(window: Window, family: Family) -> bool:
    """Whether its posts are one text with one link: what a button on a page writes, and nobody says."""
    texts = count_distinct(family.hot.shapes)
    links, owners = window.lists_at("link_keys", family.rows)
    if not len(links) or texts >= _PAGE_TEXTS * family.size:
        return False
    numbers, different = group(links)
    posts = distinct(numbers, owners, len(different))
    return bool(posts.max() >= _PAGE_LINKS * len(family.rows))
