"""Tells numbers that identify somebody from numbers that say what happened, in every script's digits.

One pass over the bytes collects *candidates*, groups of digits with single separators between them, and
asks `groupings` for a judgement, given the sign before and the words before (`call`, `тел`). Identifiers
with letters in them are matters of `patterns`.

Kept on purpose: dates, years, times, decimals, counts with thousands marks or trailing zeros, money, per
cent, short hashtags, laughter (555555), emergency numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.gate.disguise import DIGIT_VALUES, next_code_point
from groundswell.gate.drafts import Drafts
from groundswell.gate.groupings import (
    BEGIN,
    BRACKET,
    DASH,
    DOT,
    END,
    LENGTH,
    RANGE,
    SEPARATOR,
    SLASH,
    SPACE,
    START,
    NumberClass,
    judge,
    news_at,
)
from groundswell.gate.strings import Rows
from groundswell.kernels import inner, kernel

__all__ = ["NumberClass", "strip_numbers"]

_MAX_GROUPS = 16  # what follows is a candidate of its own
_MAX_DIGITS = 48
_SPARE_DIGITS = 32  # so that reading a group that begins below the maximum stays within the array
_REACH_WORDS = 4  # a word such as `call` speaks for a number up to so many words later
_BASIS, _PRIME = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits

_PHONE_WORDS = """
    phone telephone tel ph mobile cell cellphone fax call calls called calling ring dial whatsapp sms
    text hotline helpline contact reach answering number landline teléfono telefono tlf móvil movil
    celular llama llame llamar llámame telefone ligue ligar telemóvel fone contato téléphone téléphonez
    portable appelez appeler appelle numéro telefon telefonnummer handy rufen anrufen anruf ruf nummer
    mobil mobiel bel bellen telefoon telefoonnummer gsm cellulare chiama chiamare chiamami numero
    telefonnr ringa puhelin soita numer zadzwoń zadzwonić dzwoń komórka telefonu ara arayın cep тел
    телефон телефону звоните звони позвони позвоните номер моб мобильный дзвоніть τηλέφωνο τηλ κινητό
    هاتف اتصل جوال رقم تلفون موبايل الهاتف تلفن تماس موبایل شماره फोन मोबाइल नंबर कॉल ফোন telepon hp
    hubungi nomor điện thoại gọi simu piga 電話 电话 手机 전화 โทร viber signal imo wa
"""


def _hash(word: str) -> int:
    value = _BASIS
    for byte in word.encode():
        value = ((value ^ byte) * _PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


_CONTEXT = np.array(
    sorted(
        {_hash(form) for word in _PHONE_WORDS.split() for form in (word, word.capitalize(), word.upper())}
    ),
    np.uint64,
)


@inner
def _separator(code):  # type: ignore[no-untyped-def]
    if code == 0x20 or code == 0xA0 or 0x2000 <= code <= 0x200A or code == 0x202F or code == 0x3000:
        return SPACE
    if code == 0x2D or code == 0x2010 or code == 0x2011 or code == 0x2212 or code == 0x30FC:
        return DASH
    if 0x2012 <= code <= 0x2014:
        return RANGE
    if code == 0x2E or code == 0xB7:
        return DOT
    if code == 0x2F:
        return SLASH
    if code == 0x28 or code == 0x29 or code == 0xFF08 or code == 0xFF09:
        return BRACKET
    return 0


@inner
def _is_money(code):  # type: ignore[no-untyped-def]
    """A currency sign or a per cent sign."""
    return code == 0x24 or 0xA2 <= code <= 0xA5 or 0x20A0 <= code <= 0x20CF or code == 0x25 or code == 0x066A


@inner
def _is_digit(code, digit_values):  # type: ignore[no-untyped-def]
    return code < len(digit_values) and digit_values[code] >= 0


@inner
def _after_separator(data, at, end, digit_values):  # type: ignore[no-untyped-def]
    """Where the next group begins and the separator before it; `(at, 0)` when the candidate ends here."""
    separator = steps = 0
    ahead = at
    while ahead < end and steps < 4:
        code, after = next_code_point(data, ahead)
        kind = _separator(code)
        if kind == 0:
            if 0 < steps < 4 and _is_digit(code, digit_values):
                return ahead, separator
            break
        if (separator == DOT and kind != BRACKET) or (kind == DOT and steps):
            break  # a full stop ends a sentence
        separator = max(separator, kind)
        steps += 1
        ahead = after
    return at, 0


@inner
def _collect(data, at, end, digit_values, digits, groups):  # type: ignore[no-untyped-def]
    """Read a candidate that begins at byte `at`: how many groups, and the byte behind it."""
    count = held = separator = 0
    while True:
        groups[count, BEGIN] = at
        groups[count, START] = held
        groups[count, SEPARATOR] = separator
        length = 0
        while at < end:
            code, after = next_code_point(data, at)
            if not _is_digit(code, digit_values):
                break
            if held < len(digits):
                digits[held] = digit_values[code]
                held += 1
            length += 1
            at = after
        groups[count, LENGTH] = length
        groups[count, END] = at
        count += 1
        if at >= end or count == _MAX_GROUPS or held >= _MAX_DIGITS:
            return count, at
        begin, separator = _after_separator(data, at, end, digit_values)
        if separator == 0:
            return count, at
        at = begin


@inner
def _is_whole(digits, groups, first, count):  # type: ignore[no-untyped-def]
    """Does a trunk prefix hold the groups together, whatever dates they seem to hold?"""
    pairs = count == 5
    for group in range(first, count):
        pairs = (
            pairs and groups[group, LENGTH] == 2 and groups[max(group, 1), SEPARATOR] == groups[1, SEPARATOR]
        )
    return digits[groups[first, START]] == 0 and (groups[first, LENGTH] >= 3 or pairs)


@inner
def _copy(data, begin, end, out, written):  # type: ignore[no-untyped-def]
    if written == begin:
        return end  # it lies there already
    for place in range(begin, end):
        out[written] = data[place]
        written += 1
    return written


@inner
def _strip_draft(data, start, end, digit_values, context, digits, groups, out):  # type: ignore[no-untyped-def]
    """Take the identifying numbers out of one text: the classes of them, and the end of the text then."""
    classes = 0
    at = copied = written = start
    word = np.uint64(_BASIS)
    in_word = False
    reach = 0  # words for which the last telling word still speaks
    before = sign = np.int64(0x20)  # the last character, and the last that is no space
    while at < end:
        code, after = next_code_point(data, at)
        if not _is_digit(code, digit_values):
            if code > 0x7F or 65 <= code <= 90 or 97 <= code <= 122:
                for place in range(at, after):
                    word = (word ^ np.uint64(data[place])) * np.uint64(_PRIME)
                in_word = True
            elif in_word:
                reach = _next_reach(context, word, reach)
                word = np.uint64(_BASIS)
                in_word = False
            before = code
            sign = sign if code == 0x20 else code
            at = after
            continue
        if in_word:
            reach = _next_reach(context, word, reach)
            word = np.uint64(_BASIS)
            in_word = False
        begin = at
        count, at = _collect(data, at, end, digit_values, digits, groups)
        following = np.int64(0x20)
        if at < end:
            following, after = next_code_point(data, at)
        plus = before == 0x2B or before == 0xFF0B
        opened = before == 0x28 or before == 0xFF08
        money = _is_money(before) or _is_money(following) or (before == 0x20 and _is_money(sign))
        tagged = before == 0x23
        # After a colon, two digits are the minutes of a time.
        first = 1 if before == 0x3A and groups[0, LENGTH] == 2 and count > 1 else 0
        total = 0
        for group in range(first, count):
            total += groups[group, LENGTH]
        kept = (money and total <= 12) or (tagged and total <= 8)
        whole = plus or money or tagged or _is_whole(digits, groups, first, count)
        while first < count and not kept:
            last, skip = count, 0
            if not whole:
                last, skip = news_at(digits, groups, first, count, total, reach > 0)
            leads = first == 0
            found = judge(digits, groups, first, last, plus and leads, opened and leads, reach > 0)
            if found:
                classes |= found
                cut = groups[first, BEGIN]
                if leads and (plus or opened):
                    cut = begin - (1 if before < 0x80 else 3)
                    if plus and cut > copied and data[cut - 1] == 0x28:
                        cut -= 1
                written = _copy(data, copied, cut, out, written)
                out[written] = 0x20
                written += 1
                copied = groups[last - 1, END]
            first = last + skip
        reach = reach - 1 if reach else 0
        before = sign = np.int64(0x30)
    return classes, _copy(data, copied, end, out, written)


@inner
def _next_reach(context, word, reach):  # type: ignore[no-untyped-def]
    low, high = 0, len(context)
    while low < high:
        middle = (low + high) >> 1
        if context[middle] < word:
            low = middle + 1
        else:
            high = middle
    if low < len(context) and context[low] == word:
        return _REACH_WORDS
    return reach - 1 if reach else 0


@kernel
def _strip(data, out, starts, ends, drafts, digit_values, context, digits, groups, classes):  # type: ignore[no-untyped-def]
    for place in range(len(drafts)):
        draft = drafts[place]
        start, end = np.int64(starts[draft]), np.int64(ends[draft])
        classes[place], ends[draft] = _strip_draft(
            data, start, end, digit_values, context, digits, groups, out
        )


def strip_numbers(drafts: Drafts, which: Rows) -> npt.NDArray[np.int32]:
    """Take the identifying numbers out of some drafts; the `NumberClass` flags of what went from each.

    >>> import pyarrow as pa
    >>> text = "7.8 quake on 2013-05-20, 10,000 out, call +44 7700 900123"
    >>> drafts = Drafts(pa.array([text]))
    >>> int(strip_numbers(drafts, np.arange(1))[0]) == NumberClass.PHONE, drafts.column()[0].as_py()
    (True, '7.8 quake on 2013-05-20, 10,000 out, call  ')
    """
    classes = np.zeros(len(which), np.int32)
    _strip(
        drafts.readable().data,
        drafts.data,
        drafts.starts,
        drafts.ends,
        which,
        DIGIT_VALUES,
        _CONTEXT,
        np.zeros(_MAX_DIGITS + _SPARE_DIGITS, np.int64),
        np.zeros((_MAX_GROUPS + 1, 5), np.int64),
        classes,
    )
    return classes
