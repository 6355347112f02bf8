"""Reads a strip with Tesseract, one model a script, where Tesseract and its models are installed.

Owns where the models lie and which are loaded. It is optional: without it, or without a script's model, `ocr`
says which scripts it cannot read. Models are read from the system's folder and nothing is fetched.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MODELS", "Tesseract", "installed"]

MODELS: dict[str, str] = {
    "Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Cans": "Canadian_Aboriginal",
    "Cher": "Cherokee", "Cyrl": "Cyrillic", "Deva": "Devanagari", "Ethi": "Ethiopic", "Geor": "Georgian",
    "Grek": "Greek", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hang": "kor", "Hebr": "Hebrew",
    "Khmr": "Khmer", "Knda": "Kannada", "Laoo": "Lao", "Latn": "Latin", "Mlym": "Malayalam",
    "Mymr": "Myanmar", "Orya": "Oriya", "Sinh": "Sinhala", "Syrc": "Syriac", "Taml": "Tamil",
    "Telu": "Telugu", "Thaa": "Thaana", "Thai": "Thai", "Tibt": "Tibetan", "Viet": "Vietnamese",
}  # fmt: skip
"""Script to the model that reads it."""

_FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
_LOADED = 8
"""Models kept loaded; each takes 5 to 40 MB, and the worker's memory is limited."""


def installed() -> dict[str, Path]:
    """Every model that is there, by name, as `eng` or `Arabic`; empty without tesserocr."""
    try:
        import tesserocr  # noqa: F401
    except ImportError:
        return {}
    folders = [os.environ.get("TESSDATA_PREFIX", ""), *_FOLDERS]
    for folder in (Path(each) for each in folders if each):
        found = sorted([*folder.glob("*.traineddata"), *folder.glob("script/*.traineddata")])
        if found:
            return {path.name.removesuffix(".traineddata"): path for path in found}
    return {}


class Tesseract:
    """Reads strips; models are loaded at their first use."""

    def __init__(self, models: Mapping[str, Path]) -> None:
        self._models = models
        self._loaded: OrderedDict[str, Any] = OrderedDict()

    def has(self, model: str) -> bool:
        return model in self._models

    def read(self, strip: npt.NDArray[np.uint8], model: str, straight: bool) -> tuple[str, float]:
        """Text and its mean certainty, 0 to 1, of a grey strip (h, w).

        `straight` takes the strip as it is; otherwise Tesseract looks for the line in it first.
        """
        import tesserocr

        engine = self._engine(model)
        engine.SetPageSegMode(tesserocr.PSM.RAW_LINE if straight else tesserocr.PSM.SINGLE_LINE)
        grey = np.ascontiguousarray(strip)
        engine.SetImageBytes(grey.tobytes(), grey.shape[1], grey.shape[0], 1, grey.shape[1])
        engine.SetSourceResolution(150)
        text = engine.GetUTF8Text().strip()
        return " ".join(text.split()), (engine.MeanTextConf() / 100 if text else 0.0)

    def _engine(self, model: str) -> Any:
        if model not in self._loaded:
            import tesserocr

            path = self._models[model]
            while len(self._loaded) >= _LOADED:
                _, oldest = self._loaded.popitem(last=False)
                oldest.End()
            self._loaded[model] = tesserocr.PyTessBaseAPI(
                path=f"{path.parent}/", lang=model, psm=tesserocr.PSM.SINGLE_LINE, oem=tesserocr.OEM.LSTM_ONLY
            )
        self._loaded.move_to_end(model)
        return self._loaded[model]
