"""Posts a second, stage by stage and for the whole line: `groundswell bench throughput`.

45 minutes of a simulated world at 100 everyday posts a second, as Jetstream messages, with events under way
in the last quarter hour (before that the rates only learn). Figures are CPU time, so that another program on
the machine does not show in them; kernels are compiled before anything is measured.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa
from bench._data import progress

from groundswell.clock import floor_to
from groundswell.detect import TICK_US, Detector, DetectSettings
from groundswell.detect.rates import RateSettings
from groundswell.enrich import CATEGORIES, Languages, extract
from groundswell.enrich.enricher import Enricher, EnrichSettings
from groundswell.enrich.people import People
from groundswell.enrich.topics import Topics
from groundswell.gate import Gate, GateSettings
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.release import PublishKey, Release, ReleaseSettings
from groundswell.simulator import World, WorldSettings
from groundswell.sources import Lines

__all__ = ["measure"]

WORLD = WorldSettings(
    seed=1, hours=0.75, posts_per_second=100, quiet_minutes=28, events_per_hour=8, opening_events=4
)
WARM_UP_LINES = 60_000
KEY = PublishKey(bytes(32))


def measure() -> list[dict[str, Any]]:
    """µs of CPU a post in each stage, and posts a second and core through all of them."""
    lines = list(World(WORLD).lines("jetstream"))
    lexica = Lexica()
    with progress("throughput") as bar:
        _through(lines[:WARM_UP_LINES], lexica, learn_minutes=2)
        bar(1, 4)
        stages, posts = _stages(lines, lexica)
        bar(2, 4)
        seconds, wall_seconds = _through(lines, lexica)
    rows: list[dict[str, Any]] = [
        {"figure": f"{name}, µs a post", "value": round(spent / posts * 1e6, 2), "goal": "-"}
        for name, spent in stages.items()
    ]
    return [
        *rows,
        {"figure": "whole line, µs a post", "value": round(seconds / posts * 1e6, 2), "goal": "-"},
        {"figure": "whole line, posts/s a core", "value": round(posts / seconds), "goal": ">= 10000"},
        {"figure": "whole line, posts/s of wall time", "value": round(posts / wall_seconds), "goal": "-"},
    ]


def _source(lines: list[bytes], metrics: Metrics) -> Lines:
    return Lines("bluesky", lambda since_us: (line + b"\n" for line in lines), metrics)


def _through(lines: list[bytes], lexica: Lexica, learn_minutes: int = 30) -> tuple[float, float]:
    """Seconds of CPU and of wall time that the whole line takes, as `run` and `replay` drive it."""
    metrics = Metrics()
    detect = DetectSettings(rates=RateSettings(learn_minutes=learn_minutes))
    line = Line(LineSettings(detect=detect), lexica, KEY, metrics)
    begun, wall_begun = time.process_time(), time.perf_counter()
    for batch in _source(lines, metrics).read(None, Event()):
        line.feed(batch)
    line.finish()
    return time.process_time() - begun, time.perf_counter() - wall_begun


class _Stopwatch:
    """Seconds of CPU by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.seconds[name] += time.process_time() - begun


def _stages(lines: list[bytes], lexica: Lexica) -> tuple[dict[str, float], int]:
    """Seconds of CPU in each stage, and the rows that went through; enrichment's parts beside its whole."""
    metrics, watch, ticks = Metrics(), _Stopwatch(), _Ticks()
    gate = Gate(GateSettings(), metrics)
    enricher = Enricher(EnrichSettings(), lexica.gazetteer, lexica.names)
    languages, topics, people = Languages(), Topics.load(), People(lexica.names)
    detector = Detector(DetectSettings(), lexica.gazetteer.table, CATEGORIES, floor_k=ReleaseSettings().k)
    release = Release(
        ReleaseSettings(), KEY, lexica.population, lexica.names.person_like, metrics,
        country_names=lexica.country_names,
    )  # fmt: skip
    rows = 0
    batches = _source(lines, metrics).read(None, Event())
    while True:
        with watch("wire"):
            raw = next(batches, None)
        if raw is None:
            break
        rows += raw.num_rows
        with watch("gate"):
            post = gate.admit(raw)
        with watch("enrich"):
            batch = enricher.enrich(post)
        text = post.column("text")
        with watch("enrich: terms"):
            found = extract(text)
        with watch("enrich: language"):
            lang, _ = languages.identify(text, post.column("langs"))
        with watch("enrich: places"):
            lexica.gazetteer.find(found.folded, text, lang)
        with watch("enrich: topics"):
            topics.categories(found.folded, found.tokens)
        with watch("enrich: names"):
            people.mentions(found.folded, found.tokens)
        for part, tick_us in ticks.cut(batch):
            detector.wait(part)
            if tick_us is None:
                continue
            with watch("detect"):
                candidates = detector.tick(tick_us)
            with watch("release"):
                decision = release.decide(candidates, tick_us)
            detector.settle(decision.released)
    gate.close()
    return watch.seconds, rows


class _Ticks:
    """Cuts batches where ticks end."""

    def __init__(self) -> None:
        self._next_us: int | None = None

    def cut(self, batch: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, int | None]]:
        """Parts of the batch, each with the tick that ends behind it; None for the last, which goes on."""
        times_us = batch.column("time_us").to_numpy()
        if not len(times_us):
            return
        if self._next_us is None:
            self._next_us = floor_to(int(times_us[0]), TICK_US) + TICK_US
        at = 0
        while self._next_us <= times_us[-1]:
            end = int(np.searchsorted(times_us, self._next_us))
            yield batch.slice(at, end - at), self._next_us
            at = end
            self._next_us += TICK_US
        yield batch.slice(at), None
