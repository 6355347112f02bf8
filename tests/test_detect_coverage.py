"""Sources and languages that fall silent are told of, once and soon; rhythm, slow days and a few are not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from groundswell.batches import Kind
from groundswell.candidates import Shortfall
from groundswell.clock import HOUR_US, MINUTE_US, QUARTER_US
from groundswell.detect import TICK_US, Watch
from groundswell.detect.coverage import WatchMemory
from groundswell.detect.volumes import MOST_PAIRS

START_US = 1_777_593_600_000_000
K = 10
HOUR = HOUR_US // TICK_US
MINUTE = MINUTE_US // TICK_US
Counts = Mapping[tuple[str, str], float]

USUAL: Counts = {
    ("plaza", "eng_Latn"): 20.0,
    ("plaza", "tur_Latn"): 2.0,
    ("plaza", "und"): 1.0,
    ("forum", "eng_Latn"): 3.0,
}
"""Posts a tick."""


def rows(counts: Mapping[tuple[str, str], int], rng: np.random.Generator) -> pa.RecordBatch:
    """One tick's posts, mixed, from fifty speakers a language."""
    pairs = [pair for pair, count in counts.items() for _ in range(count)]
    order = rng.permutation(len(pairs))
    return pa.record_batch(
        {
            "kind": np.full(len(pairs), Kind.POST, np.uint8),
            "source": pa.array([pairs[at][0] for at in order], pa.string()),
            "lang": pa.array([pairs[at][1] for at in order], pa.string()),
            "speaker": rng.integers(1, 51, len(pairs)).astype(np.uint64),
        }
    )


def stream(
    hours: float, silent: Mapping[tuple[str, str | None], tuple[float, float]] | None = None,
    usual: Counts = USUAL, seed: int = 1, factor: float = 1.0,
) -> list[pa.RecordBatch]:  # fmt: skip
    """A tick a batch; `silent` maps (source, language) to hours from and to which nothing comes."""
    rng = np.random.default_rng(seed)
    ticks = []
    for tick in range(int(hours * HOUR)):
        hour = tick / HOUR
        gone = {key for key, (a, b) in (silent or {}).items() if a <= hour < b}
        counts = {
            pair: 0 if pair in gone or (pair[0], None) in gone else int(rng.poisson(mean * factor))
            for pair, mean in usual.items()
        }
        ticks.append(rows(counts, rng))
    return ticks


def run(
    ticks: Iterable[pa.RecordBatch], watch: Watch | None = None, start_us: int = START_US
) -> list[tuple[int, Shortfall]]:
    """What is told, each with its time since the start in ticks."""
    if watch is None:
        watch = Watch(K)
        watch.start(start_us)
    found = []
    for tick, batch in enumerate(ticks, 1):
        watch.count(batch)
        now_us = start_us + tick * TICK_US
        found += [((now_us - START_US) // TICK_US, each) for each in watch.tick(now_us)]
    return found


def first(found: Sequence[tuple[int, Shortfall]]) -> list[tuple[str, str | None, int]]:
    """Each shortfall once: its source, its language, the tick in which it was first told."""
    told: dict[tuple[str, str | None, int], int] = {}
    for tick, each in found:
        told.setdefault((each.source, each.language, each.first_us), tick)
    return [(source, language, tick) for (source, language, _), tick in told.items()]


def test_a_silent_language_is_told_within_five_minutes_and_its_end() -> None:
    found = run(stream(3.0, {("plaza", "tur_Latn"): (2.0, 2.4)}))
    assert [(source, language) for source, language, _ in first(found)] == [("plaza", "tur_Latn")]
    opened, closed = found[0], found[-1]
    assert opened[0] <= 2 * HOUR + 5 * MINUTE
    assert abs(opened[1].first_us - (START_US + 2 * HOUR_US)) <= MINUTE_US
    assert closed[1].phase == "restored"
    assert abs(closed[1].last_us - (START_US + 2.4 * HOUR_US)) <= MINUTE_US
    going_on = [tick for tick, each in found[1:-1] if each.phase == "open"]
    assert going_on == [tick for tick in range(opened[0], closed[0]) if tick % (5 * MINUTE) == 0]


def test_a_silent_source_is_told_once_and_not_by_its_languages() -> None:
    found = run(stream(3.0, {("plaza", None): (2.0, 2.5)}))
    ((source, language, tick),) = first(found)
    assert (source, language, found[0][1].nothing) == ("plaza", None, True)
    assert tick <= 2 * HOUR + 2 * MINUTE


def test_the_only_language_of_a_source_is_the_source() -> None:
    ((source, language, _),) = first(run(stream(3.0, {("forum", "eng_Latn"): (2.0, 2.5)})))
    assert (source, language) == ("forum", None)


def test_the_largest_language_is_told_while_the_others_go_on() -> None:
    """English is seven eighths of the source, so the source falls below what is expected of it too."""
    ((source, language, _),) = first(run(stream(3.0, {("plaza", "eng_Latn"): (2.0, 2.5)})))
    assert (source, language) == ("plaza", "eng_Latn")


@pytest.mark.parametrize("share", [0.6, 0.45])
def test_a_sudden_fall_to_half_is_no_shortfall(share: float) -> None:
    assert run(stream(2.0) + stream(1.0, factor=share, seed=2)) == []


def test_nothing_is_told_before_half_an_hour_is_known() -> None:
    assert run(stream(0.49, {("plaza", None): (0.2, 0.5)})) == []


def test_a_surge_that_ends_is_no_shortfall() -> None:
    surge = {**USUAL, ("plaza", "tur_Latn"): 20.0}
    assert run(stream(2.0) + stream(0.7, usual=surge, seed=2) + stream(1.0, seed=3)) == []


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_day_of_steep_rhythm_is_quiet(seed: int) -> None:
    """From a fifth to five times the mean and back, each language at its own hour."""
    rng = np.random.default_rng(seed)
    ticks = []
    for tick in range(24 * HOUR):
        hour = tick / HOUR
        counts = {
            pair: int(rng.poisson(0.5 * mean * 5 ** np.cos(2 * np.pi * (hour - 5 * place) / 24)))
            for place, (pair, mean) in enumerate(USUAL.items())
        }
        ticks.append(rows(counts, rng))
    assert run(ticks) == []


def test_yesterday_knows_what_ends_every_day() -> None:
    """Two hours of a show at twenty times the usual: taken for a loss on one day, for a habit on the next."""
    show = {**USUAL, ("plaza", "tur_Latn"): 40.0}
    day = [*stream(10.0), *stream(2.0, usual=show, seed=2), *stream(12.0, seed=3)]
    told = first(run(day + day))
    assert [tick // HOUR for _, _, tick in told] == [12]


def test_a_gap_that_was_told_is_not_told_again() -> None:
    watch = Watch(K)
    watch.start(START_US)
    ticks = stream(3.0, {("plaza", None): (2.0, 2.3)})
    found = run(ticks[: 2 * HOUR], watch)
    watch.excuse("plaza", START_US + 2 * HOUR_US, START_US + int(2.3 * HOUR_US))
    assert found + run(ticks[2 * HOUR :], watch, START_US + 2 * HOUR_US) == []


def test_a_gap_takes_the_place_of_what_was_told_before() -> None:
    watch = Watch(K)
    watch.start(START_US)
    ticks = stream(3.0, {("plaza", None): (2.0, 2.3)})
    before = int(2.3 * HOUR)
    (told,) = first(run(ticks[:before], watch))
    began_us = watch.excuse("plaza", START_US + 2 * HOUR_US, START_US + before * TICK_US)
    assert began_us is not None
    assert abs(began_us - (START_US + 2 * HOUR_US)) <= TICK_US
    assert told[0] == "plaza"
    assert run(ticks[before:], watch, START_US + before * TICK_US) == []


def test_a_language_of_a_few_is_never_told() -> None:
    few = rows({("plaza", "isl_Latn"): 9}, np.random.default_rng(0))
    few = few.set_column(3, "speaker", pa.array(np.arange(9, dtype=np.uint64)))  # nine speakers: under k
    usual = stream(2.0)
    ticks = [pa.concat_batches([batch, few]) for batch in usual] + stream(1.0, seed=2)
    assert run(ticks) == []


def test_no_snapshot_knows_of_a_few() -> None:
    watch = Watch(K)
    watch.start(START_US)
    few = rows({("plaza", "isl_Latn"): 9, ("nook", "eng_Latn"): 5}, np.random.default_rng(0))
    few = few.set_column(3, "speaker", pa.array(np.arange(14, dtype=np.uint64) % 9))
    run([pa.concat_batches([batch, few]) for batch in stream(1.5)], watch)
    stored = watch.snapshot(START_US + int(1.5 * HOUR_US))
    memory = msgspec.msgpack.decode(stored, type=WatchMemory)
    assert {(each.source, each.language) for each in memory.pairs} == {
        *(pair for pair in USUAL if pair[1] != "und"), ("plaza", ""), ("forum", ""),
    }  # fmt: skip
    assert b"isl" not in stored
    assert b"nook" not in stored
    for each in memory.pairs:
        posts, speakers = (np.frombuffer(part, np.int64) for part in (each.posts, each.speakers))
        assert ((speakers >= K) | ((posts <= 0) & (posts >= -2))).all()


def cut_anew(ticks: Sequence[pa.RecordBatch], seed: int) -> list[list[pa.RecordBatch]]:
    """Each tick's rows in another order, in batches of another size."""
    rng = random.Random(seed)
    pieces = []
    for batch in ticks:
        order = list(range(batch.num_rows))
        rng.shuffle(order)
        mixed = batch.take(pa.array(order, pa.int64()))
        at, cut = 0, []
        while at < mixed.num_rows:
            size = rng.choice((0, 1, 3, 8, 50))
            cut.append(mixed.slice(at, size))
            at += size
        pieces.append(cut)
    return pieces


@pytest.mark.parametrize("seed", range(3))
def test_neither_cuts_nor_the_order_in_a_tick_nor_the_speakers_key_make_a_difference(seed: int) -> None:
    silent = {("plaza", "tur_Latn"): (1.2, 1.5), ("forum", None): (1.3, 1.6)}
    ticks = stream(2.2, silent, seed=seed)
    whole = run(ticks)
    assert len(first(whole)) == 2
    watch = Watch(K)
    watch.start(START_US)
    found = []
    key = np.uint64(random.Random(seed).getrandbits(64))
    for tick, pieces in enumerate(cut_anew(ticks, seed), 1):
        for piece in pieces:
            speakers = piece.column("speaker").to_numpy() ^ key
            watch.count(piece.set_column(3, "speaker", pa.array(speakers)))
        found += [(tick, each) for each in watch.tick(START_US + tick * TICK_US)]
    assert found == whole


@pytest.mark.parametrize(
    "snapshot_hour", [2.25, *(pytest.param(hour, marks=pytest.mark.slow) for hour in (3.5, 4.25, 5.0)), 5.75]
)
def test_a_restart_from_a_snapshot_tells_the_same(snapshot_hour: float) -> None:
    """Shortfalls that have ended, go on, or are about to be told when the snapshot is taken."""
    silent = {
        ("plaza", "tur_Latn"): (2.1, 2.5), ("plaza", None): (3.3, 3.7),
        ("forum", None): (4.2, 5.4), ("plaza", "eng_Latn"): (5.72, 6.3),
    }  # fmt: skip
    ticks = stream(7.0, silent)
    watch = Watch(K)
    watch.start(START_US)
    at = int(snapshot_hour * HOUR)
    end_us = START_US + at * TICK_US
    assert end_us % QUARTER_US == 0
    before = run(ticks[:at], watch)
    stored = watch.snapshot(end_us)
    after = run(ticks[at:], watch, end_us)
    assert len(first(before + after)) == 4
    since = max(0, at - int(3.5 * HOUR))
    again = Watch(K)
    again.restore(stored, START_US + since * TICK_US)
    assert run(ticks[since:], again, START_US + since * TICK_US) == after
    assert again.snapshot(end_us + 1) == watch.snapshot(end_us + 1)


def test_the_clock_tells_of_a_source_that_brings_nothing_at_all() -> None:
    watch = Watch(K)
    watch.start(START_US)
    run(stream(1.5), watch)
    newest_us = START_US + int(1.5 * HOUR_US)
    assert watch.late(MINUTE_US, newest_us, newest_us + MINUTE_US) == []
    late = watch.late(3 * MINUTE_US, newest_us, newest_us + 3 * MINUTE_US)
    assert sorted((each.source, each.language, each.phase) for each in late) == [
        ("forum", None, "late"),
        ("plaza", None, "late"),
    ]


def test_a_silence_of_days_is_waited_for_two_days() -> None:
    ticks = stream(2.0) + [rows({("forum", "eng_Latn"): 3}, np.random.default_rng(0))] * (51 * HOUR)
    found = run(ticks)
    assert [each.phase for _, each in found][-1] == "lapsed"
    assert len(first(found)) == 1


def test_what_comes_back_otherwise_after_hours_is_back() -> None:
    """After three hours nobody knows how much was to be expected: a crowd is enough."""
    less = {pair: mean * 0.2 for pair, mean in USUAL.items() if pair[0] == "plaza"}
    kept = {pair: mean for pair, mean in USUAL.items() if pair[0] == "forum"}
    found = run(stream(2.0) + stream(5.0, usual={**less, **kept}, seed=2))
    assert [each.phase for _, each in found if each.language is None][-1] == "restored"
    assert found[-1][0] <= 5.6 * HOUR


def test_strangers_cannot_fill_the_memory() -> None:
    """Four thousand invented sources, and one that a crowd writes on: it is found among them."""
    watch = Watch(K)
    watch.start(START_US)
    for tick in range(1, int(2.2 * HOUR)):
        rng = np.random.default_rng(tick)
        counts = {("plaza", "eng_Latn"): 20 if tick < 2 * HOUR else 0}
        counts |= {(f"s{rng.integers(0, 4000)}", "eng_Latn"): 1 for _ in range(30)}
        watch.count(rows(counts, rng))
        found = watch.tick(START_US + tick * TICK_US)
        if tick < 2 * HOUR:
            assert found == []
        elif found:
            assert [(each.source, each.language) for each in found] == [("plaza", None)]
            break
    else:
        pytest.fail("the silence was never told")
    memory = msgspec.msgpack.decode(watch.snapshot(START_US + 2 * HOUR_US), type=WatchMemory)
    assert len(memory.pairs) == 2
    assert MOST_PAIRS < 4000
