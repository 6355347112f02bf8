"""Remembers which messages came already, so that an overlap after a reconnection is folded.

Owns a bounded set of 64-bit hashes in memory: nothing that could be read back as an account or a post.
"""

from __future__ import annotations

__all__ = ["Deliveries"]


class Deliveries:
    """The last `capacity` to `2 * capacity` deliveries.

    Two generations: when the young one is full it becomes the old one, and the old one is forgotten. At the
    120 posts a second of a busy day, 131,072 are eighteen minutes, many times any overlap asked for.

    >>> deliveries = Deliveries()
    >>> deliveries.is_new(7), deliveries.is_new(7)
    (True, False)
    """

    def __init__(self, capacity: int = 131_072) -> None:
        self._capacity = capacity
        self._young: set[int] = set()
        self._old: set[int] = set()

    def is_new(self, delivery: int) -> bool:
        """Whether this delivery was not seen yet; remembers it."""
        if delivery in self._young or delivery in self._old:
            return False
        self._young.add(delivery)
        if len(self._young) >= self._capacity:
            self._old, self._young = self._young, set()
        return True
