"""What is worked out of the starter gallery's drawings beforehand, so that a worker starts in a second.

Owns the file and the question whether it is of these very drawings, this network and this version of the
keypoints; of any other gallery everything is worked out anew. `scripts/build_gallery.py` writes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundswell.media.embedder import FILE as NETWORK
from groundswell.media.embedder import Embedder
from groundswell.media.sift import Keypoints, keypoints_of

__all__ = ["INDEX", "Drawn", "drawn", "write"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

INDEX = Path(__file__).parent / "data" / "gallery_index.npz"
_VERSION = b"1"
_LEVELS = 512.0
"""A keypoint's numbers lie between 0 and a half: so many levels of a byte make one."""


class Drawn(NamedTuple):
    """What is known of a gallery's drawings."""

    marks: F32
    """Embeddings, (n, 128)."""
    keypoints: Keypoints


def drawn(arts: Sequence[U8], embedder: Embedder) -> Drawn:
    """Of these drawings: read where the file is theirs, else worked out, some 60 ms a drawing."""
    if INDEX.exists():
        with np.load(INDEX) as held:
            if held["key"].tobytes() == _key(arts):
                words = held["words"].astype(np.float32) / _LEVELS
                keypoints = Keypoints(
                    held["points"].astype(np.float32), words, held["owners"].astype(np.int64)
                )
                return Drawn(held["marks"].astype(np.float32), keypoints)
    return Drawn(embedder.drawings(arts), keypoints_of(arts))


def write(arts: Sequence[U8], path: Path = INDEX) -> None:
    """Work it out and write it down."""
    marks, keypoints = Embedder().drawings(arts), keypoints_of(arts)
    np.savez_compressed(
        path,
        key=np.frombuffer(_key(arts), np.uint8),
        marks=marks.astype(np.float16),
        points=keypoints.points.astype(np.float16),
        words=np.clip(np.round(keypoints.words * _LEVELS), 0, 255).astype(np.uint8),
        owners=keypoints.owners.astype(np.uint16),
    )


def _key(arts: Sequence[U8]) -> bytes:
    digest = hashlib.blake2b(_VERSION + NETWORK.read_bytes(), digest_size=16)
    for art in arts:
        digest.update(repr(art.shape).encode())
        digest.update(np.ascontiguousarray(art).tobytes())
    return digest.digest()
