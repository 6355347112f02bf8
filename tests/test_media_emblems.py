"""Emblems: what several pictures agree on, what a picture must be, and that plain marks are found."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from groundswell.errors import UsageError
from groundswell.media.embedder import SIZE, Embedder, over
from groundswell.media.emblems import EmblemHit, Emblems, agreed
from groundswell.media.gallery import STARTER, Category, Gallery
from groundswell.media.gallery_index import INDEX, drawn
from groundswell.media.proposals import overlap
from groundswell.media.resemblance import explained, lay
from groundswell.media.sift import Details

U8 = npt.NDArray[np.uint8]

FEW = (
    "red_cross",
    "red_crescent",
    "radiation",
    "ghs02",
    "ghs06",
    "flag_fr",
    "flag_it",
    "flag_de",
    "flag_us",
    "flag_br",
)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    loaded = Gallery.load(STARTER)
    return Gallery(tuple(loaded[key] for key in FEW))


@pytest.fixture(scope="module")
def emblems(gallery: Gallery) -> Emblems:
    return Emblems(gallery)


def street(seed: int = 1) -> U8:
    """Something to hang a mark on: soft blotches, a horizon, grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 190, (6, 8, 3)).astype(np.uint8)
    out = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    out[300:] *= 0.7
    return np.asarray(np.clip(out + rng.normal(0, 4, out.shape), 0, 255), np.uint8)


def hung(art: U8, side_px: int = 220, left: int = 240, top: int = 120, plate: bool = False) -> U8:
    """The artwork on the street, on a white plate or on nothing."""
    picture = street()
    small = cv2.resize(art, (side_px, side_px), interpolation=cv2.INTER_AREA)
    room = picture[top : top + side_px, left : left + side_px]
    if plate:
        room[:] = 245
    alpha = small[..., 3:] / 255
    room[:] = (room * (1 - alpha) + small[..., :3] * alpha).astype(np.uint8)
    return picture


def hit(name: str = "Red Crescent", score: float = 0.9) -> EmblemHit:
    return EmblemHit(name, Category.HUMANITARIAN, (0, 0, 100, 100), score)


def test_one_picture_says_nothing_and_three_agree() -> None:
    assert agreed([[hit()]]) == []
    assert agreed([[hit()], [hit()], []]) == []
    (told,) = agreed([[hit(score=0.9)], [hit(score=0.8)], [], [hit(score=1.0)]])
    assert (told.name, told.pictures, told.score) == ("Red Crescent", 3, 0.9)


def test_two_hits_in_one_picture_count_once() -> None:
    assert agreed([[hit(), hit(), hit()], [hit()]]) == []


def test_fewer_than_three_pictures_cannot_be_asked_for() -> None:
    with pytest.raises(UsageError, match="ask for 3 pictures or more"):
        agreed([], least=2)


@pytest.mark.parametrize("shape", [(20, 20, 3), (40, 600, 3), (3000, 50, 3)])
def test_small_pictures_and_strips_have_nothing_told(emblems: Emblems, shape: tuple[int, ...]) -> None:
    assert emblems.find(np.zeros(shape, np.uint8)) == []


@pytest.mark.parametrize("picture", [np.zeros((90, 90), np.uint8), np.zeros((90, 90, 3), np.float32)])
def test_what_is_no_picture_is_refused(emblems: Emblems, picture: U8) -> None:
    with pytest.raises(UsageError, match="give RGB"):
        emblems.find(picture)


def test_a_street_without_emblems_has_none(emblems: Emblems) -> None:
    assert emblems.find(street(2)) == []
    assert emblems.find(np.full((400, 600, 3), 255, np.uint8)) == []


@pytest.mark.parametrize(
    ("key", "plate"),
    [
        ("flag_fr", False),
        ("flag_de", False),
        ("red_crescent", True),
        ("red_cross", True),
        ("radiation", False),
    ],
)
def test_plain_marks_are_found_where_they_hang(
    emblems: Emblems, gallery: Gallery, key: str, plate: bool
) -> None:
    art = gallery[key].art
    told = emblems.find(hung(art, plate=plate))
    assert told, key
    assert told[0].name == gallery[key].entry.name
    shown = cv2.boundingRect((art[..., 3] > 127).astype(np.uint8))
    left, top, width, height = (length * 220 / 192 for length in shown)
    where = np.array([240 + left, 120 + top, 240 + left + width, 120 + top + height], np.float32)
    assert overlap(np.array(told[0].box, np.float32), where) > 0.35


def test_an_empty_gallery_finds_nothing() -> None:
    assert Emblems(Gallery(())).find(street()) == []


def test_keypoints_find_a_rich_mark_that_is_turned(gallery: Gallery) -> None:
    details = Details([emblem.art for emblem in gallery.emblems])
    picture = hung(gallery["ghs06"].art)
    turn = cv2.getRotationMatrix2D((320, 240), 25, 1.0)
    turned = np.asarray(cv2.warpAffine(picture, turn, (640, 480)), np.uint8)
    found = {FEW[match.mark]: match.inliers for match in details.find(turned)}
    assert max(found, key=lambda key: found[key]) == "ghs06"


def test_a_drawing_explains_itself_and_no_other(gallery: Gallery) -> None:
    french, italian = (cv2.resize(gallery[key].art, (56, 56)) for key in ("flag_fr", "flag_it"))
    dim = (over(french, 90) * 0.6 + 20).astype(np.uint8)
    assert explained(dim, np.asarray(french, np.uint8)) > 0.9
    assert explained(dim, np.asarray(italian, np.uint8)) < 0.8


def test_a_box_that_is_a_little_off_is_laid_right(gallery: Gallery) -> None:
    art = gallery["radiation"].art
    box = np.array([256, 122, 466, 338], np.float32)
    assert lay(hung(art), box, art) > 0.8


def test_the_network_looks_at_a_whole_picture_in_steps_of_sixteen() -> None:
    seen = Embedder().look(np.zeros((1, 128, 96, 3), np.uint8))
    assert seen.embeddings.shape == (1, 5, 3, SIZE)
    assert seen.boxes.shape == (1, 5, 3, 4)
    np.testing.assert_allclose(np.linalg.norm(seen.embeddings, axis=-1), 1, atol=1e-3)


def test_what_is_worked_out_beforehand_is_of_the_starter_gallery_as_it_is() -> None:
    arts = [emblem.art for emblem in Gallery.load(STARTER).emblems]
    held = drawn(arts, Embedder())
    some = [3, 100, 285]
    anew = Embedder().drawings([arts[at] for at in some])
    assert np.allclose(held.marks[some], anew, atol=2e-3)
    assert held.marks.dtype == np.float32
    with np.load(INDEX) as file:
        assert len(file["owners"]) == len(held.keypoints.owners) > 5_000, "run scripts/build_gallery.py"
        assert np.array_equal(file["points"].astype(np.float32), held.keypoints.points)
