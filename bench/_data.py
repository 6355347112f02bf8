"""What the measurements share: where the data lies, a progress bar on standard error, rows, CPU time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from groundswell.errors import UsageError

__all__ = ["data_file", "median_us", "progress", "row"]

DATA = Path(os.environ.get("GROUNDSWELL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def data_file(*parts: str) -> Path:
    """A file of the measuring data; raises `UsageError` where it is absent."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise UsageError(
            str(path), "the measuring data is not there", "set GROUNDSWELL_DATA to the folder that holds it"
        )
    return path


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar over `(done, total)`; nothing is drawn where standard error is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn(label), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def row(figure: str, value: str | float, goal: str = "-") -> dict[str, Any]:
    """A figure beside its goal, as `groundswell bench` prints it."""
    return {"figure": figure, "value": value, "goal": goal}


def median_us(work: Callable[[], object], items: int, rounds: int = 5) -> float:
    """CPU time of `work` for each of `items`, microseconds: the median of `rounds`."""
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return median(spent) / items * 1e6
