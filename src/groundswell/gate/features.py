"""Looks at each text once and says which kinds of identifier it could hold.

Most texts hold none. One pass over the bytes decides which patterns are worth trying, so that the dear ones
meet few texts. A feature may be claimed in vain; it must never be missed where a pattern of `patterns` would
match (a test holds that). Owns no forms of identifiers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.gate.disguise import DIGIT_VALUES, PLAIN, next_code_point
from groundswell.gate.feature_flags import BASIS, ENDINGS, PRIME, SLOTS, WORD_FLAGS, Feature
from groundswell.gate.strings import Rows, Stretches
from groundswell.kernels import inner

__all__ = ["features"]


_NUMBER_DIGITS = 6
_KEY_LENGTH = 20
_MAX_PARTS = 8  # of a word; one with more could be anything
# Plain ints, because Numba freezes module constants of that type only.
_AT, _LOCAL_PART, _LINK, _DIGIT, _NUMBER, _DISGUISE, _KEY, _CODE, _OCTETS, _DEGREE = (
    int(flag) for flag in list(Feature)[:10]
)
_DID, _PATH, _TAG, _PLATFORM, _SPELLED, _DOCUMENT = (int(flag) for flag in list(Feature)[10:16])
_VEHICLE_RUSSIAN, _STREET_GERMANIC, _STREET_SLAVIC, _STREET_OTHER, _LETTERED, _PLACE_CODE, _PRECISE = (
    int(flag) for flag in (Feature.VEHICLE_RUSSIAN, *list(Feature)[22:])
)
_WITH_DIGITS = sum(int(flag) for flag in list(Feature)[15:25])  # what needs a digit, too


@inner
def _fold(value, byte):  # type: ignore[no-untyped-def]
    return (value ^ np.uint64(byte)) * np.uint64(PRIME)


@inner
def _bracket(byte):  # type: ignore[no-untyped-def]
    return byte == 91 or byte == 40 or byte == 123 or byte == 60


@inner
def _word(data, start, begin, end, stop, value, word_flags, endings):  # type: ignore[no-untyped-def]
    """The features that the word `data[begin:end]` of the text `data[start:stop]` announces."""
    found = word_flags[np.int64((value >> np.uint64(32)) & np.uint64(SLOTS - 1))]
    following = data[end] if end < stop else np.uint8(32)
    length = end - begin
    if length == 2 and (data[begin] | 32) == 97 and (data[begin + 1] | 32) == 116:  # at
        before = begin - 1
        while before > start and data[before] == 32:
            before -= 1
        if before >= start and _bracket(data[before]):
            found |= _SPELLED
    if length == 3 and (following == 58 or following == 37) and (data[begin] | 32) == 100:  # did:
        found |= _DID
    if length >= 3 and following == 58 and (data[end - 3] | 32) == 103 and (data[end - 1] | 32) == 111:
        found |= _PLACE_CODE  # geo:
    if following == 47 and ((data[begin] | 32) == 117) and (length == 1 or length == 4):
        found |= _PATH
    if length >= 4 and 48 <= following <= 57:
        found |= _DOCUMENT  # the word may begin with a telling one: passportC01234567
    if length >= 3 and end + 1 < stop:
        at = end + 1 if following == 46 else end
        while at < stop and data[at] == 32:
            at += 1
        if at > end and at < stop and 48 <= data[at] <= 57:
            tail = np.uint64(BASIS)
            for place in range(end - 3, end):
                tail = _fold(tail, data[place])
            if endings[np.int64((tail >> np.uint64(32)) & np.uint64(SLOTS - 1))]:
                found |= _STREET_GERMANIC
    return found


@inner
def _is_of_addresses(code):  # type: ignore[no-untyped-def]
    """Is it a letter without which no word of an Arabic, Indian or East Asian address is written?"""
    if code < 0x3000:
        return code == 0x634 or code == 0x92E  # of شارع, of मकान
    if code < 0x8000:  # 〒 丁 町 区 巷 弄
        return code in (0x3012, 0x4E01, 0x753A, 0x533A, 0x5DF7, 0x5F04)
    return code in (0x8857, 0x8DEF, 0x9053, 0xB85C, 0xAE38)  # 街 路 道 로 길


@inner
def _has_digits(data, at, stop, count):  # type: ignore[no-untyped-def]
    """Are the next `count` bytes from `at` on ASCII digits?"""
    if at + count > stop:
        return False
    digits = 0
    for place in range(at, at + count):
        digits += 48 <= data[place] <= 57
    return digits == count


@inner
def _ends_www(data, start, at):  # type: ignore[no-untyped-def]
    """Does `www`, perhaps with two digits, stand before the dot at `at`? Then anything may follow it."""
    end = at
    while end > start and at - end < 2 and 48 <= data[end - 1] <= 57:
        end -= 1
    if end - 3 < start:
        return False
    return (data[end - 1] | 32) == 119 and (data[end - 2] | 32) == 119 and (data[end - 3] | 32) == 119


@inner
def _parts(data, start, begin, end, stop, word_flags, endings):  # type: ignore[no-untyped-def]
    """The features that parts of the word `data[begin:end]` announce: RE2 has a boundary at each `é`."""
    found = 0
    beginnings = 0
    for place in range(begin, end):
        if data[place] >= 0x80 or (place > begin and data[place - 1] < 0x80):
            continue
        beginnings += 1
        if beginnings > _MAX_PARTS:
            return _WITH_DIGITS | _PLATFORM | _SPELLED
        value = np.uint64(BASIS)
        plain = True
        for inside in range(place, end):
            byte = data[inside]
            if byte >= 0x80 and plain:
                found |= _word(data, start, place, inside, stop, value, word_flags, endings)
                plain = False
            value = _fold(value, byte | 32 if byte < 0x80 else byte)
        found |= _word(data, start, place, end, stop, value, word_flags, endings)
    return found


@njit(cache=True, nogil=True)
def _features(data, starts, ends, rows, digit_values, plain, word_flags, endings, out):  # type: ignore[no-untyped-def]
    for place in range(len(rows)):
        start, stop = int(starts[rows[place]]), int(ends[rows[place]])
        found = 0
        digits = colons = dashes = 0
        run = run_digits = 0
        capital = numeral = start - 9  # where the last ones stood
        value = np.uint64(BASIS)
        begin = -1
        foreign = cyrillic = beyond = has_at = False
        attached = False  # is there an ASCII digit behind an ASCII letter?
        mixed = False  # has the open word letters beyond ASCII?
        is_apart = False  # is the open word of another script than the Latin one, or of signs?
        at = start
        while at < stop:
            byte = data[at]
            small = byte | 32
            if 97 <= small <= 122 or byte >= 0x80:
                code, after = np.int64(byte), at + 1
                apart = False
                if byte >= 0x80:
                    code, after = next_code_point(data, at)
                    apart = code >= 0x370 or code < 0xC0
                if begin >= 0 and apart != is_apart:
                    # Scripts that set no words apart, and ours between them; signs beside a word.
                    found |= _word(data, start, begin, at, stop, value, word_flags, endings)
                    if mixed:
                        found |= _parts(data, start, begin, at, stop, word_flags, endings)
                    begin = -1
                is_apart = apart
                if begin < 0:
                    begin = at
                    mixed = False
                    value = np.uint64(BASIS)
                if byte < 0x80:
                    value = _fold(value, small)
                    run += 1
                    if run >= _KEY_LENGTH and run_digits:
                        found |= _KEY
                    if byte < 97:
                        capital = at
                        if at - numeral <= 2:
                            found |= _CODE
                    at += 1
                    continue
                run = run_digits = 0
                mixed = not apart
                if code < len(plain):
                    if plain[code]:
                        found |= _DISGUISE
                    if digit_values[code] >= 0:
                        digits += 1
                        before = data[at - 1] | 32 if at > start else np.uint8(32)
                        following = data[after] | 32 if after < stop else np.uint8(32)
                        if 97 <= before <= 122 or 97 <= following <= 122:
                            found |= _DISGUISE  # AB١٢٣٤C
                if code >= 0x370:
                    capital = after - 1  # scripts with other capitals, or with none
                    if at - numeral <= 2:
                        found |= _CODE
                    if not 0x2000 <= code < 0x2E80 and not 0xFE00 <= code <= 0xFE0F and code < 0x1F000:
                        foreign = True
                        if 0x400 <= code < 0x530:
                            cyrillic = True
                        elif code >= 0x600 and _is_of_addresses(code):
                            beyond = True
                    if code == 0x3002 or code == 0xFF61:
                        found |= _LINK
                    elif code == 0x2116:
                        capital = at
                elif code == 0xB0 or code == 0xBA:
                    found |= _DEGREE
                elif 0xC0 <= code < 0xE0:
                    capital = after - 1
                for inside in range(at, after):
                    value = _fold(value, data[inside])
                at = after
                continue
            if begin >= 0:
                if at - begin == 2 and (data[begin] | 32) == 97 and (data[begin + 1] | 32) == 116:
                    has_at = True
                found |= _word(data, start, begin, at, stop, value, word_flags, endings)
                if mixed:
                    found |= _parts(data, start, begin, at, stop, word_flags, endings)
                begin = -1
            following = data[at + 1] if at + 1 < stop else np.uint8(32)
            before = data[at - 1] if at > start else np.uint8(32)
            if 48 <= byte <= 57:
                digits += 1
                run += 1
                run_digits += 1
                numeral = at
                if at - capital <= 2:
                    found |= _CODE
                if run >= _KEY_LENGTH:
                    found |= _KEY
                if run >= 2 and data[at - 1] > 57:
                    attached = True
                if run >= 4 and data[at - 1] <= 57 and data[at - 2] > 57 and data[at - 3] > 57:
                    found |= _LETTERED
                at += 1
                continue
            run = run_digits = 0
            if byte == 64:
                found |= _AT
                if before > 36 or following == 32:
                    found |= _LOCAL_PART
            elif byte == 46:  # a dot
                if before > 47 and (following > 64 or _ends_www(data, start, at)):
                    found |= _LINK
                if _bracket(before):
                    found |= _SPELLED
                if 48 <= before <= 57 and 48 <= following <= 57 and _has_digits(data, at + 2, stop, 2):
                    found |= _PRECISE
            elif byte == 58:  # a colon
                colons += 1
                if following == 58:
                    colons += 3
                elif following == 47:
                    found |= _LINK
            elif byte == 45:
                dashes += 1
            elif byte == 43:
                if before > 47 and following > 47:
                    found |= _PLACE_CODE
            elif byte == 47:
                if following == 47 and at + 2 < stop and data[at + 2] == 47:
                    found |= _PATH
            elif byte == 35:
                if before > 47 and 48 <= following <= 57:
                    found |= _TAG
            elif (byte == 37 and following > 47) or (byte == 38 and following > 32):
                found |= _DISGUISE
            at += 1
        if begin >= 0:
            found |= _word(data, start, begin, stop, stop, value, word_flags, endings)
            if mixed:
                found |= _parts(data, start, begin, stop, stop, word_flags, endings)
        if digits:
            found |= _DIGIT
        if digits >= _NUMBER_DIGITS:
            found |= _NUMBER
        if colons >= 3 or dashes >= 5 or (digits >= 4 and found & _CODE):
            found |= _OCTETS
        if has_at and found & _LINK:
            found |= _SPELLED
        # Words of other scripts carry endings, or are not set apart.
        if foreign and (digits >= 4 or attached):
            found |= _DOCUMENT
        if cyrillic:
            found |= _STREET_SLAVIC | _VEHICLE_RUSSIAN
        if beyond:
            found |= _STREET_OTHER
        if not digits:
            found &= ~_WITH_DIGITS
        out[place] = found


def features(texts: Stretches, which: Rows) -> npt.NDArray[np.int32]:
    """`Feature` flags of some of the texts."""
    out = np.zeros(len(which), np.int32)
    _features(*texts, which, DIGIT_VALUES, PLAIN, WORD_FLAGS, ENDINGS, out)
    return out
