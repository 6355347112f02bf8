"""Times and decimal numbers out of a bytes buffer, in the spellings that machines write.

Other spellings that the plain reader takes (no seconds, no offset, week dates) give `NO_TIME` here: not
settled, rather than wrong.
"""

from __future__ import annotations

import numpy as np

from groundswell.kernels import inner, kernel

__all__ = ["NO_TIME", "decimal_at", "digits", "time_at"]

NO_TIME = -1
_EXACT_DIGITS = 15
"""So many digits are an exact float64, and so is 10^15: the quotient is correctly rounded (Clinger 1990)."""


@inner
def digits(data, at, count):  # type: ignore[no-untyped-def]
    """The value of `count` decimal digits; -1 when one of them is none."""
    value = np.int64(0)
    for place in range(at, at + count):
        digit = np.int64(data[place]) - 48
        if digit < 0 or digit > 9:
            return np.int64(-1)
        value = value * 10 + digit
    return value


@inner
def _days(year, month, day):  # type: ignore[no-untyped-def]
    """Days from 1970-01-01 to a Gregorian date (Hinnant, `days_from_civil`)."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@inner
def _is_date(year, month, day):  # type: ignore[no-untyped-def]
    if not (year > 0 and 1 <= month <= 12 and day > 0):
        return False
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return day <= (29 if leap else 28)
    return day <= (30 if month in (4, 6, 9, 11) else 31)


@inner
def _offset(data, at, end):  # type: ignore[no-untyped-def]
    """Minutes east of UTC; a number beyond a day where there is no offset."""
    if end - at == 1 and (data[at] | 32) == 122:  # z
        return np.int64(0)
    if end - at != 6 or data[at + 3] != 58 or (data[at] != 43 and data[at] != 45):
        return np.int64(1 << 20)
    hours, minutes = digits(data, at + 1, 2), digits(data, at + 4, 2)
    if not (0 <= hours < 24 and 0 <= minutes < 60):
        return np.int64(1 << 20)
    return (hours * 60 + minutes) * (1 if data[at] == 43 else -1)


@kernel
def time_at(data, at, end):  # type: ignore[no-untyped-def]
    """Microseconds since the epoch of `YYYY-MM-DDThh:mm:ss[.f…](Z|±hh:mm)`; `NO_TIME` for anything else.

    What is beyond a microsecond is cut off, as `datetime.fromisoformat` does.
    """
    if end - at < 20:
        return np.int64(NO_TIME)
    if (
        data[at + 4] != 45
        or data[at + 7] != 45
        or (data[at + 10] | 32) != 116
        or data[at + 13] != 58
        or data[at + 16] != 58
    ):
        return np.int64(NO_TIME)
    year, month, day = digits(data, at, 4), digits(data, at + 5, 2), digits(data, at + 8, 2)
    hour, minute, second = digits(data, at + 11, 2), digits(data, at + 14, 2), digits(data, at + 17, 2)
    if not (_is_date(year, month, day) and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return np.int64(NO_TIME)
    place = at + 19
    micros = np.int64(0)
    if data[place] == 46:
        place += 1
        first, unit = place, np.int64(100_000)
        while place < end and 48 <= data[place] <= 57:
            micros += (np.int64(data[place]) - 48) * unit
            unit //= 10
            place += 1
        if not first < place < end:
            return np.int64(NO_TIME)
    offset = _offset(data, place, end)
    if offset >= 1 << 20:
        return np.int64(NO_TIME)
    minutes = (_days(year, month, day) * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * 1_000_000 + micros


@kernel
def decimal_at(data, at, end):  # type: ignore[no-untyped-def]
    """The float64 of a checked JSON number without an exponent; NaN for one with too many digits."""
    negative = data[at] == 45
    if negative:
        at += 1
    value, digits, scale = 0.0, 0, 1.0
    in_fraction = False
    for place in range(at, end):
        if data[place] == 46:
            in_fraction = True
            continue
        value = value * 10.0 + (data[place] - 48)
        digits += 1
        if in_fraction:
            scale *= 10.0
    if digits > _EXACT_DIGITS:
        return np.nan
    return -(value / scale) if negative else value / scale
