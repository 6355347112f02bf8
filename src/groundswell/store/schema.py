"""Owns the columns of what is kept: the tables of the store and the flat form of its exports.

There is no column for an author, an account, a handle or a post, and a test reads these definitions to keep
it so; `accounts` is a ladder label. Every column is published material, `checkpoint` included: it holds what
the stages right and left of the line wrote for a restart, which by their own rules names no word and nobody.
"""

from __future__ import annotations

import pyarrow as pa

__all__ = ["EXPORT_SCHEMA", "TABLES", "VERSION"]

VERSION = 2
"""Raised when a table changes; an older or newer file is refused, not guessed at."""

TABLES = {
    "groundswell": "version INTEGER NOT NULL",
    "records": """
        kind VARCHAR NOT NULL,
        id VARCHAR NOT NULL,
        revision_us BIGINT NOT NULL,
        first_seen TIMESTAMP NOT NULL,
        last_seen TIMESTAMP NOT NULL,
        published_at TIMESTAMP NOT NULL,
        state VARCHAR NOT NULL,
        category VARCHAR,
        accounts VARCHAR,
        country VARCHAR,
        h3 VARCHAR,
        simulated BOOLEAN NOT NULL,
        replayed BOOLEAN NOT NULL,
        body VARCHAR NOT NULL,
        PRIMARY KEY (kind, id, revision_us)
    """,
    "bins": """
        series VARCHAR NOT NULL,
        start TIMESTAMP NOT NULL,
        accounts VARCHAR,
        PRIMARY KEY (series, start)
    """,
    "images": """
        id VARCHAR NOT NULL,
        media_type VARCHAR NOT NULL,
        published_at TIMESTAMP NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (id)
    """,
    "checkpoint": """
        bin_us BIGINT NOT NULL,
        release_state BLOB NOT NULL,
        detect_state BLOB NOT NULL
    """,
}
"""Table name to column definitions; `body` is the record as JSON, the other columns repeat parts for SQL."""

EXPORT_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("first_seen", pa.string(), nullable=False),
        pa.field("last_seen", pa.string(), nullable=False),
        pa.field("published_at", pa.string(), nullable=False),
        pa.field("accounts", pa.string()),
        pa.field("phrases", pa.list_(pa.string())),
        pa.field("category", pa.string()),
        pa.field("place_name", pa.string()),
        pa.field("place_country", pa.string()),
        pa.field("place_h3", pa.string()),
        pa.field("place_level", pa.string()),
        pa.field("place_confidence", pa.float64()),
        pa.field("languages", pa.list_(pa.string())),
        pa.field("language", pa.string()),
        pa.field("sources", pa.list_(pa.string())),
        pa.field("source", pa.string()),
        pa.field("domains", pa.list_(pa.string())),
        pa.field("mood_negative", pa.float64()),
        pa.field("mood_neutral", pa.float64()),
        pa.field("mood_positive", pa.float64()),
        pa.field("state", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("ongoing", pa.bool_()),
        pa.field("event", pa.string()),
        pa.field("words", pa.list_(pa.string())),
        pa.field("emblems", pa.list_(pa.string())),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("media_type", pa.string()),
        pa.field("width", pa.int64()),
        pa.field("height", pa.int64()),
        pa.field("recurrences", pa.int64()),
        pa.field("path", pa.list_(pa.string())),
        pa.field("p_value", pa.float64()),
        pa.field("spread_seconds", pa.float64()),
        pa.field("simulated", pa.bool_(), nullable=False),
        pa.field("replayed", pa.bool_(), nullable=False),
    ]
)
