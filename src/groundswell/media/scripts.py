"""Which script a strip of text is in, before anything has read it.

A small convolutional net of our own, taught by `scripts/train_scripts.py` on lines rendered with Debian's
Noto fonts. It looks at shapes alone; what the post's language makes likely is added by `ocr`.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.lines import open_session

__all__ = ["FILE", "ROWS", "ScriptTeller", "script_of"]

F32 = npt.NDArray[np.float32]

FILE = Path(__file__).parent / "data" / "scripts.onnx"
ROWS = 32
"""Height of the strips it looks at, pixels."""
_WINDOW = 320
_WINDOWS = 3


class ScriptTeller:
    """Tells scripts; loads its model once (about 5 ms) and takes about 2 ms a strip."""

    def __init__(self, path: Path = FILE) -> None:
        self._session = open_session(path)
        self.scripts: tuple[str, ...] = tuple(
            json.loads(self._session.get_modelmeta().custom_metadata_map["scripts"])
        )

    def tell(self, strip: npt.NDArray[np.uint8]) -> F32:
        """The chance of each of `scripts` for an RGB strip `ROWS` high."""
        grey = cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY).astype(np.float32)
        starts = {0}
        if grey.shape[1] > _WINDOW:
            count = min(_WINDOWS, -(-grey.shape[1] // _WINDOW))
            starts = {round(at) for at in np.linspace(0, grey.shape[1] - _WINDOW, count)}
        logs = np.mean([self._log_chances(grey[:, at : at + _WINDOW]) for at in sorted(starts)], 0)
        chances = np.exp(logs - logs.max())
        return np.asarray(chances / chances.sum(), np.float32)

    def _log_chances(self, window: F32) -> F32:
        even = (window - window.mean()) / (window.std() + 8)
        if even.shape[1] < 48:
            even = np.pad(even, ((0, 0), (0, 48 - even.shape[1])), mode="edge")
        (scores,) = self._session.run(None, {"line": np.ascontiguousarray(even[None, None])})
        top = scores[0].max()
        return np.asarray(scores[0] - top - np.log(np.exp(scores[0] - top).sum()), np.float32)


_RANGES: tuple[tuple[int, int, str], ...] = (
    (0x41, 0x24F, "Latn"), (0x250, 0x2AF, "Latn"), (0x370, 0x3FF, "Grek"), (0x400, 0x52F, "Cyrl"),
    (0x531, 0x58A, "Armn"), (0x591, 0x5F4, "Hebr"), (0x600, 0x6FF, "Arab"), (0x700, 0x74F, "Syrc"),
    (0x750, 0x77F, "Arab"), (0x780, 0x7BF, "Thaa"), (0x7C0, 0x7FF, "Nkoo"), (0x8A0, 0x8FF, "Arab"),
    (0x900, 0x963, "Deva"), (0x966, 0x97F, "Deva"), (0x980, 0x9FF, "Beng"), (0xA00, 0xA7F, "Guru"),
    (0xA80, 0xAFF, "Gujr"), (0xB00, 0xB7F, "Orya"), (0xB80, 0xBFF, "Taml"), (0xC00, 0xC7F, "Telu"),
    (0xC80, 0xCFF, "Knda"), (0xD00, 0xD7F, "Mlym"), (0xD80, 0xDFF, "Sinh"), (0xE00, 0xE7F, "Thai"),
    (0xE80, 0xEFF, "Laoo"), (0xF00, 0xFFF, "Tibt"), (0x1000, 0x109F, "Mymr"), (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Hang"), (0x1200, 0x139F, "Ethi"), (0x13A0, 0x13FF, "Cher"), (0x1400, 0x167F, "Cans"),
    (0x1780, 0x17FF, "Khmr"), (0x1C50, 0x1C7F, "Olck"), (0x1C90, 0x1CBF, "Geor"), (0x1E00, 0x1EFF, "Latn"),
    (0x1F00, 0x1FFF, "Grek"), (0x2D30, 0x2D7F, "Tfng"), (0x3040, 0x30FF, "Jpan"), (0x3130, 0x318F, "Hang"),
    (0x3400, 0x4DBF, "Hani"), (0x4E00, 0x9FFF, "Hani"), (0xA960, 0xA97F, "Hang"), (0xAB70, 0xABBF, "Cher"),
    (0xAC00, 0xD7FF, "Hang"), (0xF900, 0xFAFF, "Hani"), (0xFB1D, 0xFB4F, "Hebr"), (0xFB50, 0xFDFF, "Arab"),
    (0xFE70, 0xFEFC, "Arab"), (0xFF21, 0xFF5A, "Latn"), (0xFF66, 0xFF9D, "Jpan"), (0x20000, 0x323AF, "Hani"),
)  # fmt: skip
_STARTS = np.array([start for start, _, _ in _RANGES])


def script_of(text: str) -> str:
    """The script most letters of a text are in; any kana makes it Japanese; `Zyyy` where it has no letters.

    >>> script_of("東京タワー 2026"), script_of("19:45")
    ('Jpan', 'Zyyy')
    """
    counts: dict[str, int] = {}
    for letter in text:
        code = ord(letter)
        at = int(np.searchsorted(_STARTS, code, side="right")) - 1
        if at >= 0 and code <= _RANGES[at][1] and (code > 0x24F or letter.isalpha()):
            counts[_RANGES[at][2]] = counts.get(_RANGES[at][2], 0) + 1
    if "Jpan" in counts:
        counts["Jpan"] += counts.pop("Hani", 0)
    return max(counts, key=lambda script: counts[script]) if counts else "Zyyy"
