"""The publishing key: one a machine, handed on to its data folders, readable by its owner alone."""

from __future__ import annotations

import stat
import sys
from collections import Counter
from pathlib import Path

import pytest

from groundswell.errors import ConfigurationError
from groundswell.release import PublishKey


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def draws(key: PublishKey) -> list[int]:
    return [key.draw("series", rung, 1_000_000) for rung in (20, 50, 100)]


def test_a_folder_keeps_its_key(tmp_path: Path) -> None:
    assert draws(PublishKey.open(tmp_path / "data")) == draws(PublishKey.open(tmp_path / "data"))


def test_all_folders_of_a_machine_share_its_key(tmp_path: Path) -> None:
    assert draws(PublishKey.open(tmp_path / "one")) == draws(PublishKey.open(tmp_path / "two"))


def test_publishing_without_a_folder_uses_the_machine_s_key(tmp_path: Path) -> None:
    assert draws(PublishKey.of_machine()) == draws(PublishKey.open(tmp_path / "one"))


def test_another_machine_has_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = draws(PublishKey.open(tmp_path / "one"))
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "elsewhere"))
    assert draws(PublishKey.open(tmp_path / "two")) != one


def test_where_the_machine_has_no_place_for_one_the_folder_gets_its_own(tmp_path: Path, home: Path) -> None:
    home.write_text("a file where the folder should be")
    key = PublishKey.open(tmp_path / "data")
    assert draws(key) == draws(PublishKey.open(tmp_path / "data"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_its_owner_reads_it(tmp_path: Path, home: Path) -> None:
    PublishKey.open(tmp_path / "data")
    for keys in (tmp_path / "data" / "keys", home / "keys"):
        assert stat.S_IMODE(keys.stat().st_mode) == 0o700
        assert [path.name for path in keys.iterdir()] == ["publish.key"]
        assert stat.S_IMODE((keys / "publish.key").stat().st_mode) == 0o600


def test_a_damaged_key_stops_with_the_file_and_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys" / "publish.key"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match=r"publish\.key: holds 5 bytes.*put the key back"):
        PublishKey.open(tmp_path / "data")


def test_the_key_does_not_show_itself() -> None:
    assert "00" not in repr(PublishKey(bytes(32)))


def test_draws_are_uniform_and_no_two_inputs_collide() -> None:
    key = PublishKey(b"k" * 32)
    drawn = Counter(key.draw(f"series-{i}", 20, 20) for i in range(20_000))
    assert set(drawn) == set(range(20))
    assert all(850 <= count <= 1150 for count in drawn.values())
    assert key.draw("a", 20, 2**60) != key.draw("a\x00", 20, 2**60) != key.draw("a", 21, 2**60)
