"""Columns and the searches in them, against plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.detect.columns import Lists, Names, Queue, distinct, flat, group, letters, occurrences

# Small numbers repeat; the largest share their low or their high bits.
values = st.lists(st.sampled_from([0, 1, 2, 3, 1 << 63, (1 << 64) - 1, 1 << 44, (1 << 44) + 1]), max_size=60)


@settings(deadline=None)
@given(values, st.lists(st.integers(0, 4), min_size=60, max_size=60))
def test_equal_values_get_one_number_and_are_counted_once(said: list[int], groups: list[int]) -> None:
    array = np.array(said, np.uint64)
    numbers, different = group(array)
    assert different.tolist() == list(dict.fromkeys(said))
    assert different[numbers].tolist() == said
    pairs = set(zip(groups, said, strict=False))
    counts = distinct(np.array(groups[: len(said)], np.int64), array, 5)
    assert counts.tolist() == [sum(of == which for of, _ in pairs) for which in range(5)]


@settings(deadline=None)
@given(values, st.sets(st.sampled_from([0, 1, 7, 1 << 63, (1 << 44) + 1])))
def test_every_occurrence_of_what_is_wanted_is_found(said: list[int], wanted: set[int]) -> None:
    sought = sorted(wanted)
    at, positions = occurrences(np.array(said, np.uint64), np.array(sought, np.uint64))
    assert [(i, sought[p]) for i, p in zip(at.tolist(), positions.tolist(), strict=True)] == [
        (i, value) for i, value in enumerate(said) if value in wanted
    ]


rows = st.lists(st.lists(st.integers(0, 255), max_size=5), max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(rows, st.integers(0, 20)), max_size=6), st.data())
def test_lists_equal_a_list_of_lists(acts: list[tuple[list[list[int]], int]], data: st.DataObject) -> None:
    made, model = Lists(letters=Queue(np.uint8)), list[list[int]]()
    for added, dropped in acts:
        offsets = np.cumsum([0, *(len(row) for row in added)])
        made.extend(offsets, letters=np.array([value for row in added for value in row], np.uint8))
        model += added
        gone = min(dropped, len(model))
        made.drop(gone)
        model = model[gone:]
    most = data.draw(st.integers(0, 30))
    left = made.over(most)
    assert sum(map(len, model[left:])) <= most
    assert not left or sum(map(len, model[left - 1 :])) > most
    chosen = sorted(data.draw(st.sets(st.integers(0, len(model) - 1)))) if model else []
    indices, owners = made.ranges(np.array(chosen, np.int64))
    assert [made.values["letters"].view[indices[owners == i]].tolist() for i in range(len(chosen))] == [
        model[row] for row in chosen
    ]
    assert made.owners(indices).tolist() == [row for row in chosen for _ in model[row]]


def test_a_slice_of_an_arrow_column_is_read_from_its_own_beginning() -> None:
    texts = pa.array(["río", "", "flood", "storm"]).slice(1, 2)
    found, ends = letters(texts)
    assert (found.tobytes(), ends.tolist()) == (b"flood", [0, 0, 5])
    assert letters(pa.array([], pa.string()))[1].tolist() == [0]
    numbers, offsets = flat(pa.array([[1], [2, 3], [], [4]]).slice(1, 2))
    assert (numbers.tolist(), offsets.tolist()) == ([2, 3], [0, 2, 2])


def test_names_keep_their_words_when_others_are_forgotten() -> None:
    names = Names()
    for i in range(3):
        column = pa.array([f"{i}.{j}" for j in range(3000)])
        names.numbers.extend(names.number(column))
        names.numbers.drop(len(names.numbers) - 10)
        names.tidy()
        words = names.words()
        assert [words[number] for number in names.numbers.view.tolist()] == column.to_pylist()[-10:]
    assert len(names.words()) < 6000
