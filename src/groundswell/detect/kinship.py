"""Are two crowds that share no wording about the same matter? One event is spoken of in many languages.

Owns that one question, and answers it in nats: the logarithm of how much likelier what two crowds have in
common is of one matter than of two. Evidence are places, the category, when they began, numbers, names that
survive transliteration (`sounds`), whole links, pictures and rare domains, each weighed by how rare it is;
places apart and other categories speak against. Only crowds that mostly speak different languages are asked:
those of one language share words, which `groups` sees; and only such as could be published alone (`parts`).
No speakers are compared, and nothing is remembered.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.detect.bursts import HotTerms
from groundswell.detect.chains import ChainSettings, alike
from groundswell.detect.columns import Array, distinct, group
from groundswell.detect.crowds import Crowds
from groundswell.detect.gazette import Gazette
from groundswell.detect.parts import Parts
from groundswell.detect.sounds import skeleton
from groundswell.detect.window import Window
from groundswell.pile_ons import UNSAID

if TYPE_CHECKING:
    from groundswell.detect.groups import Group

__all__ = ["Kinship", "Profile"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

_PEOPLE = 4e9
"""A place with so many people in it would say nothing: half of mankind."""
_NAMES = 8
"""Most used words of a crowd that are tried as names."""
_NATS_A_CONSONANT = 1.7
_SHORTEST = 3
_LEAST_TRIED = 16
"""Pairs of names that a match is held against at least."""
_LONGEST_ENDING = 2
"""Consonants that a case or a particle adds to a name."""
_MOST_NAMES, _MOST_NUMBERS, _MOST_LINKS, _MOST_DOMAINS = 7.0, 4.0, 7.0, 2.0
_TOGETHER_MINUTES = 8.0
_LEAST_LINKED = 2
_SIMULTANEOUS = 3.0
"""ln(180 / 8) nats: both began at once, when one matter's crowds begin within eight minutes of each other and
two matters' at any time of three hours."""
_SAME_KIND, _ALIKE, _UNSAID, _UNLIKE = 1.5, 0.5, -0.5, -4.0
_NESTED = 5.0
_OUT_OF_REACH = -3.0
_IDENTIFYING = 3.0
"""So much must come from more than country, kind and time: two floods can begin at once in one country."""
_NO = -math.inf
_INTERNATIONAL_WORDS = """
    police polizia hospital ambulance video photo foto radio tsunami terror bomb president minister million
    victim emergency magnitude epicentre hurricane cyclone tornado train metro tram autobus alarm alert
    situation information evacuation electricity catastrophe terremoto inundation volunteer donation
    festival final penalty champion football stadium election protest virus cholera twitter facebook
    internet explosion incendio region centre station street kilometre
"""
_INTERNATIONAL = frozenset(map(skeleton, _INTERNATIONAL_WORDS.split()))
"""Words that many languages share: no names. (Words that say the category are told by their posts.)"""


@dataclass(frozen=True)
class Profile:
    """What a crowd says that can be held against another language's."""

    language: str
    """The one that most of its posts are in; empty when none is sure."""
    place: int
    country: int
    category: str
    onset_us: int
    names: tuple[str, ...]
    """Skeletons, most used first."""
    numbers: frozenset[str]
    links: frozenset[int]
    domains: frozenset[int]


class Kinship:
    """Weighs crowds of one tick against each other.

    Parameters
    ----------
    floor_k
        See `Detector`; a name or a number needs a quarter of it.
    """

    def __init__(
        self,
        settings: ChainSettings,
        window: Window,
        crowds: Crowds,
        gazette: Gazette,
        parts: Parts,
        floor_k: int,
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._window = window
        self._crowds = crowds
        self._gazette = gazette
        self._least = max(3, floor_k // 4)

    def pairs(self, hot: HotTerms, groups: list[Group]) -> list[tuple[float, int, int]]:
        """(nats, one, other) of the groups, by index, that are about one matter; surest first."""
        languages = [self._crowds.language(hot.rows[group.posts]) for group in groups]
        asked = [
            (one, other)
            for one, other in combinations(range(len(groups)), 2)
            if self._worth_asking(groups[one], groups[other], languages[one], languages[other])
        ]
        if not asked:
            return []
        profiles = {at: self.profile(hot, groups[at], languages[at]) for at in sorted({*sum(asked, ())})}
        everyone = _Domains(self._window)
        found = []
        for one, other in asked:
            nats = self.nats(profiles[one], profiles[other], everyone)
            chains = groups[one].chain is not None and groups[other].chain is not None
            if nats >= (self._settings.kin_chains if chains else self._settings.kin):
                found.append((round(nats, 6), one, other))
        alike = sorted({at for _, *pair in found for at in pair})
        alone = {at for at in alike if self._can_stand_alone(hot, groups[at])}
        return sorted(
            (pair for pair in found if alone.issuperset(pair[1:])), key=lambda pair: (-pair[0], *pair[1:])
        )

    def _worth_asking(self, one: Group, other: Group, language: str, other_language: str) -> bool:
        if not language or not other_language or language == other_language:
            return False
        if one.chain is not None and other.chain is not None and one.chain.id == other.chain.id:
            return False
        if not all(_says_what_or_where(group) and self._holds(group) for group in (one, other)):
            return False
        return not self._apart(_whereabouts(one), _whereabouts(other))

    def _can_stand_alone(self, hot: HotTerms, group: Group) -> bool:
        return self._parts.can_stand_alone(self._parts.of(hot, group.posts, group.hot))

    def _holds(self, group: Group) -> bool:
        """Whether the group is what its chain, an event, was published as; a mixed crowd speaks for none."""
        chain = group.chain
        if chain is None:
            return True
        unlike = UNSAID not in (group.category, chain.category) and not alike(group.category, chain.category)
        apart = self._apart((group.place, group.country), (chain.place, chain.country))
        return chain.kind == "event" and not unlike and not apart

    def _apart(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        return self._gazette.apart(*one, *other, self._settings.apart_km)

    def profile(self, hot: HotTerms, group: Group, language: str) -> Profile:
        """Read off the window what the group says."""
        rows, speakers = hot.rows[group.posts], hot.speakers[group.posts]
        onset_us = int(np.quantile(hot.times_us[group.posts], 0.1, method="lower"))
        if group.chain is not None and onset_us - group.chain.first_us > HOUR_US / 2:
            onset_us = group.chain.first_us
        names, numbers = self._words(hot, group)
        place, country = _whereabouts(group)
        return Profile(
            language=language,
            place=place,
            country=country,
            category=_category(group),
            onset_us=onset_us,
            names=(*self._place_names(place), *names)[:_NAMES],
            numbers=numbers,
            links=self._links(rows, speakers),
            domains=_shared(*self._window.lists_at("domains", rows), speakers, self._least),
        )

    def _place_names(self, place: int) -> list[str]:
        if place < 0:
            return []
        sounds = [skeleton(name) for name in self._gazette.names(np.array([place]))]
        return [sound for sound in sounds if len(sound) >= _SHORTEST]

    def _words(self, hot: HotTerms, group: Group) -> tuple[list[str], frozenset[str]]:
        """(skeletons of what may be names, numbers) among the group's hot terms, most used first."""
        terms = group.hot
        inside = hot.inside(group.posts, terms)
        uses = np.diff(inside.indptr)
        surfaces = self._crowds.surfaces(hot, terms, group.posts, inside)
        of_kind = self._crowds.of_category(hot.rows[group.posts], group.category)
        names: list[str] = []
        numbers: list[str] = []
        for at in np.argsort(-uses, kind="stable").tolist():
            surface = surfaces[at]
            if uses[at] < self._least or not surface:
                continue
            number = _number(surface)
            if number:
                numbers.append(number)
            elif " " not in surface:
                saying = of_kind[inside.indices[inside.indptr[at] : inside.indptr[at + 1]]]
                sound = skeleton(surface)
                if (
                    len(sound) >= _SHORTEST
                    and sound not in _INTERNATIONAL
                    and not _says_kind(saying, of_kind)
                ):
                    names.append(sound)
        return names, frozenset(numbers)

    def _links(self, rows: I64Array, speakers: U64Array) -> frozenset[int]:
        """Links and pictures, whole: terms that stand nowhere in the text."""
        terms, owners = self._window.lists_at("terms", rows)
        ends, _ = self._window.lists_at("term_ends", rows)
        return _shared(terms[ends == 0], owners[ends == 0], speakers, _LEAST_LINKED)

    def nats(self, one: Profile, other: Profile, everyone: _Domains) -> float:
        """How much likelier one matter is than two; minus infinity where it cannot be one."""
        near, country = self._whereabouts(one, other)
        if near == _NO:
            return _NO
        known = (
            near
            + _names_in_common(one.names, other.names)
            + min(sum(map(_weight, one.numbers & other.numbers)), _MOST_NUMBERS)
            + min(5.0 * bool(one.links & other.links) + len(one.links & other.links), _MOST_LINKS)
            + min(sum(everyone.nats(domain) for domain in one.domains & other.domains), _MOST_DOMAINS)
        )
        if known < _IDENTIFYING:
            return _NO
        minutes = abs(one.onset_us - other.onset_us) / MINUTE_US
        return known + country + _kind(one.category, other.category) + max(
            _SIMULTANEOUS - minutes / _TOGETHER_MINUTES, -2.0
        )  # fmt: skip

    def _whereabouts(self, one: Profile, other: Profile) -> tuple[float, float]:
        """(nats of a town or region in common, of a country); the first says no where they differ."""
        if one.country < 0 or other.country < 0:
            return 0.0, 0.0
        if not self._gazette.same_country(one.country, other.country):
            near = one.place >= 0 and other.place >= 0
            near = near and self._gazette.near(one.place, other.place, self._settings.same_place_km)
            return (2.0, 0.0) if near else (_NO, 0.0)
        country = _rarity(self._gazette.population(one.country), 1.0, 4.0)
        if one.place < 0 or other.place < 0:
            return 0.0, country
        if self._gazette.near(one.place, other.place, self._settings.same_place_km):
            smaller = min(self._gazette.population(place) for place in (one.place, other.place))
            return _rarity(smaller, 5.0, 7.0), 0.0
        if self._gazette.nested(one.place, other.place):
            return _NESTED, 0.0
        return (_NO if _both_towns(self._gazette, one, other) else 0.0), country + _OUT_OF_REACH


def _says_what_or_where(group: Group) -> bool:
    """A crowd that says neither is kept from every other: whom it has turned on, nobody can tell."""
    return group.category != UNSAID or group.country >= 0


def _whereabouts(group: Group) -> tuple[int, int]:
    """(place, country): what the group's chain was published with, before what its crowd says now."""
    chain = group.chain
    if chain is None or chain.country < 0:
        return group.place, group.country
    return (chain.place, chain.country) if chain.place >= 0 else (group.place, group.country)


def _category(group: Group) -> str:
    chain = group.chain
    return group.category if chain is None or chain.category == UNSAID else chain.category


def _shared(values: Array, owners: I64Array, speakers: U64Array, least: int) -> frozenset[int]:
    """Those of `values` that `least` distinct speakers have; `owners` index `speakers`."""
    if not len(values):
        return frozenset()
    numbers, different = group(values)
    counts = distinct(numbers, speakers[owners], len(different))
    return frozenset(different[counts >= least].tolist())


class _Domains:
    """How often each domain is linked to in the whole window; counted when it is first asked for."""

    def __init__(self, window: Window) -> None:
        self._window = window

    @cached_property
    def _counts(self) -> I64Array:
        rows = np.arange(self._window.first_row, self._window.end_row)
        return np.bincount(self._window.lists_at("domains", rows)[0].astype(np.int64))

    def nats(self, domain: int) -> float:
        return max(0.0, math.log(self._counts.sum() / self._counts[domain]) - 1.0)


def _both_towns(gazette: Gazette, one: Profile, other: Profile) -> bool:
    return gazette.is_town(one.place) and gazette.is_town(other.place)


def _rarity(people: int, least: float, most: float) -> float:
    """Nats of a place in common, from how many people live there: more is said of large ones by chance."""
    return min(max(math.log(_PEOPLE / max(people, 1)), least), most)


def _kind(one: str, other: str) -> float:
    if UNSAID in (one, other):
        return _UNSAID
    return _SAME_KIND if one == other else _ALIKE if alike(one, other) else _UNLIKE


def _names_in_common(names: tuple[str, ...], others: tuple[str, ...]) -> float:
    """Nats of the names that sound alike: a consonant is one of seven, and so many pairs were tried."""
    tried = math.log(max(len(names) * len(others), _LEAST_TRIED))
    total = 0.0
    for name in sorted({_common(one, other) for one, other in product(names, others)} - {""}):
        total += max(0.0, _NATS_A_CONSONANT * len(name) - tried)
    return min(total, _MOST_NAMES)


def _common(one: str, other: str) -> str:
    """The shorter of two names when the longer only adds an ending to it; else nothing."""
    short, long = sorted((one, other), key=len)
    fits = long.startswith(short) and len(long) - len(short) <= _LONGEST_ENDING
    return short if fits else ""


def _number(surface: str) -> str:
    """The number that a term is, in Latin digits, with a point between two; empty where it is none.

    >>> _number("7 2"), _number("٧ ٢"), _number("2026"), _number("day 2")
    ('7.2', '7.2', '2026', '')
    """
    parts = surface.split()
    if not 1 <= len(parts) <= 2 or not all(part.isdecimal() for part in parts):
        return ""
    return ".".join("".join(str(unicodedata.decimal(digit)) for digit in part) for part in parts)


def _weight(number: str) -> float:
    """Nats of a number in common: the more digits, the rarer; years and single digits say nothing."""
    if "." in number:
        return 2.5
    if len(number) < 2 or (len(number) == 4 and number[:2] in ("19", "20")):
        return 0.0
    return 1.0 if len(number) == 2 else 2.0


def _says_kind(saying: npt.NDArray[np.bool_], of_kind: npt.NDArray[np.bool_]) -> bool:
    """Whether a word gives its posts their category (`terremoto`), so far as the others without it tell.

    A word that has nothing to do with the category is in posts of it as often as others are; all of them by
    chance only when the whole crowd speaks so, and then nothing is known.
    """
    return bool(saying.all()) and float(of_kind.mean()) ** len(saying) < 0.05
