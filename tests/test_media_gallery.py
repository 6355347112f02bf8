"""A gallery of emblems: what loads, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from groundswell.errors import ConfigurationError
from groundswell.media.gallery import STARTER, Category, Gallery, artwork

GOOD = {
    "name": "River patrol",
    "organisation": "River patrol",
    "category": "emergency service",
    "picture": "patrol.png",
    "source": "drawn for this test",
    "licence": "CC0-1.0",
}


def gallery(folder: Path, text: str = "", **fields: str | None) -> Path:
    """A gallery of one entry, `GOOD` with other fields; None leaves one out."""
    picture = np.zeros((40, 60, 4), np.uint8)
    picture[5:35, 10:50] = (0, 0, 200, 255)
    cv2.imwrite(str(folder / "patrol.png"), picture)
    entry = {name: value for name, value in {**GOOD, **fields}.items() if value is not None}
    lines = [f'{name} = "{value}"' for name, value in entry.items()]
    (folder / "emblems.toml").write_text("\n".join(["[emblems.patrol]", *lines, text]), "utf-8")
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Gallery.load(folder)
    return str(caught.value).replace(str(folder), "GALLERY")


def test_a_gallery_is_a_file_and_its_pictures(tmp_path: Path) -> None:
    loaded = Gallery.load(gallery(tmp_path))
    assert [emblem.key for emblem in loaded.emblems] == ["patrol"]
    assert loaded["patrol"].entry.category is Category.EMERGENCY_SERVICE
    art = loaded["patrol"].art
    assert art.shape == (192, 192, 4)
    assert art[96, 96].tolist() == [200, 0, 0, 255]  # red: the file has blue first
    assert art[0, 0, 3] == 0


@pytest.mark.parametrize("category", ["faith", "movement", "political party", "person", "tattoo", "religion"])
def test_there_is_no_category_for_people_and_what_they_believe(tmp_path: Path, category: str) -> None:
    assert refusal(gallery(tmp_path, category=category)) == (
        f"GALLERY/emblems.toml [emblems.patrol]: `category` = '{category}' does not exist; "
        "faiths, movements, parties and people are not looked for: leave the entry out"
    )


def test_a_mistyped_category_is_told_what_was_meant(tmp_path: Path) -> None:
    assert refusal(gallery(tmp_path, category="polise")).endswith(
        "`category` = 'polise' does not exist; did you mean `police`?"
    )


def test_unknown_and_missing_fields_are_named(tmp_path: Path) -> None:
    assert refusal(gallery(tmp_path, 'license = "MIT"')).endswith(
        "unknown key `license`; did you mean `licence`?"
    )
    assert "`source` is missing" in refusal(gallery(tmp_path, source=None))
    assert "`licence` = '' is not usable" in refusal(gallery(tmp_path, licence=""))


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ("../patrol.png", "give the bare name of a PNG in the folder"),
        ("patrol.svg", "give the bare name of a PNG in the folder"),
        ("none.png", "put the picture beside `emblems.toml`"),
        ("text.png", "a PNG of 16 to 2048 pixels"),
        ("bomb.png", "a PNG of 16 to 2048 pixels"),
        ("empty.png", "shows nothing"),
    ],
)
def test_pictures_that_cannot_be_used_are_refused(tmp_path: Path, picture: str, said: str) -> None:
    gallery(tmp_path, picture=picture)
    (tmp_path / "text.png").write_text("no picture")
    bomb = cv2.imencode(".png", np.zeros((20, 20), np.uint8))[1].tobytes()
    (tmp_path / "bomb.png").write_bytes(bomb[:16] + (60_000).to_bytes(4, "big") * 2 + bomb[24:])
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros((40, 40, 4), np.uint8))
    assert said in refusal(tmp_path)


def test_broken_files_are_told_apart(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path)
    (tmp_path / "emblems.toml").write_text("[emblems", "utf-8")
    assert "not TOML" in refusal(tmp_path)
    (tmp_path / "emblems.toml").write_text("[faces]\n", "utf-8")
    assert "unknown table `[faces]`" in refusal(tmp_path)
    (tmp_path / "emblems.toml").write_text("emblems = 3\n", "utf-8")
    assert "write one table each" in refusal(tmp_path)


def test_the_starter_gallery_loads_and_is_small() -> None:
    loaded = Gallery.load(STARTER)
    assert len(loaded) > 250
    assert {"red_cross", "red_crescent", "red_crystal", "radiation", "ghs02", "flag_fr"} <= {
        emblem.key for emblem in loaded.emblems
    }
    assert sum(path.stat().st_size for path in STARTER.iterdir()) < 1_500_000
    assert all(emblem.entry.licence and emblem.entry.source for emblem in loaded.emblems)


def test_a_thin_line_is_no_artwork() -> None:
    line = np.zeros((100, 100, 4), np.uint8)
    line[50:53] = 255
    assert artwork(line, 192) is None
