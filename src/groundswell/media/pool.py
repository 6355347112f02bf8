"""A few workers with a budget of their own, beside the text path and never in its way.

Owns the backlog: bounded in files and in bytes. What does not fit is shed by one rule, the file of the
smallest crowd first and of those the oldest, since what few speakers show cannot be published anyway.
Handing in a file never waits; every file gets an answer, and every shed one is counted.
"""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from groundswell.config import Settings
from groundswell.drops import MediaDrop
from groundswell.media.formats import VIDEOS, tell_format
from groundswell.media.jobs import Answer, Job
from groundswell.media.picture import Picture
from groundswell.media.sandbox import MEMORY_BYTES, OPEN_EYES, Worker
from groundswell.metrics import Metrics

__all__ = ["Outcome", "Pool", "PoolSettings"]

WALL_TIMES = 3.0
"""A job may last so many times its CPU time: the machine has other things to do."""
Outcome = tuple[Answer, Picture | None]


class PoolSettings(Settings, frozen=True, kw_only=True):
    """How much the media path may take of the machine; seconds are of CPU time."""

    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    backlog_files: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 256
    backlog_megabytes: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 256
    picture_seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = 20.0
    video_seconds: Annotated[float, msgspec.Meta(gt=0, le=3_600)] = 300.0
    memory_megabytes: Annotated[int, msgspec.Meta(ge=512, le=65_536)] = MEMORY_BYTES >> 20


@dataclass(eq=False)
class _Waiting:
    job: Job
    data: bytes
    crowd: int
    number: int
    outcome: Future[Outcome] = field(default_factory=Future)


class Pool:
    """Takes files from any thread; each worker has a thread that waits for it.

    Parameters
    ----------
    eyes
        `module:function` that gives the parts, as `sandbox.Worker` takes it.
    eager
        Start the workers at once: loading all parts takes some seconds, before the first file is looked at.
    """

    def __init__(
        self,
        settings: PoolSettings,
        metrics: Metrics,
        *,
        eyes: str = OPEN_EYES,
        eager: bool = False,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._numbers = itertools.count()
        self._backlog: list[_Waiting] = []
        self._bytes = 0
        self._closed = False
        self._eager = eager
        self._changed = threading.Condition()
        self._workers = [Worker(eyes, settings.memory_megabytes << 20) for _ in range(settings.workers)]
        self._threads = [
            threading.Thread(target=self._serve, args=(worker,), name=f"media-{number}", daemon=True)
            for number, worker in enumerate(self._workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, job: Job, data: bytes, *, crowd: int) -> Future[Outcome]:
        """Hand in a file that `crowd` distinct speakers showed so far; never waits."""
        waiting = _Waiting(job, data, crowd, next(self._numbers))
        with self._changed:
            self._backlog.append(waiting)
            self._bytes += len(data)
            shed = self._shed()
            self._metrics.media_backlog.set(len(self._backlog))
            self._changed.notify()
        for each in shed:
            self._resolve(each, (Answer(drop=MediaDrop.BACKLOG_FULL), None))
        return waiting.outcome

    def close(self) -> None:
        """End the workers; what waits is shed."""
        with self._changed:
            self._closed = True
            shed, self._backlog, self._bytes = self._backlog, [], 0
            self._metrics.media_backlog.set(0)
            self._changed.notify_all()
        for each in shed:
            self._resolve(each, (Answer(drop=MediaDrop.BACKLOG_FULL), None))
        for worker in self._workers:
            worker.interrupt()
        for thread in self._threads:
            thread.join()

    def _shed(self) -> list[_Waiting]:
        """What has to go so that the rest fits: the smallest crowd, then the oldest."""
        most = self._settings.backlog_megabytes << 20
        shed = []
        while self._backlog and (
            self._closed or len(self._backlog) > self._settings.backlog_files or self._bytes > most
        ):
            least = min(self._backlog, key=lambda each: (each.crowd, each.number))
            self._take(least)
            shed.append(least)
        return shed

    def _take(self, waiting: _Waiting) -> None:
        self._backlog.remove(waiting)
        self._bytes -= len(waiting.data)

    def _next(self) -> _Waiting | None:
        """What is looked at next: the largest crowd, then the oldest; None when the pool is closed."""
        with self._changed:
            while not self._backlog and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            best = min(self._backlog, key=lambda each: (-each.crowd, each.number))
            self._take(best)
            self._metrics.media_backlog.set(len(self._backlog))
            return best

    def _serve(self, worker: Worker) -> None:
        with worker:
            if self._eager:
                with suppress(OSError):  # the first file will tell
                    worker.start()
            while (waiting := self._next()) is not None:
                if not waiting.outcome.set_running_or_notify_cancel():
                    continue
                ended, begun = len(worker.ended), time.monotonic()
                seconds = self._seconds(waiting.data)
                job = msgspec.structs.replace(waiting.job, cpu_seconds=seconds)
                outcome = worker.ask(job, waiting.data, WALL_TIMES * seconds)
                self._metrics.media_seconds.labels(kind=job.kind.value).observe(time.monotonic() - begun)
                for why in worker.ended[ended:]:
                    self._metrics.media_workers_ended.labels(reason=why).inc()
                self._metrics.media_files.labels(kind=job.kind.value).inc()
                self._resolve(waiting, outcome)

    def _seconds(self, data: bytes) -> float:
        video = tell_format(data) in VIDEOS
        return self._settings.video_seconds if video else self._settings.picture_seconds

    def _resolve(self, waiting: _Waiting, outcome: Outcome) -> None:
        if outcome[0].drop is not None:
            self._metrics.media_dropped.labels(reason=outcome[0].drop.value).inc()
        if not waiting.outcome.cancelled():
            waiting.outcome.set_result(outcome)
