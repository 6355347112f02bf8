"""The gate as a whole: what goes in, what comes out, and that every row is counted."""

from __future__ import annotations

import resource
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.batches import POST, RAW, SIGHTING, Kind, empty
from groundswell.clock import SECOND_US
from groundswell.gate import Gate, GateSettings, SpeakerKeys, forbid_core_dumps
from groundswell.gate.speakers import DAY_US, GRACE_US
from groundswell.metrics import Metrics

START_US = 20_000 * DAY_US + 12 * 3600 * SECOND_US
BLANK: dict[str, Any] = {
    "kind": Kind.POST, "source": "s", "uri": "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/p/1",
    "account": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
    "text": "water in the streets", "langs": [], "urls": [], "media": [], "latitude": None,
    "longitude": None, "marks": [],
    "time_us": START_US,
}  # fmt: skip


def raw(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([BLANK | row for row in rows], schema=RAW)


def admit(
    *rows: dict[str, Any], settings: GateSettings | None = None
) -> tuple[list[dict[str, Any]], Metrics]:
    metrics = Metrics()
    batch = Gate(settings or GateSettings(), metrics).admit(raw(*rows))
    assert batch.schema.equals(POST)
    batch.validate(full=True)
    return batch.to_pylist(), metrics


def dropped(metrics: Metrics) -> dict[str, int]:
    return {
        sample.labels["reason"]: int(sample.value)
        for family in metrics.gate_dropped.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def total(counter: Any) -> int:
    return sum(
        int(sample.value)
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    )


def test_a_post_goes_through_without_its_author() -> None:
    (post,), metrics = admit(
        {
            "text": "fire near @jane.example see https://www.example.org/a?utm_source=x",
            "langs": ["en", "pt-BR", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "x" * 40],
            "urls": ["https://t.co/abc"],
            "latitude": 41.15,
            "longitude": -8.61,
            "time_us": START_US + 123_456,
        }
    )
    assert post["text"] == "fire near see"
    assert post["langs"] == ["en", "pt-BR"]
    assert post["domains"] == ["example.org"]
    assert len(post["link_keys"]) == 2
    assert post["cell"] == 0x8539300BFFFFFFF or post["cell"] > 0
    assert post["target"] != 0
    assert post["speaker"] != 0
    assert post["epoch"] == 20_000
    assert post["time_us"] == START_US
    assert metrics.registry.get_sample_value("groundswell_gate_kept_posts_total") == 1
    assert metrics.registry.get_sample_value("groundswell_gate_posts_total", {"kind": "post"}) == 1
    assert (
        metrics.registry.get_sample_value("groundswell_gate_redactions_total", {"identifier": "handle"}) == 1
    )


def test_post_has_no_column_that_could_hold_an_account() -> None:
    strings = {
        field.name
        for field in POST
        if pa.types.is_string(field.type)
        or (pa.types.is_list(field.type) and pa.types.is_string(field.type.value_type))
    }
    assert strings == {"source", "text", "langs", "domains"}
    assert not {"account", "uri", "author", "handle", "did", "user"} & set(POST.names)


def test_an_empty_batch_gives_an_empty_batch() -> None:
    assert Gate(GateSettings(), Metrics()).admit(empty(RAW)).equals(empty(POST))


def test_sliced_batches_are_read_where_they_begin() -> None:
    batch = raw(
        {"uri": "1", "text": "@a one"},
        {"uri": "2", "text": "two @b", "langs": ["en"]},
        {"uri": "3", "text": "three"},
    )
    out = Gate(GateSettings(), Metrics()).admit(batch.slice(1, 1))
    assert out["text"].to_pylist() == ["two"]
    assert out["langs"].to_pylist() == [["en"]]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"text": "  "}], "empty"),
        ([{"text": "@jane"}], "empty"),
        ([{"text": "https://bsky.app/profile/jane.example"}], "empty"),
        ([{"text": "é" * 16_385}], "too_long"),
        ([{"marks": ["#nobot"]}], "consent"),
        ([{}, {}], "duplicate"),
        ([{}, {"kind": Kind.EDIT}], "duplicate"),
        ([{"kind": Kind.DELETE, "text": ""}, {}], "deleted"),
        ([{"kind": Kind.ACCOUNT_GONE, "text": "", "uri": ""}, {}], "account_gone"),
    ],
)
def test_each_reason_to_drop_is_counted(rows: list[dict[str, Any]], reason: str) -> None:
    out, metrics = admit(*rows)
    assert dropped(metrics) == {reason: 1}
    assert len(out) == len(rows) - 1


def test_a_link_or_a_picture_alone_is_enough() -> None:
    out, _ = admit({"uri": "1", "text": "https://t.co/x"}, {"uri": "2", "text": "", "media": ["cid"]})
    assert [post["text"] for post in out] == ["", ""]
    assert [len(post["link_keys"]) for post in out] == [1, 0]


def test_an_edit_takes_the_place_of_its_post_and_keeps_its_key() -> None:
    out, _ = admit(
        {}, {"kind": Kind.EDIT, "text": "water gone"}, {"text": "water back"}, {"kind": Kind.EDIT, "text": ""}
    )
    assert [post["kind"] for post in out] == [Kind.POST, Kind.EDIT, Kind.EDIT, Kind.EDIT]
    assert len({post["post_key"] for post in out}) == 1


def test_a_deletion_goes_on_with_its_key_and_nothing_else() -> None:
    out, _ = admit({}, {"kind": Kind.DELETE, "text": "@jane left over", "urls": []})
    post, deletion = out
    assert deletion["post_key"] == post["post_key"]
    assert (deletion["text"], deletion["target"]) == ("", 0)


def test_the_same_uri_of_another_source_is_another_post() -> None:
    out, _ = admit({}, {"source": "other"})
    assert len({post["post_key"] for post in out}) == 2


def test_memory_ends_with_the_horizon() -> None:
    gate = Gate(GateSettings(), Metrics())
    late = START_US + 601 * SECOND_US
    assert gate.admit(raw({})).num_rows == 1
    assert gate.admit(raw({"time_us": late})).num_rows == 1
    gate.admit(raw({"kind": Kind.DELETE, "text": "", "time_us": late}))
    assert gate.admit(raw({"text": "new", "time_us": late + 600 * SECOND_US})).num_rows == 0
    assert gate.admit(raw({"text": "newer", "time_us": late + 601 * SECOND_US})).num_rows == 1


def test_a_gone_account_comes_back_after_the_horizon() -> None:
    gate = Gate(GateSettings(), Metrics())
    gate.admit(raw({"kind": Kind.ACCOUNT_GONE, "uri": "", "text": ""}))
    for second in range(0, 601, 100):  # its posts do not prolong the mark
        assert gate.admit(raw({"uri": str(second), "time_us": START_US + second * SECOND_US})).num_rows == 0
    assert gate.admit(raw({"uri": "x", "time_us": START_US + 601 * SECOND_US})).num_rows == 1


def test_forgetting_early_is_counted() -> None:
    gate = Gate(GateSettings(remembered_keys=2), Metrics())
    gate.admit(raw(*({"uri": str(number)} for number in range(5))))
    assert gate.forgotten_early == 3


def test_a_gone_account_is_announced_under_yesterdays_key_for_an_hour() -> None:
    midnight = 20_001 * DAY_US
    gone = {"kind": Kind.ACCOUNT_GONE, "uri": "", "text": ""}
    out, metrics = admit(
        {"uri": "1", "time_us": midnight - SECOND_US},
        {"uri": "2", "time_us": midnight + SECOND_US},
        gone | {"time_us": midnight + 2 * SECOND_US},
        {"uri": "3", "account": "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb", "time_us": midnight + 3 * SECOND_US},
        gone | {"time_us": midnight + GRACE_US},
    )
    before, after, today, yesterday, _, later = out
    assert [row["kind"] for row in (today, yesterday, later)] == [Kind.ACCOUNT_GONE] * 3
    assert (yesterday["speaker"], yesterday["epoch"]) == (before["speaker"], before["epoch"])
    assert (today["speaker"], today["epoch"]) == (after["speaker"], after["epoch"])
    assert later["speaker"] == today["speaker"]
    assert all(row["post_key"] == 0 for row in (today, yesterday, later))
    assert total(metrics.gate_kept) == 5  # rows that came in, not rows that went out


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0), (float("inf"), 0.0), (1.0, None)],
)
def test_a_geotag_off_the_earth_is_none(latitude: float, longitude: float | None) -> None:
    (post,), _ = admit({"latitude": latitude, "longitude": longitude})
    assert post["cell"] == 0


def test_settings_have_bounds() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"horizon_seconds": 0}, GateSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"remember": 1}, GateSettings)


def test_core_dumps_are_forbidden() -> None:
    forbid_core_dumps()
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


_ROW = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([Kind.POST, Kind.POST, Kind.POST, Kind.EDIT, Kind.DELETE, Kind.ACCOUNT_GONE]),
        "source": st.sampled_from(["s", "t"]),
        "uri": st.sampled_from(["1", "2", "3", "4"]),
        "account": st.sampled_from(["a", "b", "c"]),
        "text": st.sampled_from(["one", "two @x", "@y", "https://example.org/1 @z three", "\u200b@x&#64;y"]),
        "marks": st.sampled_from([[], [], [], ["#nobot"]]),
        "urls": st.sampled_from([[], ["https://example.com/2"]]),
    }
)


def _same_keys() -> SpeakerKeys:
    """Keys that two gates of one test can share; a real gate draws its own."""
    state = np.random.default_rng(1)
    return SpeakerKeys(random=state.bytes)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_ROW, st.integers(0, 400)), min_size=1, max_size=30),
    st.integers(1, 7),
    st.integers(0, 1),
)
def test_the_answer_does_not_depend_on_how_the_stream_was_cut(
    rows: list[tuple[dict[str, Any], int]], size: int, near_midnight: int
) -> None:
    start = 20_001 * DAY_US - 900 * SECOND_US if near_midnight else START_US
    times = start + np.cumsum([step for _, step in rows]) * SECOND_US
    batch = raw(*(row | {"time_us": int(time)} for (row, _), time in zip(rows, times, strict=True)))
    whole_metrics, cut_metrics = Metrics(), Metrics()
    whole = Gate(GateSettings(), whole_metrics, _same_keys()).admit(batch)
    gate = Gate(GateSettings(), cut_metrics, _same_keys())
    cut = [gate.admit(batch.slice(first, size)) for first in range(0, len(rows), size)]
    assert pa.Table.from_batches(cut).to_pylist() == whole.to_pylist()
    assert dropped(whole_metrics) == dropped(cut_metrics)
    for metrics in (whole_metrics, cut_metrics):
        assert (
            total(metrics.gate_posts) == total(metrics.gate_kept) + total(metrics.gate_dropped) == len(rows)
        )


def test_what_looks_at_pictures_is_shown_each_picture_of_a_post_that_goes_on_and_no_other() -> None:
    shown: list[pa.RecordBatch] = []
    gate = Gate(GateSettings(), Metrics(), show=shown.append)
    mine, theirs = (f"at-blob:did:plc:{'ab'[i] * 24}/bafyone" for i in range(2))
    out = gate.admit(
        raw(
            {"uri": "1", "media": [mine, "https://pictures.example/2.jpg"]},
            {"uri": "2", "marks": ["#nobot"], "media": [mine]},
            {"uri": "3"},
            {"uri": "4", "account": "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb", "media": [theirs]},
        )
    )
    (sightings,) = shown
    assert sightings.schema.equals(SIGHTING)
    sightings.validate(full=True)
    assert sightings["reference"].to_pylist() == [mine, "https://pictures.example/2.jpg", theirs]
    assert sightings["picture"].to_pylist() == [
        key for keys in out["picture_keys"].to_pylist() for key in keys
    ]
    assert sightings["picture"][0] == sightings["picture"][2]
    first, _, other = out["speaker"].to_pylist()
    assert sightings["speaker"].to_pylist() == [first, first, other]


def test_posts_without_pictures_show_nothing() -> None:
    shown: list[pa.RecordBatch] = []
    Gate(GateSettings(), Metrics(), show=shown.append).admit(raw({}, {"kind": Kind.DELETE, "text": ""}))
    assert shown == []
