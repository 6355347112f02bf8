"""Chains: the stable identity of what is spoken about, from tick to tick, while its words move on.

A chain exists only once `release` has let it over the line; before that, a cluster is judged afresh at each
tick. So a chain's memory holds nothing that was not fit to publish: at every five-minute boundary it is cut
down to terms that at least k speakers used (`seal`), which is what the checkpoint stores and what a
restarted run goes on from. An undisturbed run makes the same cut, so both go on alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.config import Settings

__all__ = ["Chain", "ChainSettings", "Chains", "Owned", "alike"]


_SHARED = 0.3
"""Of a word's weight in the chain that owns it: more in another, and it is neither's."""
_NOTHING: Mapping[int, float] = MappingProxyType({})
_FAMILIES = (
    frozenset({"earthquake", "tsunami", "landslide", "eruption"}),
    frozenset({"storm", "flood", "landslide", "snow"}),
    frozenset({"explosion", "attack", "industrial", "transport"}),
    frozenset({"wildfire", "heat", "drought"}),
)


def alike(one: str, other: str) -> bool:
    """Whether two categories can be of one matter: the same, or such as come together.

    >>> alike("storm", "flood"), alike("storm", "explosion")
    (True, False)
    """
    return one == other or any(one in family and other in family for family in _FAMILIES)


class ChainSettings(Settings, frozen=True, kw_only=True):
    """When a cluster is the same matter as before."""

    link: float = 0.2
    """Least cosine of hot-term surprise between a cluster and its chain."""
    attach: float = 0.3
    """Least cosine, or share of posts in common, at which a fragment joins a chain already matched."""
    same_words: float = 0.3
    """Least cosine of how two crowds use the hot terms at which they are of one matter wherever they are."""
    same_place_km: float = 150.0
    """Fragments of one category this near to a chain's place are the chain's."""
    apart_km: float = 400.0
    """Clusters whose places are at least so far apart are not one matter. Both double for regions."""
    divide: float = 0.3
    """A cluster is parted between places when the weaker has this share of the stronger's evidence."""
    unlike: float = 0.4
    """The same between a cluster and a chain of different categories."""
    back: float = 0.7
    """The same when the chain has ended, or is somewhere else."""
    inertia: float = 0.97
    """What a term's weight keeps at each look; the rest comes from how hot it is then."""
    quiet_minutes: int = 60
    """A chain without posts for so long has ended."""
    kin: float = 8.0
    """Nats at which crowds of different languages are one matter; see `kinship`."""
    kin_chains: float = 9.0
    """The same of two chains: the younger ends."""
    forget_hours: int = 12
    """An ended chain can return under its id for so long."""
    terms: int = 200
    follow: int = 30
    """Strongest terms of a chain that stay hot while it lives, however usual they become; none for 0 …"""
    follow_share: float = 0.1
    """… each with at least this share of the strongest one's weight."""


class Chain(msgspec.Struct):
    """One matter: published under `id` since `first_us`."""

    id: str
    kind: str
    seed: int
    first_us: int
    last_us: int
    terms: dict[int, float]
    """Weight by term hash."""
    place: int
    """Gazetteer row, -1 for none."""
    country: int
    category: str
    ended: bool = False
    usual: dict[int, float] = msgspec.field(default_factory=dict)
    """Uses a minute that were usual before the chain, by term hash: the least that was seen."""

    def cosine(self, terms: dict[int, float]) -> float:
        dot = sum(value * self.terms.get(term, 0.0) for term, value in terms.items())
        if dot == 0.0:
            return 0.0
        return dot / (_length(self.terms) * _length(terms))


def _length(terms: dict[int, float]) -> float:
    """Euclidean; 1 for an empty vector, so that it can be divided by."""
    return math.sqrt(sum(value * value for value in terms.values())) or 1.0


class Owned(NamedTuple):
    """What a chain knows of a term that stands for it alone."""

    chain: str
    since_us: int
    """The chain's first post."""
    usual: float
    """Uses a minute that were usual before; infinite when nobody knows."""
    followed: bool
    """Whether it stays hot while the chain lives."""


class Chains:
    """All chains that are open or may return."""

    def __init__(self, settings: ChainSettings) -> None:
        self.settings = settings
        self._chains: dict[str, Chain] = {}
        self._sealed: dict[str, set[int]] = {}

    def __iter__(self) -> Iterator[Chain]:
        return iter(self._chains.values())

    def __len__(self) -> int:
        return len(self._chains)

    def get(self, chain_id: str) -> Chain | None:
        return self._chains.get(chain_id)

    def add(self, chain: Chain) -> None:
        self._chains[chain.id] = chain

    def own(self) -> dict[int, Owned]:
        """Terms that stand for one chain that goes on, and for no other.

        What the world has got used to since the chain began is no less the chain's: a rate's baseline learns
        a word within an hour or two, a chain is over when nobody speaks of it (see `quiet`).
        """
        found: dict[int, Owned] = {}
        most: dict[int, float] = {}
        others: dict[int, float] = {}
        for chain in self:
            if chain.ended or not chain.terms:
                continue
            ranked = sorted(chain.terms.items(), key=lambda entry: (-entry[1], entry[0]))
            for place, (term, value) in enumerate(ranked):
                share = value / ranked[0][1]
                others[term] = max(others.get(term, 0.0), min(share, most.get(term, 0.0)))
                if share > most.get(term, 0.0):
                    followed = place < self.settings.follow and share >= self.settings.follow_share
                    most[term] = share
                    found[term] = Owned(chain.id, chain.first_us, chain.usual.get(term, math.inf), followed)
        return {term: owner for term, owner in found.items() if others[term] <= _SHARED * most[term]}

    def absorb(self, younger: Chain, older: Chain) -> None:
        """The younger is the older's matter: it leaves its words there and ends at the next look."""
        mine, its = _length(older.terms), _length(younger.terms)
        for term, value in younger.terms.items():
            older.terms[term] = older.terms.get(term, 0.0) + value / its * mine
        for term, rate in younger.usual.items():
            older.usual[term] = min(rate, older.usual.get(term, math.inf))
        self._keep(older, self._strongest(older.terms))
        older.first_us = min(older.first_us, younger.first_us)
        younger.terms, younger.place, younger.country = {}, -1, -1
        younger.last_us -= self.settings.quiet_minutes * MINUTE_US

    def match(self, clusters: list[dict[int, float]], least: npt.NDArray[np.float64]) -> list[str | None]:
        """The chain of each cluster: one to one by total cosine (Hungarian method), None where too small.

        `least` is (clusters, chains): the cosine that each pair needs.
        """
        chains = list(self)
        found: list[str | None] = [None] * len(clusters)
        if not chains or not clusters:
            return found
        from scipy.optimize import linear_sum_assignment  # half a second that no first post should wait for

        cosines = np.array([[chain.cosine(terms) for chain in chains] for terms in clusters])
        cosines[cosines < least] = 0.0
        for row, column in zip(*linear_sum_assignment(-cosines), strict=True):
            if cosines[row, column] > 0.0:
                found[row] = chains[column].id
        for row in range(len(clusters)):
            column = int(cosines[row].argmax())
            if found[row] is None and cosines[row, column] >= self.settings.attach:
                found[row] = chains[column].id
        return found

    def learn(
        self, chain: Chain, terms: dict[int, float], last_us: int, usual: Mapping[int, float] = _NOTHING
    ) -> None:
        """Let the chain's words move with the crowd's, by direction only: no loud stranger takes it over."""
        inertia = self.settings.inertia
        kept = inertia / _length(chain.terms)
        added = (1.0 - inertia) / _length(terms)
        for term in chain.terms:
            chain.terms[term] *= kept
        for term, value in terms.items():
            chain.terms[term] = chain.terms.get(term, 0.0) + added * value
        for term, rate in usual.items():
            chain.usual[term] = min(rate, chain.usual.get(term, math.inf))
        if len(chain.terms) > 2 * self.settings.terms:
            self._keep(chain, self._strongest(chain.terms))
        chain.last_us = max(chain.last_us, last_us)
        chain.ended = False

    @staticmethod
    def _keep(chain: Chain, terms: dict[int, float]) -> None:
        chain.terms = terms
        chain.usual = {term: chain.usual[term] for term in terms if term in chain.usual}

    def _strongest(self, terms: dict[int, float]) -> dict[int, float]:
        ranked = sorted(terms.items(), key=lambda entry: (-entry[1], entry[0]))
        return dict(ranked[: self.settings.terms])

    def quiet(self, now_us: int) -> list[Chain]:
        """Chains that have just fallen quiet, each returned once; forgets those gone for good.

        A chain is told before it is forgotten, however long the silence was.
        """
        ended = []
        for chain in list(self):
            silence_us = now_us - chain.last_us
            if not chain.ended and silence_us > self.settings.quiet_minutes * MINUTE_US:
                chain.ended = True
                ended.append(chain)
            elif chain.ended and silence_us > self.settings.forget_hours * HOUR_US:
                del self._chains[chain.id]
        return ended

    def seal(self, common: set[int]) -> bytes:
        """Cut every chain down to terms in `common` or sealed before, and give the bytes to restore from."""
        for chain in self:
            fit = common | self._sealed.get(chain.id, set())
            kept = {term: value for term, value in chain.terms.items() if term in fit}
            self._keep(chain, {term: round(value, 5) for term, value in self._strongest(kept).items()})
            chain.usual = {term: round(rate, 2) for term, rate in chain.usual.items()}
        self._remember()
        return msgspec.msgpack.encode(list(self))

    def restore(self, sealed: bytes) -> None:
        """Go on from what `seal` gave."""
        self._chains = {chain.id: chain for chain in msgspec.msgpack.decode(sealed, type=list[Chain])}
        self._remember()

    def _remember(self) -> None:
        self._sealed = {chain.id: set(chain.terms) for chain in self}
