"""Stages side by side: order, bounds, failures and endings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest

from groundswell.overlap import ahead


def test_order_is_kept_through_several_stages() -> None:
    doubled = ahead(ahead(range(1_000), lambda number: number + 1), lambda number: number * 2)
    assert list(doubled) == [2 * (number + 1) for number in range(1_000)]


def test_each_stage_works_in_a_thread_of_its_own() -> None:
    here = threading.get_ident()
    first, second = (
        set(ahead(range(5), lambda _: threading.get_ident())),
        set(ahead(range(5), lambda _: threading.get_ident())),
    )
    assert len(first) == len(second) == 1
    assert here not in first | second


def test_it_is_no_further_ahead_than_it_was_told() -> None:
    made: list[int] = []
    results = ahead(range(1_000), lambda number: made.append(number), depth=3)
    next(results)
    deadline = monotonic() + 5
    while len(made) < 5 and monotonic() < deadline:
        sleep(0.01)
    sleep(0.05)
    assert len(made) == 5  # one taken, three waiting, one made and about to wait
    results.close()


def test_a_failure_comes_after_the_results_before_it() -> None:
    def fail_at_three(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = ahead(ahead(range(10), fail_at_three), lambda number: number)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_a_failing_source_fails_the_taker() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    results = ahead(source(), lambda number: number)
    assert next(results) == 1
    with pytest.raises(OSError, match="gone"):
        next(results)


def test_closing_ends_the_threads_and_closes_the_source() -> None:
    ended = threading.Event()

    def source() -> Iterator[int]:
        try:
            yield from range(1_000_000)
        finally:
            ended.set()

    results = ahead(ahead(source(), lambda number: number), lambda number: number)
    next(results)
    results.close()
    assert ended.wait(5)
