"""Jetstream over a real loopback server: cuts, silence, refusals, gaps, compression."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Event, Timer
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from groundswell.batches import RAW, Kind
from groundswell.candidates import Gap
from groundswell.clock import HOUR_US, SECOND_US, ManualClock
from groundswell.drops import SourceDrop
from groundswell.errors import ConfigurationError, SourceError
from groundswell.metrics import Metrics
from groundswell.sources import Jetstream, JetstreamSettings
from groundswell.sources.endpoints import Dictionary
from tests.jetstream_messages import START_US, account_event, commit, stream, wire
from tests.jetstream_server import JetstreamServer
from tests.measuring import DATA

RECORDED = DATA / "protocols/jetstream/internal/corpus/testdata/expected_v1.jsonl"
QUICK: dict[str, Any] = {
    "backoff_seconds": 0.01,
    "backoff_cap_seconds": 0.05,
    "flush_seconds": 0.02,
    "silence_seconds": 0.3,
    "open_seconds": 2.0,
}


def source_of(*servers: JetstreamServer, **changes: Any) -> Jetstream:
    settings = JetstreamSettings(hosts=tuple(server.url for server in servers), **(QUICK | changes))
    clock = ManualClock(START_US)
    return Jetstream(settings, Metrics(), clock, random.Random(7))


def read(source: Jetstream, until: int, since_us: int | None = START_US - HOUR_US) -> list[Any]:
    """Batches and gaps until `until` rows have come, and then what the source still has in hand."""
    stop = Event()
    deadline = Timer(30, stop.set)
    deadline.start()
    items, rows = [], 0
    for item in source.read(since_us, stop):
        items.append(item)
        rows += 0 if isinstance(item, Gap) else item.num_rows
        if rows >= until:
            stop.set()
    deadline.cancel()
    return items


def rows_of(items: list[Any]) -> list[dict[str, Any]]:
    table = pa.Table.from_batches([item for item in items if not isinstance(item, Gap)], RAW)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def events_in(messages: list[dict[str, Any]]) -> Counter[tuple[int, str, str, str]]:
    """What the messages say, each as (kind, uri, account, text): posts, edits, deletions, gone accounts."""
    kinds = {"create": Kind.POST, "update": Kind.EDIT, "delete": Kind.DELETE}
    events: Counter[tuple[int, str, str, str]] = Counter()
    for message in messages:
        did = message["did"]
        if message["kind"] == "account" and not message["account"]["active"]:
            events[int(Kind.ACCOUNT_GONE), "", did, ""] += 1
        elif message["kind"] == "commit" and message["commit"]["collection"] == "app.bsky.feed.post":
            inner = message["commit"]
            uri = f"at://{did}/app.bsky.feed.post/{inner['rkey']}"
            events[int(kinds[inner["operation"]]), uri, did, inner.get("record", {}).get("text", "")] += 1
    return events


def events_of(rows: list[dict[str, Any]]) -> Counter[tuple[int, str, str, str]]:
    return Counter((row["kind"], row["uri"], row["account"], row["text"]) for row in rows)


@pytest.mark.parametrize("version", [1, 2])
def test_twenty_cuts_lose_nothing_and_double_nothing(version: int) -> None:
    messages = list(stream(6000, seed=version))
    truth = events_in(messages)
    cuts = random.Random(version).choices(range(1, 350), k=20)
    with JetstreamServer(wire(messages), version) as server:
        server.cut_after(cuts)
        source = source_of(server, overlap_seconds=2.0)
        rows = rows_of(read(source, truth.total()))
    assert events_of(rows) == truth
    assert source.tally.balanced
    assert source.tally.kept == truth.total()
    assert len(server.queries) == 21  # the cuts happened
    assert source.tally.dropped[SourceDrop.REDELIVERED] > 0
    assert source.tally.messages > len(messages)


@pytest.mark.skipif(not RECORDED.exists(), reason="needs the data folder (GROUNDSWELL_DATA)")
@pytest.mark.parametrize("version", [1, 2])
def test_twenty_cuts_of_the_recorded_stream(version: int) -> None:
    frames = RECORDED.read_bytes().splitlines()
    truth = events_in([json.loads(frame) for frame in frames])
    with JetstreamServer(frames, version) as server:
        server.cut_after(random.Random(version).choices(range(1, 30), k=20))
        source = source_of(server, overlap_seconds=0.05)
        rows = rows_of(read(source, truth.total(), since_us=START_US))
    assert events_of(rows) == truth
    assert source.tally.balanced
    assert len(server.queries) == 21


@pytest.fixture
def pair() -> Iterator[tuple[JetstreamServer, JetstreamServer]]:
    """Two hosts, one of each version, with the same events seen half a second apart."""
    messages = list(stream(3000))
    late = [message | {"time_us": message["time_us"] + SECOND_US // 2} for message in messages]
    with JetstreamServer(wire(messages), 1) as first, JetstreamServer(wire(late), 2) as second:
        yield first, second


def test_hosts_take_over_from_each_other(pair: tuple[JetstreamServer, JetstreamServer]) -> None:
    truth = events_in(list(stream(3000)))
    first, second = pair
    first.cut_after([400, 500, 600])
    second.cut_after([450, 550])
    first.refuse(400)
    source = source_of(first, second, overlap_seconds=5.0)
    items = read(source, truth.total())
    assert events_of(rows_of(items)) == truth
    assert not [item for item in items if isinstance(item, Gap)]
    assert source.tally.balanced
    assert len(first.queries) >= 3
    assert len(second.queries) >= 2


def test_a_silent_connection_is_given_up() -> None:
    messages = list(stream(500))
    with JetstreamServer(wire(messages)) as server:
        server.mute_after([200, 0])
        source = source_of(server, overlap_seconds=2.0)
        rows = rows_of(read(source, events_in(messages).total()))
    assert events_of(rows) == events_in(messages)
    assert len(server.queries) == 3


def test_times_never_run_backwards_and_rows_are_raw() -> None:
    messages = list(stream(1500))
    with JetstreamServer(wire(messages)) as server:
        server.cut_after([300, 300, 300])
        items = read(source_of(server, overlap_seconds=2.0), events_in(messages).total())
    times = [row["time_us"] for row in rows_of(items)]
    assert times == sorted(times)
    assert all(item.schema.equals(RAW) for item in items)


def test_a_restart_continues_as_if_nothing_had_happened() -> None:
    """From the same time on, a second run gives the very rows of the first, stamps included."""
    messages = list(stream(800))
    total = events_in(messages).total()
    with JetstreamServer(wire(messages)) as server:
        whole = rows_of(read(source_of(server), total))
        since_us = whole[300]["time_us"]
        tail = [row for row in whole if row["time_us"] >= since_us]
        again = rows_of(read(source_of(server), len(tail), since_us=since_us))
    assert again == tail


def test_first_cursor_looks_back_and_later_ones_rewind() -> None:
    messages = wire([commit(number, START_US + number * SECOND_US) for number in range(20)])
    with JetstreamServer(messages) as server:
        server.cut_after([10])
        read(source_of(server, overlap_seconds=3.0, lookback_minutes=5.0), 20, since_us=None)
    first, second = (int(query["cursor"][0]) for query in server.queries)
    assert first == START_US - 300 * SECOND_US
    assert second == START_US + 9 * SECOND_US - 3 * SECOND_US
    assert server.queries[0]["wantedCollections"] == ["app.bsky.feed.post"]


def test_version_two_is_asked_in_its_own_words() -> None:
    with JetstreamServer(wire([commit(1, START_US)]), 2) as server:
        read(source_of(server), 1)
    query = server.queries[0]
    assert query["collections"] == ["app.bsky.feed.post"]
    assert query["kinds"] == ["commit", "account"]
    assert "wantedCollections" not in query
    assert server.client_frames == 0


def outage(
    version: int, during: Callable[[JetstreamServer], None], parting: str = ""
) -> tuple[list[Any], Jetstream]:
    """Ten rows, then a lost connection in which something happens to the server, then ten rows much later."""
    before = [commit(number, START_US + number * SECOND_US) for number in range(10)]
    after = [commit(number, START_US + number * SECOND_US) for number in range(1000, 1010)]
    with JetstreamServer(wire(before + after), version) as server:
        if parting:
            server.part_after(10, parting)
        else:
            server.cut_after([10])
        source = source_of(server, overlap_seconds=5.0)
        items: list[Any] = []
        for item in source.read(START_US, stop := Event()):
            items.append(item)
            if source.tally.kept == 10:
                during(server)
            if source.tally.kept >= 20:
                stop.set()
    assert source.tally.balanced
    return items, source


def keep_only_the_end(server: JetstreamServer) -> None:
    server.oldest_us = START_US + 1000 * SECOND_US


def lose_the_beginning(server: JetstreamServer) -> None:
    server.forget_before(START_US + 1000 * SECOND_US)


@pytest.mark.parametrize(
    ("version", "during", "parting", "reason"),
    [
        (1, keep_only_the_end, "", "outage"),
        (2, keep_only_the_end, "", "cursor_too_old"),
        (2, lose_the_beginning, "", "outage"),
        (2, lose_the_beginning, "ConsumerTooSlow", "slow_reader"),
    ],
)
def test_what_cannot_be_rewound_becomes_a_gap(
    version: int, during: Callable[[JetstreamServer], None], parting: str, reason: str
) -> None:
    items, _ = outage(version, during, parting)
    start_us, end_us = START_US + 9 * SECOND_US, START_US + 1000 * SECOND_US
    gap = Gap(source="bluesky", start_us=start_us, end_us=end_us, reason=reason)
    assert [item for item in items if isinstance(item, Gap)] == [gap]
    # It stands where it belongs: between the rows on its two sides.
    place = items.index(gap)
    before, after = rows_of(items[:place]), rows_of(items[place:])
    assert (before[-1]["time_us"], after[0]["time_us"]) == (start_us, end_us)


def test_a_lost_connection_that_can_be_rewound_is_no_gap() -> None:
    items, source = outage(1, lambda server: None)
    assert not [item for item in items if isinstance(item, Gap)]
    assert source.tally.dropped == {SourceDrop.REDELIVERED: 6}


def test_a_restart_after_too_long_is_a_gap_on_version_one_too() -> None:
    """Version 1 moves an old cursor up in silence: to 36 hours before now."""
    now_us = START_US + 48 * HOUR_US
    kept = [commit(number, now_us - 36 * HOUR_US + number * SECOND_US) for number in range(5)]
    with JetstreamServer(wire(kept)) as server:
        settings = JetstreamSettings(hosts=(server.url,), **QUICK)
        items = read(Jetstream(settings, clock=ManualClock(now_us)), 5, since_us=START_US)
    assert items[0] == Gap(
        source="bluesky", start_us=START_US, end_us=now_us - 36 * HOUR_US, reason="cursor_too_old"
    )


def test_a_stream_that_begins_after_the_rewind_is_no_gap() -> None:
    """A quiet start is not loss: only what a server can no longer give is."""
    with JetstreamServer(wire(stream(50)), 2) as server:
        items = read(source_of(server), 20, since_us=START_US - 3 * HOUR_US)
    assert not [item for item in items if isinstance(item, Gap)]


def test_a_pause_of_days_is_believed_although_nothing_follows_at_once() -> None:
    """Only the first row ever is taken without witnesses; a jump waits for them through any silence."""
    before = [commit(number, START_US + number * SECOND_US) for number in range(10)]
    after = [commit(number, START_US + 72 * HOUR_US + number * SECOND_US) for number in range(10, 20)]
    with JetstreamServer(wire([*before, after[0]])) as server:
        source = source_of(server)
        more = Timer(0.15, server.append, [wire(after[1:])])
        more.start()
        items = read(source, 20)
        more.join()
    assert [row["time_us"] for row in rows_of(items)] == [message["time_us"] for message in before + after]


def test_no_host_at_all_is_an_error_only_at_the_first_start() -> None:
    with JetstreamServer([]) as server:
        server.refuse(403, times=10)
        source = source_of(server, give_up_attempts=3)
        with pytest.raises(SourceError, match="none of 1 hosts could be reached"):
            list(source.read(None, Event()))
    assert len(server.queries) == 3


def test_after_a_success_it_goes_on_trying() -> None:
    messages = list(stream(100))
    with JetstreamServer(wire(messages)) as server:
        server.cut_after([50])
        source = source_of(server, give_up_attempts=3, overlap_seconds=2.0)
        stop = Event()
        rows: list[dict[str, Any]] = []
        for item in source.read(START_US - HOUR_US, stop):
            if not rows:
                server.refuse(503, times=9)
            rows += rows_of([item])
            if len(rows) >= events_in(messages).total():
                stop.set()
    assert events_of(rows) == events_in(messages)
    assert len(server.queries) == 11


def dictionary() -> bytes:
    """A compression dictionary of invented messages: the real ones are not ours to ship."""
    samples: list[bytes | bytearray | memoryview] = list(wire(stream(2000, seed=5)))
    return zstandard.train_dictionary(4096, samples).as_bytes()


@pytest.mark.parametrize("version", [1, 2])
def test_zstandard_frames(version: int, tmp_path: Any) -> None:
    messages = list(stream(400))
    content = dictionary()
    (tmp_path / "dictionary").write_bytes(content)
    with JetstreamServer(wire(messages), version, dictionary=content) as server:
        source = source_of(server, compress=True, dictionary=str(tmp_path / "dictionary"))
        rows = rows_of(read(source, events_in(messages).total()))
    assert events_of(rows) == events_in(messages)
    asked = server.queries[0]
    assert asked["compress"] == ["true"] if version == 1 else "zstdDictionary" in asked


def test_frames_that_swell_are_counted_and_kept_small() -> None:
    """A frame that claims, or has, more content than a message may have is dropped, not unpacked."""
    content = dictionary()
    huge = json.dumps(commit(1, START_US, text="a" * (5 << 20))).encode()
    with JetstreamServer([huge, *wire([commit(2, START_US)])], 2, dictionary=content) as server:
        source = source_of(server, compress=True)
        rows = rows_of(read(source, 1))
    assert len(rows) == 1
    assert source.tally.dropped == {SourceDrop.OVERSIZE: 1}


def test_a_frame_that_claims_a_gigabyte_is_not_given_one() -> None:
    frame = zstandard.ZstdCompressor().compress(bytes(200 << 20))
    tracemalloc.start()
    content = Dictionary(dictionary()).decompress(frame, limit=1 << 20)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(content) == (1 << 20) + 1
    assert peak_bytes < 16 << 20


def test_garbage_on_the_wire_is_counted() -> None:
    frames = [b"\xff\xfe", b"{", b"[]", b'{"did":"x"}', b'{"$type":"message"}', b"\x00" * 10]
    first, last = wire([commit(1, START_US), account_event(2, START_US)])
    with JetstreamServer([first, *frames, last]) as server:
        source = source_of(server)
        rows = rows_of(read(source, 2))
    assert [row["kind"] for row in rows] == [Kind.POST, Kind.ACCOUNT_GONE]
    assert source.tally.balanced
    assert source.tally.dropped.total() == len(frames)


def test_metrics_tell_what_the_tally_tells() -> None:
    with JetstreamServer(wire(stream(300))) as server:
        source = source_of(server)
        read(source, events_in(list(stream(300))).total())
    assert source.metrics is not None
    value = source.metrics.registry.get_sample_value
    assert value("groundswell_source_messages_total", {"source": "bluesky"}) == source.tally.messages
    for reason, count in source.tally.dropped.items():
        labels = {"source": "bluesky", "reason": reason.value}
        assert value("groundswell_source_dropped_messages_total", labels) == count


@pytest.mark.parametrize(
    "url", ["https://example.org/subscribe", "ws://", "jetstream", "ws://example.org:0x/"]
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no WebSocket address"):
        Jetstream(JetstreamSettings(hosts=(url,)))
