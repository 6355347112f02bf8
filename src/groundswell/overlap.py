"""Lets the stages of a line work side by side: each in a thread, each a few batches ahead of the next.

Order is kept and nothing is decided here, so a line gives the same records with and without. The kernels
release the interpreter's lock, which is what makes threads worth it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from queue import Empty, Queue
from typing import TypeVar

__all__ = ["IDLE_SECONDS", "ahead"]

Item = TypeVar("Item")
Made = TypeVar("Made")

IDLE_SECONDS = 10.0
_END = object()


class _Failed:
    """Carries an exception to the thread that takes."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def ahead(
    items: Iterable[Item],
    work: Callable[[Item], Made],
    depth: int = 2,
    *,
    idle: Callable[[], None] | None = None,
) -> Generator[Made]:
    """`map(work, items)` in a thread of its own, at most `depth` results ahead of whoever takes them.

    `items` is read in that thread too. What it or `work` raises is raised here, after the results before it.
    Closing the iterator ends the thread after the item it is at. `idle` is called by the taking thread each
    time it has waited `IDLE_SECONDS` in vain.

    >>> list(ahead([1, 2, 3], lambda number: number * 10))
    [10, 20, 30]
    """
    results: Queue[object] = Queue(depth)
    closed = threading.Event()

    def run() -> None:
        last: object = _END
        try:
            for item in items:
                results.put(work(item))
                if closed.is_set():
                    break
        except BaseException as error:  # whatever it is, it belongs to the thread that takes
            last = _Failed(error)
        results.put(last)

    thread = threading.Thread(target=run, name=f"ahead-{getattr(work, '__name__', 'stage')}", daemon=True)
    thread.start()
    try:
        while (result := _next(results, idle)) is not _END:
            if isinstance(result, _Failed):
                raise result.error
            yield result  # type: ignore[misc]  # a queue of three kinds of things
    finally:
        closed.set()
        while thread.is_alive():
            try:
                results.get(timeout=0.05)  # make room for what it is about to put
            except Empty:
                continue


def _next(results: Queue[object], idle: Callable[[], None] | None) -> object:
    while idle is not None:
        try:
            return results.get(timeout=IDLE_SECONDS)
        except Empty:
            idle()
    return results.get()
