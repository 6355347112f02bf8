"""Seeded draws that depend on where they are made, never on how the world is consumed.

Every block of time, every planted thing and every hour of the plan rolls dice of its own, named by a path of
integers under the world's seed. Reading a world from its middle therefore gives the same bytes as reading it
from its start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Dice", "Purpose", "mix"]

T = TypeVar("T")

_POOL = 512  # draws taken from numpy at a time: one call a draw would be ten times slower


class Purpose(IntEnum):
    """The first step of every path: two purposes never share a stream of numbers."""

    BACKGROUND = 1
    BOTS = 2
    PLAN = 3
    STREAM = 4
    WRITE = 5
    CANARY = 6
    NOTICE = 7
    MALFORMED = 8
    WORDS = 9
    DRIFT = 10
    OTHER = 11
    KINDS = 12
    CITIES = 13
    NARRATIVES = 14


class Dice:
    """A `numpy` generator with a pool of uniform draws in front, for the loop that writes one post.

    >>> first, second = Dice(7, Purpose.PLAN, 3), Dice(7, Purpose.PLAN, 3)
    >>> [first.below(100) for _ in range(3)] == [second.below(100) for _ in range(3)]
    True
    """

    __slots__ = ("rng", "unit")

    def __init__(self, seed: int, purpose: Purpose, *path: int) -> None:
        self.rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, int(purpose), *path))))
        self.unit: Callable[[], float] = chain.from_iterable(self._pools()).__next__

    def _pools(self) -> Iterator[list[float]]:
        while True:
            yield self.rng.random(_POOL).tolist()

    def below(self, n: int) -> int:
        """An integer in [0, n)."""
        return int(self.unit() * n)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def log_between(self, low: float, high: float) -> float:
        """A draw whose logarithm is uniform: small sizes are as common as large ones."""
        return float(low * (high / low) ** self.unit())

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def choose(self, options: Sequence[T]) -> T:
        return options[int(self.unit() * len(options))]


def mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014) over an array."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
