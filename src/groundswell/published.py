"""The record types right of the line: everything here is safe to publish.

A record speaks of at least k distinct accounts, with laddered counts, coarse places and times to the
second. No type here has, or may get, a field for an author, an account, a handle or a post; a test reads
the schema and fails on one. JSON field names are stable.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "RECORD_TYPES",
    "Amplification",
    "Bin",
    "Coverage",
    "CrowdRecord",
    "Event",
    "Image",
    "Mark",
    "Mood",
    "Narrative",
    "Picture",
    "Place",
    "Record",
    "Step",
    "to_json",
]

State = Literal["new", "growing", "steady", "fading", "ended"]
Level = Literal["cell", "region", "country"]


class Place(msgspec.Struct, frozen=True):
    """Where a crowd's matter is, as coarse as the rules for the place ask."""

    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    h3: str | None
    """H3 cell at resolution 6 to 3; null when only the country is sure or showable."""
    level: Level
    confidence: float
    """In [0, 1], two decimals."""


class Mood(msgspec.Struct, frozen=True):
    """How a crowd spoke: the shares of its moods in quarters; null where too few stand behind one."""

    negative: float | None
    neutral: float | None
    positive: float | None


class CrowdRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that events, narratives and amplification share."""

    id: str
    first_seen: str
    last_seen: str
    published_at: str
    accounts: str
    """A rung of the ladder: `20+`, `50+`, `100+`, …"""
    phrases: tuple[str, ...]
    category: str
    place: Place | None
    languages: tuple[str, ...]
    sources: tuple[str, ...]
    domains: tuple[str, ...]
    state: State
    simulated: bool = False
    replayed: bool = False


class Event(CrowdRecord, frozen=True, kw_only=True, tag_field="kind", tag="event"):
    """Something that is happening, as a crowd speaks of it."""

    mood: Mood | None = None
    """Null where too few of the crowd have a mood that counts."""


class Step(msgspec.Struct, frozen=True):
    """Since when a narrative is told on one source in one language."""

    since: str
    """To five minutes."""
    source: str
    language: str


class Narrative(CrowdRecord, frozen=True, kw_only=True, tag_field="kind", tag="narrative"):
    """Something that is said again and again."""

    recurrences: int
    """Stretches in which it was told, with an hour of quiet or more between them."""
    path: tuple[Step, ...] = ()
    """How it moved, oldest first."""


class Amplification(CrowdRecord, frozen=True, kw_only=True, tag_field="kind", tag="amplification"):
    """Near-identical messages from many accounts in too short a time to be chance."""

    p_value: float
    spread_seconds: float


class Coverage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="coverage"):
    """What was not collected, or far less than was to be expected: told as such, never as zero."""

    id: str
    source: str
    language: str | None = None
    """Null for the whole source."""
    first_seen: str
    last_seen: str
    published_at: str
    state: Literal["not_collected", "below_expected", "delayed", "restored"]
    reason: str
    """`outage`, `cursor_too_old`, `slow_reader`; `silent`, `low_volume`, `late`."""
    ongoing: bool = False
    """Whether it goes on after `last_seen`, as far as is known."""
    simulated: bool = False
    replayed: bool = False


class Mark(msgspec.Struct, frozen=True):
    """An emblem in a picture: of an organisation or a hazard, never of a person, a faith or a movement."""

    name: str
    category: str


class Picture(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="picture"):
    """A picture that a crowd made public: what may be shown of it, and what stands in it."""

    id: str
    event: str
    """The id of the event or amplification whose crowd posted it."""
    first_seen: str
    last_seen: str
    published_at: str
    accounts: str
    """Who posted it, as a rung of the ladder."""
    words: tuple[str, ...]
    """Short texts in it, of signs mostly."""
    languages: tuple[str, ...]
    emblems: tuple[Mark, ...]
    tags: tuple[str, ...]
    """What it seems to show; experimental."""
    media_type: str | None
    """Of the file under its id; null when it may be told of and not shown, or not any more."""
    width: int
    height: int
    state: Literal["shown", "told", "withdrawn"]
    simulated: bool = False
    replayed: bool = False


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a picture that may be shown: faces and plates filled in, no metadata; for 72 hours."""

    id: str
    media_type: str
    published_at: str
    body: bytes


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable five-minute bin of a series; `accounts` is null under the floor."""

    series: str
    start: str
    accounts: str | None


Record = Event | Narrative | Amplification | Coverage | Picture
RECORD_TYPES: tuple[type[msgspec.Struct], ...] = (Event, Narrative, Amplification, Coverage, Picture)

_ENCODER = msgspec.json.Encoder()


def to_json(record: msgspec.Struct) -> bytes:
    """One JSON object, without a newline; keys in declaration order, `kind` first."""
    return _ENCODER.encode(record)
