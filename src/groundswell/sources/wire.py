"""Turns one recorded or received message into a row, or into the reason why not.

Owns the three forms a post arrives in, told apart by content: Jetstream version 1, Jetstream version 2
(`xrpc.v1.json` frames), and plain posts. Keys that are not named here are skipped unread. It holds no state:
order, time and repetition are the business of `timeline` and `jetstream`.

This is the plain reader, one message at a time: what it says is right by definition. Streams are read by
`columns`, whose kernels settle the common shapes in a fraction of the time and ask here about all others.

Forms: <https://github.com/bluesky-social/jetstream> `docs/README.md` 5.1 and 5.2, and the lexicon
`network.bsky.jetstream.subscribeEvents`.
"""

from __future__ import annotations

import math
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.batches import Kind
from groundswell.drops import SourceDrop
from groundswell.sources import bluesky
from groundswell.sources.forms import Account, Commit, Geotag, Notice, Payload, PlainPost, Version1, Version2
from groundswell.sources.rows import Row
from groundswell.sources.siphash import siphash

__all__ = ["DELIVERY_KEY", "MESSAGE_BYTES", "Decoder", "time_of"]

MESSAGE_BYTES = 1 << 20
"""The longest message read, in bytes."""
EARLIEST_US = 946_684_800_000_000  # 2000-01-01
LATEST_US = 4_102_444_800_000_000  # 2100-01-01
MAX_KEY_LENGTH = 2048  # of an id or an account; a DID has at most 2,048 characters
DELIVERY_KEY: npt.NDArray[np.uint64] = np.frombuffer(secrets.token_bytes(16), np.uint64)
"""This process's own: a delivery is of no use to anyone who reads it elsewhere."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STILL_THERE = ("desynchronized", "throttled")  # inactive for the host's own reasons, not the account's
_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")  # no dot, no at: never a handle
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_COMMIT_KINDS = {"create": Kind.POST, "update": Kind.EDIT, "delete": Kind.DELETE}


_FORMS: tuple[msgspec.json.Decoder[Any], ...] = (
    msgspec.json.Decoder(Version1),
    msgspec.json.Decoder(Version2),
    msgspec.json.Decoder(PlainPost),
)
_ORDERS = tuple(
    (_FORMS[first], *(form for form in _FORMS if form is not _FORMS[first])) for first in range(3)
)
_RECORD = msgspec.json.Decoder(bluesky.Record)
_GEO = msgspec.json.Decoder(Geotag)
_ANY_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Decoder:
    """Decodes messages of all three forms.

    >>> decoder = Decoder("mastodon")
    >>> row = decoder.decode(b'{"id":"1","created_at":"2026-05-01T00:00:00Z","account":"a","text":"rain"}')
    >>> row.source, row.text
    ('mastodon', 'rain')

    Parameters
    ----------
    source
        The source of plain posts that do not name one.
    jetstream
        The source of Jetstream messages.
    """

    def __init__(self, source: str, jetstream: str = "bluesky") -> None:
        self._source = source
        self._jetstream = jetstream

    def decode(self, message: bytes) -> Row | SourceDrop | Notice:
        """One message; never raises, whatever the bytes."""
        if len(message) > MESSAGE_BYTES:
            return SourceDrop.OVERSIZE
        # Quotes inside a JSON string are escaped, so these can only be keys (or whole values): a guess that
        # saves decoding twice, no more.
        if b'"time_us"' in message:
            forms = _ORDERS[0]
        elif b'"payload"' in message:
            forms = _ORDERS[1]
        else:
            forms = _ORDERS[2]
        try:
            for form in forms:
                try:
                    return self._read(form.decode(message))
                except msgspec.ValidationError:
                    continue
            _ANY_OBJECT.decode(message)
        except (ValueError, RecursionError) as error:
            return _unreadable(message, error)
        return SourceDrop.WRONG_TYPE

    def _read(self, message: Version1 | Version2 | PlainPost) -> Row | SourceDrop | Notice:
        if isinstance(message, Version1):
            time_us = message.time_us if EARLIEST_US <= message.time_us < LATEST_US else None
            return self._event(message.kind, message.did, time_us, message.commit, message.account)
        if isinstance(message, PlainPost):
            return self._plain(message)
        payload = message.payload
        if message.type == "error":
            return Notice(message.error, fatal=True)
        if message.type not in ("message", "event"):  # the proposal says `event`, the server `message`
            return SourceDrop.UNKNOWN_KIND
        if payload is None:
            return SourceDrop.WRONG_TYPE
        kind = payload.type.rpartition("#")[2]
        if kind == "info":
            return Notice(payload.name, fatal=False)
        time_us = time_of(payload.witnessed_at or payload.time)
        return self._event(kind, payload.did, time_us, payload, payload.account)

    def _event(
        self,
        kind: str,
        did: str,
        time_us: int | None,
        commit: Commit | Payload | None,
        account: Account | None,
    ) -> Row | SourceDrop:
        if kind not in ("commit", "account", "identity", "sync"):
            return SourceDrop.UNKNOWN_KIND
        if not did.startswith("did:") or len(did) > MAX_KEY_LENGTH:
            return SourceDrop.WRONG_TYPE
        if kind == "commit" and commit is not None:
            return self._commit(did, time_us, commit)
        if kind == "account" and account is not None:
            return self._account(did, time_us, account)
        return SourceDrop.NO_CONTENT if kind in ("identity", "sync") else SourceDrop.WRONG_TYPE

    def _commit(self, did: str, time_us: int | None, commit: Commit | Payload) -> Row | SourceDrop:
        kind = _COMMIT_KINDS.get(commit.operation)
        if kind is None:
            return SourceDrop.UNKNOWN_KIND
        if commit.collection != bluesky.COLLECTION:
            return SourceDrop.NOT_A_POST
        if not 0 < len(commit.rkey) <= MAX_KEY_LENGTH:
            return SourceDrop.WRONG_TYPE
        if time_us is None:
            return SourceDrop.CLOCK_OFF
        row = Row(
            kind=kind,
            source=self._jetstream,
            uri=f"at://{did}/{bluesky.COLLECTION}/{commit.rkey}",
            account=did,
            time_us=time_us,
            delivery=_delivery(did, commit.rkey, commit.rev, commit.operation),
        )
        if kind is Kind.DELETE:
            return row
        return _fill(row, commit.record)

    def _account(self, did: str, time_us: int | None, account: Account) -> Row | SourceDrop:
        if account.active or account.status in _STILL_THERE:
            return SourceDrop.NO_CONTENT
        if time_us is None:
            return SourceDrop.CLOCK_OFF
        return Row(
            kind=Kind.ACCOUNT_GONE,
            source=self._jetstream,
            account=did,
            time_us=time_us,
            delivery=_delivery(did, account.status or "", account.time or "", time_us=time_us),
        )

    def _plain(self, post: PlainPost) -> Row | SourceDrop:
        uri, account = str(post.id), str(post.account)
        if not (0 < len(uri) <= MAX_KEY_LENGTH and 0 < len(account) <= MAX_KEY_LENGTH):
            return SourceDrop.WRONG_TYPE
        if post.text is msgspec.UNSET and not post.deleted:
            return SourceDrop.WRONG_TYPE
        time_us = time_of(post.created_at)
        if time_us is None:
            return SourceDrop.CLOCK_OFF
        source = self._source_named(post.source)
        if post.deleted:
            return Row(kind=Kind.DELETE, source=source, uri=uri, account=account, time_us=time_us)
        latitude, longitude = _position(post.geo)
        return Row(
            kind=Kind.POST,
            source=source,
            uri=uri,
            account=account,
            text=post.text or "",
            langs=_items(post.langs),
            urls=_items(post.urls),
            media=_items(post.media),
            latitude=latitude,
            longitude=longitude,
            time_us=time_us,
        )

    def _source_named(self, name: str | None) -> str:
        """The name a post gives its source, where it looks like one: it is published later."""
        lowered = (name or "").lower()
        return lowered if _SOURCE_NAME.fullmatch(lowered) else self._source


def _delivery(*parts: str, time_us: int | None = None) -> int:
    """What copies of one message share; `time_us` speaks where the last part is empty."""
    hashed = "".join(part + "\0" for part in parts).encode()
    if time_us is not None and not parts[-1]:
        hashed += time_us.to_bytes(8, "little")
    return int(siphash(DELIVERY_KEY, np.frombuffer(hashed, np.uint8), len(hashed)))


def time_of(text: str) -> int | None:
    """Microseconds since the epoch of an RFC 3339 time; None for no time and for one out of all bounds.

    A time without an offset is read as UTC.

    >>> time_of("2026-05-01T00:00:14.372+00:00")
    1777593614372000
    >>> time_of("yesterday") is None
    True
    """
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        time_us = (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None
    return time_us if EARLIEST_US <= time_us < LATEST_US else None


def _fill(row: Row, raw: msgspec.Raw) -> Row | SourceDrop:
    """Put the record's content into `row`."""
    if not memoryview(raw):  # no record came
        return SourceDrop.WRONG_TYPE
    try:
        record = _RECORD.decode(raw)
    except msgspec.ValidationError:
        return SourceDrop.WRONG_TYPE
    if bluesky.is_years_off(record, row.time_us):
        return SourceDrop.CLOCK_OFF
    row.text = bluesky.text_of(record)
    row.marks = bluesky.marks(record)
    if record.langs:
        row.langs = bluesky.short_list(record.langs)
    if record.embed is not None:
        row.media = bluesky.pictures(record.embed, row.account)
    if record.embed is not None or record.facets:
        row.urls = bluesky.links(record)
    return row


def _unreadable(message: bytes, error: Exception) -> SourceDrop:
    """Why a message is no JSON object: bad bytes and half a surrogate pair look like broken syntax."""
    if isinstance(error, UnicodeDecodeError):  # msgspec before 0.23
        return SourceDrop.BAD_ENCODING
    mended = _SURROGATE.sub(b"?", message.decode("utf-8", "replace").encode())
    if mended != message:
        try:
            _ANY_OBJECT.decode(mended)
        except (ValueError, RecursionError):
            return SourceDrop.MALFORMED_JSON
        return SourceDrop.BAD_ENCODING
    return SourceDrop.MALFORMED_JSON


def _items(value: list[str] | str | None) -> tuple[str, ...]:
    if not value:
        return ()
    return bluesky.short_list([value] if isinstance(value, str) else value)


def _position(raw: msgspec.Raw) -> tuple[float | None, float | None]:
    """Latitude and longitude in degrees; a geotag that cannot be read leaves the post without one."""
    if not memoryview(raw):
        return None, None
    try:
        geo = _GEO.decode(raw)
    except (ValueError, RecursionError):
        return None, None
    latitude = geo.lat if geo.lat is not None else geo.latitude
    longitude = next((value for value in (geo.lon, geo.lng, geo.longitude) if value is not None), None)
    if geo.coordinates is not None and len(geo.coordinates) in (2, 3):
        longitude, latitude = geo.coordinates[:2]
    if latitude is None or longitude is None or not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None, None
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None, None
    return latitude, longitude
