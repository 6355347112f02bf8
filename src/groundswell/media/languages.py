"""Which languages can be read here and with what, and what a post's languages say about scripts.

The table is `data/readers.tsv`; what of it can be read depends on the Tesseract models that are installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from groundswell.media import tesseract
from groundswell.media.lines import rapidocr_file

__all__ = [
    "DETECTOR",
    "RECOGNISER",
    "ReadableLanguage",
    "hinted",
    "language_of",
    "languages",
    "missing",
    "model_of",
]

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
FILE = Path(__file__).parent / "data" / "readers.tsv"
_HAN = {"Hans": "Hani", "Hant": "Hani"}


@dataclass(frozen=True)
class ReadableLanguage:
    """One row of `groundswell media languages`."""

    code: str
    """Language and script, as in `eng_Latn`."""
    reader: str
    """`pp-ocr`, or Tesseract's model as `tesseract Arabic`."""


@dataclass(frozen=True)
class _Row:
    code: str
    subtag: str
    model: str
    own: bool


@cache
def _table() -> tuple[_Row, ...]:
    lines = FILE.read_text("utf-8").splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple(_Row(code, subtag, model, own == "yes") for code, subtag, model, own in cells)


def languages(models: Mapping[str, Path] | None = None) -> list[ReadableLanguage]:
    """The languages that can be read, sorted by code; `models` are Tesseract's, by default those
    installed."""
    models = tesseract.installed() if models is None else models
    own = rapidocr_file(RECOGNISER) is not None
    found = []
    for row in _table():
        script = row.code.partition("_")[2]
        name = next((each for each in (tesseract.MODELS.get(script, ""), row.model) if each in models), None)
        if row.own and own:
            found.append(ReadableLanguage(row.code, "pp-ocr"))
        elif name is not None:
            found.append(ReadableLanguage(row.code, f"tesseract {name}"))
    return sorted(found, key=lambda each: each.code)


def missing(models: Mapping[str, Path] | None = None) -> str | None:
    """One line on what cannot be read here and the mend, or None where every script can."""
    if rapidocr_file(DETECTOR) is None or rapidocr_file(RECOGNISER) is None:
        return "no text is read in pictures: the package `rapidocr` is not installed; run `make setup`"
    models = tesseract.installed() if models is None else models
    lacking = sorted(
        script for script, model in tesseract.MODELS.items() if model not in models and script != "Latn"
    )
    if not lacking:
        return None
    return (
        f"text in {', '.join(lacking)} is not read: Tesseract's models are absent; run `make ocr-languages`"
    )


def hinted(hints: Iterable[str]) -> list[tuple[str, str]]:
    """Language codes of a post, in whatever form, as pairs of code and script that the table has.

    >>> hinted(["el", "rus_Cyrl", "zh-Hant", "tlh"])
    [('ell_Grek', 'Grek'), ('rus_Cyrl', 'Cyrl'), ('zho_Hant', 'Hani')]
    """
    found: list[tuple[str, str]] = []
    for hint in hints:
        name, *rest = hint.replace("-", "_").split("_")
        for row in _table():
            language, _, script = row.code.partition("_")
            wanted = rest[0].title() if rest and len(rest[0]) == 4 else script
            pair = (row.code, _HAN.get(script, script))
            if name.lower() in (language, row.subtag) and wanted == script and pair not in found:
                found.append(pair)
    return found


def model_of(code: str) -> str | None:
    """Tesseract's model of one language, as `fas` of `pes_Arab`."""
    return next((row.model for row in _table() if row.code == code), None)


def language_of(script: str, hints: Iterable[tuple[str, str]]) -> str | None:
    """The language a line is likely in: one of the hints in its script, or the script's only one."""
    for code, hint in hints:
        if hint == script:
            return code
    codes = sorted({row.code for row in _table() if _HAN.get(row.code[-4:], row.code[-4:]) == script})
    return codes[0] if len(codes) == 1 else None
