"""Refrains: what the detector knows a narrative by from one telling to the next, over days.

A refrain remembers what is fit to publish and nothing else: hashes of words and links and rows of places that
at least k speakers shared in one hour, each with how telling it is, rounded; when each stretch began, to five
minutes; steps, domains and a category that `release` would show. A crowd becomes a refrain only once
`release` has said that it could be published; no speaker outlives the open window. All of it is what the
checkpoint stores and a restart goes on from. It changes at the end of a quarter hour only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import msgspec

from groundswell.clock import BIN_US, HOUR_US, MINUTE_US, floor_to

__all__ = ["FEATURES", "QUIET_US", "Mark", "Refrain", "Refrains"]

QUIET_US = HOUR_US
"""So long nobody but a few speaks of it, and what comes after is told anew."""
FEATURES = ("terms", "link_keys", "places")
"""Columns of the window that a refrain's marks are values of."""
_FORGET_US = 7 * 24 * HOUR_US
_MOST = 500
_MOST_MARKS = 64
_MOST_STRETCHES = 64
_DAY_US = 24 * HOUR_US
_ARC_US = 2 * HOUR_US
_CLOCKWORK_US = 10 * MINUTE_US
_KEEP = 0.9


class Mark(msgspec.Struct, frozen=True):
    """When it was first told on one source in one language."""

    since_us: int
    """To five minutes."""
    source: str
    language: str


class Refrain(msgspec.Struct):
    """One matter that was told, and may be told again under `id`."""

    id: str
    seed: int
    """Hash of its most used term: where its thresholds come from."""
    first_us: int
    last_us: int
    """Its newest post in a quarter hour in which it was really spoken of, to the minute."""
    stretches: list[int]
    """When each telling began, to five minutes."""
    terms: dict[int, float]
    """Nats that a word is worth as evidence for it."""
    link_keys: dict[int, float]
    places: dict[int, float]
    usual: float
    """Nats of evidence in the usual post."""
    steps: list[Mark]
    domains: list[str]
    floor: int
    """The lowest floor that what is remembered has passed."""
    told: bool = False
    """Whether a record of it is out."""
    resting: bool = False
    """Whether it was told that it fades."""
    ended: bool = False

    def marks(self, name: str) -> dict[int, float]:
        """Its marks that are values of the window's column `name`."""
        found: dict[int, float] = getattr(self, name)
        return found

    def learn(self, name: str, marks: Mapping[int, float]) -> None:
        """Keep the most telling of what it had and of `marks`, which at least k speakers shared."""
        known = {mark: _KEEP * nats for mark, nats in self.marks(name).items()}
        for mark, nats in marks.items():
            known[mark] = max(nats, known.get(mark, 0.0))
        ranked = sorted(known.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_MARKS]
        setattr(self, name, {mark: halves(nats) for mark, nats in ranked})


def halves(nats: float) -> float:
    """Rounded to halves: a finer number would count speakers."""
    return round(2.0 * nats) / 2.0


def is_new_stretch(refrain: Refrain, start_us: int) -> bool:
    """Whether what began at `start_us` is a telling of its own."""
    return start_us - refrain.last_us >= QUIET_US


def recurrences(stretches: list[int]) -> int:
    """How many times it was told; 1 when it only keeps to the clock.

    Greetings come at one time of day, machines at even intervals: neither is told *again*.

    >>> hours = [3_600_000_000 * hour for hour in (8, 13, 21)]
    >>> recurrences(hours), recurrences([hour * 3_600_000_000 for hour in (8, 32, 56)])
    (3, 1)
    """
    return 1 if _at_one_time_of_day(stretches) or _by_the_clock(stretches) else len(stretches)


def _at_one_time_of_day(stretches: list[int]) -> bool:
    """Whether three in four begin within two hours of the day's round."""
    times = [start % _DAY_US for start in stretches]
    most = max(sum((time - first) % _DAY_US <= _ARC_US for time in times) for first in times)
    return len(stretches) - most < max(1.0, 0.25 * len(stretches))


def _by_the_clock(stretches: list[int]) -> bool:
    gaps = [after - before for before, after in pairwise(stretches)]
    return len(gaps) >= 2 and max(gaps) - min(gaps) <= _CLOCKWORK_US


class Refrains:
    """All that may be told again."""

    def __init__(self) -> None:
        self._refrains: dict[str, Refrain] = {}

    def __iter__(self) -> Iterator[Refrain]:
        """Oldest first."""
        return iter(self._refrains.values())

    def __len__(self) -> int:
        return len(self._refrains)

    def get(self, id: str) -> Refrain | None:
        return self._refrains.get(id)

    def add(self, refrain: Refrain) -> None:
        self._refrains[refrain.id] = refrain

    def drop(self, id: str) -> None:
        del self._refrains[id]

    def rested(self, now_us: int) -> list[tuple[Refrain, str]]:
        """Refrains that have just fallen quiet, or that nobody told for a week, each once and with its state.

        One is told before it is forgotten.
        """
        found = []
        for refrain in list(self):
            silence_us = now_us - refrain.last_us
            if refrain.ended:
                del self._refrains[refrain.id]
            elif silence_us >= _FORGET_US:
                refrain.ended = True
                found += [(refrain, "ended")] * refrain.told
            elif silence_us >= QUIET_US and not refrain.resting:
                refrain.resting = True
                found += [(refrain, "fading")] * refrain.told
        return found

    def trim(self) -> None:
        """Let go of those told least, longest ago, when there are more than there is room for."""
        over = len(self) - _MOST
        if over > 0:
            ranked = sorted(self, key=lambda each: (each.told, len(each.stretches), each.last_us, each.id))
            for refrain in ranked[:over]:
                del self._refrains[refrain.id]

    def seal(self) -> bytes:
        """The bytes to restore from: all of it is fit to publish already."""
        return msgspec.msgpack.encode(list(self))

    def restore(self, sealed: bytes) -> None:
        """Go on from what `seal` gave."""
        known = msgspec.msgpack.decode(sealed, type=list[Refrain]) if sealed else []
        self._refrains = {each.id: each for each in known}


def begin_stretch(refrain: Refrain, start_us: int) -> None:
    """Note that it is told anew since `start_us`."""
    refrain.stretches.append(floor_to(start_us, BIN_US))
    del refrain.stretches[:-_MOST_STRETCHES]
