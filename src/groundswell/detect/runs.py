"""Joins pairs of characters again to what they were cut from, for phrases that read well.

Scripts that do not write words apart are counted by overlapping pairs of characters. Where hot pairs of one
post overlap or touch, the stretch of text that they cover, and every shorter stretch of them, is a run: seven
pairs make `แผ่นดินไหว`. The runs that many speakers share are the phrases. Nothing is remembered between ticks.
"""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.detect.columns import distinct, group
from groundswell.detect.window import Window
from groundswell.kernels import allocating

__all__ = ["MAX_CHARACTERS", "Run", "is_unspaced", "joined"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

MAX_CHARACTERS = 10
"""Of a run: `release` shows no longer ones."""
MAX_RUNS = 96
"""Of a post."""
_BRIDGED = 2
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
    text_at = np.searchsorted(text_owners, np.arange(len(rows) + 1))
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
        said = text[text_at[row] : text_at[row + 1]].tobytes()
        written, rest = (
            said[start:end].decode("utf-8", "ignore"),
            said[end : end + 3].decode("utf-8", "ignore"),
        )
        if unicodedata.category(written[0])[0] == "M" or (rest and unicodedata.category(rest[0])[0] == "M"):
            continue  # cut through a character
        posts = np.unique(found[numbers == number, 0])
        runs.append(Run(written, int(counts[number]), float(most[number]), posts))
    return _longest(runs)


def _longest(runs: list[Run]) -> list[Run]:
    """Without what mostly stands inside a longer run, and without what cuts through a more common one."""
    whole: list[Run] = []
    for run in sorted(runs, key=lambda run: (-len(run.text), run.text)):
        if not any(run.text in other.text and other.speakers >= _ABSORBED * run.speakers for other in whole):
            whole.append(run)
    kept: list[Run] = []
    for run in sorted(whole, key=lambda run: (-run.speakers, -len(run.text), run.text)):
        common = (other for other in kept if run.speakers <= _ABSORBED * other.speakers)
        if not any(_cuts(run.text, other.text) for other in common):
            kept.append(run)
    return kept


def _cuts(text: str, other: str) -> bool:
    """Whether `text` begins with the end of `other`, or ends with its beginning, by two letters or more."""
    if other in text:
        return False
    return any(text.startswith(other[at:]) or text.endswith(other[:-at]) for at in range(1, len(other) - 1))


@allocating
def _is_letter(text: Any, at: int) -> bool:
    """Whether a letter or mark beyond Arabic begins at `at`, in the basic plane: no space, no punctuation."""
    lead = text[at]
    return bool(0xE0 <= lead < 0xEF and lead != 0xE2 and not (lead == 0xE3 and text[at + 1] == 0x80))


@allocating
def _after(text: Any, at: int, end: int, most: int) -> int:
    """Where at most `most` letters from `at` end; they stop before anything else."""
    for _ in range(most):
        if at + 3 > end or not _is_letter(text, at):
            break
        at += 3
    return at


@allocating
def _before(text: Any, at: int, start: int, most: int) -> int:
    """Where at most `most` letters up to `at` begin."""
    for _ in range(most):
        if at - 3 < start or not _is_letter(text, at - 3):
            break
        at -= 3
    return at


@allocating
def _emit(text: Any, row: int, at_row: int, start: int, end: int, top: float, out: Any, size: int) -> int:
    """Add the run from `start` to `end` of a row's text, if it is short enough; the runs there are then."""
    hashes, found, tops = out
    state = np.uint64(0xCBF29CE484222325)
    characters = 0
    for i in range(at_row + start, at_row + end):
        state = (state ^ np.uint64(text[i])) * np.uint64(0x100000001B3)
        characters += (text[i] & 0xC0) != 0x80
    if characters > MAX_CHARACTERS or size == len(hashes):
        return size
    hashes[size] = state
    found[size, 0], found[size, 1], found[size, 2] = row, start, end
    tops[size] = top
    return size + 1


@allocating
def _runs(spans: Any, nats: Any, text: Any, text_at: Any) -> Any:
    """(hash, (row, start, end), top surprise) of every run; `spans` in order, `text_at` (rows + 1,).

    Spans may stand `_BRIDGED` letters apart, and a chain of them may reach as far beyond its ends: what
    stands there are pairs too common to be terms.
    """
    room = len(spans) * (MAX_CHARACTERS + (_BRIDGED + 1) ** 2)
    out = np.empty(room, np.uint64), np.empty((room, 3), np.int64), np.empty(room)
    size = 0
    begun = 0
    for first in range(len(spans)):
        row, start = spans[first, 0], spans[first, 1]
        at_row = text_at[row]
        is_head = first == 0 or spans[first - 1, 0] != row
        if is_head:
            begun = size
        top = 0.0
        end = start
        last = first
        while last < len(spans) and spans[last, 0] == row and size - begun < MAX_RUNS:
            gap = spans[last, 1] - end
            if gap > 0 and _after(text, at_row + end, at_row + spans[last, 1], _BRIDGED) - at_row < end + gap:
                break
            end = max(end, spans[last, 2])
            top = max(top, nats[last])
            if last > first:
                size = _emit(text, row, at_row, start, end, top, out, size)
            last += 1
        for left in range(_BRIDGED + 1):
            begin = _before(text, at_row + start, at_row, left) - at_row
            for right in range(_BRIDGED + 1):
                stop = _after(text, at_row + end, text_at[row + 1], right) - at_row
                if left + right and size - begun < MAX_RUNS:
                    size = _emit(text, row, at_row, begin, stop, top, out, size)
    return out[0][:size], out[1][:size], out[2][:size]
