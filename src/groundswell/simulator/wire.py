"""The two forms of recorded posts: Jetstream messages as they come off the wire, and plain posts.

Identifiers are computed, not stored: a record key is the TID (time and ten hashed bits) of the post's moment,
revisions and content hashes follow from it. The wire says nothing of what was planted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.simulator.background import Draft
from groundswell.simulator.dice import Dice, mix
from groundswell.simulator.identities import dids

__all__ = [
    "RECORD_LAG_US",
    "Notice",
    "jetstream_notice",
    "jetstream_other",
    "jetstream_posts",
    "malformed_line",
    "moment_of",
    "plain_posts",
    "record_keys",
]

RECORD_LAG_US = 350_000
"""A record is written so long before the stream delivers it."""

_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_SORTABLE_BYTES = np.frombuffer(_SORTABLE.encode(), dtype=np.uint8)
_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_COLLECTION = "app.bsky.feed.post"
_TAG = re.compile(r"#(\w+)")
_encode = msgspec.json.Encoder().encode


class Notice(NamedTuple):
    """News that a post (`record_key`) or a whole account (`status`) is gone."""

    time_us: int
    account: int
    record_key: str | None
    status: str | None


def record_keys(times: npt.NDArray[np.int64], accounts: npt.NDArray[np.int64]) -> list[str]:
    """TIDs of the posts delivered at `times`: 53 bits of microseconds, 10 bits of hash, 13 characters."""
    clock = mix(accounts.astype(np.uint64)) & np.uint64(1023)
    return _tids((times - RECORD_LAG_US).astype(np.uint64) << np.uint64(10) | clock)


def moment_of(record_key: str) -> int | None:
    """The stream time a record key stands for, or None when it is no TID."""
    if len(record_key) != 13 or any(character not in _SORTABLE for character in record_key):
        return None
    value = 0
    for character in record_key:
        value = value << 5 | _SORTABLE.index(character)
    return (value >> 10) + RECORD_LAG_US


def jetstream_posts(seed: int, posts: Sequence[Draft]) -> list[bytes]:
    """One version 1 `commit` message a post, in order."""
    times, accounts = _columns(posts)
    keys = record_keys(times, accounts)
    revisions = _tids((times - RECORD_LAG_US + 40_000).astype(np.uint64) << np.uint64(10))
    cids = _cids(mix(times.astype(np.uint64) ^ np.uint64(seed)))
    # Authors' clocks: a second or two behind delivery, and off by hours now and then.
    written = (
        times - RECORD_LAG_US - (mix(accounts.astype(np.uint64)) % np.uint64(2_000_000)).astype(np.int64)
    )
    written -= np.where(times % 331 == 0, 7_200_000_000, 0)
    created = np.datetime_as_string(written.astype("M8[us]"), unit="ms").tolist()
    return [
        _encode(
            {
                "did": did,
                "time_us": post.time_us,
                "kind": "commit",
                "commit": {
                    "rev": revision,
                    "operation": "create",
                    "collection": _COLLECTION,
                    "rkey": key,
                    "record": _record(post, at),
                    "cid": cid,
                },
            }
        )
        for post, did, key, revision, cid, at in zip(
            posts, dids(seed, accounts), keys, revisions, cids, created, strict=True
        )
    ]


def plain_posts(seed: int, posts: Sequence[Draft]) -> list[bytes]:
    """One plain JSON post each, in order; `created_at` is the stream time to the microsecond."""
    times, accounts = _columns(posts)
    created = np.datetime_as_string(times.astype("M8[us]"), unit="us").tolist()
    lines = []
    for post, key, did, at in zip(
        posts, record_keys(times, accounts), dids(seed, accounts), created, strict=True
    ):
        plain: dict[str, Any] = {"id": key, "created_at": f"{at}Z", "account": did, "text": post.text}
        declared = _declared(post)
        if post.source is not None:
            plain["source"] = post.source
        if declared:
            plain["langs"] = declared
        if post.url:
            plain["urls"] = [post.url]
        elif post.picture:
            plain["media"] = [f"at-blob:{did}/{post.picture}"]
        lines.append(_encode(plain))
    return lines


def jetstream_notice(seed: int, notice: Notice) -> bytes:
    """A `commit` delete, or an `account` message with its status."""
    did = dids(seed, np.array([notice.account]))[0]
    if notice.record_key is None:
        return _account(did, notice.time_us, active=False, status=notice.status)
    revision = _tids(np.array([notice.time_us << 10], dtype=np.uint64))[0]
    commit = {"rev": revision, "operation": "delete", "collection": _COLLECTION, "rkey": notice.record_key}
    return _encode({"did": did, "time_us": notice.time_us, "kind": "commit", "commit": commit})


def jetstream_other(seed: int, time_us: int, account: int, dice: Dice) -> bytes:
    """A message that is no post: a like, an identity refresh, an account that is active."""
    did = dids(seed, np.array([account]))[0]
    draw = dice.below(3)
    if draw == 0:
        return _account(did, time_us, active=True, status=None)
    if draw == 1:
        body = {"did": did, "seq": time_us // 1000, "time": _instant(time_us)}
        return _encode({"did": did, "time_us": time_us, "kind": "identity", "identity": body})
    key, revision = _tids(np.array([time_us << 10, (time_us + 9) << 10], dtype=np.uint64))
    subject = dids(seed, np.array([account + 1]))[0]
    cid = _cids(np.array([time_us], dtype=np.uint64))[0]
    record = {
        "$type": "app.bsky.feed.like",
        "createdAt": _instant(time_us),
        "subject": {"cid": cid, "uri": f"at://{subject}/{_COLLECTION}/{key}"},
    }
    commit = {"rev": revision, "operation": "create", "collection": "app.bsky.feed.like", "rkey": key}
    return _encode(
        {"did": did, "time_us": time_us, "kind": "commit", "commit": {**commit, "record": record, "cid": cid}}
    )


def malformed_line(dice: Dice, neighbour: bytes) -> bytes:
    """A line that no reader should take for a post: cut off, mistyped, not UTF-8, nested too deep."""
    return dice.choose(
        (
            neighbour[: 1 + dice.below(max(1, len(neighbour) - 2))],
            neighbour.replace(b'"', b"\xff", 2),
            b"null",
            b"[]",
            b"{}",
            b'"a line that is only a string"',
            b'{"kind":"rumour","did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","time_us":1}',
            b'{"did":5,"time_us":"soon","kind":"commit","commit":[]}',
            b'{"id":{},"created_at":7,"account":null,"text":["x"]}',
            b"[" * 600 + b"]" * 600,
        )
    )


def _record(post: Draft, created: str) -> dict[str, Any]:
    record: dict[str, Any] = {"$type": _COLLECTION, "createdAt": f"{created}Z"}
    if post.url:
        external = {"description": "", "title": "", "uri": post.url}
        record["embed"] = {"$type": "app.bsky.embed.external", "external": external}
    elif post.picture:
        blob = {"$type": "blob", "ref": {"$link": post.picture}, "mimeType": "image/jpeg", "size": 1}
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": blob}]}
    if post.url or "#" in post.text:
        record["facets"] = _facets(post)
    declared = _declared(post)
    if declared:
        record["langs"] = declared
    record["text"] = post.text
    return record


def _facets(post: Draft) -> list[dict[str, Any]]:
    """Links and hashtags with their byte offsets."""
    facets = []
    if post.url and post.url in post.text:
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": post.url}
        facets.append(_facet(post.text, post.text.index(post.url), len(post.url), feature))
    for tag in _TAG.finditer(post.text):
        feature = {"$type": "app.bsky.richtext.facet#tag", "tag": tag[1]}
        facets.append(_facet(post.text, tag.start(), tag.end() - tag.start(), feature))
    return facets


def _facet(text: str, start: int, length: int, feature: dict[str, str]) -> dict[str, Any]:
    first = len(text[:start].encode())
    index = {"byteEnd": first + len(text[start : start + length].encode()), "byteStart": first}
    return {"features": [feature], "index": index}


def _declared(post: Draft) -> list[str]:
    """The languages the author's app declares: right mostly, English by default or nothing at times."""
    draw = (post.time_us ^ post.account) % 16
    return [] if draw == 0 else ["en"] if draw == 1 else [post.language]


def _account(did: str, time_us: int, *, active: bool, status: str | None) -> bytes:
    body: dict[str, Any] = {"active": active, "did": did, "seq": time_us // 1000}
    if status:
        body["status"] = status
    return _encode(
        {"did": did, "time_us": time_us, "kind": "account", "account": {**body, "time": _instant(time_us)}}
    )


def _instant(time_us: int) -> str:
    return f"{np.datetime_as_string(np.datetime64(time_us, 'us'), unit='ms')}Z"


def _columns(posts: Sequence[Draft]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    times = np.fromiter((post.time_us for post in posts), dtype=np.int64, count=len(posts))
    return times, np.fromiter((post.account for post in posts), dtype=np.int64, count=len(posts))


def _tids(values: npt.NDArray[np.uint64]) -> list[str]:
    return _characters(values, np.arange(60, -1, -5, dtype=np.uint64), _SORTABLE_BYTES)


def _cids(values: npt.NDArray[np.uint64]) -> list[str]:
    """Content identifiers (`bafyrei` and 52 characters) that hash nothing but the value given."""
    shifts = np.arange(0, 60, 5, dtype=np.uint64)
    rounds = [mix(values + np.uint64(round_)) for round_ in range(5)]
    parts = [_characters(value, shifts, _BASE32) for value in rounds]
    return ["bafyrei" + "".join(row)[:52] for row in zip(*parts, strict=True)]


def _characters(
    values: npt.NDArray[np.uint64], shifts: npt.NDArray[np.uint64], alphabet: npt.NDArray[np.uint8]
) -> list[str]:
    digits = alphabet[((values[:, None] >> shifts) & np.uint64(31)).astype(np.intp)]
    rows: list[str] = (
        np.ascontiguousarray(digits).view(f"S{len(shifts)}").ravel().astype(f"U{len(shifts)}").tolist()
    )
    return rows
