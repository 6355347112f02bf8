"""Says which kinds of identifier a word announces: by itself, and by what stands beside it.

A word here is a run of letters of one kind, those of the Latin script or those of all others. Owns no words:
`feature_flags` has them.
"""

from __future__ import annotations

import numpy as np

from groundswell.gate.ascii import is_space
from groundswell.gate.feature_flags import BASIS, PRIME, SHAPES, SLOTS, Feature
from groundswell.kernels import inner

__all__ = ["AT_WORD", "WITH_DIGITS", "opens_bracket", "parts", "word"]

AT_WORD = 1 << 30
"""The word `at`: what it comes to depends on the whole text."""
WITH_DIGITS = sum(int(flag) for flag in list(Feature)[15:25])
"""What needs a digit, too."""
_MAX_PARTS = 8  # of a word; one with more could be anything
# Plain ints, because Numba freezes module constants of that type only.
_DID, _PATH, _PLATFORM, _SPELLED, _DOCUMENT, _STREET, _STREET_GERMANIC, _PLACE_CODE = (
    int(flag)
    for flag in (
        Feature.DID, Feature.PATH, Feature.PLATFORM, Feature.SPELLED, Feature.DOCUMENT, Feature.STREET,
        Feature.STREET_GERMANIC, Feature.PLACE_CODE,
    )
)  # fmt: skip


@inner
def opens_bracket(data, start, at):  # type: ignore[no-untyped-def]
    """Does an opening bracket stand before `at`, perhaps with spaces between?"""
    while at > start and is_space(data[at - 1]):
        at -= 1
    if at == start:
        return False
    byte = data[at - 1]
    return byte == 91 or byte == 40 or byte == 123 or byte == 60


@inner
def _slot(data, begin, end):  # type: ignore[no-untyped-def]
    """Where `feature_flags` keeps what is known of the word `data[begin:end]`."""
    value = np.uint64(BASIS)
    for place in range(begin, end):
        byte = data[place]
        value = (value ^ np.uint64(byte | 32 if byte < 0x80 else byte)) * np.uint64(PRIME)
    return np.int64((value >> np.uint64(32)) & np.uint64(SLOTS - 1))


@inner
def _numbers_house(data, end, stop, endings):  # type: ignore[no-untyped-def]
    """Is it a word such as Hauptstraße, with a number behind it?"""
    at = end + 1 if data[end] == 46 else end
    if at >= stop or not is_space(data[at]):
        return False
    while at < stop and is_space(data[at]):
        at += 1
    return at < stop and 48 <= data[at] <= 57 and endings[_slot(data, end - 3, end)]


@inner
def word(data, start, begin, end, stop, flags, shapes, endings):  # type: ignore[no-untyped-def]
    """The features that the word `data[begin:end]` of the text `data[start:stop]` announces."""
    found = np.int64(0)
    length = end - begin
    first = np.int64(data[begin] | 32)
    if shapes[(first * 31 + np.int64(data[end - 1] | 32) * 7 + length * 101) & (SHAPES - 1)]:
        found = np.int64(flags[_slot(data, begin, end)])
        if length == 2 and first == 97 and data[begin + 1] | 32 == 116:
            found |= _SPELLED if opens_bracket(data, start, begin) else AT_WORD
        if not 65 <= data[begin] <= 90:
            found &= ~_STREET  # its pattern is of capitals
    if end == stop:
        return found
    following = data[end]
    if following == 32 or following == 46 or following == 10 or following == 9 or following == 13:
        if length >= 3 and _numbers_house(data, end, stop, endings):
            found |= _STREET_GERMANIC
    elif following == 58 or following == 37:
        if length == 3 and first == 100:
            found |= _DID
        if length >= 3 and following == 58 and data[end - 3] | 32 == 103 and data[end - 1] | 32 == 111:
            found |= _PLACE_CODE  # geo:
    elif following == 47:
        if first == 117 and (length == 1 or length == 4):
            found |= _PATH
    elif length >= 4 and 48 <= following <= 57:
        found |= _DOCUMENT  # the word may begin with a telling one: passportC01234567
    return found


@inner
def parts(data, start, begin, end, stop, flags, shapes, endings):  # type: ignore[no-untyped-def]
    """The features that parts of the word `data[begin:end]` announce: RE2 has a boundary at each `é`."""
    found = np.int64(0)
    beginnings = 0
    for place in range(begin, end):
        if data[place] >= 0x80 or (place > begin and data[place - 1] < 0x80):
            continue
        beginnings += 1
        if beginnings > _MAX_PARTS:
            return np.int64(WITH_DIGITS | _PLATFORM | _SPELLED)
        inside = place
        while inside < end and data[inside] < 0x80:
            inside += 1
        if inside < end:
            found |= word(data, start, place, inside, stop, flags, shapes, endings)
        if place > begin:
            found |= word(data, start, place, end, stop, flags, shapes, endings)
    return found
