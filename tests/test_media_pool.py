"""The backlog is bounded and sheds the smallest crowds; handing in a file never waits, and is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from groundswell.drops import MediaDrop
from groundswell.media.findings import Hints
from groundswell.media.jobs import Job, JobKind
from groundswell.media.pool import Pool, PoolSettings
from groundswell.metrics import Metrics
from tests.media_files import packed, picture

PNG = packed(picture(), "PNG")


def read(what: str = "") -> Job:
    return Job(JobKind.READ, Hints((what,)))


def total(metrics: Metrics, name: str) -> dict[str, int]:
    """A counter's values by the value of its one label."""
    family = getattr(metrics, name)
    return {
        next(iter(sample.labels.values())): int(sample.value)
        for metric in family.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def busy(metrics: Metrics) -> Iterator[Pool]:
    """One worker that hangs at its first file, and room for four more."""
    settings = PoolSettings(backlog_files=4, picture_seconds=2.0)
    with Pool(settings, metrics, eyes="tests.media_files:misbehaving_eyes") as pool:
        pool.submit(read("hang"), PNG, crowd=10**6)
        deadline = time.monotonic() + 30
        while metrics.media_backlog._value.get() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield pool


def test_files_are_answered_from_any_thread(metrics: Metrics) -> None:
    answers = []
    with Pool(PoolSettings(workers=2), metrics, eyes="tests.media_files:plain_eyes") as pool:
        threads = [
            threading.Thread(target=lambda: answers.append(pool.submit(read(), PNG, crowd=1).result(60)[0]))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [answer.drop for answer in answers] == [None] * 6
    assert total(metrics, "media_files") == {"read": 6}
    assert total(metrics, "media_dropped") == {}


def test_the_smallest_crowd_is_shed_first_and_of_those_the_oldest(busy: Pool, metrics: Metrics) -> None:
    waiting = {
        name: busy.submit(read("crash"), PNG, crowd=crowd)
        for name, crowd in (("old", 2), ("large", 9), ("new", 2), ("small", 1), ("largest", 30), ("other", 5))
    }
    shed = [name for name, outcome in waiting.items() if outcome.done()]
    assert shed == ["old", "small"]
    assert all(waiting[name].result()[0].drop is MediaDrop.BACKLOG_FULL for name in shed)
    assert total(metrics, "media_dropped") == {"backlog_full": 2}
    assert metrics.media_backlog._value.get() == 4
    assert busy.submit(read("crash"), PNG, crowd=0).result(0)[0].drop is MediaDrop.BACKLOG_FULL


def test_bytes_are_bounded_too(metrics: Metrics) -> None:
    settings = PoolSettings(backlog_megabytes=1, picture_seconds=6.0)
    with Pool(settings, metrics, eyes="tests.media_files:misbehaving_eyes") as pool:
        assert pool.submit(read(), bytes(2 << 20), crowd=5).result(0)[0].drop is MediaDrop.BACKLOG_FULL


def test_a_hanging_file_costs_its_worker_and_no_more(busy: Pool, metrics: Metrics) -> None:
    outcome = busy.submit(read("write /nowhere"), PNG, crowd=1)
    assert outcome.result(60)[0].drop is None
    assert total(metrics, "media_dropped") == {"out_of_time": 1}
    assert total(metrics, "media_workers_ended") == {"out_of_time": 1}


def test_closing_answers_what_waits(busy: Pool) -> None:
    waiting = [busy.submit(read(), PNG, crowd=crowd) for crowd in range(3)]
    busy.close()
    assert {outcome.result(0)[0].drop for outcome in waiting} == {MediaDrop.BACKLOG_FULL}
    assert busy.submit(read(), PNG, crowd=1).result(0)[0].drop is MediaDrop.BACKLOG_FULL
