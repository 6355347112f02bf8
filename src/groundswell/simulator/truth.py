"""What was planted: the answers that tests and measurements compare with. Truth is never on the wire."""

from __future__ import annotations

import msgspec

__all__ = [
    "Planted",
    "PlantedCampaign",
    "PlantedDecoy",
    "PlantedEvent",
    "PlantedNarrative",
    "PlantedOutage",
    "PlantedPileOn",
]


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """Anything planted; times are stream time in microseconds, `end_us` exclusive."""

    id: str
    start_us: int
    end_us: int


class PlantedEvent(Planted, frozen=True, kw_only=True):
    """A public event that a crowd speaks of: this is what should be published."""

    kind: str
    place: str
    """The city's name in English (as GeoNames has it)."""
    local_place: str
    country: str
    """ISO 3166-1 alpha-2."""
    latitude: float
    longitude: float
    posts_per_second: float
    """Planned mean over the event's duration."""
    languages: tuple[str, ...]
    """Most posts first."""
    onset: str
    """`sudden`, `building` or `slow`."""
    posts: int
    """Posts on the wire, those lost in an outage not counted."""
    twin: str | None = None
    """The id of another event that it must not be taken for."""


class PlantedCampaign(Planted, frozen=True, kw_only=True):
    """One text copied by many accounts within two minutes: amplification, not an event."""

    language: str
    text: str
    posts: int
    accounts: int


class PlantedPileOn(Planted, frozen=True, kw_only=True):
    """A crowd against one invented private person: must never be published."""

    language: str
    name: str
    handle: str
    posts: int


class PlantedNarrative(Planted, frozen=True, kw_only=True):
    """A claim that is told again and again, in other words and other languages: what should be published."""

    tellings: tuple[tuple[int, int], ...]
    """When each began and ended."""
    steps: tuple[tuple[int, str, str], ...]
    """(telling, source, language): in which telling it was first told so, in the simulator's own codes."""
    domain: str
    posts: int


class PlantedDecoy(Planted, frozen=True, kw_only=True):
    """What recurs and is no narrative: `habit`, `page`, `machine` or `pile_on`."""

    sort: str
    posts: int
    name: str = ""
    """Of a pile-on: whom it is against, an invented person."""


class PlantedOutage(Planted, frozen=True, kw_only=True):
    """A stretch in which the source, or one language of it, is silent."""

    language: str | None = None
    """None for the whole source."""
