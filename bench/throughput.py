"""Posts a second through the whole line, wire to published records: `groundswell bench throughput`.

The stream (`_stream.py`) has 124 languages, 20,000 posts a second of stream time and 30 live events. First
the detector's rates learn for half an hour of it: for speed, four fifths of each tick's posts are those of
the tick before under new accounts, and the front of the line reads the other fifth only. Then come the
events, a minute to find them, and the runs that are measured, on one core and on two: half a minute of the
stream each, three ticks, whose messages lie ready in memory before the clock starts.

CPU time is the process's, all threads; nothing of it is the stream's making. Kernels are compiled before. The
peak of memory is that of the runs less the messages that lie ready. The learning, whose ticks it keeps,
is not in it; what the stream is made of is. `memory` measures the line alone.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from bench._data import progress, row
from bench._stream import EVENTS, LANGUAGES, START_US, Stream

from groundswell import published
from groundswell.candidates import Gap
from groundswell.clock import SECOND_US
from groundswell.detect import TICK_US
from groundswell.enrich import Languages, extract
from groundswell.enrich.people import People
from groundswell.enrich.topics import Topics
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.release import PublishKey
from groundswell.sources import Lines

__all__ = ["measure"]

POSTS_PER_SECOND = 20_000
LEARN_SECONDS = 31 * 60
FIND_SECONDS = 60
RUN_SECONDS = 30
RUNS = 5
FRESH = 5  # every so manieth post of the learning is fresh
KEY = PublishKey(bytes(32))


class Run(NamedTuple):
    """One measured run."""

    posts: int
    bytes: int
    cpu_seconds: float
    wall_seconds: float
    stages: dict[str, float]


class TimedLine(Line):
    """Notes the CPU time of each stage, in whatever thread it works."""

    seconds: dict[str, float]

    def admit(self, item: pa.RecordBatch | Gap) -> pa.RecordBatch | Gap:
        with _watch(self.seconds, "gate"):
            return super().admit(item)

    def enrich(self, item: pa.RecordBatch | Gap) -> pa.RecordBatch | Gap:
        with _watch(self.seconds, "enrich"):
            return super().enrich(item)

    def take(self, batch: pa.RecordBatch | Gap) -> None:
        with _watch(self.seconds, "detect, release, store"):
            super().take(batch)

    def read(self, items: Iterator[pa.RecordBatch | Gap]) -> Iterator[pa.RecordBatch | Gap]:
        """The items, with the time that reading them takes."""
        while True:
            with _watch(self.seconds, "wire"):
                item = next(items, None)
            if item is None:
                return
            yield item


@contextmanager
def _watch(seconds: dict[str, float], name: str) -> Iterator[None]:
    begun = time.thread_time()
    yield
    seconds[name] += time.thread_time() - begun


class Course:
    """A line and the stream it reads, from learning to the last run."""

    def __init__(self) -> None:
        self.stream = Stream(START_US + LEARN_SECONDS * SECOND_US, POSTS_PER_SECOND)
        self.events: set[str] = set()
        self.lexica = Lexica()
        self.line = TimedLine(LineSettings(), self.lexica, KEY, Metrics(), published=self._published)
        self.line.seconds = defaultdict(float)
        self.now_us = START_US
        self.held_bytes = 0

    def _published(self, records: Any, bins: Any) -> None:
        self.events.update(record.id for record in records if isinstance(record, published.Event))

    def learn(self, bar: Any) -> None:
        """Half an hour of background."""
        rng = np.random.default_rng(2)
        warm: list[pa.RecordBatch] = []
        first = Stream(START_US, POSTS_PER_SECOND // FRESH, minutes=1)
        ticks = LEARN_SECONDS * SECOND_US // TICK_US
        for tick in range(ticks):
            chunks = first.seconds(self.now_us, TICK_US // SECOND_US, events=False)
            fresh = [self.line.enrich(self.line.admit(item)) for item in _batches(chunks)]
            whole = pa.Table.from_batches([batch for batch in fresh if isinstance(batch, pa.RecordBatch)])
            warm = [*warm[-FRESH + 1 :], whole.combine_chunks().to_batches()[0]]
            for batch in _interleaved([_anew(batch, self.now_us, rng) for batch in warm]):
                self.line.take(batch)
            self.now_us += TICK_US
            bar(tick, 2 * ticks)

    def run(self, seconds: int) -> Run:
        """The stream's next `seconds`."""
        chunks = list(self.stream.seconds(self.now_us, seconds))
        self.now_us += seconds * SECOND_US
        size, posts = sum(map(len, chunks)), sum(chunk.count(b"\n") for chunk in chunks)
        self.held_bytes = max(self.held_bytes, size)
        self.line.seconds.clear()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in self.line.run(self.line.read(_batches(iter(chunks)))):
            pass
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return Run(posts, size, cpu, wall, dict(self.line.seconds))


def _batches(chunks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
    return Lines("bluesky", lambda since_us: chunks, Metrics()).read(None, Event())


def _anew(batch: pa.RecordBatch, start_us: int, rng: np.random.Generator) -> pa.RecordBatch:
    """The same posts in another tick, from other accounts."""
    times = batch.column("time_us").to_numpy()
    mask = rng.integers(1, 1 << 63, dtype=np.uint64)
    columns = {
        "time_us": times - times[0] // TICK_US * TICK_US + start_us,
        "speaker": batch.column("speaker").to_numpy() ^ mask,
        "post_key": batch.column("post_key").to_numpy() ^ mask,
    }
    for name, values in columns.items():
        batch = batch.set_column(
            batch.schema.get_field_index(name), batch.schema.field(name), pa.array(values)
        )
    return batch


def _interleaved(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """All rows in stream-time order, a second at a time."""
    times = [batch.column("time_us").to_numpy() for batch in batches]
    start_us = min(int(each[0]) for each in times) // TICK_US * TICK_US
    for second in range(start_us, start_us + TICK_US, SECOND_US):
        for batch, each in zip(batches, times, strict=True):
            first, last = np.searchsorted(each, (second, second + SECOND_US)).tolist()
            yield batch.slice(first, last - first)


def measure() -> list[dict[str, Any]]:
    """Posts a second and core, what each stage costs, and the memory it takes."""
    with progress("throughput") as bar:
        course = Course()
        course.learn(bar)
        _forget_peak()
        cores = sorted(os.sched_getaffinity(0))
        course.run(FIND_SECONDS)
        runs: dict[int, list[Run]] = {}
        try:
            for count in (1, 2):
                if len(cores) >= count:
                    _pin(cores[:count])
                    runs[count] = [course.run(RUN_SECONDS) for _ in range(RUNS)]
                    bar(1 + count, 4)
        finally:
            _pin(cores)
    return [*_rows(course, runs), *_parts(course)]


def _parts(course: Course) -> list[dict[str, Any]]:
    """What the parts of enrichment cost, each called alone on one batch of the stream."""
    languages, topics, people = Languages(), Topics.load(), People(course.lexica.names)
    spent: dict[str, float] = defaultdict(float)
    posts = 0
    for item in _batches(course.stream.seconds(course.now_us, 1)):
        post = course.line.admit(item)
        assert isinstance(post, pa.RecordBatch)
        text = post.column("text")
        posts += len(text)
        with _watch(spent, "language"):
            lang, _ = languages.identify(text, post.column("langs"))
        with _watch(spent, "fold and terms"):
            found = extract(text, lang)
        with _watch(spent, "places"):
            course.lexica.gazetteer.find(found.folded, text, lang)
        with _watch(spent, "topics"):
            topics.categories(found.folded, found.tokens)
        with _watch(spent, "names"):
            people.mentions(found.folded, found.tokens)
    return [row(f"enrich: {name}, µs a post", _us(seconds, posts)) for name, seconds in spent.items()]


def _rows(course: Course, runs: dict[int, list[Run]]) -> list[dict[str, Any]]:
    alone = runs[1]
    posts = sum(run.posts for run in alone)
    wall = {count: median(run.posts / run.wall_seconds for run in each) for count, each in runs.items()}
    rows: list[dict[str, Any]] = [
        row("posts_per_core_second", round(median(r.posts / r.cpu_seconds for r in alone)), ">= 46300"),
        row("µs of CPU a post", _us(sum(run.cpu_seconds for run in alone), posts), "<= 21.6"),
        *(
            row(f"{name}, µs a post", _us(sum(run.stages[name] for run in alone), posts))
            for name in alone[0].stages
        ),
        *(row(f"posts/s of wall time, cores: {count}", round(speed)) for count, speed in wall.items()),
    ]
    if 2 in wall:
        rows.append(row("two cores over one", round(wall[2] / wall[1], 2), ">= 1.7"))
        rows.append(
            row("posts_per_core_second, both cores busy",
                 round(median(run.posts / run.cpu_seconds for run in runs[2])))
        )  # fmt: skip
    peak = _peak_bytes() - course.held_bytes
    return [
        *rows,
        row("bytes a post", round(sum(run.bytes for run in alone) / posts)),
        row("languages", LANGUAGES),
        row("events live", course.stream.live(course.now_us), f">= {EVENTS}"),
        row("events published", len(course.events)),
        row("peak memory without the stream held ready, MB", round(peak / 1e6)),
    ]


def _peak_bytes() -> int:
    """The largest resident set since `_forget_peak`."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) * 1024


def _forget_peak() -> None:
    """Give back what is free and let the peak begin anew (see proc(5), `clear_refs`)."""
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5")


def _us(seconds: float, posts: int) -> float:
    return round(seconds / posts * 1e6, 2)


def _pin(cores: list[int]) -> None:
    """Keep every thread of this process on `cores`; those to come inherit it."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(thread.name), cores)
