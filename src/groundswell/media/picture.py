"""The shape pictures have here: plain RGB pixels, nothing of the file they came in.

Owns the type and its check. Metadata, names and colour profiles end at `decode`; there is no field for
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Frame", "Picture", "as_picture"]

Picture: TypeAlias = npt.NDArray[np.uint8]
"""RGB, `(height, width, 3)`, C-contiguous."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a file, and how far into it, in seconds; a still is a file of one frame at 0."""

    offset_seconds: float
    picture: Picture


def as_picture(pixels: npt.NDArray[Any]) -> Picture:
    """`pixels` as a `Picture`, copied only where it has to be.

    Raises
    ------
    ValueError
        The array is not `(height, width, 3)` of `uint8`, or is empty.

    >>> as_picture(np.zeros((2, 3, 3), np.uint8)[:, ::-1]).flags.c_contiguous
    True
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"an array of {pixels.dtype} and shape {pixels.shape} is no RGB picture")
    return np.ascontiguousarray(pixels)
