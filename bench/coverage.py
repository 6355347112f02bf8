"""Are sources and languages that fall silent told of, how soon, and is a day's rhythm ever taken for silence?

Counts alone are made up, tick by tick, and go through the detector's own watch (`detect/coverage.py`): a
source of forty languages from thirty posts a second down to one a minute, and a small source beside it. Each
language has its hour of the day and its own ratio of day to night (3 to 10), wanders (sd .2 over half an
hour, .1 of it common to all), is uneven from tick to tick, and has surges of two to five times its volume
that end within minutes. On the second day a third of them have three fifths of the volume. The first day is
read without a yesterday, the second with one.

Silences are planted at random times of the second day, for a quarter of an hour to an hour. A simulated
world with a silenced source and a silenced language then goes through the whole line.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import progress

from groundswell.batches import Kind
from groundswell.candidates import Shortfall
from groundswell.clock import HOUR_US, MINUTE_US, QUARTER_US, SECOND_US, moment_us
from groundswell.detect import TICK_US, Watch
from groundswell.pipeline import Lexica
from groundswell.published import Coverage
from groundswell.recordings import replay
from groundswell.simulator import Silence, World, WorldSettings

__all__ = ["measure"]

SEEDS = 5
FLOOR_K = 20
START_US = WorldSettings().start_us
DAY = 24 * HOUR_US // TICK_US
QUARTER = QUARTER_US // TICK_US
LANGUAGES = 40
SOURCES = (("large", 30.0), ("small", 0.5))
CLASSES = ((8, 15), (15, 30), (30, 60), (60, 150), (150, 100_000))
"""Posts of the five minutes before a silence, from and to under."""
GOAL_SECONDS = 300

F64Array = npt.NDArray[np.float64]


class Planted(NamedTuple):
    """Ticks [first, end) in which a source, or a language of it, brings nothing."""

    source: str
    language: str | None
    first: int
    end: int


class Day:
    """Two days of expected posts a tick, (pairs, ticks), and counts drawn around them."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._rng = rng
        self.pairs = [(source, f"l{n:02d}_Latn") for source, _ in SOURCES for n in range(LANGUAGES)]
        sizes = np.concatenate([_zipf(rate) for _, rate in SOURCES])
        count = len(self.pairs)
        hours = np.arange(2 * DAY) / 360.0
        swing = np.log(rng.uniform(3.0, 10.0, count)) / 2.0
        phase = rng.uniform(0.0, 24.0, count)
        rates = swing[:, None] * np.cos(2 * np.pi * (hours[None, :] - phase[:, None]) / 24.0)
        rates += _wander(rng, count, 0.2) + _wander(rng, 1, 0.1)
        for row in rates:
            for at in rng.integers(0, 2 * DAY, rng.poisson(3)):
                row += _surge(rng, at)
        slow = rng.random(count) < 1 / 3
        rates[slow, DAY:] += np.log(0.6)
        self.rates: F64Array = sizes[:, None] * np.exp(rates)
        self._uneven = rng.uniform(10.0, 100.0, count)

    def silence(self, number: int) -> list[Planted]:
        """A quarter of the languages and each source, once, on the second day; none at one time."""
        rng = np.random.default_rng((number, 1))
        silences = []
        for place, slot in enumerate(rng.permutation(22)):
            first = DAY + int(slot + 1) * 360 + int(rng.integers(0, 60))
            end = first + int(rng.integers(90, 270))
            if place < len(SOURCES):
                silences.append(Planted(SOURCES[place][0], None, first, end))
            else:
                source, language = self.pairs[int(rng.integers(0, LANGUAGES // 2))]
                silences.append(Planted(source, language, first, end))
        return silences

    def counts(self, silences: list[Planted]) -> Iterator[npt.NDArray[np.int64]]:
        """Posts of each pair, tick by tick."""
        silent = np.zeros(self.rates.shape, np.bool_)
        for each in silences:
            rows = [
                source == each.source and each.language in (None, language) for source, language in self.pairs
            ]
            silent[np.flatnonzero(rows), each.first : each.end] = True
        for tick in range(self.rates.shape[1]):
            uneven = self._rng.gamma(self._uneven, 1.0 / self._uneven)
            yield np.where(silent[:, tick], 0, self._rng.poisson(self.rates[:, tick] * uneven))


def _zipf(rate: float) -> F64Array:
    shares = 10.0 / np.arange(1, LANGUAGES + 1) ** 1.5
    sizes: F64Array = rate * shares / shares.sum()
    return sizes


def _wander(rng: np.random.Generator, count: int, deviation: float) -> F64Array:
    """Autoregressive over half an hour, one value a minute."""
    minutes, keep = 2 * DAY // 6, float(np.exp(-1 / 30))
    steps = rng.normal(0.0, deviation * np.sqrt(1 - keep**2), (count, minutes))
    values = np.empty((count, minutes))
    level = rng.normal(0.0, deviation, count)
    for minute in range(minutes):
        level = keep * level + steps[:, minute]
        values[:, minute] = level
    return np.repeat(values, 6, axis=1)


def _surge(rng: np.random.Generator, at: int) -> F64Array:
    """Log of a surge of two to five times, ten to sixty minutes long, that comes and goes in five minutes."""
    ticks = np.arange(2 * DAY)
    end = at + int(rng.integers(60, 360))
    edge = np.minimum((ticks - at) / 30.0, (end - ticks) / 30.0)
    surge: F64Array = np.log(rng.uniform(2.0, 5.0)) * np.clip(edge, 0.0, 1.0)
    return surge


def told(day: Day, silences: list[Planted], seed: int) -> list[tuple[int, Shortfall]]:
    """What the watch tells, each with its tick."""
    rng = np.random.default_rng((seed, 2))
    watch = Watch(FLOOR_K)
    watch.start(START_US)
    sources = pa.array([source for source, _ in day.pairs])
    languages = pa.array([language for _, language in day.pairs])
    found = []
    for tick, counts in enumerate(day.counts(silences)):
        rows = pa.array(np.repeat(np.arange(len(counts)), counts))
        speakers = rng.integers(0, 1 << 40, len(rows)).astype(np.uint64)
        columns = {
            "kind": np.full(len(rows), Kind.POST, np.uint8), "source": sources.take(rows),
            "lang": languages.take(rows), "speaker": speakers,
        }  # fmt: skip
        watch.count(pa.record_batch(columns))
        found += [(tick + 1, each) for each in watch.tick(START_US + (tick + 1) * TICK_US)]
    return found


class Delay(NamedTuple):
    """One planted silence: how much came in the five minutes before, and when it was told of."""

    source: str
    language: str | None
    posts: float
    seconds: float | None
    """None where nothing was told while it lasted."""


def score(day: Day, silences: list[Planted], seed: int) -> tuple[list[Delay], int, int]:
    """The delays, reports of the first day and of the second that are about no silence."""
    opened: dict[tuple[str, str | None, int], int] = {}
    for tick, shortfall in told(day, silences, seed):
        opened.setdefault((shortfall.source, shortfall.language, shortfall.first_us), tick)
    delays = []
    for planted in silences:
        about = [
            tick
            for (source, language, _), tick in opened.items()
            if (source, language) == (planted.source, planted.language)
            and planted.first < tick <= planted.end
        ]
        rows = [
            source == planted.source and planted.language in (None, language)
            for source, language in day.pairs
        ]
        posts = float(day.rates[rows, planted.first - 30 : planted.first].sum())
        seconds = (min(about) - planted.first) * TICK_US / SECOND_US if about else None
        delays.append(Delay(planted.source, planted.language, posts, seconds))
    false = [
        tick
        for (source, language, _), tick in opened.items()
        if not any(
            (source, language) == (each.source, each.language) and each.first < tick <= each.end + QUARTER
            for each in silences
        )
    ]
    return delays, sum(tick <= DAY for tick in false), sum(tick > DAY for tick in false)


def measure(seeds: int = SEEDS) -> list[dict[str, Any]]:
    """Delays by volume, false reports of days with and without a yesterday, and a run of the whole line."""
    delays: list[Delay] = []
    quiet = np.zeros(2, int)
    crossed = 0
    with progress("coverage") as bar:
        for seed in range(1, seeds + 1):
            _, first, second = score(Day(seed), [], seed)
            quiet += (first, second)
            bar(2 * seed - 1, 2 * seeds)
            day = Day(seed)
            found, _, beside = score(day, day.silence(seed), seed)
            delays += found
            crossed += beside
            bar(2 * seed, 2 * seeds)
    return [
        *_delay_rows(delays),
        {"figure": "false reports, first days", "value": int(quiet[0]), "goal": "0"},
        {"figure": "false reports, days with a yesterday", "value": int(quiet[1]), "goal": "0"},
        {"figure": "false reports beside planted silences", "value": crossed, "goal": "0"},
        {"figure": "days of each kind", "value": seeds, "goal": "-"},
        *_line_rows(),
    ]


def _delay_rows(delays: list[Delay]) -> Iterator[dict[str, Any]]:
    for low, high in CLASSES:
        posts = f"{low} posts in 5 min or more" if high > 1_000 else f"{low} to {high} posts in 5 min"
        for name in ("sources", "languages"):
            of_class = [
                each
                for each in delays
                if low <= each.posts < high and (each.language is None) == (name == "sources")
            ]
            if of_class:
                yield from _row(f"{name}, {posts}", of_class)


def _row(name: str, delays: list[Delay]) -> Iterator[dict[str, Any]]:
    seconds = [each.seconds for each in delays if each.seconds is not None]
    soon = sum(each <= GOAL_SECONDS for each in seconds)
    yield {"figure": f"{name}: within 5 min", "value": f"{soon} of {len(delays)}", "goal": "all"}
    if seconds:
        value = f"{np.median(seconds):.0f}; {max(seconds):.0f}; {len(delays) - len(seconds)}"
        yield {"figure": f"{name}: median s; longest; untold", "value": value, "goal": "<= 300"}


# -- the whole line ---------------------------------------------------------------------------------


def simulated_world() -> WorldSettings:
    """Three hours of six posts a second; Turkish is silent for twenty minutes, then everything."""
    return WorldSettings(
        seed=4,
        hours=3.0,
        posts_per_second=6.0,
        silences=(
            Silence(minute=95, minutes=20, language=SILENCED[0]),
            Silence(minute=140, minutes=15),
        ),
    )


SILENCED = ("tr", "tur_Latn")


def _line_rows() -> Iterator[dict[str, Any]]:
    """What a replay publishes of a silenced language and a silenced source, and what besides."""
    world = World(simulated_world())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.jsonl"
        world.write(path)
        records = [record for record in replay(path, lexica=Lexica()) if isinstance(record, Coverage)]
    left = defaultdict(list)
    for record in records:
        left[record.language].append(record)
    start_us = world.settings.start_us
    for silence, language in zip(world.settings.silences, (SILENCED[1], None), strict=True):
        begins_us = start_us + int(silence.minute * MINUTE_US)
        records = left.pop(language, [])
        about = [each for each in records if abs(moment_us(each.first_seen) - begins_us) < 2 * MINUTE_US]
        name = "language" if language else "source"
        yield {"figure": f"whole line: silenced {name} told", "value": len(about), "goal": "1"}
        if records != about:
            left[language] = [each for each in records if each not in about]
    yield {"figure": "whole line: other records", "value": sum(map(len, left.values())), "goal": "0"}
