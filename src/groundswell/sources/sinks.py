"""Where the wire kernels put what they read: columns that are filled row by row, and the batch made of them.

Readers put *notes* of a message (which token holds what); `write_row` copies the noted strings out. Owns
buffers and their ends. A row is written whole or not at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import RAW
from groundswell.kernels import inner
from groundswell.sources.fields import word
from groundswell.sources.rfc3339 import decimal_at
from groundswell.sources.siphash import siphash
from groundswell.sources.tape import END, START, STRING, TOKEN, unescape

__all__ = [
    "ACCOUNT", "COUNT", "FORM", "HOST_TIME", "ITEMS", "JETSTREAM", "KEY", "KIND", "LANGS",
    "LATITUDE", "LONGITUDE", "MARKS", "MAX_ITEMS", "MEDIA", "OPERATION", "PLAIN", "REV", "SOURCE", "STATUS",
    "TEXT", "TIME_US", "URLS", "Sinks", "batch_of", "new_notes", "new_sinks", "write_row",
]  # fmt: skip

MAX_ITEMS = 32
"""Links, pictures, languages or labels read of one post."""
_SOURCE, _URI, _ACCOUNT, _TEXT, LANGS, URLS, MEDIA, MARKS = range(8)
"""The string columns; from `LANGS` on they are lists."""
_ROW_BYTES = 64  # what a row may add to its message: the scheme and the collection of a URI
_ROW_NUMBER, _WRITTEN, _ITEMS = range(3)

# Notes: numbers, and rows of the tape (-1 for none). From `ITEMS` on, pairs of a list column and a row.
(
    FORM, KIND, TIME_US, ACCOUNT, KEY, TEXT, SOURCE, OPERATION, REV, STATUS, HOST_TIME, LATITUDE, LONGITUDE,
    COUNT, ITEMS,
) = range(15)  # fmt: skip
JETSTREAM, PLAIN = range(2)

_URI_START, _URI_MIDDLE = word("at://"), word("/app.bsky.feed.post/")
_BLOB, _HTTP = word("at-blob:"), word("http")


def new_notes() -> npt.NDArray[np.int64]:
    """Room for the notes of one message."""
    return np.zeros(ITEMS + 2 * 4 * MAX_ITEMS, np.int64)


class Sinks(NamedTuple):
    """The columns being written."""

    strings: npt.NDArray[np.uint8]
    """The bytes of all string columns, each in an equal share of the room."""
    ends: npt.NDArray[np.int32]
    """For each string column: item `i` is the bytes from `ends[i]` to `ends[i + 1]`."""
    lists: npt.NDArray[np.int32]
    """For each list column: the items before each row."""
    counts: npt.NDArray[np.int64]
    """Rows written; where in `strings` each column goes on; items ended of each string column."""
    kinds: npt.NDArray[np.uint8]
    times_us: npt.NDArray[np.int64]
    places: npt.NDArray[np.float64]
    """Latitudes and longitudes, NaN for none."""
    deliveries: npt.NDArray[np.uint64]


def new_sinks(messages: int, total_bytes: int, name_bytes: int) -> Sinks:
    """Room for the rows of messages of `total_bytes` in all; names of sources have at most `name_bytes`.

    Memory that is never written to is never really taken.
    """
    room = max(total_bytes + _ROW_BYTES * messages, name_bytes * messages)
    sinks = Sinks(
        strings=np.empty(8 * room, np.uint8),
        ends=np.empty((8, max(messages, min(MAX_ITEMS * messages, room)) + 1), np.int32),
        lists=np.empty((4, messages + 1), np.int32),
        counts=np.zeros((3, 8), np.int64),
        kinds=np.empty(messages, np.uint8),
        times_us=np.empty(messages, np.int64),
        places=np.empty((2, messages), np.float64),
        deliveries=np.zeros(messages, np.uint64),
    )
    sinks.counts[_WRITTEN] = np.arange(8) * room
    sinks.ends[:, 0] = 0
    sinks.lists[:, 0] = 0
    return sinks


@inner
def _copy(data, start, end, strings, counts, column):  # type: ignore[no-untyped-def]
    """Add `data[start:end]` to the open item of a column."""
    written = counts[_WRITTEN, column]
    # Unsigned, because Numba asks of every signed index whether it counts from the end.
    source, target = np.uint64(start), np.uint64(written)
    for place in range(np.uint64(end - start)):
        strings[target + place] = data[source + place]
    counts[_WRITTEN, column] = written + end - start


@inner
def _copy_token(data, tape, row, strings, counts, column):  # type: ignore[no-untyped-def]
    """Add a string, or a number as it is written, to the open item of a column; nothing for row -1."""
    if row < 0:
        return
    start, end = tape[row, START], tape[row, END]
    if tape[row, TOKEN] == STRING:
        _copy(data, start, end, strings, counts, column)
    else:
        counts[_WRITTEN, column] = unescape(data, start, end, strings, counts[_WRITTEN, column])


@inner
def _start_of(strings, column):  # type: ignore[no-untyped-def]
    """Where the bytes of a column begin."""
    return column * (len(strings) // 8)


@inner
def _end_item(strings, ends, counts, column):  # type: ignore[no-untyped-def]
    counts[_ITEMS, column] += 1
    ends[column, counts[_ITEMS, column]] = counts[_WRITTEN, column] - _start_of(strings, column)


@inner
def _end_link(strings, ends, counts, first):  # type: ignore[no-untyped-def]
    """End a link, or take it back if it is none or is among the row's, the items from `first` on."""
    item = counts[_ITEMS, URLS]
    base = _start_of(strings, URLS)
    start = base + ends[URLS, item]
    size = counts[_WRITTEN, URLS] - start
    fresh = size >= len(_HTTP)
    for place in range(min(size, len(_HTTP))):
        fresh = fresh and strings[start + place] == _HTTP[place]
    for other in range(first, item):
        if not fresh:
            break
        begin = base + ends[URLS, other]
        same = base + ends[URLS, other + 1] - begin == size
        for place in range(size):
            if not same:
                break
            same = strings[begin + place] == strings[start + place]
        fresh = not same
    if fresh:
        _end_item(strings, ends, counts, URLS)
    else:
        counts[_WRITTEN, URLS] = start


@inner
def _note(data, tape, row, hashed, at):  # type: ignore[no-untyped-def]
    """Add a string and a zero byte to what is going to be hashed; for row -1 the zero alone."""
    if row >= 0:
        for place in range(tape[row, START], tape[row, END]):
            hashed[at] = data[place]
            at += 1
    hashed[at] = 0
    return at + 1


@inner
def _delivery(data, tape, notes, hash_key, hashed):  # type: ignore[no-untyped-def]
    """The hash of what a redelivered copy shares with its first (`wire._delivery`)."""
    at = _note(data, tape, notes[ACCOUNT], hashed, 0)
    if notes[OPERATION] >= 0:
        at = _note(data, tape, notes[KEY], hashed, at)
        at = _note(data, tape, notes[REV], hashed, at)
        at = _note(data, tape, notes[OPERATION], hashed, at)
        return siphash(hash_key, hashed, at)
    at = _note(data, tape, notes[STATUS], hashed, at)
    before = at
    at = _note(data, tape, notes[HOST_TIME], hashed, at)
    if at == before + 1:
        for place in range(8):
            hashed[at + place] = (notes[TIME_US] >> (8 * place)) & 0xFF
        at += 8
    return siphash(hash_key, hashed, at)


@inner
def _write_source(data, tape, row, name, strings, counts):  # type: ignore[no-untyped-def]
    """The source's name: `name`, or the ASCII string at `row` in lower case."""
    if row < 0:
        _copy(name, 0, len(name), strings, counts, _SOURCE)
        return
    written = counts[_WRITTEN, _SOURCE]
    _copy(data, tape[row, START], tape[row, END], strings, counts, _SOURCE)
    for place in range(written, counts[_WRITTEN, _SOURCE]):
        if 65 <= strings[place] <= 90:
            strings[place] |= 32


@inner
def _media_bytes(tape, notes):  # type: ignore[no-untyped-def]
    """Bytes of the references to pictures, which repeat the account and so may outgrow the message."""
    account = tape[notes[ACCOUNT], END] - tape[notes[ACCOUNT], START] + len(_BLOB) + 1
    total = np.int64(0)
    for item in range(notes[COUNT]):
        if notes[ITEMS + 2 * item] == MEDIA:
            row = notes[ITEMS + 2 * item + 1]
            total += account + tape[row, END] - tape[row, START]
    return total


@inner
def write_row(data, tape, notes, names, hash_key, hashed, sinks):  # type: ignore[no-untyped-def]
    """Write the row that the notes speak of; false, and nothing written, when it does not fit.

    `names` are the sources of the forms; `hashed` is scratch.
    """
    strings, ends, lists, counts, kinds, times_us, places, deliveries = sinks
    jetstream = notes[FORM] == JETSTREAM
    if jetstream and counts[_WRITTEN, MEDIA] + _media_bytes(tape, notes) > _start_of(strings, MEDIA + 1):
        return False
    row = counts[_ROW_NUMBER, 0]
    account = notes[ACCOUNT]
    _write_source(data, tape, notes[SOURCE], names[notes[FORM]], strings, counts)
    if jetstream and notes[KEY] >= 0:
        _copy(_URI_START, 0, len(_URI_START), strings, counts, _URI)
        _copy_token(data, tape, account, strings, counts, _URI)
        _copy(_URI_MIDDLE, 0, len(_URI_MIDDLE), strings, counts, _URI)
    _copy_token(data, tape, notes[KEY], strings, counts, _URI)
    _copy_token(data, tape, account, strings, counts, _ACCOUNT)
    _copy_token(data, tape, notes[TEXT], strings, counts, _TEXT)
    for column in range(LANGS):
        _end_item(strings, ends, counts, column)
    for item in range(notes[COUNT]):
        column, token = notes[ITEMS + 2 * item], notes[ITEMS + 2 * item + 1]
        if jetstream and column == MEDIA:
            _copy(_BLOB, 0, len(_BLOB), strings, counts, MEDIA)
            _copy_token(data, tape, account, strings, counts, MEDIA)
            strings[counts[_WRITTEN, MEDIA]] = 47
            counts[_WRITTEN, MEDIA] += 1
        _copy_token(data, tape, token, strings, counts, column)
        if jetstream and column == URLS:
            _end_link(strings, ends, counts, lists[URLS - LANGS, row])
        else:
            _end_item(strings, ends, counts, column)
    for column in range(LANGS, 8):
        lists[column - LANGS, row + 1] = counts[_ITEMS, column]
    for axis, note in ((0, LATITUDE), (1, LONGITUDE)):
        token = notes[note]
        places[axis, row] = np.nan if token < 0 else decimal_at(data, tape[token, START], tape[token, END])
    if jetstream:
        deliveries[row] = _delivery(data, tape, notes, hash_key, hashed)
    kinds[row] = notes[KIND]
    times_us[row] = notes[TIME_US]
    counts[_ROW_NUMBER, 0] = row + 1
    return True


def batch_of(sinks: Sinks) -> pa.RecordBatch:
    """The rows as a batch of `RAW`."""
    rows = int(sinks.counts[_ROW_NUMBER, 0])
    strings = [_strings(sinks, column) for column in range(8)]
    lists = [
        pa.ListArray.from_arrays(pa.array(offsets[: rows + 1]), values)
        for offsets, values in zip(sinks.lists, strings[LANGS:], strict=True)
    ]
    langs, urls, media, marks = lists
    columns = [
        pa.array(sinks.kinds[:rows]),
        *strings[:LANGS],
        langs,
        urls,
        media,
        pa.array(sinks.places[0, :rows], from_pandas=True),  # NaN is no place
        pa.array(sinks.places[1, :rows], from_pandas=True),
        marks,
        pa.array(sinks.times_us[:rows]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RAW)


def _strings(sinks: Sinks, column: int) -> pa.StringArray:
    items = int(sinks.counts[_ITEMS, column])
    offsets = pa.py_buffer(sinks.ends[column, : items + 1])
    room = len(sinks.strings) // 8
    data = pa.py_buffer(sinks.strings[column * room : (column + 1) * room])
    return pa.StringArray.from_buffers(items, offsets, data)
