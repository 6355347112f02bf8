"""`python -m bench.events assign`: each line of a recording has its row, and its chain where there is one."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from bench import _observed
from bench._clustering import agreement
from bench._observed import Observed, _lines, _Votes, observe, row_keys
from bench.events import assign

from groundswell.errors import UsageError
from groundswell.gate import SpeakerKeys
from groundswell.release import Marks, PublishKey
from groundswell.simulator import World
from tests.line_worlds import LOW_FLOOR, Published, batches, lexica, line_of, quiet_world

POST = b'{"id":"%d","created_at":"2026-05-01T00:00:0%dZ","account":"a","text":"rain"}\n'


def table(path: Path) -> list[str]:
    header, *lines = path.read_text().splitlines()
    assert header == "row\tchain"
    assert [int(line.split("\t")[0]) for line in lines] == list(range(len(lines)))
    return [line.split("\t")[1] for line in lines]


@pytest.mark.parametrize(
    ("form", "suffix"), [pytest.param("jetstream", ".gz", marks=pytest.mark.slow), ("plain", ".zst")]
)
def test_rows_fall_in_the_chain_of_what_was_planted(
    form: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_observed, "LineSettings", lambda: LOW_FLOOR)
    world = World(quiet_world(3.0))
    path, out = tmp_path / f"world.jsonl{suffix}", tmp_path / "rows.tsv"
    lines = world.write(path, form)  # type: ignore[arg-type]
    assert assign(path, out)[0] == lines
    chains = table(out)
    assert len(chains) == lines
    labels = Counter(
        (chain, _label(world, form, line))
        for chain, line in zip(chains, world.lines(form), strict=True)  # type: ignore[arg-type]
        if chain
    )
    events = {planted.id for planted in world.truth if planted.id.startswith("event")}
    in_events = sum(count for (_, label), count in labels.items() if label in events)
    assert in_events > 100
    assert in_events >= 0.8 * labels.total()
    for event in events:  # one chain holds nearly all that was assigned of an event
        found = [count for (_, label), count in labels.items() if label == event]
        assert not found or max(found) >= 0.8 * sum(found)


def _label(world: World, form: str, line: bytes) -> str | None:
    message = msgspec.json.decode(line)
    post_id = message["id"] if form == "plain" else message.get("commit", {}).get("rkey", "")
    return world.label(post_id)


def test_every_line_counts_as_a_row_and_versions_of_a_post_are_one(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(POST % (1, 1) + b"\n{broken\n" + POST % (2, 2) + POST % (1, 3) + POST.strip() % (3, 4))
    keys = row_keys(_lines(path), SpeakerKeys())
    assert len(keys) == 6
    assert keys[1] == keys[2] == 0
    assert keys[0] == keys[4] != keys[3]
    assert len(set(keys.tolist())) == 4


def test_whoever_watches_changes_nothing() -> None:
    lines = list(World(quiet_world(2.0)).lines("plain"))
    watched = observe(batches(lines), lexica(), settings=LOW_FLOOR, secret=7)
    alone = Published()
    line = line_of(key=PublishKey((7).to_bytes(32, "big")), marks=Marks(replayed=True), published=alone)
    for _ in line.run(batches(lines)):
        pass
    line.finish()
    line.close()
    assert watched.revisions
    assert watched.revisions == alone.records
    assert set(watched.latest) == set(watched.proposals) == set(watched.first_published_us)
    assert len(watched.keys) > 20


def test_a_post_belongs_where_it_was_counted_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_observed, "_COMPACT", 3)
    votes = _Votes()
    for chain, keys in (("a", [1, 2]), ("b", [2, 3]), ("b", [2, 1]), ("withheld", [4]), ("withheld", [3])):
        votes.add(chain, np.array(keys, np.uint64))
    seen = Observed([], {}, *votes.winners({"a", "b"}), votes.crowds())
    assert seen.chain_of(np.array([1, 2, 3, 4, 5], np.uint64)) == ["a", "b", "b", "", ""]
    assert {chain: keys.tolist() for chain, (keys, _) in seen.crowds.items()} == {
        "a": [1, 2],
        "b": [1, 2, 3],
        "withheld": [3, 4],
    }
    assert seen.crowds["b"][1].tolist() == [1, 2, 1]
    assert Observed([], {}, *_Votes().winners(set()), {}).chain_of(np.array([1], np.uint64)) == [""]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        assign(tmp_path / "none.jsonl", tmp_path / "out.tsv")
    command = [sys.executable, "-m", "bench.events", "assign", str(tmp_path / "none"), "--out", "out.tsv"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "no such file" in told.stderr


@pytest.mark.parametrize(
    ("clusters", "ami", "precision", "recall"),
    [
        (list("xxxyyy"), 0.29879, 5 / 9, 5 / 6),  # AMI as scikit-learn 1.9 has it
        (list("xxyyzz"), 1.0, 1.0, 1.0),
        (list("xxxxxx"), 0.0, 1 / 3, 1.0),
        (["x", "", "y", "", "z", ""], 0.0, 1.0, 1 / 2),
    ],
)
def test_agreement(clusters: list[str], ami: float, precision: float, recall: float) -> None:
    found = agreement(list("aabbcc"), clusters)
    assert found.ami == pytest.approx(ami, abs=1e-5)
    assert found.b3_precision == pytest.approx(precision)
    assert found.b3_recall == pytest.approx(recall)
