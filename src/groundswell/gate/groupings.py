"""Judges a number by its grouping: which are telephone, card and national numbers, and which are news.

A candidate is a row of groups of digits with one separator between two. Owns the judgement alone; finding
candidates in a text, and the words around them, is the business of `numbers`.

The kernels share two arrays: `digits`, the values of all digits of the candidate, and `groups`, one row a
group with the columns `START` (its first place in `digits`), `LENGTH`, `SEPARATOR` (the one before it),
`BEGIN` and `END` (its bytes in the text).
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np

from groundswell.kernels import inner

__all__ = [
    "BEGIN", "BRACKET", "DASH", "DOT", "END", "LENGTH", "RANGE", "SEPARATOR", "SLASH", "SPACE", "START",
    "NumberClass", "judge", "news_at",
]  # fmt: skip


class NumberClass(IntFlag):
    """What was taken out of a text."""

    PHONE = 1
    CARD = 2
    IP = 4
    NATIONAL_ID = 8
    NUMBER = 16
    """Too long to be a count: an account or document number of some kind."""


START, LENGTH, SEPARATOR, BEGIN, END = range(5)
# Separators, a run of them counting as its highest.
SPACE, DASH, DOT, SLASH, BRACKET, RANGE = range(1, 7)
_PHONE, _CARD, _IP, _NATIONAL_ID, _NUMBER = (int(flag) for flag in NumberClass)

# Groupings that telephone numbers are written in where nothing else marks them; lengths read as digits.
_PHONE_SHAPES = np.array(
    [
        26, 55, 144, 145, 244, 245, 254, 255, 323, 333, 334, 343, 344, 345, 356, 433, 445, 465,
        1333, 1334, 1344, 2244, 2254, 2333, 2334, 2343, 2344, 2345, 2353, 3222, 3223, 3322, 3334,
        3344, 11333, 13322, 22333, 23222,
    ],
    np.int64,
)  # fmt: skip


# Lengths and separators of national numbers that no telephone is written in.
_NATIONAL_FORMS = np.array(
    [
        (64, SLASH), (65, DASH),  # Czechia and Slovakia, Latvia
        (571, 10 * DASH + DASH), (624, 10 * DASH + DASH),  # Pakistan, Malaysia
        (2331, 110 * DOT + DASH), (3332, 110 * DOT + DASH),  # Chile, Brazil
        (3442, 111 * DOT),  # Switzerland
        (22232, 1100 * DOT + 10 * DASH + DOT),  # Belgium
        (14521, 1111 * DASH),  # Thailand
        (1222332, 111111 * SPACE),  # France
    ],
    np.int64,
)  # fmt: skip


@inner
def _luhn(digits, count):  # type: ignore[no-untyped-def]
    """The check of ISO/IEC 7812-1 over `digits[:count]`."""
    total = 0
    for place in range(count):
        digit = digits[count - 1 - place]
        if place % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0


@inner
def _value(digits, first, length):  # type: ignore[no-untyped-def]
    value = 0
    for place in range(first, first + min(length, 9)):
        value = value * 10 + digits[place]
    return value


@inner
def _number(digits, groups, group):  # type: ignore[no-untyped-def]
    return _value(digits, groups[group, START], groups[group, LENGTH])


@inner
def _day_month(one, other):  # type: ignore[no-untyped-def]
    return (1 <= one <= 31 and 1 <= other <= 12) or (1 <= other <= 31 and 1 <= one <= 12)


@inner
def _is_date(digits, groups, group, count):  # type: ignore[no-untyped-def]
    """Do the three groups from `group` make a date in any usual order?"""
    if group + 2 >= count:
        return False
    separator = groups[group + 1, SEPARATOR]
    if separator != groups[group + 2, SEPARATOR] or separator in (RANGE, BRACKET):
        return False
    a, b, c = (
        _number(digits, groups, group),
        _number(digits, groups, group + 1),
        _number(digits, groups, group + 2),
    )
    la, lb, lc = groups[group, LENGTH], groups[group + 1, LENGTH], groups[group + 2, LENGTH]
    if la == 4 and lb <= 2 and lc <= 2:
        return 1000 <= a <= 2199 and _day_month(c, b)
    if lc == 4 and la <= 2 and lb <= 2:
        return 1000 <= c <= 2199 and _day_month(a, b)
    return la <= 2 and lb <= 2 and lc == 2 and separator != SPACE and _day_month(a, b)


@inner
def _is_national(groups, first, last):  # type: ignore[no-untyped-def]
    """Is it grouped as nothing but a state's numbers for its people are?"""
    if not 2 <= last - first <= 7:
        return False
    shape = separators = 0
    for group in range(first, last):
        shape = shape * 10 + min(groups[group, LENGTH], 9)
        if group > first:
            separators = separators * 10 + groups[group, SEPARATOR]
    for form in range(len(_NATIONAL_FORMS)):
        if _NATIONAL_FORMS[form, 0] == shape and _NATIONAL_FORMS[form, 1] == separators:
            return True
    return False


@inner
def _is_compact_date(digits, length):  # type: ignore[no-untyped-def]
    """YYYYMMDD or DDMMYYYY, the former perhaps with a time of 4 or 6 digits behind."""
    if length != 8 and length != 12 and length != 14:
        return False
    year, month, day = _value(digits, 0, 4), _value(digits, 4, 2), _value(digits, 6, 2)
    if 1800 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= 31:
        return True
    day, month, year = _value(digits, 0, 2), _value(digits, 2, 2), _value(digits, 4, 4)
    return length == 8 and 1900 <= year <= 2099 and _day_month(day, month)


@inner
def _is_card(digits, total, count):  # type: ignore[no-untyped-def]
    return 13 <= total <= 19 and count <= 5 and _luhn(digits, total)


@inner
def news_at(digits, groups, first, count, total, in_context):  # type: ignore[no-untyped-def]
    """Where a date or a year stands among the groups from `first`, and how many groups it takes.

    `(count, 0)` when there is none. What stands before and behind is judged apart.
    """
    if first == 0 and (_is_card(digits, total, count) or _is_address(digits, groups, 0, count)):
        return count, 0
    if _is_national(groups, first, count):
        return count, 0
    for group in range(first, count):
        if _is_date(digits, groups, group, count):
            return group, 3
        is_year = groups[group, LENGTH] == 4 and 1900 <= _number(digits, groups, group) <= 2099
        apart = (group == first or groups[group, SEPARATOR] == SPACE) and (
            group + 1 == count or groups[group + 1, SEPARATOR] == SPACE
        )
        if is_year and apart and count > 1 and (not in_context or total < 8):
            return group, 1
    return count, 0


@inner
def _judge_run(digits, length, in_context):  # type: ignore[no-untyped-def]
    """One unbroken run of digits."""
    if length < (6 if in_context else 7) or _is_compact_date(digits, length):
        return 0
    if length > 19:
        return _NUMBER
    if length <= 13 and _value(digits, length - 3, 3) == 0 and digits[0] != 0:
        return 0  # a round count
    same = True
    for place in range(2, length):
        same = same and digits[place] == digits[1]
    if same and not in_context:
        return 0  # 5555555 is laughter in Thai
    if length >= 12 and _luhn(digits, length):
        return _CARD
    return _PHONE if length <= 15 else _NUMBER


@inner
def _is_address(digits, groups, first, last):  # type: ignore[no-untyped-def]
    """Four dotted octets."""
    octets = last - first == 4
    for group in range(first, last):
        octets = octets and groups[group, LENGTH] <= 3 and _number(digits, groups, group) <= 255
        octets = octets and (group == first or groups[group, SEPARATOR] == DOT)
    return octets


@inner
def _are_years(digits, groups, first, last):  # type: ignore[no-untyped-def]
    years = True
    for group in range(first, last):
        years = years and groups[group, LENGTH] == 4 and 1000 <= _number(digits, groups, group) <= 2199
    return years


@inner
def _judge_shape(digits, groups, first, last, shape, total, uniform, short):  # type: ignore[no-untyped-def]
    """Groups that nothing but their lengths and separators tells."""
    separator = groups[first + 1, SEPARATOR]
    dashed, dotted, spaced = (
        uniform and separator == DASH,
        uniform and separator == DOT,
        uniform and separator == SPACE,
    )
    if shape == 34:
        return _PHONE if (dashed or spaced) and not 1900 <= _number(digits, groups, last - 1) <= 2099 else 0
    if shape == 44:
        return _PHONE if dashed or spaced else 0
    if shape == 2222:
        return _PHONE if dashed else 0
    if shape == 22222:
        return _PHONE if dashed or dotted else 0
    if shape == 67 or shape == 64 or shape == 84 or shape == 3332:
        return _NATIONAL_ID if groups[last - 1, SEPARATOR] == DASH else 0
    if shape == 444:
        return _NATIONAL_ID
    for known in _PHONE_SHAPES:
        if known == shape:
            return _PHONE
    return _PHONE if total >= 11 and last - first >= 3 and not short and uniform else 0


@inner
def judge(digits, groups, first, last, plus, opened, in_context):  # type: ignore[no-untyped-def]
    """The `NumberClass` to take out for groups `first … last - 1`, or 0 to keep them.

    `plus` and `opened` say that a plus sign or a bracket stands before, `in_context` that a word
    such as `call` does.
    """
    count = last - first
    if count <= 0:
        return 0
    separator = groups[first + 1, SEPARATOR]
    total = shape = 0
    uniform = short = rounded = True
    triples = count > 1 and groups[first, LENGTH] <= 3
    for group in range(first, last):
        length = groups[group, LENGTH]
        total += length
        shape = shape * 10 + min(length, 9) if count <= 8 else 0
        short = short and length <= 2
        rounded = rounded and digits[groups[group, START] + min(length, 20) - 1] == 0
        uniform = uniform and (group == first or groups[group, SEPARATOR] == separator)
        triples = triples and (group == first or length == 3)
    run = digits[groups[first, START] :]
    if plus and count == 1 and total >= 7:
        return _PHONE if total <= 15 else _NUMBER
    if count == 1:
        return _judge_run(run, total, in_context)
    if total < 6:
        return 0
    if _is_address(digits, groups, first, last):
        return _IP
    if _is_national(groups, first, last):
        return _NATIONAL_ID
    if total < 7 and not in_context:
        return 0
    thousands = triples and uniform and separator in (DOT, SPACE)
    if not thousands and _is_card(run, total, count):
        return _CARD
    if shape == 324 and uniform and separator in (DASH, SPACE):
        return _NATIONAL_ID
    if (
        count == 2
        and separator == DOT
        and not plus
        and (groups[first, LENGTH] <= 3 or groups[last - 1, LENGTH] <= 2)
    ):
        return 0  # a decimal
    rounds_off = groups[last - 1, LENGTH] == 3 and _number(digits, groups, last - 1) == 0
    if thousands and (rounds_off or not plus) and run[0] != 0 and not in_context:
        return _PHONE if shape == 333 and not rounds_off else 0
    if plus:
        return _PHONE if total <= 15 else _NUMBER
    if total > 15:
        return 0 if short else _NUMBER
    if _are_years(digits, groups, first, last) or (rounded and count == 2 and not in_context):
        return 0  # a span of years, a range of round numbers
    if in_context or (opened and total >= 8):
        return _PHONE
    if run[0] == 0 and groups[first, LENGTH] >= 2 and total >= 8 and (uniform or count > 2):
        return _PHONE  # a national number with its trunk prefix
    return _judge_shape(digits, groups, first, last, shape, total, uniform, short)
