"""Reads a strip with the system's Tesseract, one model a script, where the library and its models are
installed.

Owns where both lie, the few functions of Tesseract's C interface that are called, and which models are
loaded. It is optional: without it, or without a script's model, `ocr` says which scripts it cannot read. The
library is the system's own and not a wheel's: the models come from the system anyway, and the wheels that
exist carry JBIG-KIT, which is under the GPL. Nothing is fetched.
"""

from __future__ import annotations

import ctypes
import os
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

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

_LIBRARIES = (
    "libtesseract.so.5",
    "libtesseract.so.4",
    "libtesseract.5.dylib",
    "/opt/homebrew/lib/libtesseract.5.dylib",
    "/usr/local/lib/libtesseract.5.dylib",
)
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
_LSTM_ONLY = 1
_SINGLE_LINE, _RAW_LINE = 7, 13
_HANDLE, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "TessBaseAPICreate": (_HANDLE, []),
    "TessBaseAPIInit2": (_INT, [_HANDLE, _TEXT, _TEXT, _INT]),
    "TessBaseAPISetVariable": (_INT, [_HANDLE, _TEXT, _TEXT]),
    "TessBaseAPISetPageSegMode": (None, [_HANDLE, _INT]),
    "TessBaseAPISetImage": (None, [_HANDLE, _TEXT, _INT, _INT, _INT, _INT]),
    "TessBaseAPISetSourceResolution": (None, [_HANDLE, _INT]),
    "TessBaseAPIGetUTF8Text": (_HANDLE, [_HANDLE]),
    "TessBaseAPIMeanTextConf": (_INT, [_HANDLE]),
    "TessDeleteText": (None, [_HANDLE]),
    "TessBaseAPIDelete": (None, [_HANDLE]),
}
"""What is called, with its result and arguments, as `tesseract/capi.h` has it."""


@cache
def _library() -> ctypes.CDLL | None:
    """Tesseract itself, or None where it is not installed."""
    os.environ.setdefault(
        "OMP_THREAD_LIMIT", "1"
    )  # read when the library is loaded; lines are too short to share
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in _FUNCTIONS.items():
                getattr(library, function).restype = result
                getattr(library, function).argtypes = arguments
        except (OSError, AttributeError):
            continue
        return library
    return None


def installed() -> dict[str, Path]:
    """Every model that is there, by name, as `eng` or `Arabic`; empty without Tesseract."""
    if _library() is None:
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
        self._loaded: OrderedDict[str, int] = OrderedDict()

    def has(self, model: str) -> bool:
        """Whether a model is there."""
        return model in self._models

    def read(self, strip: npt.NDArray[np.uint8], model: str, straight: bool) -> tuple[str, float]:
        """Text and its mean certainty, 0 to 1, of a grey strip (h, w); nothing where the model cannot be
        loaded.

        `straight` takes the strip as it is; otherwise Tesseract looks for the line in it first.
        """
        library, engine = _library(), self._engine(model)
        if library is None or engine is None:
            return "", 0.0
        high, wide = strip.shape
        library.TessBaseAPISetPageSegMode(engine, _RAW_LINE if straight else _SINGLE_LINE)
        library.TessBaseAPISetImage(engine, np.ascontiguousarray(strip).tobytes(), wide, high, 1, wide)
        library.TessBaseAPISetSourceResolution(engine, 150)
        told = library.TessBaseAPIGetUTF8Text(engine)
        if not told:
            return "", 0.0
        text = " ".join(ctypes.string_at(told).decode("utf-8", "replace").split())
        library.TessDeleteText(told)
        return text, (library.TessBaseAPIMeanTextConf(engine) / 100 if text else 0.0)

    def _engine(self, model: str) -> int | None:
        if model not in self._loaded:
            engine = self._load(model)
            if engine is None:
                return None
            self._loaded[model] = engine
        self._loaded.move_to_end(model)
        return self._loaded[model]

    def _load(self, model: str) -> int | None:
        library = _library()
        if library is None:
            return None
        while len(self._loaded) >= _LOADED:
            library.TessBaseAPIDelete(self._loaded.popitem(last=False)[1])
        engine: int = library.TessBaseAPICreate()
        path = self._models[model]
        if library.TessBaseAPIInit2(engine, os.fsencode(path.parent), model.encode(), _LSTM_ONLY):
            library.TessBaseAPIDelete(engine)
            return None
        library.TessBaseAPISetVariable(engine, b"debug_file", b"/dev/null")
        return engine
