"""The detector: from enriched posts to candidates, tick by tick.

A tick is ten seconds of stream time. Posts wait until their tick is over and are then counted as one, so
that nothing depends on how a source cut its batches. What a tick finds depends on the posts of the last
hours, on the long baseline and on the sealed chains, and on nothing else: no clock, no order of sets, no
speaker's key. `tests/test_line_restart.py` and `tests/test_line_twice.py` hold that.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import Kind
from groundswell.candidates import Candidate
from groundswell.clock import MINUTE_US, QUARTER_US, SECOND_US, floor_to
from groundswell.config import Settings
from groundswell.detect.bursts import (
    BurstSettings,
    Cluster,
    Heat,
    HotTerms,
    Postings,
    assign_posts,
    cluster_terms,
    crowd,
    hot_terms,
    overlaps,
)
from groundswell.detect.chains import Chain, Chains, ChainSettings, alike
from groundswell.detect.columns import count_distinct, distinct
from groundswell.detect.crowds import Crowds
from groundswell.detect.gazette import Gazette
from groundswell.detect.intake import admit
from groundswell.detect.rates import Rates, RateSettings, Uses
from groundswell.detect.window import COLUMNS, Window, WindowSettings

__all__ = ["TICK_US", "DetectSettings", "Detector", "Observer"]

TICK_US = 10 * SECOND_US
SWEEP_US = 30 * SECOND_US
"""Clusters are formed anew when a term has just become hot, and at the latest after so long."""
_MOST_WAITING = 1 << 18
"""Rows that wait for the end of their tick, some 700 bytes each: what 26,000 posts a second bring."""

I64Array = npt.NDArray[np.int64]
Observer = Callable[[Candidate, npt.NDArray[np.uint64]], None]
"""Called with each candidate and the `post_key` of every post in its crowd."""


class DetectSettings(Settings, frozen=True, kw_only=True):
    """Settings of the detector and of its parts."""

    alert: float = 18.0
    """Nats from which a term can carry an event."""
    min_terms: int = 2
    """Hot terms an event needs, unless one term is twice as surprising as `alert`."""
    unique_share: float = 0.3
    """With fewer different texts per speaker a crowd is amplification, not an event."""
    rates: RateSettings = RateSettings()
    window: WindowSettings = WindowSettings()
    bursts: BurstSettings = BurstSettings()
    chains: ChainSettings = ChainSettings()


@dataclass
class Group:
    """The clusters of one tick that belong to one matter, with what was worked out about them."""

    clusters: list[Cluster]
    posts: I64Array
    terms: dict[int, float]
    place: int
    country: int
    category: str
    speakers: int
    chain: Chain | None = None

    @property
    def hot(self) -> I64Array:
        """Indices of its terms in the tick's `HotTerms`."""
        return np.concatenate([cluster.terms for cluster in self.clusters])


class Detector:
    """Finds events and amplification in `ENRICHED` batches.

    Parameters
    ----------
    settings
        See `DetectSettings`.
    places
        The gazetteer's table (name, country, latitude, longitude, population, level, within); rows are the
        ids that the enricher wrote.
    categories
        The names behind the category ids.
    floor_k
        The crowd's floor of `release`: smaller groups are not worth handing over, and nothing that fewer
        speakers used is ever sealed.
    observer
        For measuring only: sees what is proposed, in memory, and changes nothing.
    """

    def __init__(
        self,
        settings: DetectSettings,
        places: pa.Table,
        categories: tuple[str, ...],
        floor_k: int,
        observer: Observer | None = None,
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._floor_k = floor_k
        self._rates = Rates(settings.rates, floor_k)
        self._window = Window(settings.window)
        self._heat = Heat(settings.bursts)
        self._postings = Postings()
        self._chains = Chains(settings.chains)
        self._gazette = Gazette(places)
        self._crowds = Crowds(self._window, self._gazette, categories)
        self._pending: list[pa.RecordBatch] = []
        self._waiting = 0
        self._proposed: dict[str, tuple[Candidate, Group]] = {}

    @property
    def warm_posts(self) -> int:
        return len(self._window)

    @property
    def evicted_posts(self) -> int:
        return self._window.evicted

    def wait(self, batch: pa.RecordBatch) -> None:
        """Hold `ENRICHED` rows of the tick that is running; `tick` counts them, or they are counted here.

        However many posts share ten seconds, no more than `_MOST_WAITING` wait.
        """
        while batch.num_rows:
            part = batch.slice(0, _MOST_WAITING - self._waiting)
            self._pending.append(part.select(COLUMNS))
            self._waiting += part.num_rows
            batch = batch.slice(part.num_rows)
            if self._waiting == _MOST_WAITING:
                self._count(floor_to(part.column("time_us")[-1].as_py(), TICK_US) + TICK_US)

    def tick(self, now_us: int, *, judge: bool = True) -> list[Candidate]:
        """End the tick at `now_us`: count what waited and give the candidates.

        With `judge` false (when windows are being refilled after a restart) everything is counted and
        nothing proposed.
        """
        self._count(now_us)
        self._proposed = {}
        if not judge:
            return []
        settings = self._settings
        ended = [self._ended(chain, now_us) for chain in self._chains.quiet(now_us)]
        if now_us % SWEEP_US and not self._heat.kindled(now_us):
            return ended
        hot = hot_terms(
            self._window, self._heat, self._postings, settings.bursts, now_us, max(3, self._floor_k // 3),
            self._chains.own(),
        )  # fmt: skip
        groups = self._group(hot) if hot is not None else []
        candidates = []
        for group in groups:
            assert hot is not None
            if group.chain is not None:
                last_us = int(hot.times_us[group.posts].max())
                self._chains.learn(group.chain, group.terms, last_us)
                self._settle_place(group.chain, group, hot)
                if now_us % MINUTE_US:
                    continue
            elif not self._alarming(hot, group):
                continue
            candidate = self._candidate(hot, group, now_us)
            if group.chain is not None or self._says_enough(candidate):
                candidates.append(candidate)
                if self._observer is not None:
                    self._observer(candidate, self._window.at("post_key", hot.rows[group.posts]))
        return candidates + ended

    def settle(self, released: set[str]) -> None:
        """Make chains of the candidates that `release` let over the line."""
        for chain_id in sorted(released & self._proposed.keys()):
            candidate, group = self._proposed[chain_id]
            chain = Chain(
                id=chain_id,
                kind=candidate.kind,
                seed=candidate.seed,
                first_us=candidate.first_us,
                last_us=candidate.last_us,
                terms=dict(group.terms),
                place=group.place,
                country=group.country,
                category=group.category,
            )
            self._chains.add(chain)

    def _settle_place(self, chain: Chain, group: Group, hot: HotTerms) -> None:
        """A chain that had no place or category takes what k speakers of its crowd give it, and keeps it."""
        if chain.category == "other":
            chain.category = group.category
        if chain.place < 0:
            evidence = self._crowds.evidence(hot.rows[group.posts])
            place, country = self._gazette.attested(evidence, hot.speakers[group.posts], self._floor_k)
            if chain.country < 0 or self._gazette.same_country(country, chain.country):
                chain.place, chain.country = place, country

    def seal(self) -> bytes:
        """Cut the chains down to what may be stored; the bytes are the checkpoint's (see `Chains.seal`)."""
        terms = sorted({term for chain in self._chains for term in chain.terms})
        rows, positions = self._window.find(np.array(terms, np.uint64), self._window.first_row)
        live = self._window.at("alive", rows).astype(bool)
        speakers = self._window.at("speaker", rows[live]).astype(np.uint64)
        epochs = self._window.at("epoch", rows[live])
        common: set[int] = set()
        for epoch in np.unique(epochs):
            of_epoch = epochs == epoch
            counts = distinct(positions[live][of_epoch], speakers[of_epoch], len(terms))
            common.update(terms[i] for i in np.flatnonzero(counts >= self._floor_k).tolist())
        return self._chains.seal(common)

    def restore(self, sealed: bytes) -> None:
        """Go on with the chains of a checkpoint; the windows come from replaying the source."""
        self._chains.restore(sealed)

    def baseline(self) -> bytes:
        """The long baseline as bytes: hashed buckets that at least k speakers filled, no words."""
        filled, means, quarters = self._rates.snapshot()
        return msgspec.msgpack.encode((filled.tobytes(), means.tobytes(), quarters))

    def restore_baseline(self, stored: bytes) -> None:
        filled, means, quarters = msgspec.msgpack.decode(stored, type=tuple[bytes, bytes, float])
        self._rates.restore(np.frombuffer(filled, np.int64), np.frombuffer(means, np.float32), quarters)

    def _count(self, now_us: int) -> None:
        batches, self._pending, self._waiting = self._pending, [], 0
        self._rates.advance(now_us - TICK_US)
        if batches:
            emitted = self._rates.observe(Uses.of(batches), now_us)
            posted = np.concatenate([batch.column("kind").to_numpy() <= Kind.EDIT for batch in batches])
            self._window.take(batches, admit(posted, self._settings.window.tick_posts, emitted))
            self._heat.add(now_us, *emitted[1:])
        self._window.expire(now_us)
        self._heat.expire(now_us)

    def _group(self, hot: HotTerms) -> list[Group]:
        """Clusters of the tick, gathered into matters and linked to the chains they continue."""
        communities = cluster_terms(hot, self._settings.bursts)
        clusters = [
            cluster
            for mixed in assign_posts(hot, communities)
            for cluster in self._divide(hot, mixed)
            if crowd(hot.speakers[cluster.posts], hot.epochs[cluster.posts]) >= max(3, self._floor_k // 2)
        ]
        groups = [self._profile(hot, [cluster]) for cluster in clusters]
        groups = self._merge_overlapping(hot, groups)
        self._link(groups)
        self._attach(hot, groups)
        return self._gather(hot, groups)

    def _divide(self, hot: HotTerms, cluster: Cluster) -> list[Cluster]:
        """Part a cluster whose posts speak of places far apart: two floods at one time are two matters.

        A post goes to the place it names; a term to the place where it is most common; a post that names
        none to the place whose terms surprise most in it.
        """
        if len(cluster.posts) < self._floor_k:
            return [cluster]
        settings = self._settings.chains
        rows = hot.rows[cluster.posts]
        evidence = self._crowds.evidence(rows)
        sides = self._gazette.sides(evidence, settings.apart_km, settings.divide)
        if len(sides) < 2:
            return [cluster]
        side_of = self._gazette.nearest(evidence.rows, sides, settings.apart_km)
        votes = evidence.votes(side_of, len(sides))
        named = np.where(votes.max(axis=1) > 0.0, votes.argmax(axis=1), -1)
        sizes = np.array([(named == side).sum() for side in range(len(sides))])
        if np.sort(sizes)[-2] < self._floor_k // 2:
            return [cluster]
        uses = hot.uses[cluster.posts][:, cluster.terms]
        rates = np.stack(
            [
                np.asarray(uses[named == side].mean(axis=0)).ravel()
                if sizes[side]
                else np.zeros(len(cluster.terms))
                for side in range(len(sides))
            ]
        )
        term_side = rates.argmax(axis=0)
        leaning = rates.max(axis=0) >= 2.0 * np.sort(rates, axis=0)[-2]
        weights = np.zeros((len(cluster.terms), len(sides)))
        weights[np.flatnonzero(leaning), term_side[leaning]] = hot.surprise[cluster.terms[leaning]]
        scores = np.asarray(uses @ weights)
        main = int(sizes.argmax())
        unnamed = np.where(scores.max(axis=1) > 0.0, scores.argmax(axis=1), main)
        side = np.where(named >= 0, named, unnamed)
        term_side = np.where(leaning, term_side, main)
        parts = [Cluster(cluster.terms[term_side == i], cluster.posts[side == i]) for i in range(len(sides))]
        return [part for part in parts if len(part.terms) and len(part.posts)]

    def _profile(self, hot: HotTerms, clusters: list[Cluster], chain: Chain | None = None) -> Group:
        posts = np.sort(np.concatenate([cluster.posts for cluster in clusters]))
        terms = np.concatenate([cluster.terms for cluster in clusters])
        rows, speakers = hot.rows[posts], hot.speakers[posts]
        least = max(3, self._floor_k // 4)
        place, country = self._gazette.attested(self._crowds.evidence(rows), speakers, least)
        return Group(
            clusters=clusters,
            posts=posts,
            terms=dict(
                zip(hot.terms[terms].tolist(), np.round(hot.surprise[terms], 3).tolist(), strict=True)
            ),
            place=place,
            country=country,
            category=self._crowds.category(rows, speakers),
            speakers=crowd(speakers, hot.epochs[posts]),
            chain=chain,
        )

    def _apart(self, one: Group, other: Group | Chain) -> bool:
        limit_km = self._settings.chains.apart_km
        return self._gazette.apart(one.place, one.country, other.place, other.country, limit_km)

    def _merge_overlapping(self, hot: HotTerms, groups: list[Group]) -> list[Group]:
        """Merge groups that share most of the smaller one's posts, largest overlap first."""
        if len(groups) < 2:
            return groups
        shared, _ = overlaps(hot, [(group.hot, group.posts) for group in groups])
        sizes = np.maximum(np.diag(shared), 1)
        overlap = (shared / np.minimum.outer(sizes, sizes)).astype(np.float32)
        parent = list(range(len(groups)))
        pairs = np.argwhere(np.triu(overlap >= self._settings.bursts.merge_overlap, 1))
        for a, b in sorted(pairs.tolist(), key=lambda pair: (-overlap[pair[0], pair[1]], pair)):
            one, two = groups[a], groups[b]
            if not self._apart(one, two):
                parent[_root(parent, b)] = _root(parent, a)
        together: dict[int, list[Group]] = {}
        for i, group in enumerate(groups):
            together.setdefault(_root(parent, i), []).append(group)
        return [
            part[0] if len(part) == 1 else self._profile(hot, [c for group in part for c in group.clusters])
            for part in together.values()
        ]

    def _link(self, groups: list[Group]) -> None:
        chains = list(self._chains)
        least = np.array([[self._least_cosine(group, chain) for chain in chains] for group in groups])
        matched = self._chains.match(
            [group.terms for group in groups], least.reshape(len(groups), len(chains))
        )
        for group, chain_id in zip(groups, matched, strict=True):
            group.chain = self._chains.get(chain_id) if chain_id is not None else None

    def _least_cosine(self, group: Group, chain: Chain) -> float:
        settings = self._settings.chains
        if chain.ended or self._apart(group, chain):
            return settings.back
        if not alike(group.category, chain.category) and "other" not in (group.category, chain.category):
            return settings.unlike
        return settings.link

    def _attach(self, hot: HotTerms, groups: list[Group]) -> None:
        """Give fragments to the chain whose crowd they share, or whose place and category."""
        _, using = overlaps(hot, [(group.hot, group.posts) for group in groups])
        linked = [i for i, group in enumerate(groups) if group.chain is not None]
        for group, uses in zip(groups, using, strict=True):
            if group.chain is None:
                shares = [(groups[i], float(uses[i] / len(group.posts))) for i in linked]
                group.chain = self._host_by_posts(group, shares) or self._host_by_place(group)

    def _host_by_posts(self, group: Group, shares: list[tuple[Group, float]]) -> Chain | None:
        """The chain with whose hot terms most of the group's posts speak, of groups and those shares.

        A crowd that says no place and is of the chain's category needs no share beyond the largest.
        """
        best, host = 0.0, None
        for other, share in shares:
            if share <= best or self._apart(group, other):
                continue
            kin = group.country < 0 and group.category != "other" and alike(group.category, other.category)
            if kin or share >= self._settings.chains.attach:
                best, host = share, other.chain
        return host

    def _host_by_place(self, group: Group) -> Chain | None:
        """A chain of the same category in the same place; or of any, for a crowd without a category."""
        for chain in self._chains:
            if chain.ended or group.country < 0 or chain.country < 0:
                continue
            same_kind = alike(group.category, chain.category)
            if group.place >= 0 and chain.place >= 0:
                near = self._gazette.near(group.place, chain.place, self._settings.chains.same_place_km)
                if near and (same_kind or "other" in (group.category, chain.category)):
                    return chain
                if same_kind and self._gazette.nested(group.place, chain.place):
                    return chain
            elif same_kind and self._gazette.same_country(group.country, chain.country):
                return chain
        return None

    def _gather(self, hot: HotTerms, groups: list[Group]) -> list[Group]:
        """One group a chain; groups without a chain stay as they are."""
        by_chain: dict[str, list[Group]] = {}
        loose = []
        for group in groups:
            if group.chain is None:
                loose.append(group)
            else:
                by_chain.setdefault(group.chain.id, []).append(group)
        gathered = [
            part[0]
            if len(part) == 1
            else self._profile(hot, [c for group in part for c in group.clusters], part[0].chain)
            for part in by_chain.values()
        ]
        return gathered + loose

    def _alarming(self, hot: HotTerms, group: Group) -> bool:
        """Whether a group without a chain is unlikely enough to be proposed."""
        if group.speakers < self._floor_k:
            return False
        settings = self._settings
        terms = group.hot
        top = float(hot.surprise[terms].max())
        if group.category == "other" and group.country < 0:
            return self._speaks_for_itself(hot, group, terms)
        per_post = np.asarray(hot.uses[group.posts][:, terms].sum(axis=1)).ravel()
        several = group.posts[per_post >= 2]
        strong = crowd(hot.speakers[several], hot.epochs[several]) >= 0.5 * self._floor_k
        if strong and len(terms) >= settings.min_terms and top >= settings.alert:
            return True
        unique = count_distinct(hot.shapes[group.posts])
        return top >= 2 * settings.alert and unique >= 0.6 * group.speakers

    def _speaks_for_itself(self, hot: HotTerms, group: Group, terms: I64Array) -> bool:
        """Of a crowd that says neither what nor where: whether `release` should hear of it at all.

        It is refused there, and counted, as a possible pile-on. A word in fashion for an hour, or a fragment
        of something bigger, has one or two surprising terms and is not worth the count.
        """
        settings = self._settings
        uses = np.asarray(hot.uses[group.posts][:, terms].sum(axis=0)).ravel()
        carrying = int(((hot.surprise[terms] >= settings.alert) & (uses >= 0.5 * self._floor_k)).sum())
        return carrying >= 2 * settings.min_terms and float(hot.surprise[terms].max()) >= 2 * settings.alert

    def _says_enough(self, candidate: Candidate) -> bool:
        """A small crowd with a single common phrase says too little of what it is about: wait for more."""
        phrases = sum(use.speakers >= self._floor_k for use in candidate.phrases)
        return phrases >= 2 or candidate.speakers >= 3 * self._floor_k

    def _candidate(self, hot: HotTerms, group: Group, now_us: int) -> Candidate:
        posts, chain = group.posts, group.chain
        rows, speakers, epochs = hot.rows[posts], hot.speakers[posts], hot.epochs[posts]
        times_us = hot.times_us[posts]
        terms = group.hot
        unique = count_distinct(hot.shapes[posts])
        amplified = unique < max(3.0, self._settings.unique_share * group.speakers)
        kind = chain.kind if chain else ("amplification" if amplified else "event")
        seed = chain.seed if chain else self._seed(hot, group)
        first_us = chain.first_us if chain else floor_to(int(times_us.min()), MINUTE_US)
        spread = self._crowds.spread(times_us) if kind == "amplification" else (None, None)
        candidate = Candidate(
            kind=kind,
            chain=chain.id if chain else _new_id(seed, now_us),
            seed=seed,
            tick_us=now_us,
            first_us=first_us,
            last_us=floor_to(int(times_us.max()), MINUTE_US),
            speakers=group.speakers,
            unique_texts=unique,
            bins=tuple(self._crowds.bins(times_us, speakers, epochs, now_us)),
            phrases=self._crowds.phrases(hot, terms, posts),
            places=self._gazette.uses(
                self._crowds.evidence(rows), speakers, prefer=chain.country if chain else -1
            ),
            languages=self._crowds.named("lang", rows, speakers),
            sources=self._crowds.named("source", rows, speakers),
            domains=self._crowds.domains(rows, speakers),
            moods=self._crowds.moods(rows, speakers, epochs),
            category=group.category,
            state=_state(times_us, first_us, now_us),
            person_share=round(self._person_share(hot, group, rows, terms), 4),
            surprise=round(float(hot.surprise[terms].max()), 2),
            spread_seconds=spread[0],
            p_value=spread[1],
        )
        if chain is None:
            self._proposed[candidate.chain] = (candidate, group)
        return candidate

    def _person_share(self, hot: HotTerms, group: Group, rows: I64Array, terms: I64Array) -> float:
        known = self._crowds.person_share(rows)
        if group.category != "other":
            return known
        return max(known, self._crowds.unknown_name_share(hot, terms, group.posts))

    @staticmethod
    def _seed(hot: HotTerms, group: Group) -> int:
        """The term that most of the group's posts use, ties to the smaller hash."""
        terms = group.hot
        uses = np.asarray(hot.uses[group.posts][:, terms].sum(axis=0)).ravel()
        _, seed = min(zip((-uses).tolist(), hot.terms[terms].tolist(), strict=True))
        return int(seed)

    @staticmethod
    def _ended(chain: Chain, now_us: int) -> Candidate:
        """The last word on a chain: nothing is counted any more, only its end is told."""
        return Candidate(
            kind=chain.kind,
            chain=chain.id,
            seed=chain.seed,
            tick_us=now_us,
            first_us=chain.first_us,
            last_us=floor_to(chain.last_us, MINUTE_US),
            speakers=0,
            unique_texts=0,
            bins=(),
            phrases=(),
            places=(),
            languages=(),
            sources=(),
            domains=(),
            category=chain.category,
            state="ended",
            person_share=0.0,
            surprise=0.0,
        )


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


def _new_id(seed: int, now_us: int) -> str:
    digest = hashlib.blake2b(f"{seed}/{now_us}".encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode().lower()


def _state(times_us: I64Array, first_us: int, now_us: int) -> str:
    """From the last quarter hour's posts against the quarter hour before."""
    if now_us - first_us <= 10 * MINUTE_US:
        return "new"
    recent = int((times_us >= now_us - QUARTER_US).sum())
    before = int(((times_us >= now_us - 2 * QUARTER_US) & (times_us < now_us - QUARTER_US)).sum())
    if recent >= 1.3 * before:
        return "growing"
    return "steady" if recent >= 0.7 * before else "fading"
