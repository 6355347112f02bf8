"""Which clusters of a tick are one matter, and which chain it continues.

Clusters whose posts speak of places far apart are parted; those that share a crowd are merged; each group is
linked to the chain that it resembles, a fragment to the chain whose crowd or place it shares. Languages that
could not stand alone are left out. Whether a group is worth proposing is for the detector to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.candidates import Part
from groundswell.detect.bursts import BurstSettings, HotTerms, cluster_terms, crowd
from groundswell.detect.chains import Chain, Chains, ChainSettings, alike
from groundswell.detect.crowds import Crowds
from groundswell.detect.gazette import Evidence, Gazette
from groundswell.detect.kinship import Kinship
from groundswell.detect.membership import Cluster, assign_posts, likeness, overlaps
from groundswell.detect.parts import Parts

__all__ = ["Group", "Grouping"]

I64Array = npt.NDArray[np.int64]
F64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_OWN_WORDS = 3
"""Hot terms that must be twice as common with one place for a cluster to be parted there."""
_AT_HOME = 0.4
"""Part of `same_words` that is asked of two groups of one kind in one country."""
_AKIN = 0.004
"""Likeness from which a crowd without a place belongs to a chain of its category: some words in common."""


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
    usual: dict[int, float]
    """Uses a minute that were usual before, by term hash, where they are known."""
    chain: Chain | None = None
    parts: tuple[Part, ...] = ()
    """Its languages, where they are several."""

    @property
    def hot(self) -> I64Array:
        """Indices of its terms in the tick's `HotTerms`."""
        return np.concatenate([cluster.terms for cluster in self.clusters])


class _Tie(NamedTuple):
    """What a group has in common with one that has a chain."""

    group: Group
    share: float
    """Of its posts, those that use hot terms of the other."""
    like: float
    names: bool
    """See `likeness`."""


class Grouping:
    """Gathers the clusters of a tick. Holds no state of its own.

    Parameters
    ----------
    bursts, settings
        How terms cluster and clusters merge; how groups are linked to chains.
    chains, crowds, gazette
        The detector's.
    floor_k
        See `Detector`: crowds of fewer than a quarter of it are left out.
    """

    def __init__(
        self,
        bursts: BurstSettings,
        settings: ChainSettings,
        chains: Chains,
        crowds: Crowds,
        gazette: Gazette,
        floor_k: int,
        kinship: Kinship,
        parts: Parts,
    ) -> None:
        self._kinship = kinship
        self._parts = parts
        self._bursts = bursts
        self._settings = settings
        self._chains = chains
        self._crowds = crowds
        self._gazette = gazette
        self._floor_k = floor_k

    def of(self, hot: HotTerms) -> list[Group]:
        """Clusters of the tick, gathered into matters and linked to the chains they continue."""
        communities = cluster_terms(hot, self._bursts)
        clusters = [
            cluster
            for mixed in assign_posts(hot, communities, self._bursts)
            for cluster in self._divide(hot, mixed)
            if crowd(hot.speakers[cluster.posts], hot.epochs[cluster.posts]) >= max(3, self._floor_k // 4)
        ]
        groups = [self._profile(hot, [cluster]) for cluster in clusters]
        groups = self._each_fit(hot, self._merge_overlapping(hot, groups))
        self._link(groups)
        groups = self._gather(hot, groups)
        self._attach(hot, groups)
        return self._each_fit(hot, self._join_kin(hot, self._gather(hot, groups)))

    def _divide(self, hot: HotTerms, cluster: Cluster) -> list[Cluster]:
        """Part a cluster whose posts speak of places far apart: two floods at one time are two matters.

        A post goes to the place it names; a term to the place where it is most common; a post that names
        none to the place whose terms surprise most in it. A place is a side when it has words of its own:
        that some of one disaster's posts speak of another town parts nothing.
        """
        if len(cluster.posts) < self._floor_k:
            return [cluster]
        settings = self._settings
        evidence = self._crowds.evidence(hot.rows[cluster.posts])
        return self._part(
            hot, cluster, evidence, self._gazette.sides(evidence, settings.apart_km, settings.divide)
        )

    def _part(self, hot: HotTerms, cluster: Cluster, evidence: Evidence, sides: list[int]) -> list[Cluster]:
        settings = self._settings
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
        main = int(sizes.argmax())
        own = np.bincount(term_side[leaning], minlength=len(sides)) >= _OWN_WORDS
        own[main] = True
        if not own.all():
            return self._part(
                hot, cluster, evidence, [side for side, has in zip(sides, own.tolist(), strict=True) if has]
            )
        weights = np.zeros((len(cluster.terms), len(sides)))
        weights[np.flatnonzero(leaning), term_side[leaning]] = hot.surprise[cluster.terms[leaning]]
        scores = np.asarray(uses @ weights)
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
            usual=hot.usually(terms),
            chain=chain,
        )

    def _apart(self, one: Group, other: Group | Chain) -> bool:
        limit_km = self._settings.apart_km
        return self._gazette.apart(one.place, one.country, other.place, other.country, limit_km)

    def _merge_overlapping(self, hot: HotTerms, groups: list[Group]) -> list[Group]:
        """Merge groups that share most of the smaller one's posts, largest overlap first."""
        if len(groups) < 2:
            return groups
        shared, _ = overlaps(hot, [(group.hot, group.posts) for group in groups])
        sizes = np.maximum(np.diag(shared), 1)
        overlap = (shared / np.minimum.outer(sizes, sizes)).astype(np.float32)
        pairs = np.argwhere(np.triu(overlap >= self._bursts.merge_overlap, 1))
        if not len(pairs):
            return groups
        like, names = likeness(hot, [group.posts for group in groups])
        together = {i: [i] for i in range(len(groups))}
        for a, b in sorted(pairs.tolist(), key=lambda pair: (-overlap[pair[0], pair[1]], pair)):
            one, two = together[a], together[b]
            if one is two or any(
                self._apart(groups[i], groups[j])
                and not ((names[i, j] or names[j, i]) and self._are_one(groups[i], groups[j], like[i, j]))
                for i in one
                for j in two
            ):
                continue  # what both share with a third, which is nowhere, does not bring them together
            one += two
            together.update(dict.fromkeys(two, one))
        parts = {id(part): [groups[i] for i in sorted(part)] for part in together.values()}
        return [self._together(hot, part) for part in parts.values()]

    def _together(self, hot: HotTerms, part: list[Group], chain: Chain | None = None) -> Group:
        """The groups as one of `chain`; a single one as it is."""
        if len(part) == 1:
            return part[0]
        return self._profile(hot, [cluster for group in part for cluster in group.clusters], chain)

    def _link(self, groups: list[Group]) -> None:
        chains = list(self._chains)
        least = np.array([[self._least_cosine(group, chain) for chain in chains] for group in groups])
        matched = self._chains.match(
            [group.terms for group in groups], least.reshape(len(groups), len(chains))
        )
        for group, chain_id in zip(groups, matched, strict=True):
            group.chain = self._chains.get(chain_id) if chain_id is not None else None

    def _least_cosine(self, group: Group, chain: Chain) -> float:
        """A chain that has ended returns under its id: sooner where its kind comes back to its place."""
        settings = self._settings
        known = group.category != "other" and alike(group.category, chain.category)
        if chain.ended and known and self._is_at(group, chain):
            return settings.link
        if chain.ended or self._apart(group, chain):
            return settings.back
        if not alike(group.category, chain.category) and "other" not in (group.category, chain.category):
            return settings.unlike
        return settings.link

    def _attach(self, hot: HotTerms, groups: list[Group]) -> None:
        """Give fragments, none about a person, to the chain whose crowd they share, or place and category."""
        loose = [i for i, group in enumerate(groups) if group.chain is None]
        linked = [i for i, group in enumerate(groups) if group.chain is not None]
        ties = self._ties(hot, groups, loose, linked) if loose and linked else {}
        for at in loose:
            group = groups[at]
            host = self._host_by_posts(group, ties.get(at, [])) or self._host_by_place(group)
            if host is not None and not self._parts.of(hot, group.posts, group.hot).may_name_somebody():
                group.chain = host

    @staticmethod
    def _ties(
        hot: HotTerms, groups: list[Group], loose: list[int], linked: list[int]
    ) -> dict[int, list[_Tie]]:
        """Of each loose group what it has in common with each that has a chain."""
        _, using = overlaps(hot, [(group.hot, group.posts) for group in groups])
        like, names = likeness(hot, [group.posts for group in groups])
        return {
            at: [
                _Tie(groups[i], using[at, i] / len(groups[at].posts), like[at, i], bool(names[at, i]))
                for i in linked
            ]
            for at in loose
        }

    def _are_one(self, group: Group, other: Group, like: float) -> bool:
        """Whether a group and one that it names are one matter, wherever they are.

        Of one kind and in one country, they are sooner.
        """
        at_home = alike(group.category, other.category) and self._gazette.same_country(
            group.country, other.country
        )
        return like >= self._settings.same_words * (_AT_HOME if at_home else 1.0)

    def _host_by_posts(self, group: Group, ties: list[_Tie]) -> Chain | None:
        """The chain of whose hot terms most of the group's posts make use.

        Places apart do not matter where the words are the same: a storm moves from island to island under one
        name. A crowd that says no place and is of a chain's category is a part of the most alike.
        """
        settings = self._settings
        best, host = 0.0, None
        for tie in ties:
            one = tie.names and self._are_one(group, tie.group, tie.like)
            near = tie.share >= settings.attach and not self._apart(group, tie.group)
            if tie.share > best and (one or near):
                best, host = tie.share, tie.group.chain
        if host is not None or group.country >= 0 or group.category == "other":
            return host
        best = _AKIN
        for tie in ties:
            if tie.like > best and alike(group.category, tie.group.category):
                best, host = tie.like, tie.group.chain
        return host

    def _is_at(self, group: Group, chain: Chain) -> bool:
        if group.place < 0 or chain.place < 0:
            return False
        return self._gazette.near(group.place, chain.place, self._settings.same_place_km)

    def _host_by_place(self, group: Group) -> Chain | None:
        """A chain of the same category in the same place; or of any, for a crowd without a category.

        A country is a place for crowds that name none in it; others need words in common too.
        """
        for chain in self._chains:
            if chain.ended or group.country < 0 or chain.country < 0:
                continue
            same_kind = alike(group.category, chain.category)
            if group.place >= 0 and chain.place >= 0:
                if self._is_at(group, chain) and (same_kind or "other" in (group.category, chain.category)):
                    return chain
                if same_kind and self._gazette.nested(group.place, chain.place):
                    return chain
            elif same_kind and self._gazette.same_country(group.country, chain.country):  # noqa: SIM102
                if group.place < 0 or chain.cosine(group.terms) >= self._settings.link / 2:
                    return chain
        return None

    def spread_over_chains(self, hot: HotTerms, group: Group) -> bool:
        """Whether the posts of a group speak of the places of several chains, and of no one's mostly.

        `streets closed`, `we ran out`: a manner of speaking that the crowds of several matters share.
        """
        evidence = self._crowds.evidence(hot.rows[group.posts])
        somewhere = [
            chain.place if chain.place >= 0 else chain.country for chain in self._chains if not chain.ended
        ]
        sides = sorted({side for side in somewhere if side >= 0})
        if len(sides) < 2 or not len(evidence.rows):
            return False
        side_of = self._gazette.nearest(evidence.rows, sides, self._settings.same_place_km)
        votes = evidence.votes(side_of, len(sides)) > 0.0
        placed = int(np.bincount(evidence.owners, minlength=evidence.posts).astype(bool).sum())
        theirs, of_one = int(votes.any(axis=1).sum()), int(votes.sum(axis=0).max())
        return theirs >= 0.6 * placed and of_one < 0.7 * theirs

    def _gather(self, hot: HotTerms, groups: list[Group]) -> list[Group]:
        """One group a chain; groups without a chain stay as they are."""
        by_chain: dict[str, list[Group]] = {}
        loose = []
        for group in groups:
            if group.chain is None:
                loose.append(group)
            else:
                by_chain.setdefault(group.chain.id, []).append(group)
        return [self._together(hot, part, part[0].chain) for part in by_chain.values()] + loose

    def _join_kin(self, hot: HotTerms, groups: list[Group]) -> list[Group]:
        """Join what different languages say of one matter; of two chains the younger ends in the older."""
        sets = [[at] for at in range(len(groups))]
        for nats, one, other in self._kinship.pairs(hot, groups):
            mine, its = sets[one], sets[other]
            chained = all(any(groups[at].chain for at in part) for part in (mine, its))
            apart = any(self._apart(groups[a], groups[b]) for a in mine for b in its)
            if mine is its or apart or (chained and nats < self._settings.kin_chains):
                continue
            mine.extend(its)
            for at in its:
                sets[at] = mine
        parts = {id(part): sorted(part) for part in sets}.values()
        return [self._as_one(hot, [groups[at] for at in part]) for part in parts]

    def _as_one(self, hot: HotTerms, part: list[Group]) -> Group:
        chains = [group.chain for group in part if group.chain is not None]
        by_age = sorted(chains, key=lambda chain: (chain.first_us, chain.id))
        for younger in by_age[1:]:
            self._chains.absorb(younger, by_age[0])
        return self._together(hot, part, by_age[0] if by_age else None)

    def _each_fit(self, hot: HotTerms, groups: list[Group]) -> list[Group]:
        return [fit for group in groups for fit in self._by_themselves(hot, group)]

    def _by_themselves(self, hot: HotTerms, group: Group) -> list[Group]:
        """The group without those of its languages that could not stand alone, and each of those by itself.

        However they came together: who turns on somebody may share a place or a word with another's event.
        """
        spoken = self._parts.by_language(hot, group.clusters)
        if len(spoken) < 2:
            return [group]
        alone = {code: self._profile(hot, clusters) for code, clusters in spoken.items()}
        parts = {code: self._parts.of(hot, each.posts, each.hot) for code, each in alone.items()}
        fit = [code for code in spoken if self._parts.can_stand_alone(parts[code])]
        left_out = [alone[code] for code in spoken if code not in fit]
        if not fit:
            return left_out
        if left_out:
            group = self._profile(hot, [c for code in fit for c in spoken[code]], group.chain)
        group.parts = tuple(parts[code] for code in fit) if len(fit) > 1 else ()
        return [group, *left_out]
