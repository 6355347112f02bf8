"""Words in pictures: found, read in their script, dropped where nobody is sure; what is absent is told."""

from __future__ import annotations

import unicodedata

import cv2
import numpy as np
import pytest

from groundswell.errors import UsageError
from groundswell.media import languages as known
from groundswell.media import tesseract
from groundswell.media.lines import rapidocr_file, strip
from groundswell.media.ocr import MOST_LETTERS, MOST_READ, Line, Reader, clean
from groundswell.media.scripts import ScriptTeller, script_of

INSTALLED = tesseract.installed()


@pytest.fixture(scope="module")
def reader() -> Reader:
    if rapidocr_file(known.DETECTOR) is None:
        pytest.skip("the package `rapidocr` is not installed")
    return Reader()


def written(*lines: str, width: int = 640) -> np.ndarray:
    """Lines of ASCII, dark on a light ground, 60 pixels apart."""
    sheet = np.full((60 * len(lines) + 40, width, 3), (225, 230, 220), np.uint8)
    for at, line in enumerate(lines):
        cv2.putText(
            sheet, line, (30, 60 + 60 * at), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (30, 20, 40), 2, cv2.LINE_AA
        )
    return sheet


def rendered(script: str, language: str, count: int) -> list[tuple[np.ndarray, str, tuple[float, float]]]:
    """Lines on photographs, as `bench media_ocr` measures them; skips where fonts or data are absent."""
    media_ocr = pytest.importorskip("bench.media_ocr")
    rng = np.random.default_rng(1)
    try:
        samples = [media_ocr.sample(script, language, rng) for _ in range(count)]
    except UsageError as error:
        pytest.skip(str(error))
    return [(each.picture, each.text, each.centre) for each in samples]


def test_lines_are_read_from_top_to_bottom_with_their_boxes(reader: Reader) -> None:
    lines = reader.read(written("Flood warning for Porto", "Bridge closed since 19:45"))
    assert [line.text for line in lines] == ["Flood warning for Porto", "Bridge closed since 19:45"]
    for at, line in enumerate(lines):
        assert line.script == "Latn"
        assert line.confidence > 0.8
        top, bottom = (at * 60 + 20, at * 60 + 85)
        assert all(top <= y <= bottom and 10 <= x <= 560 for x, y in line.box)


def test_a_picture_without_text_has_no_lines(reader: Reader) -> None:
    assert reader.read(np.full((200, 300, 3), 128, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (33, 31), (40, 3000)])
def test_any_shape_is_read_without_harm(reader: Reader, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    for line in reader.read(noise):
        assert len(line.text) <= MOST_LETTERS
        assert line.text or (line.script, line.confidence) == (None, 0.0)


def test_only_so_many_lines_are_read_and_the_rest_keep_their_boxes(reader: Reader) -> None:
    words = [" ".join(f"no{row}{column}" for column in range(6)) for row in range(MOST_READ // 4)]
    sheet = written(*[line.replace(" ", "      ") for line in words], width=1400)
    lines = reader.read(sheet)
    assert len(lines) > MOST_READ
    assert sum(bool(line.text) for line in lines) <= MOST_READ


def test_without_tesseract_the_rest_is_read_and_what_is_not_is_named() -> None:
    if rapidocr_file(known.RECOGNISER) is None:
        pytest.skip("the package `rapidocr` is not installed")
    told = known.missing(models={})
    assert told is not None
    assert all(script in told for script in ("Arab", "Deva", "Hang", "Viet", "make ocr-languages"))
    assert "\n" not in told
    readable = {each.code: each.reader for each in known.languages(models={})}
    assert {"eng_Latn", "jpn_Jpan", "zho_Hant"} <= set(readable)
    assert set(readable.values()) == {"pp-ocr"}
    assert [line.text for line in Reader(models={}).read(written("Flood in Porto"))] == ["Flood in Porto"]


def test_over_a_hundred_languages_can_be_read_with_all_models() -> None:
    if len(INSTALLED) < 100:
        pytest.skip("Tesseract's models are not all installed: `make ocr-languages`")
    found = known.languages()
    assert len({each.code for each in found}) >= 100
    assert {each.code for each in found} == {row.code for row in known._table()}
    assert known.missing() is None


@pytest.mark.parametrize(
    ("script", "language"),
    [
        ("Cyrl", "ukr_Cyrl"),
        ("Grek", "ell_Grek"),
        ("Geor", "kat_Geor"),
        ("Hang", "kor_Hang"),
        ("Taml", "tam_Taml"),
    ],
)
def test_other_scripts_are_read_by_tesseract(reader: Reader, script: str, language: str) -> None:
    if tesseract.MODELS[script] not in INSTALLED:
        pytest.skip(f"Tesseract's model of {script} is not installed: `make ocr-languages`")
    samples = rendered(script, language, 3)
    told = [line for picture, _, _ in samples for line in reader.read(picture, [language]) if line.text]
    assert sum(line.script == script and line.language == language for line in told) >= 2


def test_the_script_is_told_from_shapes() -> None:
    teller, right = ScriptTeller(), []
    for script, language in (
        ("Latn", "eng_Latn"),
        ("Hani", "zho_Hans"),
        ("Thai", "tha_Thai"),
        ("Ethi", "amh_Ethi"),
    ):
        for picture, text, (x, y) in rendered(script, language, 3):
            half = 6.0 * len(text)
            box = np.array(
                [[x - half, y - 22], [x + half, y - 22], [x + half, y + 22], [x - half, y + 22]], np.float32
            )
            chances = teller.tell(strip(picture, box, 32))
            assert chances.sum() == pytest.approx(1, abs=1e-3)
            right.append(teller.scripts[int(chances.argmax())] == script)
    assert sum(right) >= 9


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Überschwemmung", "Latn"),
        ("наводнение 2026", "Cyrl"),
        ("東京 sky", "Latn"),
        ("東京タワー", "Jpan"),
        ("洪水警报", "Hani"),
        ("19:45 – 12 %", "Zyyy"),
        ("", "Zyyy"),
        ("সতর্কতা", "Beng"),
        ("ọmọ ẹ̀kọ́", "Latn"),
    ],
)
def test_the_script_of_what_was_read(text: str, script: str) -> None:
    assert script_of(text) == script


def test_hints_come_in_any_form_and_unknown_ones_say_nothing() -> None:
    assert known.hinted(["el", "rus_Cyrl", "zh-Hant", "tlh", "", "_", "sr-Latn"]) == [
        ("ell_Grek", "Grek"),
        ("rus_Cyrl", "Cyrl"),
        ("zho_Hant", "Hani"),
        ("srp_Latn", "Latn"),
    ]


def test_a_line_gets_a_language_only_where_something_gives_it_away() -> None:
    hints = known.hinted(["uk"])
    assert known.language_of("Cyrl", hints) == "ukr_Cyrl"
    assert known.language_of("Cyrl", []) is None
    assert known.language_of("Latn", hints) is None
    assert known.language_of("Geor", []) == "kat_Geor"


@pytest.mark.parametrize(
    ("raw", "reader_name", "kept"),
    [
        ("e\u0301t\u00e9\n\u0007 2026 ", "pp-ocr", "été 2026"),
        ("น้ำ ท่ ว ม", "Thai", unicodedata.normalize("NFC", "น้ำท่วม")),
        ("홍수 경보", "Hang", "홍수 경보"),
        ("a" * 2_000, "pp-ocr", "a" * MOST_LETTERS),
    ],
)
def test_what_was_read_is_one_plain_line(raw: str, reader_name: str, kept: str) -> None:
    assert clean(raw, reader_name) == kept


def test_a_line_has_nothing_that_names_anybody() -> None:
    assert set(Line.__dataclass_fields__) == {"text", "script", "language", "confidence", "box"}
