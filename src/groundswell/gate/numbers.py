"""Tells numbers that identify somebody from numbers that say what happened.

Telephone and card numbers, national numbers and network addresses come in every grouping and every script's
digits; so do dates, counts, scores and magnitudes. One pass over the bytes collects *candidates* (groups of
digits with single separators between them) and judges each by its grouping, its neighbours and the words
before it. Owns digits only: identifiers with letters in them are matters of `patterns`.

Kept on purpose: dates, years, times, decimals, counts with thousands marks or trailing zeros, money, per
cent, short hashtags, laughter (555555), short emergency numbers.
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np
import pyarrow as pa
from numba import njit

from groundswell.gate.disguise import DIGIT_VALUES, next_code_point
from groundswell.gate.strings import buffers, build

__all__ = ["NumberClass", "strip_numbers"]


class NumberClass(IntFlag):
    """What was taken out of a text."""

    PHONE = 1
    CARD = 2
    IP = 4
    NATIONAL_ID = 8
    NUMBER = 16
    """Too long to be a count: an account or document number of some kind."""


PHONE, CARD, IP, NATIONAL_ID, NUMBER = (int(flag) for flag in NumberClass)

_GROUPS = 16  # a candidate has at most so many groups; what follows is judged anew
_DIGITS = 48
_SPACE, _DASH, _DOT, _SLASH, _CLOSE, _RANGE = 1, 2, 3, 4, 5, 6  # separators, the last an en dash
_REACH_WORDS = 4  # a word such as `call` speaks for a number up to so many words later

_PHONE_WORDS = """
    phone telephone tel ph mobile cell cellphone fax call calls called calling ring dial whatsapp sms text hotline
    helpline contact reach answering number landline teléfono telefono tlf móvil movil celular llama llame llamar llámame telefone
    ligue ligar telemóvel fone contato téléphone téléphonez portable appelez appeler appelle numéro telefon
    telefonnummer handy rufen anrufen anruf ruf nummer mobil mobiel bel bellen telefoon telefoonnummer gsm cellulare
    chiama chiamare chiamami numero ring tlf telefonnr ringa puhelin soita numer zadzwoń zadzwonić dzwoń komórka
    telefonu ara arayın cep тел телефон телефону звоните звони позвони позвоните номер моб мобильный телефону дзвоніть
    τηλέφωνο τηλ κινητό هاتف اتصل جوال رقم تلفون موبايل الهاتف تلفن تماس موبایل شماره फोन मोबाइल नंबर कॉल ফোন
    telepon hp hubungi nomor điện thoại gọi simu piga 電話 电话 手机 전화 โทร viber signal imo wa
""".split()


def _hash(word: str) -> int:
    value = 0xCBF29CE484222325
    for byte in word.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


_CONTEXT = np.array(
    sorted({_hash(form) for word in _PHONE_WORDS for form in (word, word.capitalize(), word.upper())}), np.uint64
)

# Groupings that telephone numbers are written in where nothing else marks them; lengths read as digits.
_PHONE_SHAPES = np.array(
    sorted(
        [334, 344, 55, 333, 323, 26, 433, 3322, 3222, 3223, 244, 245, 254, 145, 445, 1334, 13322, 1344, 2244, 2254, 255]
        + [2344, 2334, 2333, 3334, 3344, 23222, 356, 465, 11333, 2343, 2353, 343, 1333, 22333, 2345, 345]
    ),
    np.int64,
)


@njit(cache=True, nogil=True)
def _has(table, value):  # type: ignore[no-untyped-def]
    at = np.searchsorted(table, value)
    return at < len(table) and table[at] == value


@njit(cache=True, nogil=True)
def _luhn(digits, count):  # type: ignore[no-untyped-def]
    """The check of ISO/IEC 7812-1 over `digits[:count]`."""
    total = 0
    for place in range(count):
        digit = digits[count - 1 - place]
        if place % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0


@njit(cache=True, nogil=True)
def _value(digits, first, length):  # type: ignore[no-untyped-def]
    value = 0
    for place in range(first, first + min(length, 9)):
        value = value * 10 + digits[place]
    return value


@njit(cache=True, nogil=True)
def _day_month(day, month):  # type: ignore[no-untyped-def]
    return (1 <= day <= 31 and 1 <= month <= 12) or (1 <= month <= 31 and 1 <= day <= 12)


@njit(cache=True, nogil=True)
def _is_date(digits, starts, lengths, separators, group, groups):  # type: ignore[no-untyped-def]
    """Do the three groups from `group` make a date in any usual order?"""
    if group + 2 >= groups or separators[group + 1] != separators[group + 2]:
        return False
    if separators[group + 1] == _RANGE or separators[group + 1] == _CLOSE:
        return False
    a = _value(digits, starts[group], lengths[group])
    b = _value(digits, starts[group + 1], lengths[group + 1])
    c = _value(digits, starts[group + 2], lengths[group + 2])
    la, lb, lc = lengths[group], lengths[group + 1], lengths[group + 2]
    if la == 4 and lb <= 2 and lc <= 2:
        return 1000 <= a <= 2199 and _day_month(c, b)
    if lc == 4 and la <= 2 and lb <= 2:
        return 1000 <= c <= 2199 and _day_month(a, b)
    return la <= 2 and lb <= 2 and lc == 2 and separators[group + 1] != _SPACE and _day_month(a, b)


@njit(cache=True, nogil=True)
def _compact_date(digits, length):  # type: ignore[no-untyped-def]
    """YYYYMMDD or DDMMYYYY, alone or with a time of 4 or 6 digits behind."""
    if length != 8 and length != 12 and length != 14:
        return False
    year, month, day = _value(digits, 0, 4), _value(digits, 4, 2), _value(digits, 6, 2)
    if 1800 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= 31:
        return True
    day, month, year = _value(digits, 0, 2), _value(digits, 2, 2), _value(digits, 4, 4)
    return length == 8 and 1900 <= year <= 2099 and _day_month(day, month)


@njit(cache=True, nogil=True)
def _judge_run(digits, length, in_context):  # type: ignore[no-untyped-def]
    """One unbroken run of digits: the class to take out, or 0 to keep."""
    if length < (6 if in_context else 7) or _compact_date(digits, length):
        return 0
    seen = min(length, _DIGITS)
    if seen >= 3 and length <= 13:
        last = digits[seen - 3] + digits[seen - 2] + digits[seen - 1]
        if last == 0 and digits[0] != 0:
            return 0
    same = True
    for place in range(2, seen):
        same = same and digits[place] == digits[1]
    if same and not in_context:
        return 0
    if 12 <= length <= 19 and _luhn(digits, length):
        return CARD
    return PHONE if length <= 15 else NUMBER


@njit(cache=True, nogil=True)
def _judge(digits, starts, lengths, separators, first, last, plus, opened, in_context):  # type: ignore[no-untyped-def]
    """Groups `first … last - 1` of a candidate: the class to take out, or 0 to keep."""
    groups = last - first
    if groups <= 0:
        return 0
    total = 0
    shape = np.int64(0)
    uniform = dotted = spaced = thousands = True
    rounded = short = True
    for group in range(first, last):
        length = lengths[group]
        total += length
        shape = shape * 10 + min(length, 9) if groups <= 8 else np.int64(0)
        short = short and length <= 2
        tail = digits[starts[group] + length - 1] if starts[group] + length <= _DIGITS else 1
        rounded = rounded and (tail == 0)
        if group > first:
            uniform = uniform and separators[group] == separators[first + 1]
            dotted = dotted and separators[group] == _DOT
            spaced = spaced and separators[group] == _SPACE
            thousands = thousands and length == 3
    thousands = thousands and groups > 1 and lengths[first] <= 3 and (dotted or spaced)
    head = starts[first]
    run = digits[head:]
    if groups == 1:
        if plus and total >= 7:
            return PHONE if total <= 15 else NUMBER
        return _judge_run(run, total, in_context)
    if total < (6 if in_context else 7):
        return 0
    if groups == 4 and dotted and total <= 12:
        inside = True
        for group in range(first, last):
            inside = inside and lengths[group] <= 3 and _value(digits, starts[group], lengths[group]) <= 255
        if inside:
            return IP
    if 13 <= total <= 19 and groups <= 5 and not thousands and _luhn(run, total):
        return CARD
    if shape == 324 and uniform and (separators[first + 1] == _DASH or spaced):
        return NATIONAL_ID
    if groups == 2 and dotted and (lengths[first] <= 3 or lengths[first + 1] <= 2) and not plus:
        return 0  # a decimal
    ends_in_zeros = (
        starts[last - 1] + 3 <= _DIGITS
        and lengths[last - 1] == 3
        and _value(digits, starts[last - 1], 3) == 0
    )
    if thousands and (ends_in_zeros or not plus) and digits[head] != 0 and not in_context:
        return PHONE if shape == 333 and not ends_in_zeros else 0
    if plus:
        return PHONE if total <= 15 else NUMBER
    if total > 15:
        return NUMBER if not short else 0
    years = True
    for group in range(first, last):
        years = years and lengths[group] == 4 and 1000 <= _value(digits, starts[group], 4) <= 2199
    if opened and total >= 8 and not years:
        return PHONE
    if years or (rounded and groups == 2 and not in_context):
        return 0  # a span of years, a range of round numbers
    if in_context:
        return PHONE
    if digits[head] == 0 and lengths[first] >= 2 and total >= 8 and (uniform or groups > 2):
        return PHONE
    dashed = uniform and separators[first + 1] == _DASH
    if shape == 34:
        return PHONE if dashed and not 1900 <= _value(digits, starts[last - 1], 4) <= 2099 else 0
    if shape == 44:
        return PHONE if dashed or spaced else 0
    if shape == 2222 or shape == 22222:
        return PHONE if dashed or (dotted and groups == 5) else 0
    if shape == 67 or shape == 64 or shape == 84 or shape == 3332:
        return NATIONAL_ID if separators[last - 1] == _DASH else 0
    if shape == 444:
        return NATIONAL_ID
    if _has(_PHONE_SHAPES, shape):
        return PHONE
    if total >= 11 and groups >= 3 and not short and uniform:
        return PHONE
    return 0


@njit(cache=True, nogil=True)
def _separator(code):  # type: ignore[no-untyped-def]
    if code == 32 or code == 0xA0 or 0x2000 <= code <= 0x200A or code == 0x202F or code == 0x3000:
        return _SPACE
    if code == 45 or code == 0x2010 or code == 0x2011 or code == 0x2212 or code == 0x30FC:
        return _DASH
    if code == 0x2012 or code == 0x2013 or code == 0x2014:
        return _RANGE
    if code == 46 or code == 0xB7:
        return _DOT
    if code == 47:
        return _SLASH
    if code == 41 or code == 40 or code == 0xFF08 or code == 0xFF09:
        return _CLOSE
    return 0


@njit(cache=True, nogil=True)
def _is_money(code):  # type: ignore[no-untyped-def]
    return code == 36 or 0xA2 <= code <= 0xA5 or 0x20A0 <= code <= 0x20CF or code == 37 or code == 0x066A


@njit(cache=True, nogil=True)
def _strip(data, offsets, digit_values, context, out, out_offsets, classes):  # type: ignore[no-untyped-def]
    digits = np.zeros(_DIGITS + 4, np.int64)
    starts = np.zeros(_GROUPS + 1, np.int64)
    lengths = np.zeros(_GROUPS + 1, np.int64)
    separators = np.zeros(_GROUPS + 1, np.int64)
    begins = np.zeros(_GROUPS + 1, np.int64)
    ends = np.zeros(_GROUPS + 1, np.int64)
    written = 0
    for row in range(len(offsets) - 1):
        out_offsets[row] = written
        at, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        copied = at
        word = np.uint64(0xCBF29CE484222325)
        in_word = False
        reach = 0
        before = np.int64(32)  # the character before the current one
        sign = np.int64(32)  # the last one that is no space
        while at < end:
            code, after = next_code_point(data, at)
            is_digit = code < len(digit_values) and digit_values[code] >= 0
            if not is_digit:
                if code > 127 or 65 <= code <= 90 or 97 <= code <= 122:
                    for place in range(at, after):
                        word = (word ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
                    in_word = True
                elif in_word:
                    reach = _REACH_WORDS if _has(context, word) else max(reach - 1, 0)
                    word = np.uint64(0xCBF29CE484222325)
                    in_word = False
                if code == 10:
                    reach = max(reach - 1, 0)
                before = code
                sign = sign if code == 32 else code
                at = after
                continue
            if in_word:
                reach = _REACH_WORDS if _has(context, word) else reach
                word = np.uint64(0xCBF29CE484222325)
                in_word = False
            # A candidate starts here: collect its groups.
            groups = 0
            held = 0
            separator = 0
            begin = at
            while True:
                begins[groups] = at
                starts[groups] = min(held, _DIGITS)
                separators[groups] = separator
                length = 0
                code = np.int64(0)
                while at < end:
                    code, after = next_code_point(data, at)
                    if code >= len(digit_values) or digit_values[code] < 0:
                        break
                    if held < _DIGITS:
                        digits[held] = digit_values[code]
                        held += 1
                    length += 1
                    at = after
                lengths[groups] = length
                ends[groups] = at
                groups += 1
                if at >= end or groups == _GROUPS or held >= _DIGITS:
                    break
                # Look over the separator: up to three characters with digits behind.
                ahead = at
                separator = 0
                steps = 0
                while ahead < end and steps < 4:
                    code, after = next_code_point(data, ahead)
                    kind = _separator(code)
                    if kind == 0 or (separator == _DOT and kind != _CLOSE) or (kind == _DOT and steps):
                        break
                    separator = max(separator, kind)
                    steps += 1
                    ahead = after
                code = np.int64(0)
                if ahead < end:
                    code, after = next_code_point(data, ahead)
                if not (steps and steps < 4 and code < len(digit_values) and digit_values[code] >= 0):
                    break
                at = ahead
            following = np.int64(32)
            if at < end:
                following, after = next_code_point(data, at)
            previous = before
            plus = previous == 43 or previous == 0xFF0B
            opened = previous == 40 or previous == 0xFF08
            money = _is_money(previous) or _is_money(following) or (previous == 32 and _is_money(sign))
            tagged = previous == 35
            first = 0
            if previous == 58 and lengths[0] == 2 and groups > 1:
                first = 1  # the minutes of a time stand before
            total = 0
            for group in range(first, groups):
                total += lengths[group]
            pairs = groups == 5
            for group in range(first, groups):
                pairs = pairs and lengths[group] == 2 and separators[max(group, 1)] == separators[1]
            zero_led = digits[starts[first]] == 0 and (lengths[first] >= 3 or pairs)
            whole = plus or zero_led or money or tagged
            while first < groups:
                last = groups
                skip = 0
                if not whole:
                    luhn_card = 13 <= total <= 19 and first == 0 and groups <= 5 and _luhn(digits, total)
                    for group in range(first, groups):
                        if luhn_card:
                            break
                        if _is_date(digits, starts, lengths, separators, group, groups):
                            last, skip = group, 3
                            break
                        is_year = lengths[group] == 4 and 1900 <= _value(digits, starts[group], 4) <= 2099
                        left = group == first or separators[group] == _SPACE
                        right = group + 1 == groups or separators[group + 1] == _SPACE
                        if is_year and left and right and groups > 1 and (not reach or total < 8):
                            last, skip = group, 1
                            break
                found = 0
                if not ((money and total <= 12) or (tagged and total <= 8)):
                    found = _judge(
                        digits, starts, lengths, separators, first, last,
                        plus and first == 0, opened and first == 0, reach > 0,
                    )  # fmt: skip
                if found:
                    classes[row] |= found
                    cut = begins[first]
                    if first == 0 and (plus or opened):
                        cut = begin - (1 if previous < 128 else 3)
                        if plus and opened and cut > copied and data[cut - 1] == 40:
                            cut -= 1
                    for place in range(copied, cut):
                        out[written] = data[place]
                        written += 1
                    out[written] = 32
                    written += 1
                    copied = ends[last - 1]
                first = last + skip
            reach = max(reach - 1, 0)
            before = sign = np.int64(48)
        for place in range(copied, end):
            out[written] = data[place]
            written += 1
    out_offsets[len(offsets) - 1] = written
    return written


def strip_numbers(texts: pa.StringArray) -> tuple[pa.StringArray, np.ndarray]:
    """The texts without identifying numbers, and the `NumberClass` flags of what went from each (int32).

    >>> strip_numbers(pa.array(["7.8 quake on 2013-05-20, 10,000 out, call +44 7700 900123"]))[0][0].as_py()
    '7.8 quake on 2013-05-20, 10,000 out, call  '
    """
    data, offsets = buffers(texts)
    out = np.empty(int(offsets[-1]) - int(offsets[0]), np.uint8)
    out_offsets = np.empty(len(offsets), np.int32)
    classes = np.zeros(len(texts), np.int32)
    written = _strip(data, offsets, DIGIT_VALUES, _CONTEXT, out, out_offsets, classes)
    return build(out[:written], out_offsets), classes
