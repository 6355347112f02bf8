"""Reads messages off their tapes into columns: what `wire.Decoder` does, for the shapes that are common.

Owns the road of the three forms from keys to notes, as kernels. A message is settled only where the plain
reader's answer is certain; everywhere else the answer is `ASK`: a value of an unexpected type, a key that
comes twice, an overlong list, a spelling that is rare. Limits in characters are taken in bytes, which are
never fewer. Almost every drop is the plain reader's to make; only those are made here that an ordinary
stream is full of.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.batches import Kind
from groundswell.kernels import inner, kernel
from groundswell.sources import field_names as keys
from groundswell.sources import sinks as to
from groundswell.sources.fields import (
    SLOTS,
    UNFIT,
    field_of,
    fields,
    has,
    is_string,
    is_word,
    length,
    stands_at,
    string_of,
    word,
)
from groundswell.sources.records import (
    MAX_ITEM_BYTES,
    UNSETTLED,
    YEARS_OFF,
    note_item,
    note_strings,
    read_record,
)
from groundswell.sources.rfc3339 import decimal_at, digits, time_at
from groundswell.sources.sinks import write_row
from groundswell.sources.tape import (
    ARRAY,
    END,
    FALSE,
    MAX_DEPTH,
    NULL,
    NUMBER,
    OBJECT,
    START,
    STRING,
    TOKEN,
    TRUE,
    new_tape,
    read_tape,
)

__all__ = ["ASK", "CLOCK_OFF", "KEPT", "NOT_A_POST", "NO_CONTENT", "OVERSIZE", "Scratch", "read_messages"]

KEPT, ASK, OVERSIZE, NOT_A_POST, NO_CONTENT, CLOCK_OFF = range(6)
"""What became of a message; `ASK` leaves it to the plain reader."""

EARLIEST_US = 946_684_800_000_000  # 2000-01-01
LATEST_US = 4_102_444_800_000_000  # 2100-01-01
MAX_KEY_BYTES = 2048
_MAX_SHORT_BYTES = 64  # of a kind, a revision, a status, a time
_POST, _EDIT, _DELETE, _ACCOUNT_GONE = (int(kind) for kind in Kind)

_DID, _COLLECTION = word("did:"), word("app.bsky.feed.post")
_CREATE, _UPDATE, _DELETION = word("create"), word("update"), word("delete")
_COMMIT, _ACCOUNT, _IDENTITY, _SYNC = word("commit"), word("account"), word("identity"), word("sync")
_MESSAGE, _EVENT = word("message"), word("event")
_DESYNCHRONIZED, _THROTTLED = word("desynchronized"), word("throttled")


class Scratch(NamedTuple):
    """Arrays that reading one message after the other needs."""

    tape: npt.NDArray[np.int64]
    open_rows: npt.NDArray[np.int64]
    notes: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    inner: npt.NDArray[np.int64]
    hashed: npt.NDArray[np.uint8]

    @classmethod
    def new(cls) -> Scratch:
        return cls(
            new_tape(),
            np.empty(MAX_DEPTH, np.int64),
            to.new_notes(),
            np.zeros(SLOTS, np.int64),
            np.zeros(SLOTS, np.int64),
            np.empty(2 * MAX_KEY_BYTES + 4 * _MAX_SHORT_BYTES, np.uint8),
        )


@inner
def _is_did(data, tape, row):  # type: ignore[no-untyped-def]
    if tape[row, TOKEN] != STRING or not len(_DID) <= length(tape, row) <= MAX_KEY_BYTES:
        return False
    return stands_at(data, tape[row, START], _DID)


@inner
def _is_time(time_us):  # type: ignore[no-untyped-def]
    return EARLIEST_US <= time_us < LATEST_US


@inner
def _commit(data, tape, mask, slots, notes):  # type: ignore[no-untyped-def]
    """A creation, an edit or a deletion; `mask` and `slots` are those of the commit."""
    operation = string_of(tape, mask, slots, keys.OPERATION, False, _MAX_SHORT_BYTES)
    collection = string_of(tape, mask, slots, keys.COLLECTION, False, MAX_KEY_BYTES)
    rkey = string_of(tape, mask, slots, keys.RKEY, False, MAX_KEY_BYTES)
    rev = string_of(tape, mask, slots, keys.REV, False, _MAX_SHORT_BYTES)
    if operation < 0 or collection < 0 or rkey < 0 or rev == UNFIT:
        return ASK
    if is_word(data, tape, operation, _CREATE):
        notes[to.KIND] = _POST
    elif is_word(data, tape, operation, _UPDATE):
        notes[to.KIND] = _EDIT
    elif is_word(data, tape, operation, _DELETION):
        notes[to.KIND] = _DELETE
    else:
        return ASK
    if not is_word(data, tape, collection, _COLLECTION):
        return NOT_A_POST
    if length(tape, rkey) == 0 or not _is_time(notes[to.TIME_US]):
        return ASK
    notes[to.KEY], notes[to.REV], notes[to.OPERATION] = rkey, rev, operation
    if notes[to.KIND] == _DELETE:
        return KEPT
    record = field_of(tape, mask, slots, keys.RECORD, OBJECT)
    if record < 0:
        return ASK
    settled = read_record(data, tape, record, notes, slots)
    if settled == YEARS_OFF:
        return CLOCK_OFF
    return ASK if settled == UNSETTLED else KEPT


@inner
def _gone(data, tape, row, slots, notes):  # type: ignore[no-untyped-def]
    """An account event, at `row`."""
    mask = fields(tape, row, slots)
    status = string_of(tape, mask, slots, keys.STATUS, True, _MAX_SHORT_BYTES)
    time = string_of(tape, mask, slots, keys.TIME, True, _MAX_SHORT_BYTES)
    if has(mask, 0) or not has(mask, keys.ACTIVE) or status == UNFIT or time == UNFIT:
        return ASK
    active = tape[slots[keys.ACTIVE], TOKEN]
    if active == TRUE:
        return NO_CONTENT
    if active != FALSE:
        return ASK
    if is_word(data, tape, status, _DESYNCHRONIZED) or is_word(data, tape, status, _THROTTLED):
        return NO_CONTENT
    if not _is_time(notes[to.TIME_US]):
        return ASK
    notes[to.KIND], notes[to.STATUS], notes[to.HOST_TIME] = _ACCOUNT_GONE, status, time
    return KEPT


@inner
def _whole_number(data, tape, row):  # type: ignore[no-untyped-def]
    """The value of an integer without a sign; -1 for anything else."""
    if tape[row, TOKEN] != NUMBER:
        return np.int64(-1)
    return digits(data, tape[row, START], tape[row, END] - tape[row, START])


@inner
def _version1(data, tape, mask, slots, inner, notes):  # type: ignore[no-untyped-def]
    if not (has(mask, keys.DID) and has(mask, keys.TIME_US) and has(mask, keys.KIND)):
        return ASK
    kind, did = slots[keys.KIND], slots[keys.DID]
    commit = field_of(tape, mask, slots, keys.COMMIT, OBJECT)
    account = field_of(tape, mask, slots, keys.ACCOUNT, OBJECT)
    time_us = _whole_number(data, tape, slots[keys.TIME_US])
    if not _is_did(data, tape, did) or time_us < 0 or commit == UNFIT or account == UNFIT:
        return ASK
    notes[to.ACCOUNT], notes[to.TIME_US] = did, time_us
    if is_word(data, tape, kind, _COMMIT):
        if commit < 0 or account >= 0:
            return ASK
        mask = fields(tape, commit, inner)
        return ASK if has(mask, 0) else _commit(data, tape, mask, inner, notes)
    if commit >= 0:
        return ASK
    if is_word(data, tape, kind, _ACCOUNT):
        return _gone(data, tape, account, inner, notes) if account >= 0 else ASK
    if account < 0 and (is_word(data, tape, kind, _IDENTITY) or is_word(data, tape, kind, _SYNC)):
        return NO_CONTENT
    return ASK


@inner
def _ends_with(data, tape, row, letters):  # type: ignore[no-untyped-def]
    """Is the part of a name behind its last `#` this word?"""
    start = tape[row, END] - len(letters)
    if start < tape[row, START] or not stands_at(data, start, letters):
        return False
    return start == tape[row, START] or data[start - 1] == 35


@inner
def _version2(data, tape, mask, slots, inner, notes):  # type: ignore[no-untyped-def]
    if not (has(mask, keys.TYPE) and has(mask, keys.PAYLOAD)) or has(mask, keys.ERROR):
        return ASK
    event, payload = slots[keys.TYPE], slots[keys.PAYLOAD]
    if not (is_word(data, tape, event, _MESSAGE) or is_word(data, tape, event, _EVENT)):
        return ASK
    if tape[payload, TOKEN] != OBJECT:
        return ASK
    mask = fields(tape, payload, inner)
    kind = string_of(tape, mask, inner, keys.TYPE, False, MAX_KEY_BYTES)
    account = field_of(tape, mask, inner, keys.ACCOUNT, OBJECT)
    if has(mask, 0) or kind < 0 or account == UNFIT or not has(mask, keys.DID):
        return ASK
    for name in (keys.OPERATION, keys.COLLECTION, keys.RKEY, keys.REV, keys.NAME):
        if string_of(tape, mask, inner, name, False, 0) == UNFIT:
            return ASK
    time = string_of(tape, mask, inner, keys.TIME, False, _MAX_SHORT_BYTES)
    witnessed = string_of(tape, mask, inner, keys.WITNESSED_AT, True, _MAX_SHORT_BYTES)
    if time == UNFIT or witnessed == UNFIT or not _is_did(data, tape, inner[keys.DID]):
        return ASK
    if witnessed >= 0 and length(tape, witnessed):
        time = witnessed
    notes[to.ACCOUNT] = inner[keys.DID]
    if time >= 0:
        notes[to.TIME_US] = time_at(data, tape[time, START], tape[time, END])
    if _ends_with(data, tape, kind, _COMMIT):
        return _commit(data, tape, mask, inner, notes) if account < 0 else ASK
    if _ends_with(data, tape, kind, _ACCOUNT):
        return _gone(data, tape, account, inner, notes) if account >= 0 else ASK
    if account < 0 and (_ends_with(data, tape, kind, _IDENTITY) or _ends_with(data, tape, kind, _SYNC)):
        return NO_CONTENT
    return ASK


@inner
def _is_key(data, tape, row):  # type: ignore[no-untyped-def]
    """Is it fit for an id or an account: a string, or an integer, which is taken as it is written?"""
    if is_string(tape, row):
        return 0 < length(tape, row) <= MAX_KEY_BYTES
    return _whole_number(data, tape, row) >= 0


@inner
def _note_list(tape, mask, slots, name, notes, column):  # type: ignore[no-untyped-def]
    """Note a list of strings, or one string for a list of one; false where that is not settled."""
    if not has(mask, name) or tape[slots[name], TOKEN] == NULL:
        return True
    row = slots[name]
    if tape[row, TOKEN] == ARRAY:
        return note_strings(tape, row, notes, column)
    if not is_string(tape, row) or length(tape, row) > MAX_ITEM_BYTES:
        return False
    return length(tape, row) == 0 or note_item(notes, column, row)


@inner
def _note_source(data, tape, mask, slots, notes):  # type: ignore[no-untyped-def]
    """Note the name a post gives its source, where it looks like one; false where that is not settled."""
    row = string_of(tape, mask, slots, keys.SOURCE, True, MAX_KEY_BYTES)
    if row < 0:
        return row != UNFIT
    fit = 0 < length(tape, row) <= 32
    for place in range(tape[row, START], tape[row, END]):
        byte = data[place]
        if byte >= 0x80:
            return False  # folding could make it ASCII
        inside = (byte == 45 or byte == 95) and place > tape[row, START]
        fit = fit and (inside or 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57)
    if fit:
        notes[to.SOURCE] = row
    return True


@inner
def _degrees(data, tape, mask, slots, names):  # type: ignore[no-untyped-def]
    """The row of the one number among fields of these names; -1 for none of them, `UNFIT`: not settled."""
    found = np.int64(-1)
    for name in names:
        if has(mask, name):
            row = slots[name]
            if found >= 0 or tape[row, TOKEN] != NUMBER:
                return np.int64(UNFIT)
            if np.isnan(decimal_at(data, tape[row, START], tape[row, END])):
                return np.int64(UNFIT)
            found = np.int64(row)
    return found


@inner
def _note_place(data, tape, mask, slots, notes):  # type: ignore[no-untyped-def]
    """Note the geotag, if it is on Earth; false where that is not settled. `slots` are used up."""
    geo = field_of(tape, mask, slots, keys.GEO, OBJECT)
    if geo < 0:
        return geo != UNFIT
    mask = fields(tape, geo, slots)
    if has(mask, 0) or has(mask, keys.COORDINATES):
        return False
    latitude = _degrees(data, tape, mask, slots, (keys.LAT, keys.LATITUDE, keys.LATITUDE))
    longitude = _degrees(data, tape, mask, slots, (keys.LON, keys.LNG, keys.LONGITUDE))
    if latitude == UNFIT or longitude == UNFIT:
        return False
    if latitude >= 0 and longitude >= 0:
        north = decimal_at(data, tape[latitude, START], tape[latitude, END])
        east = decimal_at(data, tape[longitude, START], tape[longitude, END])
        if abs(north) <= 90 and abs(east) <= 180:
            notes[to.LATITUDE], notes[to.LONGITUDE] = latitude, longitude
    return True


@inner
def _plain(data, tape, mask, slots, notes):  # type: ignore[no-untyped-def]
    created = string_of(tape, mask, slots, keys.CREATED_AT, False, _MAX_SHORT_BYTES)
    text = string_of(tape, mask, slots, keys.TEXT, False, 0)
    if created < 0 or text < 0 or has(mask, keys.DELETED):
        return ASK
    if not (has(mask, keys.ID) and has(mask, keys.ACCOUNT)):
        return ASK
    notes[to.FORM], notes[to.KIND] = to.PLAIN, _POST
    notes[to.TIME_US] = time_at(data, tape[created, START], tape[created, END])
    notes[to.KEY], notes[to.ACCOUNT], notes[to.TEXT] = slots[keys.ID], slots[keys.ACCOUNT], text
    settled = (
        _is_time(notes[to.TIME_US])
        and _is_key(data, tape, slots[keys.ID])
        and _is_key(data, tape, slots[keys.ACCOUNT])
        and _note_source(data, tape, mask, slots, notes)
        and _note_list(tape, mask, slots, keys.LANGS, notes, to.LANGS)
        and _note_list(tape, mask, slots, keys.URLS, notes, to.URLS)
        and _note_list(tape, mask, slots, keys.MEDIA, notes, to.MEDIA)
        and _note_place(data, tape, mask, slots, notes)
    )
    return KEPT if settled else ASK


@inner
def _read(data, tape, slots, inner, notes):  # type: ignore[no-untyped-def]
    """Note what the message on the tape says."""
    mask = fields(tape, 0, slots)
    notes[: to.ITEMS] = -1
    notes[to.FORM], notes[to.COUNT] = to.JETSTREAM, 0
    if has(mask, 0):
        return ASK
    if has(mask, keys.DID) or has(mask, keys.TIME_US) or has(mask, keys.KIND):
        return _version1(data, tape, mask, slots, inner, notes)
    if has(mask, keys.TYPE) or has(mask, keys.PAYLOAD):
        return _version2(data, tape, mask, slots, inner, notes)
    return _plain(data, tape, mask, slots, notes)


@kernel
def read_messages(data, starts, ends, longest, names, hash_key, scratch, sinks, verdicts):  # type: ignore[no-untyped-def]
    """Read each message `data[starts[i]:ends[i]]`: its row goes to `sinks`, its fate to `verdicts` (uint8).

    `names` are the sources of Jetstream messages and of plain posts (uint8 arrays), `hash_key` keys the
    deliveries.
    """
    tape, open_rows, notes, slots, inner, hashed = scratch
    for message in range(len(starts)):
        start, end = starts[message], ends[message]
        if end - start > longest:
            verdicts[message] = OVERSIZE
            continue
        verdict = ASK
        if read_tape(data, start, end, tape, open_rows):
            verdict = _read(data, tape, slots, inner, notes)
        if verdict == KEPT and not write_row(data, tape, notes, names, hash_key, hashed, sinks):
            verdict = ASK
        verdicts[message] = verdict
