"""What one message becomes: a row, or a reason. Nothing makes the decoder raise."""

from __future__ import annotations

import json
import random
import tarfile
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.batches import RAW, Kind
from groundswell.drops import SourceDrop
from groundswell.sources import read_lines
from groundswell.sources.forms import Notice
from groundswell.sources.rows import Row, Tally
from groundswell.sources.wire import MESSAGE_BYTES, Decoder, time_of
from tests.jetstream_messages import START_US, account_event, commit, did, identity_event, stream, wire
from tests.jetstream_server import to_version2
from tests.measuring import DATA

RECORDED = DATA / "protocols/jetstream/internal/corpus/testdata/expected_v1.jsonl"
HOSTILE = DATA / "hostile"
PLAIN = {"id": "p1", "created_at": "2026-05-01T00:00:00Z", "account": "a1", "text": "rain over the harbour"}

needs_data = pytest.mark.skipif(not HOSTILE.exists(), reason="needs the data folder (GROUNDSWELL_DATA)")


def decode(message: Any) -> Row | SourceDrop | Notice:
    return Decoder("files").decode(message if isinstance(message, bytes) else json.dumps(message).encode())


def row(message: Any) -> Row:
    decoded = decode(message)
    assert isinstance(decoded, Row), decoded
    return decoded


# The three forms


def test_a_post_is_the_same_in_both_versions() -> None:
    message = commit(7, START_US, text="flood in the old town", langs=["en", "pt-BR"])
    first = row(message)
    second = row(to_version2(json.dumps(message).encode(), seq=1))
    assert first == second
    assert first.uri == f"at://{did(1)}/app.bsky.feed.post/3k{7:011d}"
    assert (first.kind, first.account, first.text) == (Kind.POST, did(1), "flood in the old town")
    assert (first.langs, first.time_us) == (("en", "pt-BR"), START_US)


@pytest.mark.parametrize(
    ("operation", "kind"), [("create", Kind.POST), ("update", Kind.EDIT), ("delete", Kind.DELETE)]
)
def test_operations_are_kinds(operation: str, kind: Kind) -> None:
    decoded = row(commit(1, START_US, operation=operation))
    assert decoded.kind == kind
    assert decoded.text == ("" if kind is Kind.DELETE else "rain over the harbour")


@pytest.mark.parametrize("status", ["deleted", "takendown", "suspended", "deactivated", None])
def test_an_account_that_is_gone(status: str | None) -> None:
    decoded = row(account_event(3, START_US, status=status))
    assert (decoded.kind, decoded.account, decoded.uri) == (Kind.ACCOUNT_GONE, did(3), "")


def test_what_a_record_links_to_and_shows() -> None:
    blob = {"$type": "blob", "ref": {"$link": "bafkreione"}, "mimeType": "image/jpeg", "size": 10}
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/a"}
    mention = {"$type": "app.bsky.richtext.facet#mention", "did": did(9)}
    decoded = row(
        commit(
            1,
            START_US,
            facets=[{"index": {"byteStart": 0, "byteEnd": 4}, "features": [link, mention]}],
            embed={
                "$type": "app.bsky.embed.recordWithMedia",
                "record": {"record": {"uri": "at://x/y/z", "cid": "c"}},
                "media": {
                    "images": [{"alt": "not read", "image": blob}],
                    "external": {"uri": "https://example.org/b"},
                },
            },
            labels={"values": [{"val": "!no-unauthenticated"}]},
            tags=["flood", "Harbour"],
        )
    )
    assert decoded.urls == ("https://example.org/a", "https://example.org/b")
    assert decoded.media == (f"at-blob:{did(1)}/bafkreione",)
    assert decoded.marks == ("!no-unauthenticated",)
    assert decoded.text == "rain over the harbour #flood #Harbour"


def test_tags_that_are_spoken_are_not_repeated() -> None:
    assert row(commit(1, START_US, text="#Flood now", tags=["flood"])).text == "#Flood now"


def test_a_video_and_a_card() -> None:
    decoded = row(commit(1, START_US, embed={"video": {"ref": {"$link": "bafv"}}}))
    assert decoded.media == (f"at-blob:{did(1)}/bafv",)
    assert row(commit(1, START_US, embed={"external": {"uri": "ftp://example.org"}})).urls == ()


def test_a_plain_post_with_everything() -> None:
    decoded = row(
        PLAIN
        | {
            "source": "Mastodon",
            "langs": ["en"],
            "urls": ["https://example.org"],
            "media": ["https://example.org/a.jpg"],
            "geo": {"lat": 38.7, "lon": -9.1},
            "event": "must not be read",
        }
    )
    assert (decoded.source, decoded.uri, decoded.account) == ("mastodon", "p1", "a1")
    assert (decoded.latitude, decoded.longitude) == (38.7, -9.1)
    assert (decoded.langs, decoded.urls) == (("en",), ("https://example.org",))
    assert "must not be read" not in repr(decoded)


@pytest.mark.parametrize("source", ["@alice", "alice.example.org", "a b", "", None, "x" * 33])
def test_a_source_that_could_be_a_handle_is_not_taken_over(source: str | None) -> None:
    assert row(PLAIN | {"source": source}).source == "files"


@pytest.mark.parametrize(
    "geo",
    [
        {"lat": 38.7, "lon": -9.1},
        {"lat": 38.7, "lng": -9.1},
        {"latitude": 38.7, "longitude": -9.1},
        {"type": "Point", "coordinates": [-9.1, 38.7]},
        {"type": "Point", "coordinates": [-9.1, 38.7, 12.0]},
    ],
)
def test_geotags_in_the_usual_spellings(geo: Any) -> None:
    decoded = row(PLAIN | {"geo": geo})
    assert (decoded.latitude, decoded.longitude) == (38.7, -9.1)


@pytest.mark.parametrize(
    "geo",
    [
        '{"lat":1e999,"lon":0}',
        '{"lat":91,"lon":0}',
        '{"lat":1}',
        "[1,2]",
        '"here"',
        "null",
        '{"lat":"1","lon":"2"}',
    ],
)
def test_a_geotag_that_is_none_leaves_the_post(geo: str) -> None:
    message = json.dumps(PLAIN)[:-1] + f',"geo":{geo}}}'
    decoded = row(message.encode())
    assert (decoded.latitude, decoded.longitude) == (None, None)


def test_a_deleted_plain_post_is_a_deletion() -> None:
    decoded = row({"id": 5, "created_at": "2026-05-01T00:00:00Z", "account": 6, "deleted": True})
    assert (decoded.kind, decoded.uri, decoded.account, decoded.text) == (Kind.DELETE, "5", "6", "")
    assert row(PLAIN | {"deleted": False}).kind == Kind.POST


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("2026-05-01T00:00:00Z", START_US),
        ("2026-05-01t00:00:00.5z", START_US + 500_000),
        ("2026-05-01T02:00:00.000001+02:00", START_US + 1),
        ("2026-05-01 00:00:00", START_US),
        ("1999-12-31T23:59:59Z", None),
        ("2100-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2026-05-01T00:00:60Z", None),
        ("Fri May 01 2026", None),
        ("", None),
    ],
)
def test_times(text: str, time_us: int | None) -> None:
    assert time_of(text) == time_us


# Drops, each with its reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", SourceDrop.MALFORMED_JSON),
        (b"null", SourceDrop.MALFORMED_JSON),
        (b"[]", SourceDrop.MALFORMED_JSON),
        (b'{"id":1', SourceDrop.MALFORMED_JSON),
        (b'{"id":1,', SourceDrop.MALFORMED_JSON),
        (b'{"id":"1"} {}', SourceDrop.MALFORMED_JSON),
        (b'{"id":' + b"[" * 100_000, SourceDrop.MALFORMED_JSON),
        (b'{"x":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, SourceDrop.MALFORMED_JSON),
        (json.dumps(PLAIN).encode().replace(b"rain", b"\xff\xfe"), SourceDrop.BAD_ENCODING),
        (json.dumps(PLAIN).encode().replace(b"rain", rb"\ud800"), SourceDrop.BAD_ENCODING),
        (json.dumps(commit(1, START_US)).encode().replace(b"rain", rb"\udc00 x"), SourceDrop.BAD_ENCODING),
        (b'{"id":"' + b"x" * MESSAGE_BYTES + b'"}', SourceDrop.OVERSIZE),
        (b"{}", SourceDrop.WRONG_TYPE),
        (PLAIN | {"text": 5}, SourceDrop.WRONG_TYPE),
        (PLAIN | {"account": ""}, SourceDrop.WRONG_TYPE),
        (PLAIN | {"account": {"name": "x"}}, SourceDrop.WRONG_TYPE),
        (PLAIN | {"created_at": 1777593600}, SourceDrop.WRONG_TYPE),
        ({key: PLAIN[key] for key in ("id", "created_at", "account")}, SourceDrop.WRONG_TYPE),
        (PLAIN | {"created_at": "yesterday"}, SourceDrop.CLOCK_OFF),
        (PLAIN | {"created_at": "1970-01-01T00:00:00Z"}, SourceDrop.CLOCK_OFF),
        (commit(1, START_US, facets=5), SourceDrop.WRONG_TYPE),
        (commit(1, START_US, langs=[1]), SourceDrop.WRONG_TYPE),
        (commit(1, START_US) | {"did": "alice"}, SourceDrop.WRONG_TYPE),
        (commit(1, START_US) | {"commit": None}, SourceDrop.WRONG_TYPE),
        (commit(1, START_US) | {"time_us": "1"}, SourceDrop.WRONG_TYPE),
        (commit(1, START_US) | {"time_us": 10**30}, SourceDrop.CLOCK_OFF),
        (commit(1, START_US) | {"time_us": -1}, SourceDrop.CLOCK_OFF),
        (commit(1, START_US, createdAt="2011-01-01T00:00:00Z"), SourceDrop.CLOCK_OFF),
        (commit(1, START_US) | {"kind": "like"}, SourceDrop.UNKNOWN_KIND),
        (commit(1, START_US, operation="upsert"), SourceDrop.UNKNOWN_KIND),
        ({"$type": "surprise", "payload": {"$type": "x#commit"}}, SourceDrop.UNKNOWN_KIND),
        ({"$type": "message", "payload": {"$type": "x#surprise"}}, SourceDrop.UNKNOWN_KIND),
        ({"$type": "message", "payload": {}}, SourceDrop.WRONG_TYPE),
        (commit(1, START_US, collection="app.bsky.feed.like"), SourceDrop.NOT_A_POST),
        (identity_event(1, START_US), SourceDrop.NO_CONTENT),
        (account_event(1, START_US, active=True), SourceDrop.NO_CONTENT),
        (account_event(1, START_US, status="throttled"), SourceDrop.NO_CONTENT),
    ],
)
def test_drops_have_reasons(message: Any, reason: SourceDrop) -> None:
    assert decode(message) is reason


def test_a_commit_without_its_record_is_dropped() -> None:
    message = commit(1, START_US)
    del message["commit"]["record"]
    assert decode(message) is SourceDrop.WRONG_TYPE


def test_a_number_too_long_to_be_one_is_dropped() -> None:
    message = json.dumps(commit(1, START_US)).replace(str(START_US), "9" * 100_000)
    assert isinstance(decode(message.encode()), SourceDrop)


def test_notices_are_no_rows() -> None:
    info = {"$type": "message", "payload": {"$type": "x#info", "name": "OutdatedCursor"}}
    assert decode(info) == Notice("OutdatedCursor", fatal=False)
    assert decode({"$type": "error", "error": "ConsumerTooSlow"}) == Notice("ConsumerTooSlow", fatal=True)


def test_lists_are_capped() -> None:
    links = [f"https://example.org/{number}" for number in range(10_000)]
    features = [{"features": [{"uri": link} for link in links]}]
    assert len(row(commit(1, START_US, facets=features)).urls) == 32
    assert len(row(PLAIN | {"urls": links}).urls) == 32
    assert row(PLAIN | {"urls": ["https://example.org/" + "x" * 5000]}).urls == ()


def test_an_embedded_nul_is_a_character() -> None:
    assert row(PLAIN | {"text": "a\x00b"}).text == "a\x00b"


# Anything at all


def account_for(lines: list[bytes]) -> Counter[str]:
    """Read the lines as a file would be; every one is kept or dropped for a reason."""
    tally = Tally("test")
    batches = list(read_lines([b"\n".join(lines)], "test", tally=tally))
    for batch in batches:
        assert batch.schema.equals(RAW)
        batch.validate(full=True)
    assert tally.balanced
    assert tally.kept == sum(batch.num_rows for batch in batches)
    return Counter({reason.value: count for reason, count in tally.dropped.items()} | {"kept": tally.kept})


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80).filter(lambda line: b"\n" not in line), max_size=20))
def test_any_bytes_are_accounted_for(lines: list[bytes]) -> None:
    account_for(lines)


@needs_data
def test_recorded_messages() -> None:
    counts = account_for(RECORDED.read_bytes().splitlines())
    assert counts == {"kept": 18, "not_a_post": 132, "no_content": 2}


@needs_data
def test_json_test_suite() -> None:
    with tarfile.open(HOSTILE / "JSONTestSuite.tar.gz") as archive:
        members = [member for member in archive if member.isfile() and member.name.endswith(".json")]
        contents = [archive.extractfile(member) for member in members]
        files = [content.read() for content in contents if content is not None]
    assert len(files) > 300
    for content in files:
        assert isinstance(decode(content), SourceDrop)
        account_for([content.replace(b"\n", b" ")])
        # As the value of a key that is read, and of one that is not.
        for key in (b"text", b"geo", b"langs", b"other"):
            account_for(
                [json.dumps(PLAIN).encode()[:-1] + b',"%s":' % key + content.replace(b"\n", b" ") + b"}"]
            )


@needs_data
def test_naughty_strings_are_texts_like_others() -> None:
    strings = json.loads((HOSTILE / "blns/blns.json").read_text())
    plain = [json.dumps(PLAIN | {"text": text}).encode() for text in strings]
    posts = [json.dumps(commit(1, START_US, text=text, tags=[text])).encode() for text in strings]
    assert account_for(plain) == {"kept": len(strings)}
    assert account_for(posts) == {"kept": len(strings)}
    for key in ("id", "account", "source", "created_at", "geo"):
        account_for([json.dumps(PLAIN | {key: text}).encode() for text in strings])


def mutated(count: int, seed: int) -> list[bytes]:
    """Good messages with bytes changed, cut, doubled and values swapped for hostile ones."""
    rng = random.Random(seed)
    good = [*wire(stream(300, seed)), json.dumps(PLAIN).encode()]
    good += [to_version2(message, seq) for seq, message in enumerate(good[:300])]
    values = [
        b"null",
        b"1e999",
        b"-0",
        b'"\\ud83d"',
        b"[[]]",
        b"{}",
        b"true",
        b"9" * 50,
        b'"\\u0000"',
        b'"x"' * 2,
    ]
    lines = []
    for _ in range(count):
        line = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(line) + 1)
            match rng.randrange(5):
                case 0:
                    line[place : place + 1] = bytes([rng.randrange(256)])
                case 1:
                    del line[place : place + rng.randrange(1, 30)]
                case 2:
                    line[place:place] = line[place : place + rng.randrange(1, 200)]
                case 3:
                    line[place:place] = rng.choice(values)
                case _:
                    colon = line.find(b":", place)
                    end = line.find(b",", colon)
                    if 0 < colon < end:
                        line[colon + 1 : end] = rng.choice(values)
        lines.append(bytes(line).replace(b"\n", b" "))
    return lines


def test_mutated_messages_are_accounted_for() -> None:
    counts = account_for(mutated(5000, seed=1))
    # The mutations reach every corner: some posts survive, and the reasons are many.
    assert counts["kept"] > 100
    assert {"malformed_json", "bad_encoding", "wrong_type", "unknown_kind"} <= counts.keys()


@pytest.mark.slow
def test_a_hundred_thousand_mutated_messages_are_accounted_for() -> None:
    for seed in range(10):
        account_for(mutated(10_000, seed))
