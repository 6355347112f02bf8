"""Joins pairs of characters again to what they were cut from, for phrases that read well.

Scripts that do not write words apart are counted by overlapping pairs of characters. Where hot pairs of one
post overlap or touch, the stretch of text that they cover, and every shorter stretch of them, is a run: seven
pairs make `แผ่นดินไหว`. The runs that many speakers share are the phrases. Nothing is remembered between ticks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.detect.columns import distinct, group
from groundswell.detect.window import Window

__all__ = ["MAX_CHARACTERS", "Run", "is_unspaced", "joined"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

MAX_CHARACTERS = 10
"""Of a run: `release` shows no longer ones."""
MAX_RUNS = 64
"""Of a post."""
_MOST_SHARED = 200
_ABSORBED = 0.6
_UNSPACED = (
    *((0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3041, 0x309F)),
    *((0x1950, 0x19DF), (0x1A20, 0x1AAD), (0x1B00, 0x1B4C), (0xA980, 0xA9FF), (0xAA60, 0xAADF)),
    *((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)


class Run(NamedTuple):
    """A stretch of text that some speakers share."""

    text: str
    speakers: int
    surprise: float
    """Of its most surprising pair."""
    posts: I64Array
    """Which of the rows hold it."""


def is_unspaced(text: str) -> bool:
    """Whether `text` is in scripts that do not write words apart.

    >>> is_unspaced("地震"), is_unspaced("ハリケーン"), is_unspaced("flood")
    (True, False, False)
    """
    return bool(text) and all(any(low <= ord(char) <= high for low, high in _UNSPACED) for char in text)


def joined(
    window: Window,
    rows: I64Array,
    speakers: U64Array,
    pairs: U64Array,
    surprise: npt.NDArray[np.float64],
    least: int,
) -> list[Run]:
    """The runs of `pairs` that at least `least` speakers share, longest first.

    What hardly ever stands outside a longer run is left to it.

    Parameters
    ----------
    rows, speakers
        The crowd's posts.
    pairs, surprise
        Hashes of its hot pairs of characters, and how surprising each is.
    """
    terms, owners = window.lists_at("terms", rows)
    order = np.argsort(pairs)
    at = np.minimum(np.searchsorted(pairs[order], terms), len(pairs) - 1)
    hot = pairs[order][at] == terms
    starts, ends = (window.lists_at(name, rows)[0][hot] for name in ("term_starts", "term_ends"))
    owners, nats = owners[hot], surprise[order][at[hot]]
    sequence = np.lexsort((starts, owners))
    text, text_owners = window.lists_at("folded", rows)
    spans = np.stack((owners, starts, ends), axis=1).astype(np.int64)[sequence]
    text_at = np.searchsorted(text_owners, np.arange(len(rows)))
    hashes, found, tops = _runs(spans, nats[sequence], text, text_at)
    if not len(hashes):
        return []
    numbers, different = group(hashes)
    counts = distinct(numbers, speakers[found[:, 0]], len(different))
    first = np.full(len(different), len(hashes))
    np.minimum.at(first, numbers, np.arange(len(hashes)))
    most = np.zeros(len(different))
    np.maximum.at(most, numbers, tops)
    common = np.flatnonzero(counts >= least)
    common = common[np.lexsort((different[common], -counts[common]))][:_MOST_SHARED]
    runs = []
    for number in common.tolist():
        row, start, end = found[first[number]].tolist()
        written = text[text_at[row] + start : text_at[row] + end].tobytes().decode("utf-8", "ignore")
        posts = np.unique(found[numbers == number, 0])
        runs.append(Run(written, int(counts[number]), float(most[number]), posts))
    return _longest(runs)


def _longest(runs: list[Run]) -> list[Run]:
    kept: list[Run] = []
    for run in sorted(runs, key=lambda run: (-len(run.text), run.text)):
        if not any(run.text in other.text and other.speakers >= _ABSORBED * run.speakers for other in kept):
            kept.append(run)
    return kept


@njit(cache=True, nogil=True)
def _runs(spans: Any, nats: Any, text: Any, text_at: Any) -> Any:
    """(hash, (row, start, end), top surprise) of every run of two spans or more; `spans` in order."""
    size = spans.shape[0]
    room = size * 9
    hashes, found, tops = np.empty(room, np.uint64), np.empty((room, 3), np.int64), np.empty(room)
    at = 0
    in_row = 0
    for first in range(size):
        if first == 0 or spans[first, 0] != spans[first - 1, 0]:
            in_row = 0
        row, start = spans[first, 0], spans[first, 1]
        end = start
        state = np.uint64(0xCBF29CE484222325)
        characters = 0
        top = 0.0
        last = first
        while last < size and in_row < MAX_RUNS and at < room:
            if spans[last, 0] != row or (last > first and spans[last, 1] > end):
                break
            for i in range(text_at[row] + end, text_at[row] + spans[last, 2]):
                state = (state ^ np.uint64(text[i])) * np.uint64(0x100000001B3)
                characters += (text[i] & 0xC0) != 0x80
            if characters > MAX_CHARACTERS:
                break
            end = max(end, spans[last, 2])
            top = max(top, nats[last])
            if last > first:
                hashes[at] = state
                found[at, 0], found[at, 1], found[at, 2] = row, start, end
                tops[at] = top
                at += 1
                in_row += 1
            last += 1
    return hashes[:at], found[:at], tops[:at]
