"""The measurements judge by the truth they are given: their scorer is tested like anything else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from bench import _data
from bench._about import MIXED, NONE, Truth
from bench._data import row
from bench._stream import Stream
from bench._tables import write_table
from bench.throughput import _anew, _interleaved
from typer.testing import CliRunner

from groundswell.cli import app
from groundswell.clock import SECOND_US
from groundswell.errors import UsageError
from groundswell.published import Event
from tests.measuring import measuring

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


def test_the_stream_for_speed_is_what_it_says() -> None:
    measuring("language", "social_train.tsv.gz")
    chunks = list(Stream(MAY_DAY_US, 2_000).seconds(MAY_DAY_US, 3))
    assert chunks == list(Stream(MAY_DAY_US, 2_000).seconds(MAY_DAY_US, 3))
    messages = [msgspec.json.decode(line) for chunk in chunks for line in chunk.splitlines()]
    times = [message["time_us"] for message in messages]
    assert times == sorted(times)
    assert (times[0] - MAY_DAY_US, times[-1] - MAY_DAY_US) <= (SECOND_US, 3 * SECOND_US)
    posts = [message["commit"] for message in messages if message["kind"] == "commit"]
    said = [post["record"] for post in posts if "text" in post.get("record", ())]
    assert len(said) > 6_000  # the events' posts come on top of the background's
    assert len({tuple(record.get("langs", ())) for record in said}) > 100
    assert len({post["rkey"] for post in posts}) > 5_990


def test_posts_of_the_learning_come_again_as_others() -> None:
    times = pa.array(np.array([1, 4, 9]) * SECOND_US)
    keys = pa.array(np.array([5, 6, 5], np.uint64))
    batch = pa.record_batch({"time_us": times, "speaker": keys, "post_key": keys})
    again = _anew(batch, 70 * SECOND_US, np.random.default_rng(0))
    assert again["time_us"].to_pylist() == [71 * SECOND_US, 74 * SECOND_US, 79 * SECOND_US]
    speakers = again["speaker"].to_pylist()
    assert speakers[0] == speakers[2] != speakers[1]
    assert not set(speakers) & {5, 6}
    joined = [at for part in _interleaved([again, again]) for at in part["time_us"].to_pylist()]
    assert joined == [at * SECOND_US for at in (71, 71, 74, 74, 79, 79)]


def test_a_table_takes_the_place_of_its_last_version_and_of_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Figures\n\nBy hand.\n", encoding="utf-8")
    for low, high in ((1, 5), (2, 6)):
        write_table(page, "tides", [row("low | metres", low, "> 0")])
        write_table(page, "tide", [row("high", high)])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Figures\n\nBy hand.\n\n<!-- bench tides -->\n")
    assert text.count("<!-- bench ") == text.count("<!-- end of ") == 2
    assert "| low \\| metres | > 0 | 2 |" in text
    assert "| high | - | 6 |" in text


def test_a_page_that_is_not_there_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "none.md"
    told = CliRunner().invoke(app, ["bench", "ladder", "--write", str(page)])
    assert isinstance(told.exception, UsageError)
    assert told.exception.where == str(page)
    assert "advantage" not in told.output
