"""Reads a post record off its tape: text, date, languages, links, pictures, self-labels.

The same as `bluesky` reads, as kernels, where that is settled (see `fields`). An outline tag is not: whether
a text speaks it already is a matter of Unicode's case folding.
"""

from __future__ import annotations

import numpy as np

from groundswell.clock import SECOND_US
from groundswell.kernels import inner
from groundswell.sources import field_names as keys
from groundswell.sources.fields import UNFIT, field_of, fields, has, is_string, length, string_of
from groundswell.sources.sinks import COUNT, ITEMS, LANGS, MARKS, MAX_ITEMS, MEDIA, TEXT, TIME_US, URLS
from groundswell.sources.tape import ARRAY, NEXT, OBJECT, START, TOKEN

__all__ = ["MAX_ITEM_BYTES", "SETTLED", "UNSETTLED", "YEARS_OFF", "note_item", "note_strings", "read_record"]

MAX_ITEM_BYTES = 4096
MAX_CID_BYTES = 256
MAX_LABEL_BYTES = 128
_MAX_DATE_BYTES = 64
_MEAN_YEAR_US = 31_556_952 * SECOND_US

UNSETTLED, SETTLED, YEARS_OFF = range(3)
"""What reading a record comes to."""


@inner
def note_item(notes, column, row):  # type: ignore[no-untyped-def]
    """Note an item of a list column; false when the row has too many."""
    at = ITEMS + 2 * notes[COUNT]
    if at >= len(notes):
        return False
    notes[at], notes[at + 1] = column, row
    notes[COUNT] += 1
    return True


@inner
def note_strings(tape, row, notes, column):  # type: ignore[no-untyped-def]
    """Note the strings of an array that are not empty; false where that is not settled."""
    at, stop = row + 1, tape[row, NEXT]
    if stop - at > MAX_ITEMS:
        return False
    while at < stop:
        if not is_string(tape, at) or length(tape, at) > MAX_ITEM_BYTES:
            return False
        if length(tape, at) and not note_item(notes, column, at):
            return False
        at += 1
    return True


@inner
def _date(data, tape, mask, slots, time_us):  # type: ignore[no-untyped-def]
    """Whether the author's clock is years off; only the first four digits of the date are compared."""
    row = string_of(tape, mask, slots, keys.RECORD_CREATED_AT, True, _MAX_DATE_BYTES)
    if row < 0:
        return UNSETTLED if row == UNFIT else SETTLED
    if length(tape, row) < 4:
        return UNSETTLED
    year = np.int64(0)
    for place in range(tape[row, START], tape[row, START] + 4):
        digit = np.int64(data[place]) - 48
        if digit < 0 or digit > 9:
            return UNSETTLED
        year = year * 10 + digit
    return YEARS_OFF if abs(year - (1970 + time_us // _MEAN_YEAR_US)) > 1 else SETTLED


@inner
def _link(tape, mask, slots, null, notes):  # type: ignore[no-untyped-def]
    """Note the `uri` of an object; the writer leaves out what is no web address or came before."""
    row = string_of(tape, mask, slots, keys.URI, null, 0)
    if row == UNFIT or has(mask, 0):
        return False
    return row < 0 or (length(tape, row) <= MAX_ITEM_BYTES and note_item(notes, URLS, row))


@inner
def _facets(tape, row, notes, slots):  # type: ignore[no-untyped-def]
    """Note the links of the facets; false where that is not settled."""
    facet, stop = row + 1, tape[row, NEXT]
    links = notes[COUNT]
    while facet < stop:
        if tape[facet, TOKEN] != OBJECT:
            return False
        mask = fields(tape, facet, slots)
        features = field_of(tape, mask, slots, keys.FEATURES, ARRAY)
        if has(mask, 0) or features == UNFIT or (features < 0 and has(mask, keys.FEATURES)):
            return False
        if features >= 0:
            feature, behind = features + 1, tape[features, NEXT]
            while feature < behind:
                if tape[feature, TOKEN] != OBJECT:
                    return False
                mask = fields(tape, feature, slots)
                if not _link(tape, mask, slots, True, notes):
                    return False
                feature = tape[feature, NEXT]
        facet = tape[facet, NEXT]
    return notes[COUNT] - links <= MAX_ITEMS - 2  # the cards of the embeds come on top


@inner
def _blob(tape, row, notes, slots):  # type: ignore[no-untyped-def]
    """Note the reference of one picture or video; false where that is not settled."""
    mask = fields(tape, row, slots)
    named = string_of(tape, mask, slots, keys.CID, True, MAX_CID_BYTES)
    ref = field_of(tape, mask, slots, keys.REF, OBJECT)
    if has(mask, 0) or named == UNFIT or ref == UNFIT:
        return False
    if ref >= 0:
        mask = fields(tape, ref, slots)
        named = string_of(tape, mask, slots, keys.LINK, False, MAX_CID_BYTES)
        if has(mask, 0) or named < 0:
            return False
    return named < 0 or length(tape, named) == 0 or note_item(notes, MEDIA, named)


@inner
def _images(tape, images, notes, slots):  # type: ignore[no-untyped-def]
    """Note the references of the pictures; false where that is not settled."""
    image, stop = images + 1, tape[images, NEXT]
    count = 0
    while image < stop:
        count += 1
        if tape[image, TOKEN] != OBJECT:
            return False
        mask = fields(tape, image, slots)
        blob = field_of(tape, mask, slots, keys.IMAGE, OBJECT)
        if has(mask, 0) or blob == UNFIT or count > MAX_ITEMS // 2 - 1:
            return False
        if blob >= 0 and not _blob(tape, blob, notes, slots):
            return False
        image = tape[image, NEXT]
    return True


@inner
def _embed(tape, row, notes, slots):  # type: ignore[no-untyped-def]
    """Note what an embed links to and shows; the row of the embed inside it, `NOTHING`, or `UNFIT`."""
    mask = fields(tape, row, slots)
    external = field_of(tape, mask, slots, keys.EXTERNAL, OBJECT)
    images = field_of(tape, mask, slots, keys.IMAGES, ARRAY)
    video = field_of(tape, mask, slots, keys.VIDEO, OBJECT)
    media = field_of(tape, mask, slots, keys.MEDIA, OBJECT)
    if has(mask, 0) or external == UNFIT or images == UNFIT or video == UNFIT:
        return np.int64(UNFIT)
    if external >= 0:
        mask = fields(tape, external, slots)
        if not _link(tape, mask, slots, False, notes):
            return np.int64(UNFIT)
    if images >= 0 and not _images(tape, images, notes, slots):
        return np.int64(UNFIT)
    if video >= 0 and not _blob(tape, video, notes, slots):
        return np.int64(UNFIT)
    return media


@inner
def _labels(tape, row, notes, slots):  # type: ignore[no-untyped-def]
    """Note the author's labels; false where that is not settled."""
    mask = fields(tape, row, slots)
    values = field_of(tape, mask, slots, keys.VALUES, ARRAY)
    if has(mask, 0) or values < 0:
        return not has(mask, 0) and not has(mask, keys.VALUES)
    label, stop = values + 1, tape[values, NEXT]
    count = 0
    while label < stop:
        count += 1
        if tape[label, TOKEN] != OBJECT or count > MAX_ITEMS:
            return False
        mask = fields(tape, label, slots)
        named = string_of(tape, mask, slots, keys.VAL, False, 0)
        if has(mask, 0) or named < 0 or length(tape, named) > MAX_LABEL_BYTES:
            return False
        if not note_item(notes, MARKS, named):
            return False
        label = tape[label, NEXT]
    return True


@inner
def read_record(data, tape, row, notes, slots):  # type: ignore[no-untyped-def]
    """Note what the record at `row` of the tape says: `SETTLED`, `UNSETTLED`, or `YEARS_OFF`.

    `slots` is scratch.
    """
    mask = fields(tape, row, slots)
    text = string_of(tape, mask, slots, keys.TEXT, False, 0)
    langs = field_of(tape, mask, slots, keys.LANGS, ARRAY)
    facets = field_of(tape, mask, slots, keys.FACETS, ARRAY)
    tags = field_of(tape, mask, slots, keys.TAGS, ARRAY)
    embed = field_of(tape, mask, slots, keys.EMBED, OBJECT)
    labels = field_of(tape, mask, slots, keys.LABELS, OBJECT)
    date = _date(data, tape, mask, slots, notes[TIME_US])
    if has(mask, 0) or text < 0 or min(langs, facets, tags, embed, labels) == UNFIT or date == UNSETTLED:
        return UNSETTLED
    if tags >= 0 and tape[tags, NEXT] > tags + 1:
        return UNSETTLED
    notes[TEXT] = text
    if langs >= 0 and not note_strings(tape, langs, notes, LANGS):
        return UNSETTLED
    if facets >= 0 and not _facets(tape, facets, notes, slots):
        return UNSETTLED
    if embed >= 0:
        media = _embed(tape, embed, notes, slots)
        if media >= 0:
            media = _embed(tape, media, notes, slots)
        if media != -1:
            return UNSETTLED
    if labels >= 0 and not _labels(tape, labels, notes, slots):
        return UNSETTLED
    return date
