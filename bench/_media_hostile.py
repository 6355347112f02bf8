"""Hostile files in a real worker, and forged addresses against a real fetcher: the tests' own, counted."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

from bench._data import DATA, progress, row
from tests.media_files import packed, picture
from tests.test_media_fetch import forged_urls
from tests.test_media_hostile import large_files, mutated, packed_files

from groundswell.clock import SystemClock
from groundswell.drops import MediaDrop
from groundswell.media import Fetcher, FetchSettings, Job, JobKind, Worker
from groundswell.metrics import Metrics

__all__ = ["measure"]

EYES = "tests.media_files:plain_eyes"
MUTATED = 1_200


def measure() -> list[dict[str, Any]]:
    """Crashes, memory and time of hostile files; addresses that were reached."""
    return [*_corpora(), *_large(), *_addresses()]


def _files() -> Iterator[bytes]:
    for path in sorted((DATA / "hostile").glob("*.tar.gz")):
        if path.name != "JSONTestSuite.tar.gz":
            yield from packed_files(path)
    yield from mutated(seed=31, count=MUTATED)


def _corpora() -> list[dict[str, Any]]:
    ended = count = 0
    slowest = 0.0
    with Worker(EYES) as worker, progress("hostile files") as bar:
        for data in _files():
            begun = time.monotonic()
            drop = worker.ask(Job(JobKind.READ), data, 60.0)[0].drop
            slowest = max(slowest, time.monotonic() - begun)
            ended += drop in (MediaDrop.WORKER_DIED, MediaDrop.OUT_OF_TIME)
            count += 1
            bar(count, 1_600)
    return [
        row(f"hostile and mutated files that ended a worker, of {count:,}", ended, "0"),
        row("the slowest of them, s on the wall", round(slowest, 2), "<= 5"),
    ]


def _large() -> list[dict[str, Any]]:
    above: dict[str, int] = {}
    seconds: dict[str, float] = {}
    ended = 0
    for name, data in large_files().items():
        with Worker(EYES) as worker:
            idle = worker.ask(Job(JobKind.FINGERPRINT), packed(picture(), "PNG"), 60)[0].peak_bytes
            begun = time.monotonic()
            answer, _ = worker.ask(Job(JobKind.READ, cpu_seconds=60), data, 60)
            seconds[name] = time.monotonic() - begun
            above[name] = max(0, answer.peak_bytes - idle) >> 20
            ended += answer.drop in (MediaDrop.WORKER_DIED, MediaDrop.OUT_OF_TIME)
    most, longest = max(above, key=above.__getitem__), max(seconds, key=seconds.__getitem__)
    return [
        row(f"bombs and largest files that ended a worker, of {len(above)}", ended, "0"),
        row(f"most memory above idle, MiB ({most})", above[most], "<= 256"),
        row(f"longest, s on the wall ({longest})", round(seconds[longest], 2), "<= 5"),
    ]


def _addresses() -> list[dict[str, Any]]:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        fetcher = Fetcher(
            FetchSettings(interval_seconds=0.0), SystemClock(), Metrics(), ports=frozenset({port}),
            resolve=lambda host, _: ["127.0.0.1"],
        )  # fmt: skip
        urls = sorted(set(forged_urls(port)))
        for url in urls:
            fetcher.fetch(url)
        reached = 0
        while True:
            try:
                server.accept()[0].close()
                reached += 1
            except TimeoutError:
                break
    return [row(f"forged addresses that were reached, of {len(urls)}", reached, "0 of >= 500")]
