"""What the gate remembers: finite, bounded, and blind to how the stream was cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.gate.horizon import Horizon

SECOND = 1_000_000


def by_definition(
    keys: list[int], times: list[int], values: list[int], marks: list[bool], horizon_us: int
) -> list[int | None]:
    """The value of the last sighting within the horizon before each row, looked for one by one."""
    answers: list[int | None] = []
    for row, key in enumerate(keys):
        seen = [
            values[at]
            for at in range(row)
            if marks[at] and keys[at] == key and times[at] >= times[row] - horizon_us
        ]
        answers.append(seen[-1] if seen else None)
    return answers


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 300), st.integers(1, 3), st.booleans()), max_size=60
    ),
    st.integers(1, 20),
)
def test_answers_follow_the_definition_however_the_stream_is_cut(
    rows: list[tuple[int, int, int, bool]], size: int
) -> None:
    keys = [key for key, _, _, _ in rows]
    times = np.cumsum([step * SECOND for _, step, _, _ in rows]).tolist()
    values = [value for _, _, value, _ in rows]
    marks = [mark for _, _, _, mark in rows]
    horizon = Horizon(seconds=600, capacity=64)
    answers: list[int | None] = []
    for first in range(0, len(rows), size):
        cut = slice(first, first + size)
        found, last = horizon.sight(
            np.array(keys[cut], np.uint64),
            np.array(times[cut], np.int64),
            np.array(values[cut], np.uint64),
            asks=np.ones(len(keys[cut]), bool),
            marks=np.array(marks[cut], bool),
        )
        answers += [int(value) if seen else None for seen, value in zip(found, last, strict=True)]
    assert answers == by_definition(keys, times, values, marks, 600 * SECOND)


def sight(horizon: Horizon, keys: list[int], time_us: int) -> list[bool]:
    column, yes = np.array(keys, np.uint64), np.ones(len(keys), bool)
    found, _ = horizon.sight(column, np.full(len(keys), time_us, np.int64), column, asks=yes, marks=yes)
    return [bool(seen) for seen in found]


def test_the_oldest_is_forgotten_first_and_counted() -> None:
    horizon = Horizon(seconds=600, capacity=100)
    assert not any(sight(horizon, list(range(1, 101)), 0))
    assert horizon.evicted == 0
    assert not any(sight(horizon, list(range(101, 151)), SECOND))
    assert horizon.evicted == 50
    assert all(sight(horizon, list(range(51, 151)), 2 * SECOND))
    assert len(horizon) == 100


def test_a_long_stream_of_new_keys_stays_within_its_memory() -> None:
    horizon = Horizon(seconds=10, capacity=1000)
    random = np.random.default_rng(5)
    for second in range(200):
        keys = random.integers(1, 1 << 63, 80)
        sight(horizon, keys.tolist(), second * SECOND)
        assert all(sight(horizon, keys.tolist(), second * SECOND))
    assert len(horizon) <= 1000
    assert not any(sight(horizon, [1, 2, 3], 10_000 * SECOND))
    assert len(horizon) == 3


def test_time_that_runs_backwards_does_not_forget_or_revive() -> None:
    horizon = Horizon(seconds=600, capacity=8)
    sight(horizon, [7], 1000 * SECOND)
    assert sight(horizon, [7], 0) == [True]
    assert sight(horizon, [7], 1600 * SECOND) == [True]
    assert sight(horizon, [7], 2201 * SECOND) == [False]
