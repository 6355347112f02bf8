"""Words in pictures: finds lines, tells their scripts and reads them, in as many scripts as are installed.

Owns which reader tries a line, at most two tries, and how sure an answer is. It keeps nothing: text goes to
the gate like any post's. Refuses to guess: what no reader is sure of has an empty text, and only its box is
given, because `shield` covers what may be a plate whether or not it could be read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.errors import GroundswellError
from groundswell.media import languages as known
from groundswell.media import letters, scripts, tesseract
from groundswell.media.lines import LineFinder, rapidocr_file, strip

__all__ = ["MOST_LETTERS", "MOST_READ", "Line", "Reader", "ReadingError"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

MOST_LETTERS = 512
"""Letters of a line that are kept."""
MOST_READ = 48
"""Lines of a picture that are read, the largest first; the rest are given as boxes."""
SURE = 0.35
"""Under this confidence a line's text is dropped."""
_ENOUGH = 0.85
"""A first try this sure is not tried again."""
_WORTH = 0.03
"""Scripts less likely than this are not tried."""
_HINT = 6.0
"""How many times likelier a script is that the post's language is written in."""
_SQUARE = frozenset({"Latn", "Hani", "Jpan"})
"""What PP-OCR's recogniser reads."""
_BEYOND = frozenset({"vie_Latn", "yor_Latn", "ibo_Latn"})
"""Languages in Latin letters with marks that PP-OCR's recogniser does not have."""
_UNSPACED = frozenset({"Thai", "Laoo", "Khmr", "Mymr"})
_CUTS = ((48, 0.12, False), (48, 0.12, True), (40, 0.05, True))
"""Height of the strips that Tesseract gets, the room around the line, and whether they are taken as they are;
the surest answer counts."""
_SURE_ENOUGH = 0.93


class ReadingError(GroundswellError):
    """The models that find and read lines are not installed."""


@dataclass(frozen=True)
class Line:
    """One line of text in a picture."""

    text: str
    """In NFC, one line, at most `MOST_LETTERS`; empty where nobody is sure what it says."""
    script: str | None
    """ISO 15924, of the letters as read; `Zyyy` where there are digits and signs only; None where text is
    empty."""
    language: str | None
    """As `eng_Latn`, where the script or the post's languages give it away; else None."""
    confidence: float
    """The share of letters that are likely right, 0 to 1."""
    box: tuple[tuple[float, float], ...]
    """Four corners x, y in the picture's pixels, clockwise from the top left."""


@dataclass(frozen=True)
class _Try:
    text: str
    script: str
    confidence: float


class Reader:
    """Reads pictures; loads its models once, Tesseract's at their first use.

    Raises `ReadingError` where `rapidocr` is not installed. Without Tesseract it reads Latin, Chinese and
    Japanese only; `groundswell.media.languages.missing` says so. `models` are Tesseract's, by name; by
    default those that are installed.
    """

    def __init__(self, models: Mapping[str, Path] | None = None) -> None:
        finder, recogniser = (rapidocr_file(name) for name in (known.DETECTOR, known.RECOGNISER))
        if finder is None or recogniser is None:
            raise ReadingError("media", "the package `rapidocr` is not installed", "run `make setup`")
        self._finder = LineFinder(finder)
        self._letters = letters.LetterReader(recogniser)
        self._teller = scripts.ScriptTeller()
        self._tesseract = tesseract.Tesseract(tesseract.installed() if models is None else models)

    def read(self, picture: U8, languages: Iterable[str] = ()) -> list[Line]:
        """The lines of an RGB picture (h, w, 3), uint8, from top to bottom.

        `languages` are the codes the post was found or said to be in: hints, never a limit.
        """
        hints = known.hinted(languages)
        boxes = self._finder.find(picture)
        lines = [self._read_line(picture, box, hints) for box in boxes[:MOST_READ]]
        lines += [_unread(box) for box in boxes[MOST_READ:]]
        return sorted(lines, key=lambda line: (line.box[0][1], line.box[0][0]))

    def chances(self, picture: U8, box: F32, hints: Sequence[tuple[str, str]]) -> dict[str, float]:
        """How likely each script is for a line, by its shapes and the post's languages."""
        told = self._teller.tell(strip(picture, box, scripts.ROWS, 0.1, 0.05))
        wanted = {script for _, script in hints} | {"Viet" for code, _ in hints if code == "vie_Latn"}
        weighed = [
            float(chance) * (_HINT if script in wanted else 1.0)
            for script, chance in zip(self._teller.scripts, told, strict=True)
        ]
        return {
            script: each / sum(weighed) for script, each in zip(self._teller.scripts, weighed, strict=True)
        }

    def _read_line(self, picture: U8, box: F32, hints: Sequence[tuple[str, str]]) -> Line:
        chances = self.chances(picture, box, hints)
        best: _Try | None = None
        for reader, chance in _plan(chances, {code for code, _ in hints})[:2]:
            if chance < _WORTH or (best is not None and best.confidence >= _ENOUGH):
                break
            found = self._try(picture, box, reader, chance, hints)
            if found is not None and (best is None or found.confidence > best.confidence):
                best = found
        if best is None or best.confidence < SURE or not best.text:
            return _unread(box)
        language = known.language_of(best.script, hints)
        return Line(best.text, best.script, language, round(best.confidence, 3), _corners(box))

    def _try(
        self, picture: U8, box: F32, reader: str, chance: float, hints: Sequence[tuple[str, str]]
    ) -> _Try | None:
        answer = self.attempt(picture, box, reader, hints)
        if answer is None:
            return None
        text, sure = answer
        return _Try(text, scripts.script_of(text), confidence(reader, evidence(sure, chance, text), text))

    def attempt(
        self, picture: U8, box: F32, reader: str, hints: Sequence[tuple[str, str]]
    ) -> tuple[str, float] | None:
        """One reader's answer and how sure it says it is; `reader` is `pp-ocr`, or a script for Tesseract.

        None where the script's model is not installed.
        """
        if reader == "pp-ocr":
            text, sure = self._letters.read(strip(picture, box, letters.ROWS))
        else:
            model = self._model(reader, hints)
            if model is None:
                return None
            text, sure = self._surest(picture, box, model)
        return clean(text, reader), sure

    def _model(self, script: str, hints: Sequence[tuple[str, str]]) -> str | None:
        """The model of the language that is hinted at, else the script's, of those that are there."""
        own = [known.model_of(code) for code, hinted in hints if hinted == script]
        names = [name for name in (*own, tesseract.MODELS.get(script)) if name is not None]
        return next((name for name in names if self._tesseract.has(name)), None)

    def _surest(self, picture: U8, box: F32, model: str) -> tuple[str, float]:
        best = ("", 0.0)
        for rows, around, straight in _CUTS:
            grey = cv2.cvtColor(strip(picture, box, rows, around, around), cv2.COLOR_RGB2GRAY)
            found = self._tesseract.read(np.asarray(grey, np.uint8), model, straight)
            best = max(best, found, key=lambda each: each[1])
            if best[1] > _SURE_ENOUGH:
                break
        return best


def _plan(chances: dict[str, float], codes: set[str]) -> list[tuple[str, float]]:
    """Readers in the order to try them, each with the chance that the line is in what it reads."""
    square = sum(chances.get(script, 0.0) for script in _SQUARE)
    marked = chances.get("Viet", 0.0)
    plan = {script: chance for script, chance in chances.items() if script not in _SQUARE}
    if codes & _BEYOND:
        plan["Viet" if "vie_Latn" in codes else "Latn"] = square * 0.6 + marked
        square *= 0.4
    plan["pp-ocr"] = square
    return sorted(plan.items(), key=lambda each: -each[1])


def evidence(sure: float, chance: float, text: str) -> F64:
    """What speaks for an answer: what its reader says of itself, how likely its script is, how long it is."""
    odds = min(max(sure, 0.01), 0.999)
    return np.array([1.0, np.log(odds / (1 - odds)), np.log(max(chance, 1e-3)), 1 / max(1, len(text))])


_WEIGHTS = {
    "pp-ocr": (-0.483, 0.874, 0.441, -0.587),
    "tesseract": (0.68, 0.861, 0.512, -0.846),
}
"""Fitted by `scripts/fit_confidence.py --lines 2`, on 30 and 177 lines: off by .06 and .12 in the mean."""


def confidence(reader: str, known: F64, text: str) -> float:
    """The share of letters likely right, given the `evidence`; 0 where there is no text."""
    if not text:
        return 0.0
    weights = _WEIGHTS["pp-ocr" if reader == "pp-ocr" else "tesseract"]
    return float(1 / (1 + np.exp(-known @ np.array(weights))))


def clean(text: str, reader: str) -> str:
    """NFC, no control characters, single spaces, none inside scripts that have none, at most
    `MOST_LETTERS`."""
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
    plain = " ".join(unicodedata.normalize("NFC", plain).split())
    if reader in _UNSPACED:
        plain = plain.replace(" ", "")
    return plain[:MOST_LETTERS]


def _corners(box: F32) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in box)


def _unread(box: F32) -> Line:
    return Line("", None, None, 0.0, _corners(box))
