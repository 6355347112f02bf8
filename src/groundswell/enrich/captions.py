"""What is written in a post's picture, joined to what the post says.

The words on a sign were read once for all posts that show it, and enriched as a text of their own. Here
their terms, places, categories and possible names go behind the post's; its language, its mood and what it is
a copy of stay its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.batches import ENRICHED

__all__ = ["join"]

I64Array = npt.NDArray[np.int64]

_LISTS = (
    ("terms", "term_starts", "term_ends"),
    ("places", "place_confidences"),
    ("categories",),
    ("persons",),
)


def join(posts: pa.RecordBatch, captions: pa.RecordBatch, at: I64Array) -> pa.RecordBatch:
    """`ENRICHED` posts with what their pictures say.

    Parameters
    ----------
    posts
        `ENRICHED` rows.
    captions
        `ENRICHED` rows, one a text found in pictures.
    at
        Which of `captions` belongs to each of `posts`; -1 for none. Shape (rows of posts,).
    """
    rows = np.flatnonzero(at >= 0)
    if not len(rows):
        return posts
    said, written = posts.take(pa.array(rows)), captions.take(pa.array(at[rows]))
    joined = {name: said[name] for name in ENRICHED.names}
    shift = pc.binary_length(said["folded"]).to_numpy().astype(np.int32) + 1
    joined["folded"] = pc.binary_join_element_wise(said["folded"], written["folded"], "\n")
    joined["lang"] = pc.if_else(pc.equal(said["lang"], "und"), written["lang"], said["lang"])
    joined["naming"] = pc.max_element_wise(said["naming"], written["naming"])
    for names in _LISTS:
        ours = [said[name] for name in names]
        theirs = [written[name] for name in names]
        if names[0] == "terms":
            theirs[1:] = [_moved(column, shift) for column in theirs[1:]]
        joined |= dict(zip(names, _appended(ours, theirs), strict=True))
    order = np.arange(posts.num_rows)
    order[rows] = posts.num_rows + np.arange(len(rows))
    changed = pa.RecordBatch.from_arrays([joined[name] for name in ENRICHED.names], schema=ENRICHED)
    both = pa.Table.from_batches([posts, changed]).take(pa.array(order)).combine_chunks()
    (batch,) = both.to_batches()
    return batch


def _moved(positions: pa.ListArray, shift: npt.NDArray[np.int32]) -> pa.ListArray:
    """Byte positions in texts that now stand so many bytes further on."""
    owners = pc.list_parent_indices(positions).to_numpy()
    values = positions.flatten().to_numpy() + shift[owners]
    return pa.ListArray.from_arrays(_offsets(positions), pa.array(values, pa.int32()))


def _appended(ours: list[pa.ListArray], theirs: list[pa.ListArray]) -> list[pa.ListArray]:
    """Lists side by side, those of `theirs` behind `ours`; of the first column each value once a row."""
    columns = [
        np.concatenate([mine.flatten().to_numpy(), other.flatten().to_numpy()])
        for mine, other in zip(ours, theirs, strict=True)
    ]
    owners = np.concatenate([pc.list_parent_indices(lists[0]).to_numpy() for lists in (ours, theirs)])
    keys = np.stack([owners.astype(np.uint64), columns[0].astype(np.uint64)])
    _, first = np.unique(keys, axis=1, return_index=True)
    kept = np.sort(first)
    kept = kept[np.argsort(owners[kept], kind="stable")]
    ends = np.cumsum(np.bincount(owners[kept], minlength=len(ours[0])))
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    return [
        pa.ListArray.from_arrays(offsets, pa.array(values[kept], mine.type.value_type))
        for values, mine in zip(columns, ours, strict=True)
    ]


def _offsets(lists: pa.ListArray) -> pa.Array:
    """From 0, also where `lists` is a slice."""
    offsets = lists.offsets.to_numpy()
    return pa.array(offsets - offsets[0])
