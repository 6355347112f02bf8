"""Does all come that is to be expected? Finds sources that stop, and languages that fall silent in one.

For each pair of `volumes` every tick weighs two explanations of its count: a rate as expected, and a
twentieth of it. The sum of the log-likelihood ratios since the most telling of the last thirty minutes'
ticks is the evidence (a CUSUM over a limited window; Page 1954, Lai 1995). Counts are negative binomial, as
uneven as the last three hours were. At the threshold a month of ticks over every pair there is room for
gives less than one false report (Lorden 1971), as far as the counts are as modelled. What stays above a
third of the expected never adds up: slow days, nights and the end of a surge are no shortfalls.

A source that falls is told once, not once for each of its languages; a language is told when the rest of its
source goes on. All follows from the posts of the last hours and from snapshots of closed quarter hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.candidates import Shortfall
from groundswell.clock import BIN_US, HOUR_US, MINUTE_US, QUARTER_US
from groundswell.detect.detector import TICK_US
from groundswell.detect.volumes import MOST_PAIRS, WHOLE, Pair, PairMemory, Volumes

__all__ = ["ALARM", "Watch", "WatchMemory"]

ALARM = math.log(MOST_PAIRS * (24 * HOUR_US // TICK_US) * 30)
"""Nats, 19.4: twenty-one posts to be expected, and none came."""
_BACK = 10.0
"""Nats for a return: about eight posts as expected."""
_LOW, _QUARTER = 0.05, 0.25  # of the expected: what evidence is weighed against, for a fall and for a return
_WINDOW = 30 * MINUTE_US // TICK_US
_LEAST_TICKS = 6  # a stall of a minute is none: no tick adds more than a sixth of what is asked
_ALIVE = 0.32  # of the expected: where the evidence for a fall neither grows nor shrinks
_NOTHING = 0.05
_TELLING = 3.0  # posts expected of the rest of a source, before it says whether the source goes on
_LAPSE_US = 3 * HOUR_US
_FORGET_US = 48 * HOUR_US
_LATE_US = 2 * MINUTE_US

F64Array = npt.NDArray[np.float64]
I64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Outage(msgspec.Struct):
    """A shortfall that goes on."""

    source: str
    language: str
    first_us: int
    opened_us: int
    speakers: int
    expected: float
    """Posts a tick, as it was when it began."""
    nothing: bool


class WatchMemory(msgspec.Struct, frozen=True):
    """What a restart goes on from, as of the end of a quarter hour."""

    end_us: int
    start_us: int
    known: list[bool]
    pairs: list[PairMemory]
    outages: list[Outage]
    fresh: list[tuple[str, str, int]]
    """Pairs whose evidence began anew in the last half hour, and when."""


class Watch:
    """Watches the volumes of all sources and languages.

    Parameters
    ----------
    floor_k
        Fewest speakers in a usual quarter hour for a pair to be spoken of.
    """

    def __init__(self, floor_k: int) -> None:
        self._floor_k = floor_k
        self._volumes = Volumes(floor_k)
        self._rings = tuple(np.zeros((MOST_PAIRS, _WINDOW)) for _ in range(4))
        self._posts, self._due, self._fall, self._rise = self._rings
        self._since_us = np.zeros(MOST_PAIRS, np.int64)
        self._evidence = np.zeros(0)
        self._reach = np.zeros(0, np.int64)
        self._outages: dict[Pair, Outage] = {}
        self._excused: list[tuple[str, int, int]] = []
        self._start_us = 0
        self._known_until_us = -1

    def start(self, start_us: int) -> None:
        """The stream begins; nothing is known of what was before."""
        self._start_us = start_us

    def leap(self, time_us: int) -> None:
        """The stream goes on at `time_us` after a silence of hours."""
        for ring in self._rings:
            ring[:] = 0.0
        self._volumes.skip_to(time_us)
        self._start_us = time_us

    def count(self, posts: pa.RecordBatch) -> None:
        """Add `ENRICHED` rows of the running tick."""
        self._volumes.count(posts)

    def tick(self, now_us: int) -> list[Shortfall]:
        """End the tick that ends at `now_us`; shortfalls that began, went on for another bin, or ended."""
        posts = self._volumes.close_tick(now_us)
        self._weigh(now_us, posts)
        found: list[Shortfall] = []
        if now_us > self._known_until_us:
            found += self._returned(now_us)
            found += self._fallen(now_us)
            if now_us % BIN_US == 0:
                found += self._going_on(now_us)
        if now_us % QUARTER_US == 0:
            found += self._close_quarter(now_us)
        last = {(each.source, each.language or WHOLE, each.first_us): each for each in found}
        return [last[key] for key in sorted(last)]

    def excuse(self, source: str, start_us: int, end_us: int) -> int | None:
        """A stretch of `source` is told of as a gap: nothing is concluded from it.

        Returns where the shortfall began that this gap explains and takes the place of, if one was open.
        """
        self._excused.append((source, start_us, end_us))
        outage = self._outages.get((source, WHOLE))
        if outage is None or outage.first_us > end_us:
            return None
        del self._outages[source, WHOLE]
        self._renew((source, WHOLE), max(end_us, outage.opened_us))
        return outage.first_us

    def late(self, quiet_us: int, newest_us: int, now_us: int) -> list[Shortfall]:
        """Sources that should have brought something in the `quiet_us` for which, by the clock, nothing came.

        Parameters
        ----------
        newest_us, now_us
            Stream time of the newest row, and the clock's time.
        """
        if quiet_us < _LATE_US:
            return []
        ticks = quiet_us / TICK_US
        return [
            Shortfall(
                source=source, language=None, first_us=newest_us, last_us=now_us, phase="late", nothing=True,
                speakers=int(self._volumes.usual_speakers[number]),
            )
            for number, (source, language) in enumerate(self._volumes.pairs)
            if language == WHOLE
            and (source, language) not in self._outages
            and (1.0 - _LOW) * self._volumes.expected[number] * ticks >= ALARM
        ]  # fmt: skip

    def snapshot(self, end_us: int) -> bytes:
        """All that a restart needs, as of `end_us`, the end of a quarter hour or the stream's start."""
        fresh = [
            (*pair, int(self._since_us[number]))
            for number, pair in enumerate(self._volumes.pairs)
            if self._since_us[number] > end_us - _WINDOW * TICK_US
        ]
        pairs = self._volumes.memory()
        known = {(each.source, each.language) for each in pairs}
        return msgspec.msgpack.encode(
            WatchMemory(
                end_us=end_us,
                start_us=self._start_us,
                known=self._volumes.known,
                pairs=pairs,
                outages=[self._outages[pair] for pair in sorted(self._outages)],
                fresh=sorted(each for each in fresh if each[:2] in known),
            )
        )

    def restore(self, stored: bytes, since_us: int) -> None:
        """Go on from a snapshot, reading the stream again from `since_us` on.

        Until the snapshot's time ticks are weighed only; after it they are judged as they were.
        """
        memory = msgspec.msgpack.decode(stored, type=WatchMemory)
        self._volumes.recall(memory.pairs, memory.known)
        self._volumes.reread_from(since_us)
        self._start_us, self._known_until_us = memory.start_us, memory.end_us
        self._outages = {(each.source, each.language): each for each in memory.outages}
        for source, language, fresh_us in memory.fresh:
            number = self._volumes.number((source, language))
            if number is not None:
                self._since_us[number] = fresh_us

    # -- evidence -------------------------------------------------------------------------------------

    def _weigh(self, now_us: int, counted: I64Array) -> None:
        """Add the tick's counts to the rings, and its evidence: none in gaps and in fallen sources.

        Languages that have fallen are taken out of their source, so that it is judged by the others.
        """
        posts, expected = counted.astype(float), self._volumes.expected.copy()
        fallen = set()
        for pair, outage in sorted(self._outages.items(), reverse=True):  # a source after its languages
            number = self._volumes.number(pair)
            if number is None or now_us <= outage.opened_us:
                continue
            expected[number] = min(outage.expected, self._volumes.yesterday[number])
            whole = self._volumes.number((pair[0], WHOLE))
            if whole is not None and whole != number:
                posts[whole] -= posts[number]
                expected[whole] = max(expected[whole] - expected[number], 0.0)
            elif whole is not None:
                fallen.add(pair[0])
        silent = self._is_of(self._excused_in(now_us - TICK_US, now_us))
        silent |= self._is_of(fallen, languages_only=True) | (now_us <= self._since_us[: len(posts)])
        expected[silent] = 0.0
        fall = _ratio(posts, expected, self._volumes.dispersion, _LOW)
        rise = -_ratio(posts, expected, self._volumes.dispersion, _QUARTER)
        values = (
            np.where(expected > 0.0, posts, 0.0),
            expected,
            np.minimum(fall, ALARM / _LEAST_TICKS),
            np.minimum(rise, _BACK / _LEAST_TICKS),
        )
        for ring, value in zip(self._rings, values, strict=True):
            ring[: len(posts), :-1] = ring[: len(posts), 1:]
            ring[: len(posts), -1] = value
        self._evidence, self._reach = _strongest(self._fall[: len(posts)])

    def _is_of(self, sources: set[str], *, languages_only: bool = False) -> BoolArray:
        """Which pairs are of `sources`."""
        pairs = self._volumes.pairs
        if not sources:
            return np.zeros(len(pairs), np.bool_)
        return np.array([pair[0] in sources and not (languages_only and pair[1] == WHOLE) for pair in pairs])

    def _excused_in(self, start_us: int, end_us: int) -> set[str]:
        return {source for source, a, b in self._excused if a < end_us and b > start_us}

    def _renew(self, pair: Pair, now_us: int) -> None:
        """Evidence begins anew after `now_us`: about a language and its source, or a source and all in it."""
        source, language = pair
        for number, each in enumerate(self._volumes.pairs):
            if each[0] == source and (language == WHOLE or each[1] in (WHOLE, language)):
                for ring in self._rings:
                    ring[number] = 0.0
                self._since_us[number] = now_us
                self._evidence[number] = 0.0

    # -- judgement ------------------------------------------------------------------------------------

    def _fallen(self, now_us: int) -> Iterator[Shortfall]:
        """Open what has fallen: the source if the rest of it has fallen too, else its languages."""
        spoken_of = self._volumes.usual_speakers >= self._floor_k
        alarming = np.flatnonzero((self._evidence >= ALARM) & spoken_of).tolist()
        pairs = self._volumes.pairs
        fallen = {pairs[number] for number in alarming} - self._outages.keys()
        for source in sorted({source for source, _ in fallen}):
            if (source, WHOLE) in self._outages:
                continue
            languages = sorted(pair for pair in fallen if pair[0] == source and pair[1] != WHOLE)
            goes_on, evidence = self._goes_on(source, languages)
            if (source, WHOLE) in fallen and not goes_on:
                yield self._open((source, WHOLE), now_us)
            elif goes_on or evidence < ALARM / 2:
                yield from [self._open(pair, now_us) for pair in languages]
                for pair in languages:
                    self._renew(pair, now_us)

    def _goes_on(self, source: str, lost: list[Pair]) -> tuple[bool, float]:
        """Whether a source brings what is expected of it without the languages `lost`; the evidence against.

        Looked at are the ticks in which the source itself has fallen, if it has.
        """
        whole = self._volumes.number((source, WHOLE))
        assert whole is not None
        numbers = [number for pair in lost if (number := self._volumes.number(pair)) is not None]
        reach = int(max(self._reach[[whole, *numbers]]))
        if self._evidence[whole] >= ALARM / 2:
            reach = int(self._reach[whole])
        posts, due = (
            ring[whole, -reach:].sum() - ring[numbers, -reach:].sum() for ring in (self._posts, self._due)
        )
        return bool(due >= _TELLING and posts >= _ALIVE * due), float(self._evidence[whole])

    def _open(self, pair: Pair, now_us: int) -> Shortfall:
        number = self._volumes.number(pair)
        assert number is not None
        reach = int(self._reach[number])
        posts, due = (ring[number, -reach:].sum() for ring in (self._posts, self._due))
        outage = Outage(
            *pair,
            first_us=now_us - reach * TICK_US,
            opened_us=now_us,
            speakers=int(self._volumes.usual_speakers[number]),
            expected=float(self._volumes.expected[number]),
            nothing=pair[1] == WHOLE and bool(posts < _NOTHING * due),
        )
        self._outages[pair] = outage
        if pair[1] == WHOLE:
            self._renew(pair, now_us)
        return _told(outage, now_us, "open")

    def _returned(self, now_us: int) -> Iterator[Shortfall]:
        """Close what is back: the volume is, and a crowd of this quarter hour is behind it."""
        for pair, outage in sorted(self._outages.items()):
            number = self._volumes.number(pair)
            if number is None or self._volumes.speakers_now()[number] < self._floor_k:
                continue
            evidence, reach = _strongest(self._rise[number : number + 1])
            if evidence[0] >= _BACK:
                yield self._close(outage, max(outage.first_us, now_us - int(reach[0]) * TICK_US), now_us)

    def _close(self, outage: Outage, last_us: int, now_us: int) -> Shortfall:
        pair = (outage.source, outage.language)
        del self._outages[pair]
        self._renew(pair, now_us)
        return _told(outage, last_us, "restored")

    def _going_on(self, now_us: int) -> Iterator[Shortfall]:
        """Tell of what still goes on, and how little comes; after two days it is not waited for any more."""
        ticks = BIN_US // TICK_US
        for pair, outage in sorted(self._outages.items()):
            if outage.opened_us == now_us:
                continue
            number = self._volumes.number(pair)
            if number is not None and pair[1] == WHOLE:
                posts, due = (ring[number, -ticks:].sum() for ring in (self._posts, self._due))
                outage.nothing = bool(posts <= _NOTHING * due)
            if now_us - outage.first_us >= _FORGET_US:
                del self._outages[pair]
                yield _told(outage, now_us, "lapsed")
            else:
                yield _told(outage, now_us, "open")

    def _close_quarter(self, now_us: int) -> list[Shortfall]:
        """Keep the quarter hour; what has lasted for hours while a crowd spoke was a change, no shortfall."""
        if now_us <= self._known_until_us:
            self._volumes.next_quarter()
            return []
        crowds = self._volumes.speakers_now().copy()
        returned = [
            outage
            for pair, outage in sorted(self._outages.items())
            if (number := self._volumes.number(pair)) is not None
            and now_us - outage.first_us >= _LAPSE_US
            and crowds[number] >= self._floor_k
        ]
        start_us = now_us - QUARTER_US
        doubtful = self._evidence >= ALARM / 2
        doubtful |= np.array([pair in self._outages for pair in self._volumes.pairs], np.bool_)
        pairs = [self._volumes.pairs[number] for number in np.flatnonzero(doubtful)]
        fallen = {source for source, language in pairs if language == WHOLE}
        doubtful |= self._is_of(fallen | self._excused_in(start_us, now_us))
        renumbered = self._volumes.close_quarter(doubtful, whole=start_us >= self._start_us)
        self._renumber(renumbered)
        self._excused = [each for each in self._excused if each[2] > start_us]
        for outage in returned:
            self._volumes.believe((outage.source, outage.language), outage.first_us)
        return [self._close(outage, now_us, now_us) for outage in returned]

    def _renumber(self, numbers: I64Array) -> None:
        kept = np.flatnonzero(numbers >= 0)
        if len(kept) < len(numbers):
            for ring in (*self._rings, self._since_us):
                ring[: len(kept)] = ring[kept]
                ring[len(kept) : len(numbers)] = 0


def _ratio(posts: F64Array, expected: F64Array, size: F64Array, share: float) -> F64Array:
    """Log-likelihood ratio of `share` of the expected rate against all of it, for negative-binomial counts.

    Rounded, so that it is the same however a machine's vectors are cut.
    """
    low = share * expected
    each = math.log(share) + np.log((expected + size) / (low + size))
    none = size * np.log((expected + size) / (low + size))
    return np.where(expected > 0.0, np.round(posts * each + none, 6), 0.0)


def _strongest(evidence: F64Array) -> tuple[F64Array, I64Array]:
    """Of each row, the greatest sum of its last entries, and of how many."""
    sums = np.cumsum(evidence[:, ::-1], axis=1)
    reach = sums.argmax(axis=1)
    return sums[np.arange(len(sums)), reach], reach + 1


def _told(outage: Outage, last_us: int, phase: str) -> Shortfall:
    return Shortfall(
        source=outage.source,
        language=outage.language or None,
        first_us=outage.first_us,
        last_us=last_us,
        speakers=outage.speakers,
        nothing=outage.nothing,
        phase=phase,  # type: ignore[arg-type]
    )
