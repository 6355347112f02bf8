"""Words in pictures: letters read wrongly and scripts told rightly, on lines rendered on photographs.

Typefaces, sentences and photographs are those of the measuring part of `bench/_rendered.py`, which the script
classifier has not seen; the script is found by the program, with no hint. A line that the finder misses, or
whose text is dropped, counts as read wholly wrong. CER is edits over the truth's letters, at most 1; a
language's CER is the mean over its lines, spaces left out in the scripts that have none between words.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import cv2
import numpy as np
from bench import _rendered
from bench._data import data_file, progress, row

from groundswell.media.languages import languages
from groundswell.media.ocr import Line, Reader
from groundswell.media.scripts import script_of

__all__ = ["measure"]

LINES = 4
READ = {
    **{script: codes[:1] for script, codes in _rendered.LANGUAGES.items()},
    "Latn": ("eng_Latn", "fra_Latn", "tur_Latn", "pol_Latn", "swh_Latn"),
    "Cyrl": ("rus_Cyrl", "ukr_Cyrl", "kaz_Cyrl"),
    "Arab": ("arb_Arab", "pes_Arab", "urd_Arab"),
    "Deva": ("hin_Deva", "npi_Deva"),
    "Beng": ("ben_Beng", "asm_Beng"),
    "Ethi": ("amh_Ethi",),
    "Hani": ("zho_Hans", "zho_Hant"),
}
"""Languages measured, by script; those without a reader anywhere are left out of the figures of reading."""
_NOBODY = {"Nkoo", "Olck", "Tfng"}
_WITHOUT_SPACES = {"Thai", "Laoo", "Khmr", "Mymr", "Jpan", "Hani", "Tibt"}


@dataclass(frozen=True)
class Sample:
    """A photograph with one line on it."""

    picture: np.ndarray
    text: str
    centre: tuple[float, float]


def sample(script: str, language: str, rng: np.random.Generator, part: _rendered.Part = "test") -> Sample:
    """A line of 8 to 40 letters, 22 to 44 pixels in size, somewhat crooked, on a photograph 800 pixels
    wide."""
    photographs = _rendered.photographs(part)
    texts, faces = _rendered.sentences(language, part), _rendered.typefaces(script, language, part)
    while True:
        text = _rendered.line_of(texts[int(rng.integers(len(texts)))], script, rng, (8, 40))
        face = faces[int(rng.integers(len(faces)))]
        text, full = face.has(text), len(text)
        if len(text) < max(4, 0.9 * full) or script_of(text) not in (script, *_SAME.get(script, ())):
            continue
        ink = _rendered.mask_of(text, face, int(rng.integers(22, 45)))
        if ink.shape[0] >= 12 and ink.shape[1] <= 720:
            break
    return Sample(*place(photographs[int(rng.integers(len(photographs)))], ink, text, rng))


_SAME = {"Viet": ("Latn",), "Jpan": ("Hani",)}


def place(
    photograph: np.ndarray, ink: np.ndarray, text: str, rng: np.random.Generator
) -> tuple[np.ndarray, str, tuple[float, float]]:
    """The ink on the photograph, turned by a few degrees; the picture worn like a platform's."""
    high = round(photograph.shape[0] * 800 / photograph.shape[1])
    ground = cv2.resize(photograph, (800, high), interpolation=cv2.INTER_AREA).astype(np.float32)
    rows, columns = ink.shape
    x = float(rng.uniform(columns / 2 + 20, 780 - columns / 2))
    y = float(rng.uniform(rows / 2 + 45, high - 45 - rows / 2))
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    angle = np.deg2rad(float(rng.uniform(-3, 3)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    there = (corners - (columns / 2, rows / 2)) @ turn.T + (x, y) + rng.normal(0, 0.03 * rows, (4, 2))
    over = cv2.getPerspectiveTransform(corners, there.astype(np.float32))
    sheet = cv2.warpPerspective(ink, over, (800, high))
    top, bottom = int(max(there[:, 1].min() - 12, 0)), int(there[:, 1].max() + 12)
    left, right = int(max(there[:, 0].min() - 12, 0)), int(there[:, 0].max() + 12)
    window = np.s_[top:bottom, left:right]
    ground[window] = _rendered.paint(ground[window], sheet[window], rng)
    return _rendered.worn(ground, rng), text, (x, y)


def answer(lines: list[Line], centre: tuple[float, float]) -> tuple[str, float]:
    """What was read where the text is, from left to right, and the least certain line's confidence."""
    there = [line for line in lines if line.text and _near(line, centre)]
    there.sort(key=lambda line: line.box[0][0])
    if there and script_of(there[0].text) in ("Arab", "Hebr", "Syrc", "Thaa", "Nkoo"):
        there.reverse()
    return " ".join(line.text for line in there), min([line.confidence for line in there], default=0.0)


def _near(line: Line, centre: tuple[float, float]) -> bool:
    points = np.array(line.box)
    return bool(points[:, 1].min() - 10 <= centre[1] <= points[:, 1].max() + 10)


def error_rate(told: str, truth: str, script: str) -> float:
    """Edits over the truth's letters, at most 1; wide and narrow forms of a sign are one."""
    told, truth = (unicodedata.normalize("NFKC", text) for text in (told, truth))
    if script in _WITHOUT_SPACES:
        told, truth = told.replace(" ", ""), truth.replace(" ", "")
    last = np.arange(len(told) + 1)
    for at, letter in enumerate(truth, 1):
        row = np.empty_like(last)
        row[0] = at
        for to, other in enumerate(told, 1):
            row[to] = min(last[to] + 1, row[to - 1] + 1, last[to - 1] + (letter != other))
        last = row
    return min(1.0, float(last[-1]) / max(1, len(truth)))


def measure() -> list[dict[str, Any]]:
    """Reading and script choice over the rendered lines, and reading of the real pictures."""
    reader = Reader()
    rates: dict[str, list[float]] = defaultdict(list)
    told: dict[str, list[bool]] = defaultdict(list)
    sure: list[tuple[float, float]] = []
    spent = 0.0
    every = [(script, code) for script, codes in READ.items() for code in codes]
    with progress("lines") as step:
        for done, (script, code) in enumerate(every):
            rng = np.random.default_rng([11, done])
            for _ in range(LINES):
                each = sample(script, code, rng)
                begun = time.process_time()
                text, confidence = answer(reader.read(each.picture), each.centre)
                spent += time.process_time() - begun
                if script not in _NOBODY:
                    rates[code].append(error_rate(text, each.text, script))
                    told[code].append(script_of(text) == script_of(each.text))
                    if text:
                        sure.append((confidence, 1 - rates[code][-1]))
            step(done + 1, len(every))
    return [*_rows(rates, told, sure, spent / (LINES * len(every))), *_real(reader)]


def _rows(
    rates: dict[str, list[float]],
    told: dict[str, list[bool]],
    sure: list[tuple[float, float]],
    seconds: float,
) -> list[dict[str, Any]]:
    means = {code: mean(each) for code, each in rates.items()}
    own = [means[code] for code in means if code[-4:] in ("Hans", "Hant", "Jpan")]
    own += [means[code] for script, codes in READ.items() if script == "Latn" for code in codes]
    right = [each for found in told.values() for each in found]
    scripts = {code[-4:] for code in means}
    off = _calibration(sure)
    return [
        row("languages; scripts (Chinese ones apart)", f"{len(means)}; {len(scripts)}", ">= 38; 32"),
        row("CER, Latin, Chinese, Japanese", round(mean(own), 3), "<= .02"),
        row("median CER over the languages", round(median(means.values()), 3), "<= .15"),
        row("mean CER", round(mean(means.values()), 3)),
        row("script right", round(mean(right), 3), ">= .92"),
        row("calibration error", round(off, 3)),
        row("CPU seconds a picture, 800 pixels, one line", round(seconds, 2)),
        row("CER by language", ", ".join(f"{code} {rate:.2f}" for code, rate in sorted(means.items()))),
        row("readable languages", len(languages()), ">= 100"),
    ]


def _calibration(sure: list[tuple[float, float]]) -> float:
    """How far confidence is from the share of letters right, over ten bins, weighed by lines."""
    bins: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for each in sure:
        bins[min(9, int(each[0] * 10))].append(each)
    return sum(
        abs(mean(a for a, _ in found) - mean(b for _, b in found)) * len(found) for found in bins.values()
    ) / len(sure)


def _real(reader: Reader) -> list[dict[str, Any]]:
    """First lines of RapidOCR's test pictures and whole words of MMOCR's."""
    folder = data_file("ocr", "rapidocr_tests")
    rates = []
    for name, truth in json.loads((folder / "gt.json").read_text("utf-8")).items():
        lines = reader.read(opened(folder / "test_files" / name), [truth["lang"]])
        script = script_of(truth["first_line"])
        rates.append(min([error_rate(line.text, truth["first_line"], script) for line in lines], default=1.0))
    words = data_file("ocr", "mmocr_toy", "tests", "data", "rec_toy_dataset")
    listed = json.loads((words / "labels.json").read_text("utf-8"))["data_list"]
    right = []
    for each in listed:
        lines = reader.read(opened(words / "imgs" / each["img_path"]), ["en"])
        told = "".join(letter for line in lines for letter in line.text.lower() if letter.isalnum())
        right.append(
            told == "".join(letter for letter in each["instances"][0]["text"].lower() if letter.isalnum())
        )
    return [
        row(
            "RapidOCR's pictures: median; mean CER of the first line",
            f"{median(rates):.3f}; {mean(rates):.3f}",
        ),
        row("MMOCR's words read wholly right", f"{sum(right)} of {len(right)}"),
    ]


def opened(path: Any) -> np.ndarray:
    """A picture file as RGB; what is transparent becomes white."""
    picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    if picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB))
    if picture.shape[2] == 4:
        share = picture[..., 3:].astype(np.float32) / 255
        picture = (picture[..., :3] * share + 255 * (1 - share)).astype(np.uint8)
    return np.ascontiguousarray(picture[..., ::-1])
