"""The shapes of the messages that are read, and of no more of them than is read.

Owns field names and types. Keys that are not named here are skipped unread; that is why a truth label beside
a recorded post, or a handle beside an account event, goes nowhere.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "Account",
    "Commit",
    "Geotag",
    "Notice",
    "Payload",
    "PlainPost",
    "Version1",
    "Version2",
]


class Notice(msgspec.Struct, frozen=True):
    """What a server says about the stream itself; it is no post."""

    name: str
    """An error or advisory name of the lexicon, such as `OutdatedCursor`."""
    fatal: bool
    """Whether the server closes the connection after it."""


class Commit(msgspec.Struct, gc=False):
    operation: str
    collection: str
    rkey: str
    rev: str = ""
    record: msgspec.Raw = msgspec.Raw()


class Account(msgspec.Struct, gc=False):
    active: bool
    status: str | None = None
    time: str | None = None


class Version1(msgspec.Struct, gc=False):
    did: str
    time_us: int
    kind: str
    commit: Commit | None = None
    account: Account | None = None


class Payload(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="$type")
    did: str = ""
    time: str = ""
    witnessed_at: str | None = msgspec.field(default=None, name="witnessedAt")
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    rev: str = ""
    record: msgspec.Raw = msgspec.Raw()
    account: Account | None = None
    name: str = ""


class Version2(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="$type")
    payload: Payload | None = None
    error: str = ""


class PlainPost(msgspec.Struct, gc=False):
    id: str | int
    created_at: str
    account: str | int
    text: str | msgspec.UnsetType | None = msgspec.UNSET
    source: str | None = None
    langs: list[str] | str | None = None
    urls: list[str] | str | None = None
    media: list[str] | str | None = None
    geo: msgspec.Raw = msgspec.Raw()
    deleted: bool | str | None = None  # true, or the time of the deletion


class Geotag(msgspec.Struct, gc=False):
    lat: float | None = None
    latitude: float | None = None
    lon: float | None = None
    lng: float | None = None
    longitude: float | None = None
    coordinates: list[float] | None = None  # GeoJSON: longitude first
