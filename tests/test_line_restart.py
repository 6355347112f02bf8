"""A killed run that is started again publishes what an undisturbed run publishes: no less, no more."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest

from groundswell.clock import HOUR_US, rfc3339
from groundswell.release import PublishKey
from groundswell.resume import Resume
from groundswell.simulator import World, WorldSettings
from tests.jetstream_server import JetstreamServer
from tests.line_worlds import LOW_FLOOR_TOML, batches, line_of, quiet_world, stored
from tests.processes import Home, wait_for

# In one process: the folder as a kill would leave it, taken up by a new line


def crash_folders(lines: Sequence[bytes], whole: Path, cuts: Sequence[float]) -> list[tuple[Path, int]]:
    """Run undisturbed into `whole`, and copy the folder at each of `cuts`, shares of the stream.

    Every commit is on the disk when it returns, so a copy is what `kill -9` leaves behind. Gives the copies,
    each with the last tick before it.
    """
    line = line_of(whole, resume=True)
    stream = list(batches(lines, rows=16))
    wanted = {int(cut * len(stream)) for cut in cuts}
    left = []
    for number, batch in enumerate(stream):
        line.feed(batch)
        if number in wanted:
            assert line.last_tick_us is not None
            left.append((whole.with_name(f"cut-{number}"), line.last_tick_us))
            shutil.copytree(whole, left[-1][0])
    line.finish()
    line.close()
    return left


def take_up(lines: Sequence[bytes], folder: Path, hours: float) -> tuple[Resume | None, int]:
    """Start again on `folder` and run until so long after its checkpoint: where from, and the last tick."""
    line = line_of(folder, resume=True)
    since_us = line.resume.since_us if line.resume else None
    until_us = (line.resume.checkpoint_us if line.resume else 0) + int(hours * HOUR_US)
    for batch in batches(lines, since_us):
        line.feed(batch)
        if line.last_tick_us is not None and line.last_tick_us >= until_us:
            break
    else:
        line.finish()
    line.close()
    assert line.last_tick_us is not None
    return line.resume, line.last_tick_us


def check_restarts(
    lines: Sequence[bytes], folder: Path, cuts: Sequence[float], hours: float
) -> list[Resume | None]:
    """Crash at each of `cuts`, restart, and compare the hours that follow; where the restarts took up."""
    whole = folder / "whole"
    crashed = crash_folders(lines, whole, cuts)
    records, bins = stored(whole)
    assert len(crashed) == len(cuts)
    assert len(records) > 20
    resumes = []
    for cut, crashed_us in crashed:
        had, had_bins = stored(cut)
        resume, until_us = take_up(lines, cut, hours)
        resumes.append(resume)
        published, published_bins = stored(cut)
        due = {record for record in records if record[2] <= until_us}
        assert had <= published, f"something published before {crashed_us} is gone"
        assert published - records == set(), f"after a crash at {crashed_us}"
        assert due - published == set(), f"after a crash at {crashed_us}"
        assert had_bins <= published_bins <= bins
        shutil.rmtree(cut)
    return resumes


def jetstream(settings: WorldSettings) -> list[bytes]:
    return list(World(settings).lines("jetstream"))


def silenced(lines: Sequence[bytes], settings: WorldSettings, *hours: tuple[float, float]) -> list[bytes]:
    """The stream without some stretches, given in hours from its start."""
    spans = [(settings.start_us + int(a * HOUR_US), settings.start_us + int(b * HOUR_US)) for a, b in hours]
    timed = ((json.loads(line)["time_us"], line) for line in lines)
    return [line for time_us, line in timed if not any(a <= time_us < b for a, b in spans)]


def test_a_restart_inside_the_first_hours(tmp_path: Path) -> None:
    lines = jetstream(quiet_world(hours=2.0, seed=3, events_per_hour=2.0))
    check_restarts(lines, tmp_path, [0.02, 0.75], hours=9.0)


def test_a_restart_that_cannot_rewind_to_the_start(tmp_path: Path) -> None:
    """Five hours in, the windows come from the last four and a half, the baseline from its snapshot."""
    settings = quiet_world(hours=6.2, posts_per_second=0.1, events_per_hour=0.4, campaigns_per_hour=0.25)
    (resume,) = check_restarts(jetstream(settings), tmp_path, [0.87], hours=0.8)
    assert resume is not None
    assert resume.start_us < resume.since_us


@pytest.mark.slow
def test_a_restart_after_a_silence_of_hours(tmp_path: Path) -> None:
    settings = quiet_world(hours=8.0, posts_per_second=0.1, events_per_hour=1.0, campaigns_per_hour=0.0)
    lines = silenced(jetstream(settings), settings, (1.6, 6.3))
    (resume,) = check_restarts(lines, tmp_path, [0.75], hours=9.0)
    assert resume is not None
    assert resume.since_us == resume.start_us > settings.start_us + 6 * HOUR_US


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [5, 7])
def test_restarts_all_along_a_day(tmp_path: Path, seed: int) -> None:
    """Midnight, outages of the source, deletions, chains that fade and return, a silence: all are crossed."""
    settings = quiet_world(
        hours=16.0,
        seed=seed,
        start_us=1_777_593_600_000_000 + 17 * HOUR_US,
        outages_per_hour=0.2,
        delete_share=0.05,
        gone_share=0.01,
    )
    lines = silenced(jetstream(settings), settings, (3.2, 3.6), (6.1, 10.4))
    rng = random.Random(seed)
    cuts = [0.02 + 0.96 * (number + rng.random()) / 12 for number in range(12)]
    check_restarts(lines, tmp_path, cuts, hours=3.0)


# In processes


def files_config(home: Home, recording: Path) -> Path:
    return home.configure(f'[source.bluesky]\nkind = "files"\npaths = ["{recording}"]\n{LOW_FLOOR_TOML}')


def killed_until_done(home: Home, config: Path, moments: deque[float]) -> int:
    """Start `run` again and again, each life for the next of `moments`, until one comes to its end."""
    kills = 0
    while moments:
        process = home.start("run", config, "--once", "--port", "0", "--json", "--data", home.data)
        try:
            assert process.wait(moments.popleft()) == 0, home.stderr()
            return kills
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    assert home.command("run", config, "--once", "--port", "0", "--json", "--data", home.data) == 0
    return kills


def check_kills(folder: Path, settings: WorldSettings, moments: Sequence[float]) -> int:
    """Runs until all `moments` are used up, each compared when it has come to its end; the kills."""
    home = Home(folder, "undisturbed")
    recording = folder / "posts.jsonl.zst"
    World(settings).write(recording)
    config = files_config(home, recording)
    assert killed_until_done(home, config, deque()) == 0
    records, bins = stored(home.data)
    assert len(records) > 20
    kills, coming = 0, deque(moments)
    while coming:
        home.data = folder / f"killed-{len(coming)}"
        kills += killed_until_done(home, config, coming)
        published, published_bins = stored(home.data)
        assert published - records == set()
        assert records - published == set()
        assert published_bins == bins
    return kills


@pytest.mark.parametrize("moments", [[2.4, 3.6], pytest.param([1.2, 3.0], marks=pytest.mark.slow)])
def test_killed_at_two_moments(tmp_path: Path, moments: list[float]) -> None:
    settings = quiet_world(hours=1.5, seed=3, events_per_hour=2.0)
    assert check_kills(tmp_path, settings, moments) > 0


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_at_a_hundred_moments(tmp_path: Path) -> None:
    rng = random.Random(8)
    moments = [rng.uniform(0.0, 16.0) for _ in range(130)]
    assert check_kills(tmp_path, quiet_world(hours=8.0, seed=8), moments) >= 100


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_a_live_run_that_ended_while_it_waited_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    """What is open when a run ends is neither published half-done nor lost: the next run finishes it."""
    lines = jetstream(quiet_world(hours=1.5, seed=3, events_per_hour=2.0))
    home = Home(tmp_path)
    half = int(0.8 * len(lines))
    with JetstreamServer(lines[:half]) as server:
        config = home.configure(
            f'[source.bluesky]\nkind = "jetstream"\nhosts = ["{server.url}"]\n'
            f"lookback_minutes = 5_256_000.0\n{LOW_FLOOR_TOML}"
        )
        with home.running(config) as run:
            wait_for(lambda: run.total("groundswell_source_messages") == half, "the first half")
            run.stop(how)
        server.append(lines[half:])
        undisturbed = line_of(tmp_path / "undisturbed", key=PublishKey.open(home.data))
        for batch in batches(lines):
            undisturbed.feed(batch)
        undisturbed.close()
        last_tick = rfc3339(undisturbed.last_tick_us or 0)
        with home.running(config) as run:
            wait_for(lambda: run.get("/api/status")["last_tick"] == last_tick, "the last tick")
            assert run.stop() == 0
    assert len(stored(home.data)[0]) > 20
    assert stored(home.data) == stored(tmp_path / "undisturbed")
