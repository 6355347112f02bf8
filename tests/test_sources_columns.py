"""The wire kernels against the plain reader: the same rows and the same reasons on every input."""

from __future__ import annotations

import json
import math
import random
import tarfile
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.batches import RAW
from groundswell.drops import SourceDrop
from groundswell.simulator import World, WorldSettings
from groundswell.sources.columns import BatchDecoder
from groundswell.sources.forms import Notice
from groundswell.sources.messages import ASK, Scratch, read_messages
from groundswell.sources.redelivery import Deliveries
from groundswell.sources.rfc3339 import NO_TIME, decimal_at, time_at
from groundswell.sources.rows import Row, to_batch
from groundswell.sources.sinks import new_sinks
from groundswell.sources.siphash import siphash
from groundswell.sources.tape import MAX_DEPTH, MAX_TOKENS
from groundswell.sources.wire import DELIVERY_KEY, MESSAGE_BYTES, Decoder, time_of
from tests.jetstream_messages import START_US, account_event, commit, did, identity_event, stream, wire
from tests.jetstream_server import to_version2
from tests.test_sources_wire import HOSTILE, PLAIN, RECORDED, mutated, needs_data

decoder, plain = BatchDecoder("files"), Decoder("files")


def assert_same(messages: list[bytes]) -> None:
    """The kernels' batch is the plain reader's rows; drops, notices and deliveries are the same too."""
    rows: list[Row] = []
    drops: Counter[SourceDrop] = Counter()
    notices: list[Notice] = []
    for message in messages:
        answer = plain.decode(message)
        if isinstance(answer, Row):
            rows.append(answer)
        elif isinstance(answer, Notice):
            notices.append(answer)
        else:
            drops[answer] += 1
    decoded = decoder.decode_all(messages)
    decoded.rows.validate(full=True)
    assert decoded.rows.schema.equals(RAW)
    expected = to_batch(rows)
    if not decoded.rows.equals(expected):  # say which row
        assert decoded.rows.to_pylist() == expected.to_pylist()
    assert decoded.drops == drops
    assert decoded.notices == notices
    assert decoded.deliveries.tolist() == [row.delivery for row in rows]


def asked_about(messages: list[bytes]) -> int:
    """How many of the messages the kernels leave to the plain reader."""
    ends = np.cumsum([len(message) for message in messages], dtype=np.int64)
    starts = ends - [len(message) for message in messages]
    verdicts = np.empty(len(messages), np.uint8)
    read_messages(
        np.frombuffer(b"".join(messages), np.uint8), starts, ends, MESSAGE_BYTES,
        (np.zeros(1, np.uint8), np.zeros(1, np.uint8)), DELIVERY_KEY, Scratch.new(),
        new_sinks(len(messages), int(ends[-1]), 32), verdicts,
    )  # fmt: skip
    return int(np.count_nonzero(verdicts == ASK))


def dumped(*messages: Any) -> list[bytes]:
    """Each message in the spellings of three encoders."""
    return [
        spelled
        for message in messages
        for spelled in (
            json.dumps(message).encode(),
            json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(),
            json.dumps(message, indent=1).replace("<", "\\u003c").replace("/", "\\/").encode(),
        )
    ]


BLOB = {"$type": "blob", "ref": {"$link": "bafkreione"}, "mimeType": "image/jpeg", "size": 10}
FACET = {
    "index": {"byteStart": 0, "byteEnd": 4},
    "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/a?b=1&c=<2>"}],
}
NOTHING: dict[str, Any] = {"text": None}
RICH: dict[str, Any] = {
    "text": 'Überschwemmung 🌊 at the "old" town\n\ttoday \\ é\u0000 <b>',
    "langs": ["en", "pt-BR"],
    "facets": [FACET, FACET, {"features": [{"tag": "x"}, {"uri": None}, {"uri": "ftp://example.org"}]}],
    "embed": {
        "$type": "app.bsky.embed.recordWithMedia",
        "record": {"record": {"uri": "at://x/y/z", "cid": "c"}},
        "media": {
            "images": [{"alt": "not read", "image": BLOB, "aspectRatio": {"width": 1, "height": 2}}] * 4,
            "external": {"uri": "https://example.org/b", "title": "t", "thumb": BLOB},
        },
    },
    "labels": {"$type": "x", "values": [{"val": "!no-unauthenticated"}, {"val": "porn"}]},
    "reply": {"root": {"uri": "at://a/b/c", "cid": "d"}, "parent": {"uri": "at://a/b/c", "cid": "d"}},
    "tags": [],
}


def test_ordinary_messages_are_settled_without_asking() -> None:
    """Else the kernels would be as slow as what they stand in for, and nobody would see it."""
    messages = dumped(
        commit(1, START_US, **RICH), commit(2, START_US, operation="update"),
        commit(3, START_US, operation="delete"), commit(4, START_US, collection="app.bsky.feed.like"),
        commit(5, START_US, embed={"video": {"ref": {"$link": "bafv"}}}),
        commit(6, START_US, createdAt="2011-01-01T00:00:00Z"),
        account_event(7, START_US, status="deleted"), account_event(8, START_US, active=True),
        account_event(9, START_US, status="throttled"), identity_event(10, START_US), PLAIN,
        PLAIN | {"source": "Mastodon", "langs": "en", "urls": ["https://example.org"], "media": None},
        PLAIN | {"id": 12, "account": 13, "geo": {"lat": 38.7, "lon": -9.1}}, PLAIN | {"geo": None},
    )  # fmt: skip
    messages += [to_version2(message, seq) for seq, message in enumerate(messages[:-12])]
    assert asked_about(messages) == 0
    assert_same(messages)


def test_a_simulated_stream_is_settled_without_asking() -> None:
    world = World(WorldSettings(seed=5, hours=0.02, posts_per_second=100, quiet_minutes=0))
    for form in ("jetstream", "plain"):
        messages = list(world.lines(form))
        assert asked_about(messages) <= len(messages) // 500
        assert_same(messages)


ODD: list[Any] = [
    commit(1, START_US, tags=["flood", "Harbour"]),
    commit(1, START_US, **NOTHING),
    commit(1, START_US, createdAt=" 202"),
    commit(1, START_US, createdAt="2\u0660\u0662\u0663"),
    commit(1, START_US, createdAt="20"),
    commit(1, START_US, createdAt=None),
    commit(1, START_US, langs=[""], labels={}, embed={}, facets=[]),
    commit(1, START_US, langs=["x" * 4096, "y" * 4097, "é" * 4096]),
    commit(1, START_US, langs=[f"l{number}" for number in range(33)]),
    commit(1, START_US, facets=[{"features": None}]),
    commit(1, START_US, facets=[{"features": [{"uri": f"https://example.org/{n}"}]} for n in range(40)]),
    commit(1, START_US, facets=[{"features": [{"uri": "https://example.org/" + "x" * 5000}]}]),
    commit(1, START_US, facets=[{"features": [{"uri": "http"}, {"uri": "htt"}, {"uri": ""}]}]),
    commit(1, START_US, embed={"images": [{"image": {"cid": "old"}}, {"image": None}, {"image": {}}]}),
    commit(1, START_US, embed={"images": [{"image": BLOB}] * 33}),
    commit(1, START_US, embed={"images": [{"image": {"ref": {"$link": "x" * 257}}}], "video": {"cid": "v"}}),
    commit(1, START_US, embed={"images": [{"image": {"ref": {"$link": ""}, "cid": "unused"}}]}),
    commit(1, START_US, embed={"images": [{"image": {"ref": {}}}]}),
    commit(1, START_US, embed={"external": {"uri": None}}),
    commit(1, START_US, embed={"media": {"media": {"external": {"uri": "https://example.org"}}}}),
    commit(1, START_US, labels={"values": None}),
    commit(1, START_US, labels={"values": [{"val": "x" * 129}, {"val": ""}]}),
    commit(1, START_US) | {"account": {"active": True}},
    commit(1, START_US) | {"did": "did:" + "x" * 3000},
    commit(1, START_US) | {"time_us": float(START_US)},
    commit(1, START_US) | {"kind": "identity"},
    commit(1, START_US) | {"kind": "sync", "commit": None},
    identity_event(1, START_US) | {"commit": {}},
    account_event(1, START_US) | {"account": {"active": False, "time": "2026-05-01T00:00:00Z"}},
    account_event(1, START_US) | {"account": {"active": 1}},
    account_event(1, START_US) | {"account": {"active": None, "status": 5}},
    {"$type": "event", "payload": {"$type": "x#y#commit", "did": did(1), "operation": "delete",
     "collection": "app.bsky.feed.post", "rkey": "k", "witnessedAt": "", "time": "2026-05-01T00:00:00.25Z"}},
    {"$type": "message", "payload": {"$type": "commit", "did": did(1), "time": None}},
    {"$type": "message", "payload": None, "error": "x"},
    {"$type": "error", "error": "ConsumerTooSlow"},
    {"$type": "message", "payload": {"$type": "x#info", "name": "OutdatedCursor"}},
    PLAIN | {"payload": 1}, PLAIN | {"kind": 1}, PLAIN | {"time_us": 5, "did": "did:x", "kind": "sync"},
    PLAIN | {"$type": "x"},
    PLAIN | {"id": -5}, PLAIN | {"id": 10**17}, PLAIN | {"id": 10**18}, PLAIN | {"id": 1.5},
    PLAIN | {"id": "é" * 2048, "account": "x" * 2048}, PLAIN | {"id": ""},
    PLAIN | {"source": "x" * 32}, PLAIN | {"source": "-a"}, PLAIN | {"source": "\u212a"},
    PLAIN | {"source": "A_b-9"}, PLAIN | {"source": 5},
    PLAIN | {"text": None}, PLAIN | {"text": "", "langs": [], "urls": "", "media": ["", "a"]},
    PLAIN | {"deleted": True}, PLAIN | {"deleted": ""}, PLAIN | {"deleted": "2026"}, PLAIN | {"deleted": 0},
    PLAIN | {"geo": {}}, PLAIN | {"geo": {"lat": 91, "lon": 0}}, PLAIN | {"geo": {"lat": 1, "lon": 180.0}},
    PLAIN | {"geo": {"lat": -0.0, "lng": 5}}, PLAIN | {"geo": {"latitude": 1, "lat": 2, "lon": 3}},
    PLAIN | {"geo": {"lat": 1.2345678901234567, "lon": 1e1}}, PLAIN | {"geo": {"coordinates": [1, 2]}},
    PLAIN | {"geo": {"lat": "1", "lon": 2}}, PLAIN | {"geo": [1, 2]}, PLAIN | {"geo": {"lat": 1}},
]  # fmt: skip


@pytest.mark.parametrize("message", ODD, ids=range(len(ODD)))
def test_odd_messages(message: Any) -> None:
    assert_same(dumped(message))


SPELLINGS = [
    b"", b"{}", b"[]", b"nul", b"{", b'{"', b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{,}',
    b'{"a":[1,]}', b'{"a":[,1]}', b'{"a":[1}]', b'{"a":{"b":1]}', b'{"a":1}}', b'{"a" 1}', b"{1:2}",
    b'{"a":01}', b'{"a":-}', b'{"a":1.}', b'{"a":.5}', b'{"a":1e}', b'{"a":1e5}', b'{"a":+1}', b'{"a":0x1}',
    b'{"a":truE}', b'{"a":tru', b'{"a":fals', b'{"a":falsE}', b'{"a":nulL}', b'{"a":NaN}', b'\xef\xbb\xbf{}',
    b' \t\r\n{ "a" : [ ] } \n', b'\x0c{}', b'{"a":"\x1f"}', b'{"a":"\x7f"}', b'{"a":"\\x"}', b'{"a":"\\u12"}',
    b'{"a":"\\u12G4"}', b'{"a":"\\ud800\\u0041"}', b'{"a":"\\udc00"}', b'{"a":"\\ud800\\udc00"}',
    b'{"a":"\\ud800', b'{"a":"\xc0\x80"}', b'{"a":"\xe0\x80\x80"}', b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xf0\x80\x80\x80"}', b'{"a":"\xf4\x90\x80\x80"}', b'{"a":"\xf5\x80\x80\x80"}', b'{"a":"\xc3"}',
    b'{"a":"\x80"}', b'{"a":"\xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80 \xc2\x80"}', b'{"a":"b',
    b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", b'{"a":' + b"[" * 30 + b"]" * 30 + b"}",
    b'{"a":[' + b"1," * MAX_TOKENS + b"1]}", b'{"a":' + b"9" * 19 + b"}", b'{"a":1 2}', b"{}{}", b"{} x",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_json(spelling: bytes) -> None:
    """Alone, and as the value of keys that are read and that are not."""
    value = spelling[5:-1]
    plain_post, post = json.dumps(PLAIN).encode(), json.dumps(commit(1, START_US)).encode()
    within = [plain_post[:-1] + b',"%s":%s}' % (key, value) for key in (b"text", b"geo", b"langs", b"x")]
    within += [
        post.replace(b'"record": {', b'"record": {"%s": %s,' % (key, value)) for key in (b"langs", b"y")
    ]
    assert_same([spelling, *within])


def test_keys_that_come_twice_or_in_disguise() -> None:
    post = json.dumps(PLAIN).encode()
    record = json.dumps(commit(1, START_US, langs=["en"])).encode()
    assert_same(
        [
            post[:-1] + b',"text":"another"}', post[:-1] + b',"text":5}', post[:-1] + b',"x":1,"x":2}',
            post.replace(b'"text"', b'"te\\u0078t"'), post[:-1] + b',"te\\u0078t":"another"}',
            post[:-1] + b',"\\u0074ime_us":1}', record.replace(b'"langs"', b'"lan\\u0067s"'),
            record.replace(b'"langs": ["en"]', b'"langs": ["en"], "langs": ["de"]'),
            record[:-1] + b',"did":"did:x"}', record.replace(b"did:", b"di\\u0064:"),
            record.replace(b'"kind"', b'"payload":{},"kind"'),
            post[:-1] + b',"a":"\\"time_us\\" \\"payload\\""}',
        ]
    )  # fmt: skip


def test_mutated_messages_are_read_the_same() -> None:
    assert_same(mutated(5000, seed=2))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_million_mutated_messages_are_read_the_same() -> None:
    for seed in range(100):
        assert_same(mutated(10_000, seed=1000 + seed))


def reshaped(count: int, seed: int) -> list[bytes]:
    """Good messages whose values and keys are changed for others: still JSON, and often still messages."""
    rng = random.Random(seed)
    good: list[Any] = [json.loads(message) for message in wire(stream(200, seed))]
    good += [commit(number, START_US, **RICH) for number in range(50)] + [PLAIN] * 20
    good += [PLAIN | {"geo": {"lat": 1.5, "lon": -2}, "urls": ["https://example.org"], "langs": "en"}] * 20
    good += [json.loads(to_version2(json.dumps(message).encode(), 1)) for message in good[:150]]
    pool: list[Any] = [
        None,
        True,
        False,
        0,
        -1,
        5,
        START_US,
        1.5,
        "",
        "x",
        "did:x",
        "é\n",
        [],
        {},
        [1],
        ["a", ""],
    ]

    def parts(value: Any) -> list[tuple[Any, Any]]:
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        return [found for key, item in inner for found in ((value, key), *parts(item))]

    messages = []
    for _ in range(count):
        message = deepcopy(rng.choice(good))
        for _ in range(rng.randint(0, 2)):
            places = parts(message)
            if not places:
                break
            holder, key = rng.choice(places)
            donor, name = rng.choice(parts(rng.choice(good)))
            match rng.randrange(5):
                case 0:
                    holder[key] = rng.choice(pool)
                case 1:
                    del holder[key]
                case 2:
                    holder[key] = deepcopy(donor[name])
                case 3 if isinstance(holder, dict) and isinstance(name, str):
                    holder[name] = deepcopy(donor[name])
                case _:
                    items = list(holder.items()) if isinstance(holder, dict) else []
                    rng.shuffle(items)
                    for item, value in items:
                        del holder[item]
                        holder[item] = value
        spelled = json.dumps(message, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, 1]))
        messages.append(spelled.encode("utf-8", "surrogatepass"))
    return messages


def test_reshaped_messages_are_read_the_same() -> None:
    messages = reshaped(3000, seed=4)
    assert asked_about(messages) < len(messages) // 2
    assert_same(messages)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_thousand_reshaped_messages_are_read_the_same() -> None:
    for seed in range(40):
        assert_same(reshaped(5000, seed=2000 + seed))


@needs_data
def test_recorded_messages_are_read_the_same() -> None:
    messages = RECORDED.read_bytes().splitlines()
    assert_same(messages)
    assert_same([to_version2(message, seq) for seq, message in enumerate(messages)])
    assert asked_about(messages) <= 1


@needs_data
def test_json_test_suite_is_read_the_same() -> None:
    with tarfile.open(HOSTILE / "JSONTestSuite.tar.gz") as archive:
        members = [member for member in archive if member.isfile() and member.name.endswith(".json")]
        files = [file.read() for member in members if (file := archive.extractfile(member))]
    post = json.dumps(PLAIN).encode()[:-1]
    record = json.dumps(commit(1, START_US)).encode()
    for content in files:
        messages = [content, content + b" ", b'{"a":' + content + b"}"]
        messages += [post + b',"%s":%s}' % (key, content) for key in (b"text", b"geo", b"langs", b"id", b"x")]
        for key in (b"text", b"facets", b"embed", b"y"):
            messages.append(record.replace(b'"record": {', b'"record": {"%s":%s,' % (key, content)))
        assert_same(messages)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["uri", "images", "image", "ref", "$link", "cid", "features", "values", "val", "media"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
_FIELDS = st.sampled_from(["text", "langs", "facets", "embed", "labels", "tags", "createdAt", "other"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(_FIELDS, _JSON, max_size=3), st.dictionaries(st.sampled_from(list(PLAIN)), _JSON))
def test_any_values_in_a_record_and_a_post(record: dict[str, Any], post: dict[str, Any]) -> None:
    assert_same(
        [
            json.dumps(commit(1, START_US, **record)).encode("utf-8", "surrogatepass"),
            json.dumps(PLAIN | post, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        ]
    )


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1)),
    st.sampled_from(["Z", "z", "+00:00", "-00:00", "+05:30", "-23:59", "+24:00", "", "+0530", "+05:30:10"]),
    st.sampled_from(["", ".1", ".123", ".1234567", ".123456789", ".", ",5"]),
    st.sampled_from("Tt _"),
)
def test_times_are_what_the_plain_reader_says_or_not_settled(
    moment: datetime, offset: str, fraction: str, between: str
) -> None:
    text = moment.isoformat(between, "seconds") + fraction + offset
    data = np.frombuffer(text.encode(), np.uint8)
    time_us = int(time_at(data, 0, len(data)))
    if time_us != NO_TIME:
        read = datetime.fromisoformat(text.upper())
        assert time_us == (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        assert time_of(text) in (time_us, None)
    elif between in "Tt" and fraction not in (".", ",5") and offset in ("Z", "+05:30"):
        raise AssertionError(text)


@settings(deadline=None)
@given(st.decimals(-1000, 1000, allow_nan=False, places=9) | st.integers(-999, 999))
def test_decimals_are_correctly_rounded(number: Any) -> None:
    text = f"{number:f}" if not isinstance(number, int) else str(number)
    value = float(decimal_at(np.frombuffer(text.encode(), np.uint8), 0, len(text)))
    assert value == float(text)
    assert math.copysign(1, value) == math.copysign(1, float(text))


def test_sip_hash_is_the_published_one() -> None:
    key = np.frombuffer(bytes(range(16)), np.uint64)
    data = np.arange(64, dtype=np.uint8)
    vectors = {0: 0x726FDB47DD0E0E31, 1: 0x74F839C593DC67FD, 8: 0x93F5F5799A932462, 15: 0xA129CA6149BE45E5}
    assert {size: int(siphash(key, data, size)) for size in vectors} == vectors


def test_deliveries_are_remembered_for_two_generations() -> None:
    deliveries = Deliveries(capacity=100)
    values = np.arange(1, 1001).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert deliveries.are_new(values).all()
    assert not deliveries.are_new(values[-100:]).any()
    assert deliveries.are_new(values[:100]).all()


def test_how_messages_are_cut_into_batches_changes_nothing() -> None:
    messages = [*mutated(300, seed=3), *wire(stream(300, 3))]
    whole = decoder.decode_all(messages)
    single = [decoder.decode_all([message]) for message in messages]
    assert pa.Table.from_batches([part.rows for part in single]).to_pylist() == whole.rows.to_pylist()
    assert sum((part.drops for part in single), Counter()) == whole.drops
