"""Reads JSON out of a bytes buffer: a kernel that checks one message and lists its tokens.

Owns the grammar of RFC 8259 with UTF-8, and nothing of what a message means. It takes a subset of what the
plain reader (`wire.Decoder`) takes, and never more: whatever is broken or only odd (a lone surrogate, a key
with an escape in it, a number with an exponent or too many digits, nesting beyond `MAX_DEPTH`, more than
`MAX_TOKENS` tokens) is not settled here but handed to that reader.

A tape is an int64 array, one row a token, in the order of the text; a key comes before its value. Columns:
`TOKEN`, `START` and `END` (bytes; of a string without its quotes), `NEXT` (the row behind the value and all
that is in it), `NAME` (which of `NAMES` a key is, 0 for none).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.kernels import inner, word_at, zero_bytes
from groundswell.sources.field_names import NAME_BYTES, NAME_OFFSETS, NAME_SEED, NAME_SLOTS

__all__ = [
    "ARRAY", "END", "ESCAPED", "FALSE", "MAX_DEPTH", "MAX_TOKENS", "NAME", "NEXT", "NULL", "NUMBER", "OBJECT",
    "START", "STRING", "TOKEN", "TRUE", "new_tape", "read_tape", "unescape",
]  # fmt: skip

MAX_DEPTH = 32
MAX_TOKENS = 4096
MAX_NUMBER_BYTES = 18  # any integer of so many digits fits into 64 bits

TOKEN, START, END, NEXT, NAME = range(5)
STRING, ESCAPED, NUMBER, TRUE, FALSE, NULL, OBJECT, ARRAY = range(1, 9)
"""Tokens; `ESCAPED` is a string with a backslash in it."""

_SPACE = np.zeros(256, np.bool_)
_SPACE[[0x20, 0x09, 0x0A, 0x0D]] = True
_BROKEN = -1


def new_tape() -> npt.NDArray[np.int64]:
    """Room for the tokens of one message, to be used over and over."""
    return np.empty((MAX_TOKENS, 5), np.int64)


@inner
def _sequence(data, at, end):  # type: ignore[no-untyped-def]
    """The byte behind the UTF-8 sequence at `at` (Unicode 15, table 3-7)."""
    lead = data[at]
    low, high = np.uint8(0x80), np.uint8(0xBF)
    if 0xC2 <= lead <= 0xDF:
        length = 2
    elif 0xE0 <= lead <= 0xEF:
        length = 3
        if lead == 0xE0:
            low = np.uint8(0xA0)
        elif lead == 0xED:
            high = np.uint8(0x9F)
    elif 0xF0 <= lead <= 0xF4:
        length = 4
        if lead == 0xF0:
            low = np.uint8(0x90)
        elif lead == 0xF4:
            high = np.uint8(0x8F)
    else:
        return _BROKEN
    if at + length > end or not low <= data[at + 1] <= high:
        return _BROKEN
    for place in range(at + 2, at + length):
        if not 0x80 <= data[place] <= 0xBF:
            return _BROKEN
    return at + length


@inner
def _hex(byte):  # type: ignore[no-untyped-def]
    if 48 <= byte <= 57:
        return np.int64(byte) - 48
    if 97 <= (byte | 32) <= 102:
        return np.int64(byte | 32) - 87
    return np.int64(-1)


@inner
def _unit(data, at, end):  # type: ignore[no-untyped-def]
    """The UTF-16 code unit of the four hexadecimal digits at `at`."""
    if at + 4 > end:
        return np.int64(_BROKEN)
    unit = np.int64(0)
    for place in range(at, at + 4):
        digit = _hex(data[place])
        if digit < 0:
            return np.int64(_BROKEN)
        unit = unit << 4 | digit
    return unit


@inner
def _escape(data, at, end):  # type: ignore[no-untyped-def]
    """The byte behind the escape at `at`, with both halves of a surrogate pair."""
    if at + 1 >= end:
        return _BROKEN
    sign = data[at + 1]
    if sign != 117:
        known = sign in (34, 92, 47, 98, 102, 110, 114, 116)
        return at + 2 if known else _BROKEN
    unit = _unit(data, at + 2, end)
    if unit < 0 or 0xDC00 <= unit <= 0xDFFF:
        return _BROKEN
    if unit < 0xD800 or unit > 0xDFFF:
        return at + 6
    if at + 12 > end or data[at + 6] != 92 or data[at + 7] != 117:
        return _BROKEN
    return at + 12 if 0xDC00 <= _unit(data, at + 8, end) <= 0xDFFF else _BROKEN


@inner
def _marks(word):  # type: ignore[no-untyped-def]
    """The top bit of the first of eight bytes that is a quote, a backslash, a control or beyond ASCII.

    What is set above it means nothing; see `zero_bytes`.
    """
    ones, tops = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    quote, slash = word ^ np.uint64(34) * ones, word ^ np.uint64(92) * ones
    marks = word | zero_bytes(quote) | zero_bytes(slash) | (word - np.uint64(32) * ones)
    return marks & tops


@inner
def _first(marks):  # type: ignore[no-untyped-def]
    """Which of eight bytes has the lowest top bit set."""
    lowest = (marks & (~marks + np.uint64(1))) >> np.uint64(7)
    return (lowest * np.uint64(0x0001020304050607)) >> np.uint64(56)


@inner
def _string(data, start, end):  # type: ignore[no-untyped-def]
    """Where the string whose first byte is at `start` ends, and whether it has escapes."""
    token = STRING
    at, stop = np.uint64(start), np.uint64(end)
    while at < stop:
        marks = _marks(word_at(data, at, stop))
        if marks == 0:
            at += np.uint64(8)
            continue
        at += _first(marks)
        while at < stop:  # one letter beyond ASCII follows another
            byte = data[at]
            if byte == 34:
                return np.int64(at), token
            if byte == 92:
                token = ESCAPED
                behind = _escape(data, np.int64(at), end)
            elif byte >= 0x80:
                behind = _sequence(data, np.int64(at), end)
            elif byte < 32:
                behind = _BROKEN
            else:
                break
            if behind == _BROKEN:
                return np.int64(_BROKEN), token
            at = np.uint64(behind)
    return np.int64(_BROKEN), token


@inner
def _digits(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and 48 <= data[at] <= 57:
        at += 1
    return at


@inner
def _number(data, at, end):  # type: ignore[no-untyped-def]
    """Where the number at `at` ends."""
    start = at
    if data[at] == 45:
        at += 1
    whole = at
    at = _digits(data, at, end)
    if at == whole or (data[whole] == 48 and at - whole > 1):
        return _BROKEN
    if at < end and data[at] == 46:
        fraction = at + 1
        at = _digits(data, fraction, end)
        if at == fraction:
            return _BROKEN
    if at - start > MAX_NUMBER_BYTES or (at < end and (data[at] | 32) == 101):
        return _BROKEN
    return at


@inner
def _literal(data, at, end):  # type: ignore[no-untyped-def]
    """Where `true`, `false` or `null` at `at` ends, and which it is."""
    byte, left = data[at], end - at
    if left < 4:
        return _BROKEN, NULL
    if byte == 116 and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return at + 4, TRUE
    if byte == 110 and data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
        return at + 4, NULL
    if byte == 102 and left > 4 and data[at + 1] == 97 and data[at + 2] == 108:
        return (at + 5 if data[at + 3] == 115 and data[at + 4] == 101 else _BROKEN), FALSE
    return _BROKEN, NULL


@inner
def _name_of(data, start, end):  # type: ignore[no-untyped-def]
    """Which of `NAMES` a key is; 0 for none of them."""
    length = end - start
    if length < 2:
        return 0
    shape = np.uint64(data[start]) | np.uint64(data[end - 1]) << np.uint64(8)
    shape |= np.uint64(length & 0xFF) << np.uint64(16)
    name = NAME_SLOTS[np.int64((shape * np.uint64(NAME_SEED)) >> np.uint64(24)) & (len(NAME_SLOTS) - 1)]
    begin = NAME_OFFSETS[name]
    if NAME_OFFSETS[name + 1] - begin != length:
        return 0
    for place in range(length):
        if NAME_BYTES[begin + place] != data[start + place]:
            return 0
    return np.int64(name)


@inner
def read_tape(data, at, end, tape, open_rows):  # type: ignore[no-untyped-def]
    """Put the tokens of the object in `data[at:end]` onto `tape`; false where that is not settled here.

    `open_rows` has room for `MAX_DEPTH` rows.
    """
    depth = count = 0
    needs_key = begins = False  # what must come next: a key; or an item, unless the container ends at once
    while True:
        while at < end and _SPACE[data[at]]:
            at += 1
        if at >= end or count + 2 > len(tape):
            return False
        byte = data[at]
        if begins and (byte == 125 if needs_key else byte == 93):
            pass  # an empty container: closed below
        else:
            if depth == 0 and byte != 123:
                return False
            if needs_key:
                if byte != 34:
                    return False
                close, token = _string(data, at + 1, end)
                if close == _BROKEN or token == ESCAPED:
                    return False
                tape[count, TOKEN] = STRING
                tape[count, START], tape[count, END] = at + 1, close
                tape[count, NEXT] = count + 1
                tape[count, NAME] = _name_of(data, at + 1, close)
                count += 1
                at = close + 1
                while at < end and _SPACE[data[at]]:
                    at += 1
                if at >= end or data[at] != 58:
                    return False
                at += 1
                while at < end and _SPACE[data[at]]:
                    at += 1
                if at >= end:
                    return False
                byte = data[at]
            tape[count, START] = at
            tape[count, NAME] = 0
            if byte == 123 or byte == 91:
                if depth == MAX_DEPTH:
                    return False
                tape[count, TOKEN] = OBJECT if byte == 123 else ARRAY
                open_rows[depth] = count
                depth += 1
                count += 1
                at += 1
                needs_key = byte == 123
                begins = True
                continue
            if byte == 34:
                close, token = _string(data, at + 1, end)
                tape[count, START] = at + 1
                tape[count, END] = close
                after = close + 1 if close != _BROKEN else _BROKEN
            elif byte == 45 or 48 <= byte <= 57:
                token = NUMBER
                after = _number(data, at, end)
                tape[count, END] = after
            else:
                after, token = _literal(data, at, end)
            if after == _BROKEN:
                return False
            tape[count, TOKEN] = token
            count += 1
            tape[count - 1, NEXT] = count
            at = after
            while at < end and _SPACE[data[at]]:
                at += 1
            if at >= end:
                return False
            byte = data[at]
        # Behind a value: the containers that end here, then a comma, or the end of the message.
        while byte == 125 or byte == 93:
            row = open_rows[depth - 1]
            if tape[row, TOKEN] != (OBJECT if byte == 125 else ARRAY):
                return False
            at += 1
            tape[row, END], tape[row, NEXT] = at, count
            depth -= 1
            while at < end and _SPACE[data[at]]:
                at += 1
            if depth == 0:
                return at == end
            if at >= end:
                return False
            byte = data[at]
        if byte != 44:
            return False
        at += 1
        begins = False
        needs_key = tape[open_rows[depth - 1], TOKEN] == OBJECT


@inner
def unescape(data, at, end, out, written):  # type: ignore[no-untyped-def]
    """Write a checked string's characters to `out`, never more bytes than it had; the bytes written then."""
    while at < end:
        byte = data[at]
        if byte != 92:
            out[written] = byte
            written += 1
            at += 1
            continue
        sign = data[at + 1]
        if sign != 117:
            if sign == 98:
                sign = np.uint8(8)
            elif sign == 102:
                sign = np.uint8(12)
            elif sign == 110:
                sign = np.uint8(10)
            elif sign == 114:
                sign = np.uint8(13)
            elif sign == 116:
                sign = np.uint8(9)
            out[written] = sign
            written += 1
            at += 2
            continue
        code = _unit(data, at + 2, end)
        at += 6
        if 0xD800 <= code <= 0xDBFF:
            code = 0x10000 + ((code - 0xD800) << 10) + _unit(data, at + 2, end) - 0xDC00
            at += 6
        written = _encode(code, out, written)
    return written


@inner
def _encode(code, out, written):  # type: ignore[no-untyped-def]
    """Write one code point as UTF-8."""
    if code < 0x80:
        out[written] = code
        return written + 1
    if code < 0x800:
        out[written] = 0xC0 | code >> 6
        out[written + 1] = 0x80 | code & 0x3F
        return written + 2
    if code < 0x10000:
        out[written] = 0xE0 | code >> 12
        out[written + 1] = 0x80 | (code >> 6) & 0x3F
        out[written + 2] = 0x80 | code & 0x3F
        return written + 3
    out[written] = 0xF0 | code >> 18
    out[written + 1] = 0x80 | (code >> 12) & 0x3F
    out[written + 2] = 0x80 | (code >> 6) & 0x3F
    out[written + 3] = 0x80 | code & 0x3F
    return written + 4
