"""Reads a strip in Latin, Chinese or Japanese letters with PP-OCRv6's recogniser, out of the package
`rapidocr`.

Its list of letters has no others but Greek capitals, digits and signs: what `tesseract` reads is not tried
here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from groundswell.media.lines import open_session

__all__ = ["ROWS", "LetterReader"]

ROWS = 48
"""Height of the strips it reads, pixels."""
_NARROWEST = 320
"""It was taught on strips at least this wide, the rest of them grey."""


class LetterReader:
    """Reads strips; loads its model once."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        listed = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        size = self._session.get_outputs()[0].shape[2]
        self._letters = ["", *listed[: size - 2], " "]

    def read(self, strip: npt.NDArray[np.uint8]) -> tuple[str, float]:
        """Text and its mean certainty, 0 to 1, of an RGB strip `ROWS` high."""
        planes = (strip[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
        if planes.shape[2] < _NARROWEST:
            planes = np.pad(planes, ((0, 0), (0, 0), (0, _NARROWEST - planes.shape[2])))
        (chances,) = self._session.run(None, {"x": np.ascontiguousarray(planes[None])})
        best = chances[0].argmax(1)
        told = best != 0
        told[1:] &= best[1:] != best[:-1]
        if not told.any():
            return "", 0.0
        return "".join(self._letters[at] for at in best[told]), float(chances[0].max(1)[told].mean())
