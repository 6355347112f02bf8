"""The network that tells marks apart: 128 numbers for what lies at a place of a picture.

A place is 64 pixels wide; a picture of any size is looked at every 16 pixels in one pass. Beside the
embedding a place gives the chance that a mark lies there, whole and two thirds as large as the place or so,
and its box. The first blocks of EfficientNet-Lite2 (Apache-2.0) see; the head was trained by
`scripts/train_emblems.py` on drawings under open licences, and knows no mark by name. One thread; loads its
file once and reads nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

__all__ = ["FILE", "MARK_PX", "PLACE_PX", "SIZE", "STRIDE_PX", "Embedder", "Places", "over"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

FILE = Path(__file__).parent / "data" / "emblems.onnx"
PLACE_PX = 64
STRIDE_PX = 16
MARK_PX = 48
"""How long a mark is, in a place's pixels, when it is looked at closely."""
SIZE = 128
GROUNDS = (255, 128, 0)
LENGTH = 0.75
BATCH = 48


class Places(NamedTuple):
    """What the network says of n pictures, (n, rows, columns, …)."""

    embeddings: F32
    """(…, 128), of length one."""
    chances: F32
    """(…), 0 to 1."""
    boxes: F32
    """(…, 4): left, top, right and bottom from the place's middle, in places' widths."""


class Embedder:
    def __init__(self, file: Path = FILE) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            file.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def look(self, pictures: U8) -> Places:
        """RGB (n, height, width, 3), sides in sixteens from 64 on; places of column j are about 32 + 16 j."""
        out = self._session.run(["places"], {"pictures": pictures})[0]
        return Places(out[..., :SIZE], out[..., SIZE], out[..., SIZE + 1 :])

    def drawings(self, arts: Sequence[U8]) -> F32:
        """One embedding a drawing, (n, 128): the mean over grounds."""
        out = np.zeros((len(arts), SIZE), np.float32)
        for begin in range(0, len(arts), BATCH):
            some = arts[begin : begin + BATCH]
            views = np.stack([_drawn(art, ground) for art in some for ground in GROUNDS])
            seen = self.look(views).embeddings[:, 0, 0]
            mean = seen.reshape(len(some), len(GROUNDS), SIZE).mean(1)
            out[begin : begin + BATCH] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6)
        return out


def _drawn(art: U8, ground: int) -> U8:
    """A drawing upright in the middle of a place."""
    side = round(PLACE_PX * LENGTH * 12 / 11)
    out = np.full((PLACE_PX, PLACE_PX, 3), ground, np.uint8)
    at = (PLACE_PX - side) // 2
    out[at : at + side, at : at + side] = over(
        cv2.resize(art, (side, side), interpolation=cv2.INTER_AREA), ground
    )
    return out


def over(rgba: npt.NDArray[Any], ground: int) -> U8:
    """RGBA laid over a grey ground."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray(rgba[..., :3] * alpha + ground * (1 - alpha), np.uint8)
