"""Which frames of a moving picture are looked at: the first of each shot, one in five seconds, none twice.

A cut is where a tiny grey picture (576 points) differs from the one before by far more than is usual in
this video. A frame that shows what the last kept one showed is not kept again.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["MAX_KEPT", "Shots", "tiny_grey"]

MAX_KEPT = 120
EVERY_SECONDS = 5.0
LEAST_CUT = 14.0
"""Mean grey levels that a cut changes at least …"""
USUAL = 4.0
"""… and so many times what frames usually differ by."""
STILL = 1.5
"""A frame that differs less from the last kept one is the same picture."""
AT_ONCE = 12
"""So many shots may follow each other directly; over a video they are spread."""
SECONDS_A_FRAME = 2.0

Grey = npt.NDArray[np.int16]


def tiny_grey(pixels: npt.NDArray[Any]) -> Grey:
    """32 × 18 grey points of an RGB picture or a plane of brightness."""
    small: Any = cv2.resize(pixels, (32, 18), interpolation=cv2.INTER_AREA)
    grey: Grey = (small.mean(axis=2) if small.ndim == 3 else small).astype(np.int16)
    return grey


class Shots:
    """Decides frame by frame, in order of time.

    Parameters
    ----------
    duration_seconds
        Of the whole, as far as it is known: the frames that may be kept are spread over it.
    """

    def __init__(self, duration_seconds: float | None) -> None:
        known = duration_seconds and math.isfinite(duration_seconds) and duration_seconds > 0
        self._a_second = min(1 / SECONDS_A_FRAME, (MAX_KEPT - AT_ONCE) / duration_seconds) if known else 0.2  # type: ignore[operator]
        self._before: Grey | None = None
        self._kept: Grey | None = None
        self._kept_seconds = 0.0
        self._usual = 2.0
        self._waiting = False
        self.count = 0

    def keeps(self, offset_seconds: float, grey: Grey) -> bool:
        """Whether the frame at `offset_seconds` is looked at."""
        cut = self._is_cut(grey)
        self._before = grey
        self._waiting |= cut  # a cut for which there was no room yet is not forgotten
        due = offset_seconds - self._kept_seconds >= EVERY_SECONDS
        if not (self._waiting or due) or not self._has_room(offset_seconds):
            return False
        if self._kept is not None and _difference(grey, self._kept) < STILL:
            self._waiting = False
            return False
        self._kept, self._kept_seconds, self._waiting = grey, offset_seconds, False
        self.count += 1
        return True

    def _is_cut(self, grey: Grey) -> bool:
        if self._before is None:
            return True
        changed = _difference(grey, self._before)
        cut = changed > max(LEAST_CUT, USUAL * self._usual)
        self._usual += 0.1 * (min(changed, 2 * self._usual + 1) - self._usual)
        return cut

    def _has_room(self, offset_seconds: float) -> bool:
        return self.count < min(MAX_KEPT, AT_ONCE + offset_seconds * self._a_second)


def _difference(one: Grey, other: Grey) -> float:
    return float(np.abs(one - other).mean())
