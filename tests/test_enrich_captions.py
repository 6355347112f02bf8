"""What stands in a picture, among what its post says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.batches import ENRICHED
from groundswell.enrich import captions
from tests.enriched_posts import FLOOD, PORTO_ALEGRE, VALENCIA, post


def enriched(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=ENRICHED)


POSTS = enriched(
    post(0, 1, "water everywhere", places=[VALENCIA], persons=[5]),
    post(1, 2, "look", lang="und", mood=2),
    post(2, 3, "nothing here"),
)
SIGN = enriched(
    post(
        0,
        0,
        "flood porto alegre",
        places=[PORTO_ALEGRE, VALENCIA],
        categories=[FLOOD],
        naming=2,
        persons=[5, 6],
    )
)


def read(batch: pa.RecordBatch, row: int) -> dict[str, str]:
    """The terms of a post by how they stand in its text."""
    found = batch.slice(row, 1).to_pylist()[0]
    text = found["folded"].encode()
    spans = zip(found["term_starts"], found["term_ends"], strict=True)
    return dict(zip(found["terms"], [text[start:end].decode() for start, end in spans], strict=True))


def test_the_words_of_a_sign_are_terms_of_the_post_and_stand_in_its_text() -> None:
    joined = captions.join(POSTS, SIGN, np.array([0, 0, -1]))
    joined.validate(full=True)
    assert joined.schema.equals(ENRICHED)
    assert set(read(joined, 0).values()) == {
        "water", "everywhere", "water everywhere", "flood", "porto", "alegre", "flood porto", "porto alegre"
    }  # fmt: skip
    assert joined["folded"].to_pylist() == [
        "water everywhere\nflood porto alegre",
        "look\nflood porto alegre",
        "nothing here",
    ]


def test_places_categories_and_possible_names_are_joined_each_once() -> None:
    first, second, third = captions.join(POSTS, SIGN, np.array([0, 0, -1])).to_pylist()
    assert first["places"] == [VALENCIA, PORTO_ALEGRE]
    assert first["persons"] == [5, 6]
    assert (first["categories"], second["categories"], third["categories"]) == ([FLOOD], [FLOOD], [])
    assert (first["naming"], third["naming"]) == (2, 0)


def test_language_mood_and_shape_stay_the_posts_own_where_it_has_them() -> None:
    joined = captions.join(POSTS, SIGN, np.array([0, 0, -1]))
    assert joined["lang"].to_pylist() == ["eng_Latn", "eng_Latn", "eng_Latn"]
    for name in ("mood", "shape", "text", "speaker", "time_us", "picture_keys"):
        assert joined[name].to_pylist() == POSTS[name].to_pylist()


def test_without_a_caption_nothing_changes() -> None:
    assert captions.join(POSTS, SIGN, np.full(3, -1)) is POSTS


def test_it_reads_slices_of_larger_batches() -> None:
    whole = captions.join(POSTS, SIGN, np.array([0, 0, -1]))
    sliced = captions.join(
        POSTS.slice(1, 2), enriched(post(0, 0, "x"), *SIGN.to_pylist()).slice(1, 1), np.array([0, -1])
    )
    assert sliced.to_pylist() == whole.slice(1, 2).to_pylist()
