"""The Arrow schemas left of the line, and nothing else.

Rows in these shapes live in memory for minutes. Nothing right of the line may import this module; an import
contract and a test hold that. Times are microseconds of stream time (the moment the source received the
message), never decreasing along a stream.

`RAW` is the only schema with an account in a column of its own, and `gate` is the last stage that sees it.
Some platforms' references to a picture name the account it was put up by; `SIGHTING` carries them to what
fetches the picture, which keeps none once it is fetched.
"""

from __future__ import annotations

from enum import IntEnum

import pyarrow as pa

__all__ = ["ENRICHED", "POST", "RAW", "SIGHTING", "Kind", "empty"]


class Kind(IntEnum):
    """What a row is: posts, and the news that a post or an account is gone, travel the same road."""

    POST = 0
    EDIT = 1
    """A new version of a post under the same uri: the last one wins."""
    DELETE = 2
    """The post at `uri` is gone; `text` is empty."""
    ACCOUNT_GONE = 3
    """All posts of `account` are gone; `uri` and `text` are empty."""


RAW = pa.schema(
    [
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # the source's configured name
        pa.field("uri", pa.string(), nullable=False),  # unique within the source
        pa.field("account", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("langs", pa.list_(pa.string()), nullable=False),  # BCP 47, as the author declared
        pa.field("urls", pa.list_(pa.string()), nullable=False),
        pa.field("media", pa.list_(pa.string()), nullable=False),  # references, never content
        pa.field("latitude", pa.float64()),  # the post's own geotag, degrees
        pa.field("longitude", pa.float64()),
        pa.field("marks", pa.list_(pa.string()), nullable=False),  # consent marks in the platform's words
        pa.field("time_us", pa.int64(), nullable=False),  # stream time
    ]
)

POST = pa.schema(
    [
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("post_key", pa.uint64(), nullable=False),  # keyed hash of source and uri; 0 for ACCOUNT_GONE
        pa.field("speaker", pa.uint64(), nullable=False),  # keyed hash of source and account
        pa.field("epoch", pa.uint32(), nullable=False),  # which speaker key: never compare across epochs
        pa.field("text", pa.string(), nullable=False),  # redacted
        pa.field("langs", pa.list_(pa.string()), nullable=False),
        pa.field("domains", pa.list_(pa.string()), nullable=False),  # registered domains of the links
        pa.field("link_keys", pa.list_(pa.uint64()), nullable=False),  # unkeyed hashes of whole links
        pa.field("picture_keys", pa.list_(pa.uint64()), nullable=False),  # unkeyed hashes of references
        pa.field("cell", pa.uint64(), nullable=False),  # H3 resolution 5 of the geotag; 0 for none
        pa.field("target", pa.uint64(), nullable=False),  # keyed hash of whom it speaks to; 0 for none
        pa.field("time_us", pa.int64(), nullable=False),  # stream time, coarsened to the second
    ]
)

SIGHTING = pa.schema(
    [
        pa.field("picture", pa.uint64(), nullable=False),  # as in `picture_keys`
        pa.field("reference", pa.string(), nullable=False),  # where it can be fetched; goes no further
        pa.field("speaker", pa.uint64(), nullable=False),
        pa.field("epoch", pa.uint32(), nullable=False),
        pa.field("time_us", pa.int64(), nullable=False),
    ]
)
"""One picture in one post, from the gate to what looks at pictures; never stored, never in another stage."""

ENRICHED = pa.schema(
    [
        *POST,
        pa.field("lang", pa.string(), nullable=False),  # e.g. eng_Latn; und when unsure
        pa.field("folded", pa.string(), nullable=False),  # case-folded text; term offsets point here
        pa.field("terms", pa.list_(pa.uint64()), nullable=False),  # distinct, in order; bit 0 marks a pair
        pa.field("term_starts", pa.list_(pa.int32()), nullable=False),  # bytes in `folded`
        pa.field("term_ends", pa.list_(pa.int32()), nullable=False),
        pa.field("shape", pa.uint64(), nullable=False),  # near-duplicate family key
        pa.field("places", pa.list_(pa.int32()), nullable=False),  # rows of the gazetteer
        pa.field("place_confidences", pa.list_(pa.float32()), nullable=False),
        pa.field("categories", pa.list_(pa.uint8()), nullable=False),  # of the concept list
        pa.field("mood", pa.int8(), nullable=False),  # 0 negative, 1 neutral, 2 positive; else -1
        pa.field("persons", pa.list_(pa.uint64()), nullable=False),  # hashes of possible private names
        pa.field("naming", pa.uint8(), nullable=False),  # whether a word could name somebody: see `naming`
    ]
)


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """A batch of `schema` without rows."""
    return pa.RecordBatch.from_pylist([], schema=schema)
