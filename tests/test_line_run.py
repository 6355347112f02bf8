"""`groundswell run` as a person starts it: a real process, a real source, its page over HTTP."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from groundswell.batches import Kind
from groundswell.published import Event
from groundswell.simulator import World
from tests.jetstream_messages import stream, wire
from tests.jetstream_server import JetstreamServer
from tests.line_worlds import LOW_FLOOR_TOML, quiet_world, stored
from tests.measuring import DATA
from tests.processes import Home, Running, wait_for

RECORDED = DATA / "protocols/jetstream/internal/corpus/testdata/expected_v1.jsonl"
QUICK = """
lookback_minutes = 5_256_000.0  # ten years: recorded streams are old
overlap_seconds = 2.0
open_seconds = 2.0
backoff_seconds = 0.01
backoff_cap_seconds = 0.05
"""


def jetstream(*urls: str) -> str:
    hosts = ", ".join(f'"{url}"' for url in urls)
    return f'[source.bluesky]\nkind = "jetstream"\nhosts = [{hosts}]\n{QUICK}'


def closed_port() -> int:
    """A port on loopback that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


# Where no host answers


def test_without_a_host_the_simulated_hour_plays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    config = home.configure(jetstream(f"ws://127.0.0.1:{closed_port()}/subscribe"))
    with home.running(config) as run:
        assert run.mode == "simulated"
        wait_for(lambda: run.total("groundswell_detect_ticks"), "a tick")
        run.kill()
    with home.running(config) as run:
        assert run.mode == "simulated"
        events = wait_for(run.events, "a simulated event")
        assert run.get("/api/status")["mode"] == "simulated"
        listed = [*events, *run.get("/api/amplification"), *run.get("/api/coverage")]
        assert [record for record in listed if not record["simulated"]] == []
        assert run.answer("/").headers["content-type"].startswith("text/html")
        assert run.get("/healthz") == {"status": "ok"}
        assert "/api/events" in run.get("/api/openapi.json")["paths"]
        assert run.total("groundswell_gate_kept_posts") > 10_000
        assert run.stop() == 0
    warnings = [entry["event"] for entry in home.log() if entry["level"] == "warning"]
    assert "no host answers; playing the simulated hour instead" in warnings
    assert "simulated: every post, place and account is made up; nothing here is happening" in warnings
    # Nothing simulated lies where a live run will go on: the network may be back the next day.
    beside = {folder.name for folder in tmp_path.iterdir() if folder.is_dir()}
    assert beside == {"data", "data-simulated", "home", "tmp"}
    assert stored(home.data) == (set(), set())


# Where a host answers


@pytest.fixture(scope="module")
def small_world() -> World:
    return World(quiet_world(hours=2.0, seed=3, events_per_hour=2.0))


def test_where_a_host_answers_its_stream_shows(tmp_path: Path, small_world: World) -> None:
    home = Home(tmp_path)
    with JetstreamServer(list(small_world.lines("jetstream"))) as server:
        config = home.configure(jetstream(server.url) + LOW_FLOOR_TOML)
        with home.running(config) as run:
            events = wait_for(run.events, "an event of the stream")
            assert run.mode == "live"
            status = run.get("/api/status")
            assert (status["mode"], status["floor"]) == ("live", 10)
            assert [source["name"] for source in status["sources"]] == ["bluesky"]
            assert not any(event["simulated"] or event["replayed"] for event in events)
            for event in events:
                bare = {name: value for name, value in event.items() if name != "bins"}
                assert msgspec.convert(bare | {"kind": "event"}, Event).sources == ("bluesky",)
            assert run.stop() == 0
    assert not any("simulated" in entry["event"] for entry in home.log())
    assert {path.name for path in home.data.iterdir()} == {"published.duckdb", "baseline", "keys"}


# Connections cut


def arriving(messages: Sequence[dict[str, Any]]) -> Counter[str]:
    """How many posts, edits, deletions and gone accounts are among the messages."""
    kinds = {"create": Kind.POST, "update": Kind.EDIT, "delete": Kind.DELETE}
    found: Counter[str] = Counter()
    for message in messages:
        if message["kind"] == "account" and not message["account"]["active"]:
            found[Kind.ACCOUNT_GONE.name.lower()] += 1
        elif message["kind"] == "commit" and message["commit"]["collection"] == "app.bsky.feed.post":
            found[kinds[message["commit"]["operation"]].name.lower()] += 1
    return found


def at_the_gate(run: Running) -> Counter[str]:
    samples = run.metrics()
    kinds = (kind.name.lower() for kind in Kind)
    rows = {kind: int(samples.get(f'groundswell_gate_posts_total{{kind="{kind}"}}', 0)) for kind in kinds}
    return Counter({kind: count for kind, count in rows.items() if count})


def check_books(home: Home, messages: Sequence[bytes], version: int, cut_within: int, overlap: float) -> None:
    """Serve `messages` with twenty cuts, and hold what `/metrics` says against what was sent."""
    truth = arriving([msgspec.json.decode(message) for message in messages])
    with JetstreamServer(messages, version) as server:
        server.cut_after(random.Random(version).choices(range(1, cut_within), k=20))
        config = home.configure(
            jetstream(server.url).replace("overlap_seconds = 2.0", f"overlap_seconds = {overlap}")
        )
        with home.running(config) as run:
            wait_for(lambda: at_the_gate(run).total() >= truth.total(), "the last post")
            # Nothing lost, nothing doubled.
            assert at_the_gate(run) == truth
            # Messages in = posts kept + drops by reason.
            dropped = run.total("groundswell_source_dropped_messages")
            assert run.total("groundswell_source_messages") == dropped + truth.total()
            kept = run.total("groundswell_gate_kept_posts")
            assert kept + run.total("groundswell_gate_dropped_posts") == truth.total()
            # And all of it was put to the test.
            assert run.total("groundswell_source_connections") == len(server.queries) == 21
            redelivered = 'groundswell_source_dropped_messages_total{reason="redelivered",source="bluesky"}'
            assert run.metrics()[redelivered] > 0
            assert run.get("/api/coverage") == []
            assert run.stop() == 0


@pytest.mark.parametrize("version", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_twenty_cuts_lose_nothing_and_double_nothing(tmp_path: Path, version: int) -> None:
    messages = wire(stream(6000, seed=version))
    check_books(Home(tmp_path), messages, version, cut_within=350, overlap=2.0)


@pytest.mark.skipif(not RECORDED.exists(), reason="needs the data folder (GROUNDSWELL_DATA)")
def test_twenty_cuts_of_the_recorded_stream(tmp_path: Path) -> None:
    check_books(Home(tmp_path), RECORDED.read_bytes().splitlines(), 2, cut_within=30, overlap=0.05)
