"""Who has used which term lately? A table of keyed hashes in fixed memory, for counting a speaker once.

Owns nothing that could be read back: an entry is 44 bits of a hash of speaker and term, and when it was last
seen. A set of eight entries fills one cache line and is kept in the order of use, so that the entry not used
for longest is the last, and gives way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from groundswell.detect.spreading import CHUNK, PARTS, cache_lines, part_shift
from groundswell.kernels import allocating, mix

__all__ = ["Speakers"]

_WAYS = 8
_CLOCK_BITS = 20
_CLOCK = (1 << _CLOCK_BITS) - 1  # seconds, twelve days round

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]


@allocating
def _spread(
    terms: Any, offsets: Any, speakers: Any, mask: Any, shift: Any, keys: Any, sorted_keys: Any,
    sorted_terms: Any,
) -> None:  # fmt: skip
    """Hash every use with its speaker; sort keys and terms by the part of the table that they belong to."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    starts = np.zeros(PARTS + 1, np.int64)
    base = offsets[0]
    for post in range(offsets.shape[0] - 1):
        spoken = speakers[post] * golden
        for i in range(offsets[post] - base, offsets[post + 1] - base):
            keys[i] = mix(terms[i] ^ spoken)
            starts[np.int64((keys[i] & mask) >> shift) + 1] += 1
    for part in range(PARTS):
        starts[part + 1] += starts[part]
    for i in range(terms.shape[0]):
        at = np.int64((keys[i] & mask) >> shift)
        sorted_keys[starts[at]] = keys[i]
        sorted_terms[starts[at]] = terms[i]
        starts[at] += 1


@allocating
def _keep_new(keys: Any, terms: Any, mask: Any, now: int, seconds: int, table: Any) -> int:
    """Note all uses, and move the new ones' terms to the front of `terms`; how many they are."""
    clock = np.uint64(_CLOCK)
    second = np.uint64(now) & clock
    size = 0
    for i in range(keys.shape[0]):
        first = (keys[i] & mask) * np.uint64(_WAYS)
        carried = (keys[i] & ~clock) | second
        mine, new = carried, True
        for way in range(np.uint64(_WAYS)):  # put it first; what was before it moves on by one
            entry = table[first + way]
            table[first + way] = carried
            if (entry ^ mine) <= clock:
                new = ((second - entry) & clock) > np.uint64(seconds)
                break
            carried = entry
        terms[size] = terms[i]
        size += new
    return size


@allocating
def _forget(table: Any, now: int, seconds: int) -> None:
    clock = np.uint64(_CLOCK)
    for at in range(table.shape[0]):
        if (np.uint64(now) - table[at]) & clock > np.uint64(seconds):
            table[at] = 0


class Speakers:
    """Tells the first use of a term by a speaker from those that follow.

    Parameters
    ----------
    bits
        log2 of the entries; eight bytes each.
    seconds
        A use is the first again when the last was longer ago.
    """

    def __init__(self, bits: int, seconds: int) -> None:
        self._table = cache_lines(1 << bits, np.uint64)
        self._mask = np.uint64((1 << bits) // _WAYS - 1)
        self._shift = np.uint64(part_shift((1 << bits) // _WAYS))
        self._seconds = seconds
        self._scratch = np.empty((3, CHUNK), np.uint64)

    def first_uses(self, terms: U64Array, offsets: I64Array, speakers: U64Array, second: int) -> U64Array:
        """The terms, in no order, that are used for the first time.

        Shapes: `terms` (T,), at most `CHUNK`; `speakers` (P,); `offsets` (P + 1,), from any number on. What
        is given is overwritten by the next call.
        """
        keys, sorted_keys, sorted_terms = (scratch[: len(terms)] for scratch in self._scratch)
        _spread(terms, offsets, speakers, self._mask, self._shift, keys, sorted_keys, sorted_terms)
        size = _keep_new(sorted_keys, sorted_terms, self._mask, second, self._seconds, self._table)
        first: U64Array = sorted_terms[:size]
        return first

    def forget(self, second: int) -> None:
        """Empty the entries of uses that are too long ago to matter."""
        _forget(self._table, second, self._seconds)
