"""Bad input of every sort through the real command: it never crashes, and nothing is dropped uncounted."""

from __future__ import annotations

import gzip
import json
import random
import resource
import socket
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from groundswell.clock import rfc3339
from groundswell.config import Document
from groundswell.drops import GateDrop, SourceDrop
from groundswell.errors import ConfigurationError
from groundswell.release import PublishKey
from groundswell.runner import RunSettings
from groundswell.simulator import World
from groundswell.store import Store
from tests.jetstream_messages import START_US, commit, stream, wire
from tests.jetstream_server import JetstreamServer
from tests.line_worlds import LOW_FLOOR_TOML, batches, line_of, quiet_world, stored
from tests.measuring import DATA
from tests.processes import Home, Running, counts, wait_for

HOSTILE = DATA / "hostile"

needs_data = pytest.mark.skipif(not HOSTILE.exists(), reason="needs the data folder (GROUNDSWELL_DATA)")


def replayed(home: Home, messages: Sequence[bytes]) -> dict[str, int]:
    """Send `messages` through `replay`; what became of them, all of them accounted for."""
    recording = home.folder / "posts.jsonl"
    recording.write_bytes(b"".join(message + b"\n" for message in messages))
    assert home.command("replay", recording, "--json", "--data", home.data) == 0, home.stderr()
    assert "Traceback" not in home.stderr()
    kept, dropped = counts(home.stderr())
    assert kept + sum(dropped.values()) == len(messages)
    assert set(dropped) <= {*SourceDrop, *GateDrop}
    return {"kept": kept, **dropped}


# Messages


@needs_data
def test_the_json_test_suite_and_the_naughty_strings(tmp_path: Path) -> None:
    with tarfile.open(HOSTILE / "JSONTestSuite.tar.gz") as archive:
        members = [member for member in archive if "/test_parsing/" in member.name and member.isfile()]
        texts = [archive.extractfile(member).read() for member in members]  # type: ignore[union-attr]
    messages = [text.replace(b"\n", b" ") for text in texts if text.strip()]
    assert len(messages) > 300
    strings = json.loads((HOSTILE / "blns" / "blns.json").read_text("utf-8"))
    for number, string in enumerate(strings):
        times = START_US + number * 1_000_000
        messages.append(wire([commit(number, times, text=string)])[0])
        plain = {"id": string, "created_at": "2026-05-01T01:00:00Z", "account": string, "text": string}
        messages.append(json.dumps(plain | {"langs": [string], "urls": [string], "source": string}).encode())
    became = replayed(Home(tmp_path), messages)
    assert became["kept"] > len(strings)
    assert became[SourceDrop.MALFORMED_JSON] > 100
    assert became[SourceDrop.WRONG_TYPE] > 10


def mutated(count: int, seed: int) -> Iterator[bytes]:
    """Messages of every kind with bytes flipped, cut, doubled, and whole values replaced."""
    rng = random.Random(seed)
    values = [
        b"null",
        b"-1",
        b"1e400",
        b"[]",
        b"{}",
        b'"\\ud800"',
        b'"\xff"',
        b"9" * 40,
        b'"' + b"a" * 5000 + b'"',
    ]
    for message in wire(stream(count, seed)):
        draw = rng.random()
        at = rng.randrange(len(message))
        if draw < 0.3:
            message = message[:at] + bytes([rng.randrange(256)]) + message[at + 1 :]
        elif draw < 0.45:
            message = message[:at]
        elif draw < 0.6:
            message = message[:at] + message[rng.randrange(len(message)) :]
        elif draw < 0.85:
            keys = [place for place in range(len(message)) if message.startswith(b'":', place)]
            place = rng.choice(keys) + 2
            end = next((e for e in range(place, len(message)) if message[e : e + 1] in b",}"), len(message))
            message = message[:place] + rng.choice(values) + message[end:]
        message = message.replace(b"\n", b" ").replace(b"\r", b" ")
        yield message if message.strip() else b"?"


@pytest.mark.parametrize(
    "count", [5_000, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_mutated_messages(tmp_path: Path, count: int) -> None:
    became = replayed(Home(tmp_path), list(mutated(count, seed=count)))
    assert became["kept"] > count // 10
    assert became[SourceDrop.MALFORMED_JSON] > count // 10
    assert became[SourceDrop.BAD_ENCODING] > count // 100
    assert became[SourceDrop.WRONG_TYPE] > count // 100


def test_garbage_of_every_size(tmp_path: Path) -> None:
    """A line of megabytes, lines of noise, a torn archive: read to the end, in bounded memory."""
    rng = random.Random(4)
    noise = [rng.randbytes(rng.randrange(1, 400)) for _ in range(2000)]
    lines = [line.replace(b"\n", b"").replace(b"\r", b"") for line in noise]
    good = wire(stream(50))
    messages = [*(line for line in lines if line.strip()), b"[" * 3_000_000, *good]
    became = replayed(Home(tmp_path), messages)
    assert became[SourceDrop.OVERSIZE] == 1
    assert became["kept"] > 30
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(gzip.compress(b"\n".join(good * 50))[:-200])
    home = Home(tmp_path)
    assert home.command("replay", torn, "--json") == 0
    assert counts(home.stderr())[0] > 0


def test_an_empty_file_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "nothing.jsonl").touch()
    home = Home(tmp_path)
    assert home.command("replay", tmp_path / "nothing.jsonl", "--json") == 0
    assert home.stdout() == ""
    assert counts(home.stderr()) == (0, {})


# Commands and configurations


def complaint(home: Home, *arguments: str | Path) -> tuple[int, str]:
    """The exit status, and what was said of why, without the folder's name."""
    status = home.command(*arguments)
    assert home.stdout() == ""
    return status, home.stderr().strip().splitlines()[-1].replace(f"{home.folder}/", "")


def test_a_missing_file(tmp_path: Path) -> None:
    status, said = complaint(Home(tmp_path), "replay", tmp_path / "posts.jsonl", "--json")
    assert status == 2
    assert said == "groundswell: posts.jsonl: no such file; give the path of a file of JSON lines"


CONFIGURATIONS = {
    "[release]\nk = 9\n": (
        "config.toml [release]: `k` = 9 is not usable; expected `int` >= 10"
    ),
    "[release]\nk = 60\n": (
        "config.toml [release]: the table is not usable; "
        "`sensitive_k` = 50 is below `k` = 60; raise it to `k` or more"
    ),
    '[release]\nk = "twenty"\n': (
        "config.toml [release]: `k` = 'twenty' is not usable; expected `int`, got `str`"
    ),
    "[relase]\nk = 20\n": "config.toml: unknown table `[relase]`; did you mean `release`?",
    "[release]\nkk = 20\n": "config.toml [release]: unknown key `kk`; did you mean `k`?",
    "[store]\nretention_day = 3\n": (
        "config.toml [store]: unknown key `retention_day`; did you mean `retention_days`?"
    ),
    "[store]\nretention_days = 0\n": (
        "config.toml [store]: `retention_days` = 0 is not usable; expected `int` >= 1"
    ),
    "[gate]\nhorizon_seconds = -1\n": (
        "config.toml [gate]: `horizon_seconds` = -1 is not usable; expected `float` > 0.0"
    ),
    '[source.x]\nkind = "jetsream"\n': (
        "config.toml [source.x]: `kind` = 'jetsream' is unknown; did you mean `jetstream`?"
    ),
    '[source.x]\nkind = "jetstream"\nhosts = []\n': (
        "jetstream `hosts`: empty; name at least one, or leave the key out"
    ),
    '[source.a]\nkind = "files"\n[source.b]\nkind = "files"\n': (
        "config.toml [source]: 2 sources: `a`, `b`; keep one; a run reads one source"
    ),
    "[release\nk = 20\n": (
        "config.toml: not TOML: Expected ']' at the end of a table declaration (at line 1, column 9); "
        "mend the line it names"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_bad_configuration_is_refused_by_name(tmp_path: Path, text: str) -> None:
    config = Home(tmp_path).configure(text)
    with pytest.raises(ConfigurationError) as refused:
        RunSettings.read(Document.load(config)).source.build()
    assert str(refused.value).replace(f"{tmp_path}/", "") == CONFIGURATIONS[text]


@pytest.mark.parametrize("command", ["run", "replay"])
def test_a_floor_below_ten_stops_at_the_start(tmp_path: Path, command: str) -> None:
    home = Home(tmp_path)
    config = home.configure("[release]\nk = 9\n")
    arguments = [config] if command == "run" else ["nothing.jsonl", "--config", config]
    status, said = complaint(home, command, *arguments, "--data", home.data, "--json")
    assert status == 2
    assert said == "groundswell: config.toml [release]: `k` = 9 is not usable; expected `int` >= 10"
    assert not home.data.exists()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    home = Home(tmp_path)
    recording = tmp_path / "posts.jsonl"
    recording.write_bytes(b"\n".join(wire(stream(50))))
    config = home.configure(f'[source.x]\nkind = "files"\npaths = ["{recording}"]\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = complaint(home, "run", config, "--port", str(port), "--data", home.data, "--json")
    assert status == 2
    assert said == (
        f"groundswell: 127.0.0.1:{port}: another program listens there; "
        "stop that program, or give another port with `--port N` (0 takes a free one)"
    )


def test_a_store_that_is_locked(tmp_path: Path) -> None:
    home = Home(tmp_path)
    recording = tmp_path / "posts.jsonl"
    recording.write_bytes(b"\n".join(wire(stream(50))))
    with Store.open(home.data):
        status, said = complaint(home, "replay", recording, "--data", home.data, "--json")
    assert status == 1
    assert said == (
        "groundswell: data/published.duckdb: locked by another process; "
        "stop that process, or give another data folder"
    )


# A full disk


def fill_the_disk(run: Running, home: Home) -> None:
    """From now on the store cannot grow: as on a full disk, writes fail."""
    log = home.data / "published.duckdb.wal"
    _, most = resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, most))


def free_the_disk(run: Running) -> None:
    _, most = resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit")
@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_full_disk_stops_publishing_and_loses_nothing(tmp_path: Path, killed: bool) -> None:
    """When there is room again, what waited is published; by the next run, if this one was killed."""
    lines = list(World(quiet_world(hours=1.8, seed=3, events_per_hour=2.0)).lines("jetstream"))
    first, second = int(0.45 * len(lines)), int(0.9 * len(lines))
    home = Home(tmp_path)
    with JetstreamServer(lines[:first]) as server:
        config = home.configure(
            f'[source.bluesky]\nkind = "jetstream"\nhosts = ["{server.url}"]\n'
            f"lookback_minutes = 5_256_000.0\n{LOW_FLOOR_TOML}"
        )
        undisturbed = line_of(tmp_path / "undisturbed", key=PublishKey.open(home.data))
        for batch in batches(lines):
            undisturbed.feed(batch)
        undisturbed.close()
        last_tick = rfc3339(undisturbed.last_tick_us or 0)

        with home.running(config) as run:
            wait_for(lambda: run.total("groundswell_source_messages") == first, "the first part")
            shown = {event["id"] for event in wait_for(run.events, "an event")}
            assert run.answer("/healthz").status_code == 200
            fill_the_disk(run, home)
            server.append(lines[first:second])
            wait_for(lambda: run.answer("/healthz").status_code == 503, "the alarm")
            assert run.answer("/healthz").json() == {"status": "blocked"}
            assert run.get("/api/status")["store_blocked"]
            assert run.metrics()["groundswell_store_blocked"] == 1
            wait_for(lambda: run.total("groundswell_source_messages") == second, "the second part")
            assert {event["id"] for event in run.events()} >= shown
            if killed:
                run.kill()
            else:
                free_the_disk(run)
                server.append(lines[second:])
                wait_for(lambda: run.get("/api/status")["last_tick"] == last_tick, "the last tick")
                assert run.answer("/healthz").status_code == 200
                assert run.stop() == 0
        said = [entry for entry in home.log() if entry["level"] == "error"]
        assert [entry["event"] for entry in said] == ["publishing has stopped; nothing published is lost"]
        assert (said[0]["what"], said[0]["mend"]) == (
            "the disk is full: nothing was written, nothing is lost",
            "free some space; publishing goes on",
        )
        if killed:
            server.append(lines[second:])
            with home.running(config) as run:
                wait_for(lambda: run.get("/api/status")["last_tick"] == last_tick, "the last tick")
                assert run.stop() == 0
        else:
            assert "publishing again" in [entry["event"] for entry in home.log()]
    assert len(stored(home.data)[0]) > 20
    assert stored(home.data) == stored(tmp_path / "undisturbed")
