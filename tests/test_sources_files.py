"""Recorded posts in files: packed, torn, swollen, many at once."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from groundswell import logs
from groundswell.batches import RAW
from groundswell.clock import HOUR_US, SECOND_US
from groundswell.drops import SourceDrop
from groundswell.errors import UsageError
from groundswell.sources import Files, FilesSettings, Lines
from groundswell.sources.lines import _BLOCK_BYTES, BATCH_ROWS, blocks, stretches
from groundswell.sources.wire import MESSAGE_BYTES
from tests.jetstream_messages import START_US, commit, stream, wire


def lines_of(numbers: range, step_us: int = SECOND_US) -> bytes:
    """One post for each number, at that many steps from the start."""
    return b"\n".join(wire([commit(number, START_US + number * step_us) for number in numbers])) + b"\n"


def files_of(*paths: Path, **options: Any) -> Files:
    return Files(FilesSettings(paths=tuple(str(path) for path in paths)), **options)


def rows_of(source: Files | Lines, since_us: int | None = None) -> list[dict[str, Any]]:
    table = pa.Table.from_batches(source.read(since_us, Event()), RAW)
    times = table.column("time_us").to_pylist()
    assert times == sorted(times)
    assert source.tally.balanced
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress], ids=["plain", "gzip", "zstd"]
)
@pytest.mark.parametrize("name", ["posts.jsonl", "posts.gz", "posts"])
def test_the_content_says_how_it_is_packed(tmp_path: Path, pack: Any, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pack(lines_of(range(1000))))
    assert len(rows_of(files_of(path))) == 1000


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"])
def test_archives_of_several_members(tmp_path: Path, pack: Any) -> None:
    path = tmp_path / "posts"
    path.write_bytes(pack(lines_of(range(500))) + pack(lines_of(range(500, 900))))
    assert len(rows_of(files_of(path))) == 900


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("damage", ["cut off", "overwritten"])
def test_a_damaged_archive_gives_what_comes_before(
    tmp_path: Path, pack: Any, damage: str, capsys: Any
) -> None:
    logs.configure()
    packed = pack(lines_of(range(20_000)))
    half = len(packed) // 2
    path = tmp_path / "posts"
    path.write_bytes(packed[:half] + (b"" if damage == "cut off" else random.Random(1).randbytes(half)))
    source = files_of(path)
    rows = rows_of(source)
    assert 1000 < len(rows) < 20_000
    assert set(source.tally.dropped) <= {
        SourceDrop.MALFORMED_JSON,
        SourceDrop.BAD_ENCODING,
        SourceDrop.WRONG_TYPE,
    }
    assert "archive is" in capsys.readouterr().err


def test_other_files_go_on_when_one_is_damaged(tmp_path: Path) -> None:
    torn, whole = tmp_path / "torn.gz", tmp_path / "whole"
    packed = gzip.compress(lines_of(range(1000)))
    torn.write_bytes(packed[: len(packed) // 3])
    whole.write_bytes(lines_of(range(1000, 1500)))
    uris = {row["uri"][-4:] for row in rows_of(files_of(torn, whole))}
    assert {f"{number}" for number in range(1000, 1500)} <= uris


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(bytes(200 << 20)), zstandard.ZstdCompressor().compress(bytes(200 << 20))],
    ids=["gzip", "zstd"],
)
def test_a_bomb_is_one_oversize_line(tmp_path: Path, packed: bytes) -> None:
    """200 MiB of nothing on one line need no 200 MiB."""
    path = tmp_path / "bomb"
    path.write_bytes(packed)
    source = files_of(path)
    tracemalloc.start()
    assert rows_of(source) == []
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert source.tally.dropped == {SourceDrop.OVERSIZE: 1}
    assert peak_bytes < 100 << 20


def split(chunks: Iterable[bytes], limit: int = MESSAGE_BYTES) -> list[bytes]:
    return [
        block[start:end]
        for block in blocks(chunks, limit)
        for start, end in zip(*stretches(block), strict=True)
    ]


def test_a_line_that_never_ends_ends_its_file() -> None:
    chunks = iter(lambda: bytes(1 << 20), None)  # endless
    assert [len(line) for line in split(chunks)] == [MESSAGE_BYTES + 1]


def test_lines_are_cut_wherever_the_chunks_are() -> None:
    content = b"\xef\xbb\xbfone\ntwo\r\n\n" + b"x" * 30 + b"\nlast"
    for size in (3, 4, 7):
        chunks = [content[place : place + size] for place in range(0, len(content), size)]
        lines = split(chunks, limit=10)
        assert [line[:11] for line in lines] == [b"one", b"two\r", b"x" * 11, b"last"]


def test_a_long_line_is_cut_where_its_block_ends() -> None:
    block = _BLOCK_BYTES
    chunks = [b"a\n" + b"x" * (block - 2), b"x" * block, b"x" * block, b"x\nlast"]
    assert [len(line) for line in split(chunks, limit=1000)] == [1, 1001, 4]


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b" ", b"\t\n\n", b"xxxxx"]), max_size=60),
    st.data(),
)
def test_lines_are_the_content_split_at_newlines(parts: list[bytes], data: st.DataObject) -> None:
    content = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    chunks = [content[begin:end] for begin, end in pairwise([0, *cuts, len(content)])]
    lines = [line for line in content.split(b"\n") if len(line) > 2 or line.strip()]
    assert split(chunks) == lines


def test_blank_lines_are_no_messages(tmp_path: Path) -> None:
    path = tmp_path / "posts"
    path.write_bytes(b"\n\r\n \n" + lines_of(range(3)) + b"\n\n")
    source = files_of(path)
    assert len(rows_of(source)) == 3
    assert source.tally.messages == 3


def test_many_files_interleave_by_stream_time(tmp_path: Path) -> None:
    """Five files over the same hours, one after them, one empty and one of garbage."""
    rng = random.Random(3)
    files = [tmp_path / f"part{number}" for number in range(8)]
    numbers = rng.sample(range(10_000), 10_000)
    for part in range(5):
        mine = sorted(numbers[part * 2000 : (part + 1) * 2000])
        files[part].write_bytes(b"\n".join(wire([commit(n, START_US + n * SECOND_US) for n in mine])))
    files[5].write_bytes(lines_of(range(10_000, 12_000)))
    files[6].write_bytes(b"")
    files[7].write_bytes(b"garbage\n" * 7)
    source = files_of(*reversed(files))
    rows = rows_of(source)
    assert [row["uri"][-5:] for row in rows] == [f"{number:05d}" for number in range(12_000)]
    assert source.tally.dropped == {SourceDrop.MALFORMED_JSON: 7}


def test_the_order_of_the_paths_changes_nothing_but_ties(tmp_path: Path) -> None:
    paths = []
    for seed in range(3):
        paths.append(tmp_path / str(seed))
        paths[-1].write_bytes(b"\n".join(wire(stream(3000, seed))))
    forward, backward = (rows_of(files_of(*order)) for order in (paths, paths[::-1]))
    assert sorted(forward, key=str) == sorted(backward, key=str)


def test_equal_times_keep_the_order_of_the_paths(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for number, path in enumerate(paths):
        path.write_bytes(
            b"\n".join(wire([commit(n, START_US + n // 500, account=number) for n in range(2000)]))
        )
    order = [(row["time_us"], row["account"]) for row in rows_of(files_of(*paths))]
    assert order == sorted(order)


def test_hundreds_of_files_that_follow_each_other_are_opened_in_turn(tmp_path: Path) -> None:
    paths = []
    for hour in range(300):
        paths.append(tmp_path / f"{hour:03d}.gz")
        paths[-1].write_bytes(gzip.compress(lines_of(range(hour * 10, hour * 10 + 10))))
    assert len(rows_of(files_of(*paths))) == 3000


def test_since_skips_what_was_handed_on_before(tmp_path: Path) -> None:
    path = tmp_path / "posts"
    path.write_bytes(b"\n".join(wire(stream(2000))))
    whole = rows_of(files_of(path))
    since_us = whole[700]["time_us"]
    source = files_of(path)
    assert rows_of(source, since_us) == [row for row in whole if row["time_us"] >= since_us]
    assert source.tally.dropped[SourceDrop.LATE] >= 700


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    first, second = tmp_path / "a.gz", tmp_path / "b"
    first.write_bytes(gzip.compress(lines_of(range(5000))))
    second.write_bytes(lines_of(range(5000)))
    steps: list[tuple[int, int]] = []
    rows_of(files_of(first, second, progress=lambda done, total: steps.append((done, total))))
    size = first.stat().st_size + second.stat().st_size
    assert {total for _, total in steps} == {size}
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1] == (size, size)


def test_stop_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "posts"
    path.write_bytes(lines_of(range(30_000), step_us=1000))
    stop = Event()
    batches = files_of(path).read(None, stop)
    assert next(batches).num_rows == BATCH_ROWS
    stop.set()
    assert list(batches) == []


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file; give the path of a file of JSON lines"):
        files_of(tmp_path / "posts")
    with pytest.raises(UsageError, match="is a folder; name the files in it"):
        files_of(tmp_path)
    with pytest.raises(UsageError, match="no file given"):
        files_of()


def test_both_forms_may_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "posts"
    plain = {"id": "p1", "created_at": "2026-05-01T00:00:02Z", "account": "a1", "text": "rain", "event": "no"}
    path.write_bytes(lines_of(range(2)) + json.dumps(plain).encode())
    assert [(row["source"], row["text"][:4]) for row in rows_of(files_of(path))] == [
        ("bluesky", "rain"),
        ("bluesky", "rain"),
        ("files", "rain"),
    ]


def test_lines_made_by_something_else() -> None:
    content = lines_of(range(100))
    source = Lines("simulated", lambda since_us: [content], batch_rows=30)
    assert [batch.num_rows for batch in source.read(None, Event())] == [30, 30, 30, 10]
    assert len(rows_of(Lines("simulated", lambda since_us: [content]), START_US + 50 * SECOND_US)) == 50


def test_lines_are_told_where_to_begin() -> None:
    asked: list[int | None] = []

    def chunks(since_us: int | None) -> list[bytes]:
        asked.append(since_us)
        return []

    Lines("simulated", chunks).read(START_US + HOUR_US, Event())
    assert asked == [START_US + HOUR_US]
