"""Scene tags: which are on, and that what is told is what is seen."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.scenes import FEATURES, LEAST_PRECISION, OFF, Model, Rule, Scenes, Tag, features

U8 = npt.NDArray[np.uint8]


def letter() -> U8:
    """A page with lines of writing, which no draughtsman of the training drew."""
    sheet = np.full((900, 640, 3), 248, np.uint8)
    for row in range(70, 850, 26):
        text = "the river rose again over night and the lower road is closed"
        cv2.putText(sheet, text, (40, row), cv2.FONT_HERSHEY_DUPLEX, 0.52, (20, 20, 20), 1, cv2.LINE_AA)
    return sheet


def hills() -> U8:
    rng = np.random.default_rng(3)
    coarse = rng.integers(40, 200, (5, 7, 3)).astype(np.uint8)
    soft = cv2.resize(coarse, (800, 600), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.asarray(np.clip(soft + rng.normal(0, 9, soft.shape), 0, 255), np.uint8)


def test_what_could_not_be_measured_is_off() -> None:
    assert {Tag.FLOOD_WATER, Tag.FIRE, Tag.SMOKE, Tag.DAMAGE, Tag.CROWD} == OFF
    assert not OFF & set(Scenes().on())


def test_tags_that_are_on_were_right_four_times_in_five_or_more() -> None:
    assert Scenes().on()
    assert all(precision >= LEAST_PRECISION for precision in Scenes().on().values())


def test_a_tag_under_the_least_precision_is_not_told_and_none_that_is_off_can_be_put_on() -> None:
    def certain(precision: float) -> Rule:
        return Rule((0.0,) * FEATURES, 9.0, 0.5, precision)

    rules = {"map": certain(0.79), "screenshot": certain(0.8), "crowd": certain(0.99)}
    scenes = Scenes(Model((0.0,) * FEATURES, (1.0,) * FEATURES, rules))
    assert [told.tag for told in scenes.tags(hills())] == [Tag.SCREENSHOT]


def test_a_page_is_a_document_and_hills_are_nothing() -> None:
    assert Tag.DOCUMENT in {told.tag for told in Scenes().tags(letter())}
    assert Scenes().tags(hills()) == []


def test_features_are_numbers_for_any_picture() -> None:
    for picture in (np.zeros((40, 40, 3), np.uint8), np.full((33, 900, 3), 255, np.uint8), letter()):
        values = features(picture)
        assert values.shape == (FEATURES,)
        assert np.isfinite(values).all()
    assert Scenes().tags(np.zeros((8, 8, 3), np.uint8)) == []
