"""Runs the real command in processes of its own, and reads what it writes and serves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Home", "Running", "counts", "wait_for"]

_PATIENCE_SECONDS = 120.0
_COUNTS = re.compile(r"([\d,]+) posts kept; dropped: (.*)")


def wait_for(
    wanted: Callable[[], Any], what: str, patience_seconds: float = _PATIENCE_SECONDS, every: float = 0.1
) -> Any:
    """The first truthy answer of `wanted`; fails when none comes."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if answer := wanted():
            return answer
        time.sleep(every)
    raise AssertionError(f"waited {patience_seconds:.0f} s in vain for {what}")


class Running:
    """A `groundswell run` that has said where its page is."""

    def __init__(self, process: subprocess.Popen[bytes], home: Home) -> None:
        self.process = process
        self.began = time.monotonic()
        self._home = home
        self.page = ""
        self.mode = ""
        self.client = httpx.Client(timeout=30.0)

    def listen(self) -> Running:
        """Wait until the page is up."""
        announced = wait_for(self._announced, "the page")
        self.page, self.mode = announced["page"], announced["mode"]
        return self

    def get(self, path: str) -> Any:
        """The JSON answer at `path`."""
        return self.answer(path).raise_for_status().json()

    def answer(self, path: str) -> httpx.Response:
        return self.client.get(self.page + path)

    def metrics(self) -> dict[str, float]:
        """Every sample of `/metrics`, by name and labels as written."""
        lines = self.answer("/metrics").text.splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def total(self, name: str) -> int:
        """A counter's sum over its labels."""
        return sum(
            int(value) for sample, value in self.metrics().items() if sample.split("{")[0] == f"{name}_total"
        )

    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.get("/api/events")
        return events

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.client.close()
        self.process.send_signal(how)
        return self.process.wait(60)

    def kill(self) -> None:
        """`kill -9`, in the middle of whatever it does."""
        self.client.close()
        self.process.kill()
        self.process.wait(60)

    def _announced(self) -> dict[str, Any] | None:
        if self.process.poll() is not None:
            raise AssertionError(f"`run` ended with {self.process.returncode}:\n{self._home.stderr()}")
        lines = self._home.stdout().splitlines()
        return json.loads(lines[0]) if lines and self._home.stdout().endswith("\n") else None


class Home:
    """A machine's private places: its key, its temporary folder, the data folder, and what was printed."""

    def __init__(self, folder: Path, data: str = "data") -> None:
        self.folder = folder
        self.data = folder / data
        self.temporary = folder / "tmp"
        self.key = folder / "home"
        for place in (self.temporary, self.key):
            place.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> Mapping[str, str]:
        places = {"GROUNDSWELL_HOME": str(self.key), "TMPDIR": str(self.temporary)}
        return os.environ | places | {"PYTHONWARNINGS": "default", "NO_COLOR": "1"}

    def stdout(self) -> str:
        return (self.folder / "stdout").read_text("utf-8", "replace")

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text("utf-8", "replace")

    def log(self) -> list[dict[str, Any]]:
        """The structured log of the last `--json` command."""
        return [json.loads(line) for line in self.stderr().splitlines() if line.startswith("{")]

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """A command, running, its output in files of this home."""
        with (self.folder / "stdout").open("wb") as out, (self.folder / "stderr").open("wb") as err:
            return subprocess.Popen(_command(arguments), stdout=out, stderr=err, env=self.environment)

    def command(self, *arguments: str | Path, patience_seconds: float = 280.0) -> int:
        """A command, run to its end; the exit status."""
        process = self.start(*arguments)
        try:
            return process.wait(patience_seconds)
        finally:
            process.kill()

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[Running]:
        """`run` with a page on a free port, up; it does not outlive the block."""
        process = self.start("run", *arguments, "--port", "0", "--json", "--data", self.data)
        try:
            yield Running(process, self).listen()
        finally:
            process.kill()
            process.wait(60)

    def configure(self, text: str) -> Path:
        """A configuration file with `text` in it."""
        path = self.folder / "config.toml"
        path.write_text(text, "utf-8")
        return path


def counts(stderr: str) -> tuple[int, dict[str, int]]:
    """What `replay` says at its end: posts kept, and messages dropped by reason."""
    found = _COUNTS.search(stderr)
    assert found is not None, stderr[-2000:]
    drops = {} if found[2] == "none" else dict(part.split(" ")[::-1] for part in found[2].split(", "))
    return int(found[1].replace(",", "")), {reason: int(count) for reason, count in drops.items()}


def _command(arguments: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-m", "groundswell", *map(str, arguments)]
