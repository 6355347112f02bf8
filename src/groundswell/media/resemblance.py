"""How much of a stretch of a picture a drawing explains, in form and in colour, once it is laid upon it.

The last word on a candidate: embeddings say that two things are alike, this says where they are not.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from groundswell.media.embedder import over

__all__ = ["explained", "lay"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

SIDE_PX = 56
"""Both are compared at this size."""
PLAIN = 12.0
"""A standard deviation of colour, of 255, that is taken for nothing drawn."""
LEAST_PIXELS = 40
TURNS_DEGREES = (0.0, -12.0, 12.0)
CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 25, 1e-3)


def lay(picture: U8, box: F32, art: U8) -> float:
    """`explained` after the drawing was fitted to the box by an affine map, 0 to 1."""
    drawn = np.asarray(cv2.resize(art, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)
    around = _around(picture, box, art)
    ground = int(np.median(np.concatenate([around[0], around[-1], around[:, 0], around[:, -1]])))
    form = cv2.GaussianBlur(cv2.cvtColor(over(drawn, ground), cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    seen = cv2.GaussianBlur(cv2.cvtColor(around, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    best = explained(around, drawn)
    for turn in TURNS_DEGREES:
        first = cv2.getRotationMatrix2D((SIDE_PX / 2, SIDE_PX / 2), turn, 1.0).astype(np.float32)
        try:
            _, onto = cv2.findTransformECC(form, seen, first, cv2.MOTION_AFFINE, CRITERIA)
        except cv2.error:
            continue
        if not 0.5 < float(np.linalg.det(onto[:, :2])) < 2.0:
            continue
        fitted = cv2.warpAffine(
            around,
            onto,
            (SIDE_PX, SIDE_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        best = max(best, explained(np.asarray(fitted, np.uint8), drawn))
    return best


def _around(picture: U8, box: F32, art: U8) -> U8:
    """What is in the box, stretched to where the artwork lies in its square."""
    rows, columns = (np.flatnonzero((art[..., 3] > 24).any(axis)) for axis in (1, 0))
    reach = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) * (SIDE_PX / art.shape[0])
    scale = (reach[2:] - reach[:2]) / np.maximum(box[2:] - box[:2], 4.0)
    finer = int(np.clip(np.ceil(0.7 / scale.min()), 1, 8))
    onto = np.array(
        [[scale[0], 0, reach[0] - box[0] * scale[0]], [0, scale[1], reach[1] - box[1] * scale[1]]]
    )
    size = (SIDE_PX * finer, SIDE_PX * finer)
    large = cv2.warpAffine(picture, onto * finer, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def explained(seen: U8, drawn: U8) -> float:
    """The share of the colours' variance that the drawing explains, 0 to 1; light and ground are free.

    A drawing of several colours is compared where it covers: `seen = a · colour + c` with one gain `a`, not
    negative, and one offset for all channels, so that no colour stands for another. One of a single colour is
    compared in form, with its surroundings: `seen = b · cover + c` in each channel.
    """
    cover = drawn[..., 3].reshape(-1).astype(np.float32) / 255
    colours = drawn[..., :3].reshape(-1, 3).astype(np.float32)
    values = seen.reshape(-1, 3).astype(np.float32)
    inside = cover > 0.9
    if inside.sum() >= LEAST_PIXELS and colours[inside].std(0).max() > PLAIN:
        return _share(values[inside].reshape(-1), colours[inside].reshape(-1))
    shares = [_share(channel, cover, signed=True) for channel in values.T]
    weights = values.var(0) + 1e-3
    return float(np.dot(shares, weights) / weights.sum())


def _share(values: npt.NDArray[Any], form: npt.NDArray[Any], signed: bool = False) -> float:
    """The share of the variance of `values` that a line in `form` explains."""
    rest, shape = values - values.mean(), form - form.mean()
    slope = float((rest * shape).sum()) / max(float((shape * shape).sum()), 1e-3)
    left = rest - (slope if signed else max(slope, 0.0)) * shape
    return max(0.0, 1 - float((left * left).mean()) / (float((rest * rest).mean()) + PLAIN**2))
