"""Pictures: from references to unkeyed hashes, which tell that two posts show one picture and not which.

A reference names a picture and never holds it. Where it names the account that put it up (`at-blob:DID/CID`)
only the content's own name counts, so that the key says nothing of whose it was. No picture is fetched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.gate.blake2 import keyed_digests
from groundswell.gate.strings import buffers

__all__ = ["MAX_PICTURES", "Pictures", "read_pictures"]

MAX_PICTURES = 8
"""A post; what comes after is not looked at."""
_OWNED = r"^at-blob:[^/]*/"


class Pictures(NamedTuple):
    """The pictures of a batch of posts."""

    keys: pa.ListArray
    """The distinct keys of each row's pictures, in order."""
    references: pa.StringArray
    """What each of the keys was read from."""


def read_pictures(media: pa.ListArray) -> Pictures:
    """The pictures of each row; what names none, or comes after `MAX_PICTURES`, is left out.

    >>> mine, theirs = "at-blob:did:plc:a/bafy1", "at-blob:did:plc:b/bafy1"
    >>> found = read_pictures(pa.array([[mine, mine], [theirs]]))
    >>> one, other = found.keys.to_pylist()
    >>> len(one), one == other, found.references.to_pylist() == [mine, theirs]
    (1, True, True)
    """
    lengths = pc.list_value_length(media).fill_null(0).to_numpy()
    references = pc.list_flatten(media).fill_null("")
    if not len(references):
        none = pa.array(np.empty(0, np.uint64))
        keys_of = pa.ListArray.from_arrays(pa.array(np.zeros(len(media) + 1, np.int32)), none)
        return Pictures(keys_of, references.cast(pa.string()))
    named = pc.replace_substring_regex(references.cast(pa.string()), _OWNED, "")
    keys = keyed_digests(b"picture", b"\0", *buffers(named))
    rows = np.repeat(np.arange(len(media)), lengths)
    rank = np.arange(len(keys)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = (rank < MAX_PICTURES) & (pc.binary_length(named).to_numpy() > 0)
    _, first = np.unique(np.stack([rows.astype(np.uint64), keys]), axis=1, return_index=True)
    fresh = np.zeros(len(keys), bool)
    fresh[first] = True
    kept &= fresh
    ends = np.cumsum(np.bincount(rows[kept], minlength=len(media)))
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    keys_of = pa.ListArray.from_arrays(pa.array(offsets), pa.array(keys[kept]))
    return Pictures(keys_of, references.cast(pa.string()).filter(pa.array(kept)))
