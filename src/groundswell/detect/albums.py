"""Which pictures a chain's crowd posts, and how many speakers stand behind each.

Owns the tie between a picture and a chain: most of those who post it belong to that crowd. A picture is a key
here, the same for near-duplicates where the eyes have told them; nothing is known of what it shows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.candidates import PictureUse
from groundswell.detect.columns import distinct
from groundswell.detect.window import Window

__all__ = ["Albums"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

_MOST_PICTURES = 8
"""A chain."""
_OWN = 0.5
"""Of a picture's speakers, the share that must be of the crowd."""


class Albums:
    """The pictures of all chains; rows are the window's row numbers.

    Parameters
    ----------
    window
        The detector's.
    floor_k
        Pictures of fewer than half as many speakers are not looked at.
    """

    def __init__(self, window: Window, floor_k: int) -> None:
        self._window = window
        self._least = max(3, floor_k // 2)
        self._of: dict[str, tuple[int, ...]] = {}

    def shared(self, rows: I64Array) -> U64Array:
        """The pictures that enough of the crowd behind `rows` posted, and hardly anybody else, most first."""
        used, owners = self._window.lists_at("picture_keys", rows)
        keys, positions = np.unique(used, return_inverse=True)
        if not len(keys):
            return keys
        counts = distinct(positions.ravel(), self._window.at("speaker", rows[owners]), len(keys))
        often = counts >= self._least
        keys, counts = keys[often], counts[often]
        own = counts >= _OWN * self._speakers(keys)
        keys, counts = keys[own], counts[own]
        return keys[np.lexsort((keys, -counts))][:_MOST_PICTURES]

    def enter(self, chain: str, pictures: U64Array) -> None:
        """Add to what a chain's crowd posts; what it posted first goes first when it is too much."""
        known = self._of.get(chain, ())
        fresh = tuple(key for key in pictures.tolist() if key not in known)
        if fresh:
            self._of[chain] = (known + fresh)[-_MOST_PICTURES:]

    def close(self, chain: str) -> None:
        """The chain has ended."""
        self._of.pop(chain, None)

    def uses(self) -> list[PictureUse]:
        """Every picture of every chain that is open, with its speakers in the window now."""
        entries = [(chain, picture) for chain in sorted(self._of) for picture in self._of[chain]]
        if not entries:
            return []
        keys = np.unique(np.array([picture for _, picture in entries], np.uint64))
        speakers = dict(zip(keys.tolist(), self._speakers(keys).tolist(), strict=True))
        return [PictureUse(chain, picture, speakers[picture]) for chain, picture in entries]

    def _speakers(self, keys: U64Array) -> I64Array:
        """Distinct speakers of each of `keys` in the window: the maximum over key epochs."""
        most = np.zeros(len(keys), np.int64)
        rows, positions = self._window.holding("picture_keys", keys)
        live = self._window.at("alive", rows).astype(bool)
        rows, positions = rows[live], positions[live]
        epochs = self._window.at("epoch", rows)
        for epoch in np.unique(epochs).tolist():
            here = epochs == epoch
            counts = distinct(positions[here], self._window.at("speaker", rows[here]), len(keys))
            most = np.maximum(most, counts)
        return most
