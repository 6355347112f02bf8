"""Identities go through `run` and `replay`, and are in nothing that these write, print or answer."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from groundswell.simulator import World
from groundswell.simulator.truth import PlantedPileOn
from tests.canary_search import Needles, bytes_under
from tests.jetstream_server import JetstreamServer
from tests.line_worlds import quiet_world, written
from tests.processes import Home, Running, wait_for

PATHS = (
    "/",
    "/api/events",
    "/api/amplification",
    "/api/narratives",
    "/api/coverage",
    "/api/status",
    "/api/openapi.json",
    "/api/events/nothing",
    "/healthz",
    "/metrics",
)


def world(canaries: int) -> World:
    """A world in which nearly every post carries an identity, with crowds and a crowd against one person."""
    settings = quiet_world(
        hours=canaries / 3400 + 0.5,
        seed=4,
        canary_rate=0.97,
        posts_per_second=0.7,
        quiet_minutes=32,
        opening_events=2,
        events_per_hour=3.0,
        event_rates=(0.2, 0.4),
        pile_ons_per_hour=2.0,
    )
    return World(settings)


def answers(run: Running) -> bytes:
    """All that the page and the API say."""
    with run.client.stream("GET", f"{run.page}/api/stream") as stream:
        beginning = next(stream.iter_bytes())
    return b"\n".join([beginning, *(run.answer(path).content for path in PATHS)])


def taken(run: Running) -> int:
    """Messages that were dropped or have reached the gate."""
    return run.total("groundswell_source_dropped_messages") + run.total("groundswell_gate_posts")


def needles(made: World, least: int) -> Needles:
    identities = sorted(set(made.canaries))
    classes = Counter(kind for kind, _ in identities)
    assert len(identities) >= least
    assert min(classes.values()) >= least // 20, classes
    return Needles(identities)


def whispers(made: World) -> list[str]:
    """The names of the people whom crowds turned against."""
    return [planted.name for planted in made.truth if isinstance(planted, PlantedPileOn)]


def check(home: Home, made: World, least: int, said: bytes = b"") -> None:
    """Nothing under the home, in the store's tables or in `said` gives anybody away."""
    searched = {**bytes_under(home.folder), home.data / "tables": written(home.data), Path("answers"): said}
    searched = {path: content for path, content in searched.items() if "recording" not in path.name}
    looked_for = needles(made, least)
    found = {path: Counter(looked_for.find(content)) for path, content in searched.items()}
    assert {path: classes for path, classes in found.items() if classes} == {}
    everything = b"\n".join(searched.values()).lower()
    assert b"accounts" in everything  # records were written, and the search saw them
    assert whispers(made)
    assert [name for name in whispers(made) if name.lower().encode() in everything] == []
    # The search can fail: a single identity in the midst of it all is found.
    kind, value = made.canaries[len(made.canaries) // 2]
    at = len(everything) // 2
    assert looked_for.find(everything[:at] + value.encode() + everything[at:]) == [kind]


def check_replay(folder: Path, made: World, least: int) -> None:
    home = Home(folder)
    recording = folder / "recording.jsonl"
    made.write(recording, "plain")
    assert home.command("replay", recording, "--json", "--data", home.data) == 0
    recording.unlink()
    assert home.stdout().count('"kind":"event"') > 0
    check(home, made, least)


def check_run(folder: Path, made: World, least: int) -> None:
    home = Home(folder)
    lines = list(made.lines("jetstream"))
    with JetstreamServer(lines) as server:
        config = home.configure(
            f'[source.bluesky]\nkind = "jetstream"\nhosts = ["{server.url}"]\n'
            "lookback_minutes = 5_256_000.0\n"
        )
        with home.running(config, "--json") as run:
            wait_for(lambda: taken(run) == len(lines), "the last message")
            wait_for(run.events, "an event")
            said = answers(run)
            meanwhile = b"\n".join(bytes_under(folder).values())
            run.kill()  # without a chance to tidy up
    check(home, made, least, said + meanwhile)


def test_two_thousand_identities_through_replay(tmp_path: Path) -> None:
    check_replay(tmp_path, world(2000), 2000)


def test_two_thousand_identities_through_run(tmp_path: Path) -> None:
    check_run(tmp_path, world(2000), 2000)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", [check_replay, check_run])
def test_ten_thousand_identities(tmp_path: Path, way: Callable[[Path, World, int], None]) -> None:
    way(tmp_path, world(10_000), 10_000)


IDENTITY = "jo.k4x7m2q9@example.com"
RAW = IDENTITY.encode()
DISGUISED = {
    "raw": RAW,
    "base64": base64.b64encode(RAW),
    "base64, one byte in": base64.b64encode(b"a" + RAW + b"zz"),
    "base64, two bytes in": base64.urlsafe_b64encode(b"ab" + RAW + b"z"),
    "hex": RAW.hex().encode(),
    "md5": hashlib.md5(RAW).hexdigest().encode(),
    "sha1": hashlib.sha1(RAW).digest(),
    "sha256": hashlib.sha256(RAW).hexdigest().encode(),
    "blake2b": hashlib.blake2b(RAW).digest(),
}


@pytest.mark.parametrize("disguise", DISGUISED)
def test_the_search_finds_every_disguise(tmp_path: Path, disguise: str) -> None:
    search = Needles([("email", IDENTITY), ("phone", "+1 200 555 0123")])
    for lead in range(9):
        (tmp_path / "some.file").write_bytes(b"x" * lead + DISGUISED[disguise] + b"after")
        found = [search.find(content) for content in bytes_under(tmp_path).values()]
        assert found == [["email"], []]


def test_the_search_finds_nothing_in_nothing(tmp_path: Path) -> None:
    (tmp_path / "some.file").write_bytes(b"somebody wrote to someone@example.com")
    search = Needles([("email", IDENTITY)])
    assert [search.find(content) for content in bytes_under(tmp_path).values()] == [[], []]
