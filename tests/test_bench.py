"""The measurements judge by the truth they are given: their scorer is tested like anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from bench import _data
from bench._about import MIXED, NONE, Truth
from bench.throughput import _Ticks

from groundswell.clock import SECOND_US
from groundswell.errors import UsageError
from groundswell.published import Event

MAY_DAY_US = 1_777_593_600_000_000
TRUTH = Truth(
    [MAY_DAY_US + minute * 60 * SECOND_US for minute in range(8)],
    [
        "Flood in Porto!",
        "flood, in Porto: stay in",
        "my train is late",
        "#PortoFlood is bad",
        "the flood of offers",
        "地震が来た",
        "what a flood",
        "flood in Porto once more",
    ],
    ["porto", "porto", None, "porto", None, "quake", None, None],
)


def event(*phrases: str, minutes: tuple[int, int] = (0, 6)) -> Event:
    first, last = (f"2026-05-01T00:0{minute}:00Z" for minute in minutes)
    return Event(
        id="a",
        first_seen=first,
        last_seen=last,
        published_at=last,
        accounts="20+",
        phrases=phrases,
        category="flood",
        place=None,
        languages=(),
        sources=(),
        domains=(),
        state="new",
    )


@pytest.mark.parametrize(
    ("record", "label"),
    [
        (event("flood in porto"), "porto"),
        (event("flood in porto", minutes=(0, 7)), "porto"),
        (event("flood in porto", minutes=(7, 7)), NONE),
        (event("porto flood"), "porto"),  # run together in a hashtag
        (event("flood"), "porto"),  # two of four are half
        (event("flood", minutes=(4, 6)), NONE),
        (event("地震"), "quake"),  # no spaces to look for
        (event("rain"), NONE),  # "train" is another word
        (event("stay", "train", "地震"), MIXED),
        (event(), NONE),
    ],
)
def test_a_record_is_about_whoever_wrote_half_of_what_it_says(record: Event, label: str) -> None:
    assert TRUTH.about(record) == label


def test_absent_data_is_told_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_data, "DATA", tmp_path)
    with pytest.raises(UsageError, match="set GROUNDSWELL_DATA"):
        _data.data_file("events", "mix.jsonl.gz")


def test_batches_are_cut_where_ticks_end() -> None:
    ticks = _Ticks()
    cut = []
    for seconds in ([3, 9, 10], [10, 19, 45]):
        times = pa.array(np.array(seconds) * SECOND_US)
        for part, tick_us in ticks.cut(pa.record_batch({"time_us": times})):
            shown = [time_us // SECOND_US for time_us in part.column("time_us").to_pylist()]
            cut.append((shown, tick_us and tick_us // SECOND_US))
    assert cut == [
        ([3, 9], 10), ([10], None), ([10, 19], 20), ([], 30), ([], 40), ([45], None),
    ]  # fmt: skip
