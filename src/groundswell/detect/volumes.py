"""How many posts come, by source and by language in it, and how many are to be expected. Counts only.

A pair is a source with one language, or with none for the whole source. Closed quarter hours are kept for
27 hours; one in which fewer than k speakers wrote counts as empty, so that what is snapshotted speaks of
crowds only. What is expected of the running quarter hour is the least of three means:

    |- yesterday: the quarter hour that is running and its neighbours -| … |------ 3 h ------|-- 1 h --| now

The last hour follows the day's rhythm and the platform's slow days; the last three forget a surge that has
just ended; yesterday knows what ends every day at this time. Taking the least makes a report late rather
than false.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import Kind
from groundswell.clock import HOUR_US, QUARTER_US
from groundswell.detect.detector import TICK_US

__all__ = ["MOST_PAIRS", "WHOLE", "Pair", "PairMemory", "Volumes"]

MOST_PAIRS = 1024
"""Sources and languages watched at once; the smallest newcomers wait for room."""
WHOLE = ""
"""Stands for a language where a pair is a whole source."""
QUARTERS_KEPT = 27 * HOUR_US // QUARTER_US
_DAY = 24 * HOUR_US // QUARTER_US
_TICKS = QUARTER_US // TICK_US
_HOUR, _HOURS = 4, 12
_LEAST_KNOWN = 2  # quarter hours of the last four, before anything is expected
_UNKNOWN, _DOUBTFUL = -1, -2  # a doubtful number n is kept as -2 - n
_POSTS, _SQUARES, _SPEAKERS = range(3)
_UNTOLD = "und"

Pair = tuple[str, str]
F64Array = npt.NDArray[np.float64]
I64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class PairMemory(msgspec.Struct, frozen=True):
    """A pair's quarter hours as they may be stored: of each, fewer than k speakers' count as none."""

    source: str
    language: str
    posts: bytes
    squares: bytes
    """Sums over ticks of squared counts: how unevenly posts come."""
    speakers: bytes
    """Distinct speakers, 2k at most."""


class Volumes:
    """Counts posts by pair, tick by tick, and keeps quarter hours.

    Pairs are numbered; arrays have one entry a pair, in that order. Numbers change in `close_quarter` only.

    Parameters
    ----------
    floor_k
        Fewest speakers whose quarter hour counts.
    """

    def __init__(self, floor_k: int) -> None:
        self._floor_k = floor_k
        self.pairs: list[Pair] = []
        self._numbers: dict[Pair, int] = {}
        self._quarters = np.zeros((MOST_PAIRS, 3, QUARTERS_KEPT), np.int64)
        self._known = np.zeros(QUARTERS_KEPT, np.bool_)
        self._sums = np.zeros((MOST_PAIRS, 2), np.int64)
        self._tick: dict[Pair, int] = {}
        self._heard: list[tuple[list[Pair], I64Array, npt.NDArray[np.uint64]]] = []
        self._speakers_of = np.empty(0, np.int64)
        self._speakers = np.empty(0, np.uint64)
        self._crowds = np.zeros(MOST_PAIRS, np.int64)
        self._quarter = -1
        self.expected = np.zeros(0)
        """Posts to be expected in a tick; 0 where too little is known."""
        self.yesterday = np.zeros(0)
        """The same by yesterday alone; infinite where that is not known."""
        self.dispersion = np.zeros(0)
        """The negative binomial's size r for a tick: its variance is m + m²/r."""
        self.usual_speakers = np.zeros(0, np.int64)
        """Speakers of a quarter hour, the mean over the last hour, each quarter at most 2k."""

    def number(self, pair: Pair) -> int | None:
        return self._numbers.get(pair)

    def speakers_now(self) -> I64Array:
        """Distinct speakers of the running quarter hour so far, at most about 2k."""
        return self._crowds[: len(self.pairs)]

    def count(self, posts: pa.RecordBatch) -> None:
        """Add `ENRICHED` rows of the running tick; edits and deletions do not count."""
        is_post = posts.column("kind").to_numpy() == Kind.POST
        if not is_post.all():
            posts = posts.filter(pa.array(is_post))
        if not posts.num_rows:
            return
        sources = posts.column("source").dictionary_encode()
        languages = posts.column("lang").dictionary_encode()
        width = len(languages.dictionary)
        source = sources.indices.to_numpy().astype(np.int64)
        codes = source * width + languages.indices.to_numpy()
        counts = np.bincount(codes, minlength=len(sources.dictionary) * width)
        present = np.flatnonzero(counts)
        source_names, language_names = sources.dictionary.to_pylist(), languages.dictionary.to_pylist()
        pairs = [(source_names[code // width], language_names[code % width]) for code in present.tolist()]
        for pair, number in zip(pairs, counts[present].tolist(), strict=True):
            for each in _with_whole(pair):
                self._tick[each] = self._tick.get(each, 0) + number
        self._hear(pairs, np.searchsorted(present, codes), posts.column("speaker").to_numpy())

    def close_tick(self, end_us: int) -> I64Array:
        """End the tick that ends at `end_us`; the posts of each pair in it."""
        if self._quarter < 0:
            self._quarter = (end_us - 1) // QUARTER_US
        newcomers = [pair for pair in self._tick if pair not in self._numbers]
        for pair in sorted(newcomers, key=lambda pair: (-self._tick[pair], pair)):
            self._enter(pair)
        posts = np.zeros(len(self.pairs), np.int64)
        for pair, count in self._tick.items():
            if pair in self._numbers:
                posts[self._numbers[pair]] = count
        self._tick = {}
        self._sums[: len(posts), 0] += posts
        self._sums[: len(posts), 1] += posts**2
        self._count_speakers()
        return posts

    def close_quarter(self, doubtful: BoolArray, *, whole: bool) -> I64Array:
        """End the running quarter hour: keep it, forget who wrote in it, expect anew.

        Parameters
        ----------
        doubtful
            Pairs whose quarter hour says nothing about what is usual, unless it is `believe`d later.
        whole
            Whether the quarter hour was read from its start; if not, nothing of it is known.

        Returns
        -------
        The new number of each pair; -1 for those that are forgotten.
        """
        size, slot = len(self.pairs), self._quarter % QUARTERS_KEPT
        crowd = np.minimum(self._crowds[:size], 2 * self._floor_k)
        attested = crowd >= self._floor_k
        closed = np.column_stack([self._sums[:size], crowd]) * attested[:, None]
        closed[doubtful] = _DOUBTFUL - closed[doubtful]
        closed[np.full(size, not whole)] = _UNKNOWN
        self._quarters[:size, :, slot] = closed
        self._known[slot] = whole
        self._begin_quarter(self._quarter + 1)
        return self._forget_idle()

    def believe(self, pair: Pair, since_us: int) -> None:
        """What was doubtful of `pair` since then has turned out to be usual."""
        number = self._numbers[pair]
        past = self._back(min(QUARTERS_KEPT, self._quarter - since_us // QUARTER_US))
        told = self._quarters[number][:, past]
        self._quarters[number][:, past] = np.where(told <= _DOUBTFUL, _DOUBTFUL - told, told)
        self._expect()

    def skip_to(self, time_us: int) -> None:
        """Nothing is known of the time up to the quarter hour of `time_us`; `close_tick` goes on in it."""
        quarter = time_us // QUARTER_US
        for skipped in range(max(self._quarter, quarter - QUARTERS_KEPT), quarter + 1):
            self._quarters[:, :, skipped % QUARTERS_KEPT] = _UNKNOWN
            self._known[skipped % QUARTERS_KEPT] = False
        self._begin_quarter(quarter)

    def memory(self) -> list[PairMemory]:
        """The pairs of which k speakers wrote in some quarter hour, in order of their names."""
        counting = self._counts
        return [
            PairMemory(*pair, *(self._quarters[number, part].tobytes() for part in range(3)))
            for pair, number in sorted(self._numbers.items())
            if counting[number]
        ]

    @property
    def known(self) -> list[bool]:
        """By place in the ring, which quarter hours were read."""
        return self._known.tolist()

    def recall(self, memory: list[PairMemory], known: list[bool]) -> None:
        """Take over what a snapshot remembers."""
        self._known[:] = known
        for each in memory:
            number = self._enter((each.source, each.language))
            assert number is not None
            for part, stored in enumerate((each.posts, each.squares, each.speakers)):
                self._quarters[number, part] = np.frombuffer(stored, np.int64)

    def reread_from(self, time_us: int) -> None:
        """The stream is read again from `time_us` on: its quarter hours are known already."""
        self._begin_quarter(time_us // QUARTER_US)

    def next_quarter(self) -> None:
        """As `close_quarter`, for a quarter hour that is known already."""
        self._begin_quarter(self._quarter + 1)

    def _hear(self, pairs: list[Pair], codes: I64Array, speakers: npt.NDArray[np.uint64]) -> None:
        """Let the rows of pairs wait whose crowd of this quarter hour is not full yet."""
        full = [self._is_full(pair) and self._is_full((pair[0], WHOLE)) for pair in pairs]
        if all(full):
            return
        chosen = ~np.array(full)[codes]
        self._heard.append((pairs, codes[chosen], speakers[chosen]))

    def _is_full(self, pair: Pair) -> bool:
        number = self._numbers.get(pair)
        if number is None:
            return pair[1] == _UNTOLD or len(self.pairs) == MOST_PAIRS
        return bool(self._crowds[number] >= 2 * self._floor_k)

    def _count_speakers(self) -> None:
        of, who = [self._speakers_of], [self._speakers]
        for pairs, codes, speakers in self._heard:
            for numbers in (
                np.array([self._numbers.get(pair, -1) for pair in pairs]),
                np.array([self._numbers.get((source, WHOLE), -1) for source, _ in pairs]),
            ):
                numbered = numbers[codes]
                wanted = (numbered >= 0) & (self._crowds[numbered] < 2 * self._floor_k)
                of.append(numbered[wanted])
                who.append(speakers[wanted])
        self._heard = []
        if len(of) == 1:
            return
        pairs_of, speakers = np.concatenate(of), np.concatenate(who)
        keys = speakers ^ (pairs_of.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        once = np.sort(np.unique(keys, return_index=True)[1])
        pairs_of, speakers = pairs_of[once], speakers[once]
        counts = np.bincount(pairs_of, minlength=MOST_PAIRS)
        self._crowds = np.maximum(self._crowds, np.minimum(counts, 2 * self._floor_k))
        is_open = self._crowds[pairs_of] < 2 * self._floor_k
        self._speakers_of, self._speakers = pairs_of[is_open], speakers[is_open]

    def _enter(self, pair: Pair) -> int | None:
        """Give a new pair a number; None where there is no room."""
        number = len(self.pairs)
        if number == MOST_PAIRS:
            return None
        self.pairs.append(pair)
        self._numbers[pair] = number
        whole = self._numbers.get((pair[0], WHOLE), number)
        known = self._known if whole == number else self._quarters[whole, _POSTS] >= 0
        self._quarters[number] = np.where(known, 0, _UNKNOWN)
        self._sums[number] = self._crowds[number] = 0
        self.expected = np.append(self.expected, 0.0)
        self.yesterday = np.append(self.yesterday, np.inf)
        self.dispersion = np.append(self.dispersion, 1.0)
        self.usual_speakers = np.append(self.usual_speakers, 0)
        return number

    def _begin_quarter(self, quarter: int) -> None:
        self._quarter = quarter
        self._sums[:] = 0
        self._crowds[:] = 0
        self._speakers_of, self._speakers = np.empty(0, np.int64), np.empty(0, np.uint64)
        self._expect()

    def _expect(self) -> None:
        size = len(self.pairs)
        hour, hours = (self._quarters[:size][:, :, self._back(count)] for count in (_HOUR, _HOURS))
        known = (hour[:, _POSTS] >= 0).sum(axis=1)
        day = self._quarters[:size, _POSTS][:, (self._quarter - _DAY + np.arange(-1, 2)) % QUARTERS_KEPT]
        self.yesterday = _least(day) / _TICKS
        recent = np.minimum(_least(hour[:, _POSTS]), _median(hours[:, _POSTS])) / _TICKS
        self.expected = np.where(known >= _LEAST_KNOWN, np.minimum(recent, self.yesterday), 0.0)
        mean, square = _mean(hours[:, _POSTS]) / _TICKS, _mean(hours[:, _SQUARES]) / _TICKS
        excess = np.maximum(square - mean**2 - mean, 1e-9)
        self.dispersion = np.clip(mean**2 / excess, 0.5, 1e6)
        self.usual_speakers = np.floor(_mean(hour[:, _SPEAKERS])).astype(np.int64)

    @property
    def _counts(self) -> BoolArray:
        """Pairs with a quarter hour that a crowd filled."""
        posts = self._quarters[:, _POSTS]
        return np.asarray(((posts > 0) | (posts < _DOUBTFUL)).any(axis=1), np.bool_)

    def _back(self, quarters: int) -> I64Array:
        """Places of the last quarter hours before the running one."""
        return (self._quarter - np.arange(1, quarters + 1)) % QUARTERS_KEPT

    def _forget_idle(self) -> I64Array:
        """Make room: pairs of which no quarter hour counts leave when the table is more than half full."""
        size = len(self.pairs)
        keep: BoolArray = self._counts[:size] if size > MOST_PAIRS // 2 else np.ones(size, np.bool_)
        renumbered = np.where(keep, np.cumsum(keep) - 1, -1)
        if not keep.all():
            self._quarters[: keep.sum()] = self._quarters[:size][keep]
            self.pairs = [pair for pair, kept in zip(self.pairs, keep, strict=True) if kept]
            self._numbers = {pair: number for number, pair in enumerate(self.pairs)}
            self._expect()
        return renumbered


def _with_whole(pair: Pair) -> tuple[Pair, ...]:
    """The pairs that a post counts for; one whose language is not told counts for its source only."""
    whole = (pair[0], WHOLE)
    return (whole,) if pair[1] == _UNTOLD else (whole, pair)


def _mean(quarters: Any) -> F64Array:
    """Means over the known quarter hours of each row; 0 where none is."""
    known = quarters >= 0
    total: F64Array = np.where(known, quarters, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return total


def _least(quarters: Any) -> F64Array:
    """The least known quarter hour of each row; infinite where none is."""
    least: F64Array = np.where(quarters >= 0, quarters, np.inf).min(axis=1, initial=np.inf)
    return least


def _median(quarters: Any) -> F64Array:
    """Medians over the known quarter hours of each row (the lower one of two); 0 where none is."""
    ordered = np.sort(np.where(quarters >= 0, quarters, np.iinfo(np.int64).max), axis=1)
    known = (quarters >= 0).sum(axis=1)
    middle: F64Array = ordered[np.arange(len(ordered)), np.maximum(known - 1, 0) // 2].astype(float)
    return np.where(known > 0, middle, 0.0)
