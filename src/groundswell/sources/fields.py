"""What the readers of messages share: an object's fields by name, and what kind of value a field has.

Owns no shape of any message. "Settled" throughout means that the plain reader would answer the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.kernels import inner
from groundswell.sources.tape import (
    END,
    ESCAPED,
    NAME,
    NEXT,
    NULL,
    START,
    STRING,
    TOKEN,
)

__all__ = [
    "SLOTS",
    "UNFIT",
    "field_of",
    "fields",
    "has",
    "is_string",
    "is_word",
    "length",
    "stands_at",
    "string_of",
    "word",
]

SLOTS = 64
"""Names there can be: the bits of a mask."""
NOTHING, UNFIT = -1, -2
"""In place of a row: the field is missing or null; it is of another type."""


def word(text: str) -> npt.NDArray[np.uint8]:
    """A word to compare with, or to write."""
    return np.frombuffer(text.encode(), np.uint8)


@inner
def fields(tape, row, slots):  # type: ignore[no-untyped-def]
    """Put the row of each named value of the object at `row` into `slots[name]`; which names it has, as bits.

    Bit 0 says that one came twice: then nothing is settled.
    """
    mask = np.uint64(0)
    at, stop = row + 1, tape[row, NEXT]
    while at < stop:
        name = tape[at, NAME]
        if name:
            bit = np.uint64(1) << np.uint64(name)
            if mask & bit:
                mask |= np.uint64(1)
            mask |= bit
            slots[name] = at + 1
        at = tape[at + 1, NEXT]
    return mask


@inner
def has(mask, name):  # type: ignore[no-untyped-def]
    return (mask >> np.uint64(name)) & np.uint64(1) != 0


@inner
def is_string(tape, row):  # type: ignore[no-untyped-def]
    return tape[row, TOKEN] == STRING or tape[row, TOKEN] == ESCAPED


@inner
def length(tape, row):  # type: ignore[no-untyped-def]
    """Bytes of a string as it is written."""
    return tape[row, END] - tape[row, START]


@inner
def field_of(tape, mask, slots, name, token):  # type: ignore[no-untyped-def]
    """The row of a field that is a `token`; `NOTHING` where it is missing or null, `UNFIT` for all else."""
    if not has(mask, name):
        return np.int64(NOTHING)
    row = np.int64(slots[name])
    if tape[row, TOKEN] == token:
        return row
    return np.int64(NOTHING if tape[row, TOKEN] == NULL else UNFIT)


@inner
def string_of(tape, mask, slots, name, null, longest):  # type: ignore[no-untyped-def]
    """The row of a field that is a string; `NOTHING` where it is missing, or null and that may be.

    `UNFIT` for anything else and, unless `longest` is 0, for more bytes than that and for escapes.
    """
    if not has(mask, name):
        return np.int64(NOTHING)
    row = np.int64(slots[name])
    if null and tape[row, TOKEN] == NULL:
        return np.int64(NOTHING)
    if longest:
        return row if tape[row, TOKEN] == STRING and length(tape, row) <= longest else np.int64(UNFIT)
    return row if is_string(tape, row) else np.int64(UNFIT)


@inner
def stands_at(data, at, letters):  # type: ignore[no-untyped-def]
    """Are these the letters from `at` on? So many bytes there must be."""
    place = 0
    while place < len(letters) and data[at + place] == letters[place]:
        place += 1
    return place == len(letters)


@inner
def is_word(data, tape, row, letters):  # type: ignore[no-untyped-def]
    """Is the string at `row` this word? One with escapes never is."""
    if row < 0 or tape[row, TOKEN] != STRING or length(tape, row) != len(letters):
        return False
    return stands_at(data, tape[row, START], letters)
