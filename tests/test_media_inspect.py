"""`groundswell media inspect`: what is told of files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from groundswell.cli import app
from groundswell.errors import GroundswellError, UsageError
from tests.media_files import packed, picture, video


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    contents = {"a.png": packed(picture(), "PNG"), "b.mp4": video([2, 2]), "c.jpg": b"%PDF-1.7"}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in contents]


def test_files_are_told_one_a_line(files: list[Path]) -> None:
    told = CliRunner().invoke(app, ["media", "inspect", "--json", *map(str, files)])
    assert told.exit_code == 0, told.output
    still, film, other = (json.loads(line) for line in told.stdout.splitlines() if line.startswith("{"))
    assert (still["format"], still["drop"], len(still["frames"])) == ("png", None, 1)
    assert (still["frames"][0]["width"], still["frames"][0]["height"]) == (320, 240)
    assert len(still["frames"][0]["fingerprint"]["pdq"]) == 64
    assert [round(frame["offset_seconds"]) for frame in film["frames"]] == [0, 2]
    assert (other["format"], other["drop"], other["frames"]) == (None, "format_not_allowed", [])


def test_files_are_told_to_people(files: list[Path]) -> None:
    told = CliRunner().invoke(app, ["media", "inspect", *map(str, files)])
    assert "a.png  png" in told.stdout
    assert "c.jpg  unknown format  not read: format_not_allowed" in told.stdout


def test_what_is_no_picture_is_never_shielded(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    for file in files[1:]:
        told = CliRunner().invoke(app, ["media", "inspect", str(file), "--shielded", str(out)])
        assert isinstance(told.exception, GroundswellError)
        assert not out.exists()
    both = CliRunner().invoke(app, ["media", "inspect", *map(str, files), "--shielded", str(out)])
    assert isinstance(both.exception, UsageError)
    missing = CliRunner().invoke(app, ["media", "inspect", str(tmp_path / "none.png")])
    assert isinstance(missing.exception, UsageError)


def test_readable_languages_are_listed_with_their_reader() -> None:
    answer = CliRunner().invoke(app, ["media", "languages", "--json"])
    assert answer.exit_code == 0
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    readers = {row["code"]: row["reader"] for row in rows}
    assert readers["eng_Latn"] == readers["zho_Hans"] == readers["jpn_Jpan"] == "pp-ocr"
    assert len(readers) >= 50
