"""The keys that the wire kernels read, as numbers, and a table that finds a key's number.

Owns the names alone; what a key must hold is said in `forms` and `bluesky`. A key that is missing here is
skipped unread.
"""

from __future__ import annotations

from itertools import count

import numpy as np
import numpy.typing as npt

__all__ = ["NAMES", "NAME_BYTES", "NAME_OFFSETS", "NAME_SEED", "NAME_SLOTS"]

# Numba freezes plain ints: each name is the number of a bit, bit 0 is no name.
(
    DID, TIME_US, KIND, COMMIT, ACCOUNT, OPERATION, COLLECTION, RKEY, REV, RECORD, ACTIVE, STATUS, TIME,
    TYPE, PAYLOAD, WITNESSED_AT, NAME, ERROR, ID, CREATED_AT, TEXT, SOURCE, LANGS, URLS, MEDIA, GEO, DELETED,
    RECORD_CREATED_AT, FACETS, FEATURES, URI, EMBED, EXTERNAL, IMAGES, IMAGE, VIDEO, REF, LINK, CID, LABELS,
    VALUES, VAL, TAGS, LAT, LATITUDE, LON, LNG, LONGITUDE, COORDINATES,
) = range(1, 50)  # fmt: skip
NAMES = (
    "did", "time_us", "kind", "commit", "account", "operation", "collection", "rkey", "rev", "record",
    "active", "status", "time", "$type", "payload", "witnessedAt", "name", "error", "id", "created_at",
    "text", "source", "langs", "urls", "media", "geo", "deleted", "createdAt", "facets", "features", "uri",
    "embed", "external", "images", "image", "video", "ref", "$link", "cid", "labels", "values", "val", "tags",
    "lat", "latitude", "lon", "lng", "longitude", "coordinates",
)  # fmt: skip
"""The keys, in the order of their numbers, which begin at 1."""

_SLOTS = 1 << 8


def _slot(name: str, seed: int) -> int:
    shape = ord(name[0]) | ord(name[-1]) << 8 | len(name) << 16
    return (shape * seed & 0xFFFFFFFFFFFFFFFF) >> 24 & (_SLOTS - 1)


def _perfect_seed() -> int:
    """A multiplier under which no two names share a slot."""
    for odd in count(1, 2):
        seed = odd * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        if len({_slot(name, seed) for name in NAMES}) == len(NAMES):
            return seed
    raise AssertionError


NAME_SEED = _perfect_seed()
NAME_SLOTS: npt.NDArray[np.int32] = np.zeros(_SLOTS, np.int32)
for _number, _name in enumerate(NAMES, 1):
    NAME_SLOTS[_slot(_name, NAME_SEED)] = _number
# Number 0 is the empty key.
NAME_OFFSETS: npt.NDArray[np.int32] = np.cumsum([0, 0, *map(len, NAMES)]).astype(np.int32)
NAME_BYTES: npt.NDArray[np.uint8] = np.frombuffer("".join(NAMES).encode(), np.uint8)
