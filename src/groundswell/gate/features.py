"""Looks at each text once and says which kinds of identifier it could hold.

Most texts hold none. One pass over the bytes decides which patterns are worth trying, so that the dear ones
meet few texts. A feature may be claimed in vain; it must never be missed where a pattern of `patterns` would
match (a test holds that). Owns no forms of identifiers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.gate.ascii import is_alnum, is_letter, is_space
from groundswell.gate.disguise import DIGIT_VALUES, PLAIN, next_code_point
from groundswell.gate.feature_flags import ENDINGS, WORD_FLAGS, WORD_SHAPES, Feature
from groundswell.gate.strings import Rows, Stretches
from groundswell.gate.words import AT_WORD, WITH_DIGITS, opens_bracket, parts, word
from groundswell.kernels import inner, kernel

__all__ = ["features"]

_NUMBER_DIGITS = 6
_CHAIN_DIGITS = 5  # of a document's number, with single separators
_CODE_LENGTH = 5  # of one that letters begin, from its first digit on
_KEY_LENGTH = 20
_PLATE_DIGITS = 5
# Plain ints, because Numba freezes module constants of that type only.
_AT, _LOCAL_PART, _LINK, _DIGIT, _NUMBER, _DISGUISE, _KEY, _CODE, _OCTETS, _DEGREE = (
    int(flag) for flag in list(Feature)[:10]
)
_PATH, _TAG, _SPELLED, _DOCUMENT = (
    int(flag) for flag in (Feature.PATH, Feature.TAG, Feature.SPELLED, Feature.DOCUMENT)
)
_STREET, _STREET_SLAVIC, _STREET_OTHER, _LETTERED, _PLACE_CODE, _PRECISE = (
    int(flag) for flag in (Feature.STREET, *list(Feature)[23:])
)
_VEHICLE_RUSSIAN = int(Feature.VEHICLE_RUSSIAN)
_DOTTED = AT_WORD << 1
"""A dot between two words: what it comes to depends on the whole text."""

# What a byte is.
_QUIET, _LETTER, _DIGIT_BYTE, _SPACE, _HIGH, _SIGN = range(6)
_BYTES = np.zeros(256, np.uint8)
_BYTES[ord("a") : ord("z") + 1] = _BYTES[ord("A") : ord("Z") + 1] = _LETTER
_BYTES[ord("0") : ord("9") + 1] = _DIGIT_BYTE
_BYTES[list(b" \t\n\f\r")] = _SPACE
_BYTES[list(b"@.:-+/#%&")] = _SIGN
_BYTES[0x80:] = _HIGH

# What a character is, as flags.
_POSES, _NUMERAL, _APART, _FOREIGN, _CYRILLIC, _ADDRESS, _DEGREE_SIGN = (1 << bit for bit in range(7))
_TELLING = ~(_FOREIGN | _CYRILLIC)


def _characters() -> npt.NDArray[np.uint8]:
    """The flags of each code point below those that are never digits or letters in disguise."""
    codes = np.arange(len(PLAIN))
    apart = (codes >= 0x370) | (codes < 0xC0)  # of another script than the Latin one, or a sign
    signs = (
        ((codes >= 0x2000) & (codes < 0x2E80)) | ((codes >= 0xFE00) & (codes <= 0xFE0F)) | (codes >= 0x1F000)
    )
    flags = np.zeros(len(codes), np.uint8)
    for flag, has in (
        (_POSES, PLAIN != 0),
        (_NUMERAL, DIGIT_VALUES >= 0),
        (_APART, apart),
        (_FOREIGN, (codes >= 0x370) & ~signs),
        (_CYRILLIC, (codes >= 0x400) & (codes < 0x530)),
        (_ADDRESS, np.isin(codes, [0x634, 0x92E, 0x4E01])),  # of شارع, of मकान, of 丁目
        (_DEGREE_SIGN, np.isin(codes, [0xB0, 0xBA])),
    ):
        flags[has] |= flag
    return flags


_CHARACTERS = _characters()


def _suffixes() -> npt.NDArray[np.bool_]:
    """The first two letters of the suffixes of which a bare host can be told, and of hosts of accounts."""
    known = np.zeros(26 * 26, np.bool_)
    for pair in ["co", "or", "ne", "ed", "go", "mi", "in", "bi", "on", "si", "ap", "bl", "so", "te", "gy"]:
        known[(ord(pair[0]) - 97) * 26 + ord(pair[1]) - 97] = True
    return known


_SUFFIXES = _suffixes()


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
def _has_hex(data, at):  # type: ignore[no-untyped-def]
    """Are the four bytes from `at` on hexadecimal digits?"""
    digits = 0
    for place in range(at, at + 4):
        digits += 48 <= data[place] <= 57 or 97 <= (data[place] | 32) <= 102
    return digits == 4


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
def _leads_to_suffix(data, at, stop):  # type: ignore[no-untyped-def]
    """Could a bare link's last label begin at `at`: one that is known, or one before a path or a port?"""
    if at + 2 > stop or not (is_letter(data[at]) and is_letter(data[at + 1])):
        return False
    if _SUFFIXES[(np.int64(data[at] | 32) - 97) * 26 + np.int64(data[at + 1] | 32) - 97]:
        return True
    while at < stop and is_letter(data[at]):
        at += 1
    return at < stop and (data[at] == 47 or data[at] == 58)


@inner
def _dot(data, start, at, stop):  # type: ignore[no-untyped-def]
    """What a dot at `at` announces."""
    found = 0
    before = data[at - 1] if at > start else np.uint8(32)
    following = data[at + 1] if at + 1 < stop else np.uint8(32)
    if before > 47 or before == 45:
        if following > 64:
            found |= _DOTTED
        if _leads_to_suffix(data, at + 1, stop) or _ends_www(data, start, at):
            found |= _LINK
        if 48 <= following <= 57 and 48 <= before <= 57 and _has_digits(data, at + 2, stop, 2):
            found |= _PRECISE
        if at + 9 < stop and data[at + 5] == 46 and _has_hex(data, at + 1) and _has_hex(data, at + 6):
            found |= _OCTETS
    elif opens_bracket(data, start, at):
        found |= _SPELLED
    return found


@inner
def _sign(data, start, at, stop):  # type: ignore[no-untyped-def]
    """What a sign at `at` announces by what stands beside it."""
    byte = data[at]
    if byte == 46:
        return _dot(data, start, at, stop)
    before = data[at - 1] if at > start else np.uint8(32)
    following = data[at + 1] if at + 1 < stop else np.uint8(32)
    third = data[at + 2] if at + 2 < stop else np.uint8(32)
    if byte == 64:
        found = _AT
        if before > 36 or following == 32:
            found |= _LOCAL_PART
        if opens_bracket(data, start, at):
            found |= _SPELLED
        return found
    if byte == 58:
        if following == 58:
            return _OCTETS
        return _LINK if following == 47 and third == 47 else 0
    if byte == 47:
        return _PATH if following == 47 and third == 47 else 0
    if byte == 43:
        return _PLACE_CODE if before > 47 and following > 47 else 0
    if byte == 35:
        return _TAG if before > 45 and 48 <= following <= 57 else 0
    if (byte == 37 and following > 47) or (byte == 38 and following > 32):
        return _DISGUISE
    return 0


@inner
def _beside_digit(data, at, stop, code, is_next):  # type: ignore[no-untyped-def]
    """What a character before the digit at `at` announces; `is_next` where no space is between."""
    if code in (0x753A, 0x533A, 0x8DEF, 0x8857, 0x9053, 0x5DF7, 0x5F04, 0xB85C, 0xAE38, 0x3012):
        return _STREET_OTHER  # 町 区 路 街 道 巷 弄 로 길 〒
    if 0x3041 <= code <= 0x3096 and _has_digits(data, at, stop, 2) and at + 2 < stop and data[at + 2] == 45:
        return _CODE  # a plate of Japan
    if is_next and 0x410 <= code <= 0x42F and _has_digits(data, at, stop, 3):
        return _CODE  # of Russia
    return 0


@inner
def _address(data, start, at, after, stop, code):  # type: ignore[no-untyped-def]
    """Does a letter of addresses stand where one would have it: in شارع, in मकान, in 丁目 behind a digit?"""
    if code == 0x4E01:
        return at > start and 48 <= data[at - 1] <= 57
    if code == 0x634:
        return after + 1 < stop and data[after] == 0xD8 and data[after + 1] == 0xA7
    return after + 2 < stop and data[after] == 0xE0 and data[after + 1] == 0xA4 and data[after + 2] == 0x95


@kernel
def _features(data, starts, ends, which, characters, flags, shapes, endings, out):  # type: ignore[no-untyped-def]
    for row in range(len(which)):
        start, stop = np.int64(starts[which[row]]), np.int64(ends[which[row]])
        found = seen = np.int64(0)
        digits = chain = octets = 0
        is_long = is_house = False  # is there a document's number; a house's?
        # Where the last ones stood: capital, digit, digit of any script, sign as in addresses of machines.
        capital = numeral = last_digit = octet_at = start - 9
        blank = start - 9  # where the last white space began
        run_end = start  # of the letters and digits around the last digit
        code = np.int64(0)  # the last character beyond ASCII, and its end
        code_end = start - 9
        begin = np.int64(-1)  # of the open word
        is_mixed = is_apart = False  # has it letters beyond ASCII; is it apart?
        at = start
        while at < stop:
            byte = data[np.uint64(at)]
            kind = _BYTES[byte]
            if kind == _LETTER:
                if begin >= 0 and is_apart:  # scripts that set no words apart, and ours between them
                    found |= word(data, start, begin, at, stop, flags, shapes, endings)
                    begin = np.int64(-1)
                if begin < 0:
                    begin = at
                    is_mixed = is_apart = False
                if byte < 97:
                    if at - numeral <= 2 or (code_end == at and 0x4E00 <= code <= 0x9FFF):
                        found |= _CODE
                    capital = at
                    if at > start and is_space(data[at - 1]) and blank - last_digit <= 3:
                        is_house = True
                at += 1
                while at < stop and 97 <= data[np.uint64(at)] <= 122:
                    at += 1
                continue
            if kind == _HIGH:
                code, after = next_code_point(data, at)
                kinds = np.int64(characters[code] if code < len(characters) else _APART | _FOREIGN)
                apart = kinds & _APART != 0
                if begin >= 0 and apart != is_apart:
                    found |= word(data, start, begin, at, stop, flags, shapes, endings)
                    if is_mixed:
                        found |= parts(data, start, begin, at, stop, flags, shapes, endings)
                    begin = np.int64(-1)
                if begin < 0:
                    begin = at
                    is_mixed = False
                is_apart = apart
                is_mixed |= not apart
                seen |= kinds
                if kinds & (_NUMERAL | _ADDRESS):
                    if kinds & _NUMERAL:
                        digits += 1
                        last_digit = after - 1
                        if (at > start and is_letter(data[at - 1])) or (
                            after < stop and is_letter(data[after])
                        ):
                            found |= _DISGUISE  # AB١٢٣٤C
                    elif _address(data, start, at, after, stop, code):
                        found |= _STREET_OTHER
                at = after
                while apart and at < stop and data[np.uint64(at)] >= 0x80:  # letters, mostly
                    following, after = next_code_point(data, at)
                    if following >= len(characters) or characters[following] & _TELLING != _APART:
                        break
                    code, at = following, after
                    seen |= np.int64(characters[code])
                code_end = at
                continue
            if begin >= 0:
                announced = word(data, start, begin, at, stop, flags, shapes, endings)
                if is_mixed:
                    announced |= parts(data, start, begin, at, stop, flags, shapes, endings)
                if not is_house:
                    announced &= ~_STREET  # the number comes first
                found |= announced
                begin = np.int64(-1)
            if kind == _SPACE:
                if at == start or not is_space(data[at - 1]):
                    blank = at
            elif kind == _DIGIT_BYTE:
                digits += 1
                chain = chain + 1 if at - numeral <= 2 else 1
                if chain >= _CHAIN_DIGITS:
                    is_long = True
                if at - capital <= 2:
                    found |= _CODE
                if at >= run_end:
                    run = at
                    while run > start and is_alnum(data[run - 1]):
                        run -= 1
                    run_end = at
                    while run_end < stop and is_alnum(data[run_end]):
                        run_end += 1
                    if run_end - run >= _KEY_LENGTH:
                        found |= _KEY
                if at > start:
                    before = data[at - 1]
                    if is_letter(before):
                        if run_end - at >= _CODE_LENGTH:
                            is_long = True
                    elif is_space(before):
                        if blank - last_digit <= 3:
                            is_house = True
                    elif (
                        48 <= before <= 57
                        and at - start >= 3
                        and is_letter(data[at - 2])
                        and is_letter(data[at - 3])
                    ):
                        found |= _LETTERED
                    if code_end == at or (code_end == at - 1 and is_space(before)):
                        found |= _beside_digit(data, at, stop, code, code_end == at)
                numeral = last_digit = at
            elif kind == _SIGN:
                found |= _sign(data, start, at, stop)
                if byte == 58 or byte == 45:
                    octets = octets + 1 if 2 <= at - octet_at <= 5 else 1
                    octet_at = at
                    if octets >= 5:
                        found |= _OCTETS
            at += 1
        if begin >= 0:
            announced = word(data, start, begin, stop, stop, flags, shapes, endings)
            if is_mixed:
                announced |= parts(data, start, begin, stop, stop, flags, shapes, endings)
            found |= announced if is_house else announced & ~_STREET
        out[row] = _summed_up(found, seen, digits, is_long)


@inner
def _summed_up(found, seen, digits, is_long):  # type: ignore[no-untyped-def]
    """The features of a text, from what its characters and words announced."""
    if seen & _POSES:
        found |= _DISGUISE
    if seen & _DEGREE_SIGN:
        found |= _DEGREE
    if digits:
        found |= _DIGIT
    if digits >= _NUMBER_DIGITS:
        found |= _NUMBER
    if found & AT_WORD and found & _DOTTED:
        found |= _SPELLED
    # Words of other scripts carry endings, or are not set apart.
    if seen & _FOREIGN:
        found |= _DOCUMENT
    if not is_long:
        found &= ~_DOCUMENT
    if seen & _CYRILLIC:
        found |= _STREET_SLAVIC
        if digits >= _PLATE_DIGITS:
            found |= _VEHICLE_RUSSIAN
    if not digits:
        found &= ~WITH_DIGITS
    return found & (AT_WORD - 1)


def features(texts: Stretches, which: Rows) -> npt.NDArray[np.int32]:
    """`Feature` flags of some of the texts."""
    out = np.zeros(len(which), np.int32)
    _features(*texts, which, _CHARACTERS, WORD_FLAGS, WORD_SHAPES, ENDINGS, out)
    return out
