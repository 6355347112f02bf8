"""Photographs with a mark in them, made up: on a plate, in perspective, waving, lit, half hidden, compressed.

What training and measuring share. A background is a stretch of a photograph or, for training, sometimes a
made-up texture: stripes, blocks of colour, letters, gradients, which are what photographs of few subjects
lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from bench._emblem_marks import MARGIN, Mark

__all__ = ["Placed", "background", "put", "texture"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

TILT_DEGREES = (40.0, 25.0, 20.0)
"""Most turn about the upright, the level and the line of sight."""
DISTANCE = 3.5
PLATED = 0.65
HIDDEN = 0.4


class Placed(NamedTuple):
    picture: U8
    corners: F32
    """(4, 2): where the corners of the artwork's own rectangle came to lie, x and y."""


def background(
    photographs: Sequence[U8], height: int, width: int, rng: np.random.Generator, made_up: float = 0.0
) -> U8:
    """A stretch of a photograph at a scale of its own, or a texture."""
    if rng.random() < made_up:
        return texture(height, width, rng)
    photograph = photographs[int(rng.integers(len(photographs)))]
    fit = min(photograph.shape[0] / height, photograph.shape[1] / width)
    share = fit * (rng.uniform(0.25, 1.0) if fit > 1.5 else 1.0)
    rows, columns = (max(int(length * share), 1) for length in (height, width))
    top = rng.integers(photograph.shape[0] - rows + 1)
    left = rng.integers(photograph.shape[1] - columns + 1)
    cut = photograph[top : top + rows, left : left + columns]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    how = cv2.INTER_AREA if share > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(cut), (width, height), interpolation=how), np.uint8)


def texture(height: int, width: int, rng: np.random.Generator) -> U8:
    """Stripes, blocks, letters or a gradient."""
    kind = rng.integers(5)
    first, second = rng.integers(0, 256, (2, 3))
    ramp = np.linspace(0, 1, width)[None, :, None] * np.ones((height, 1, 1))
    out = np.asarray(first + (second - first) * ramp, np.uint8)
    if kind == 1:
        edges = np.sort(rng.integers(0, width, rng.integers(2, 7)))
        for begin in edges.tolist():
            out[:, begin:] = rng.integers(0, 256, 3)
    elif kind == 2:
        for _ in range(int(rng.integers(2, 9))):
            top, left = int(rng.integers(height)), int(rng.integers(width))
            shape = rng.integers(2)
            tint = rng.integers(0, 256, 3).tolist()
            size = int(rng.integers(4, max(width // 2, 6)))
            if shape:
                cv2.circle(out, (left, top), size // 2, tint, -1, cv2.LINE_AA)
            else:
                cv2.rectangle(out, (left, top), (left + size, top + size // 2), tint, -1)
    elif kind == 3:
        for row in range(6, height + 8, int(rng.integers(9, 18))):
            word = "".join(chr(rng.integers(65, 91)) for _ in range(20))
            cv2.putText(
                out, word, (-5, row), cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.3, 0.8), second.tolist(), 1
            )
    elif kind == 4:
        coarse = rng.integers(0, 256, (max(height // 12, 2), max(width // 12, 2), 3)).astype(np.uint8)
        out = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.4:
        out = np.ascontiguousarray(cv2.resize(out.transpose(1, 0, 2), (width, height)))
    return np.asarray(out, np.uint8)


def put(
    behind: U8, mark: Mark, length_px: float, centre: tuple[float, float], rng: np.random.Generator
) -> Placed:
    """`mark` into the picture, `length_px` long before it is turned, about `centre`; then the camera."""
    card = waving(mark.rgba, rng) if mark.flag else plated(mark.rgba, rng)
    corners, warp = turned(mark, card.shape[0], length_px, centre, rng)
    height, width = behind.shape[:2]
    scale = length_px / (mark.rgba.shape[0] * (1 - 2 / MARGIN))
    if scale < 0.7:
        card = np.asarray(cv2.GaussianBlur(card, (0, 0), 0.35 / scale), np.uint8)
    laid = np.asarray(cv2.warpPerspective(lit(card, rng), warp, (width, height)), np.float32)
    cover: F32 = laid[..., 3:] / np.float32(255)
    if rng.random() < HIDDEN:
        cover = hide(cover, corners, rng)
        laid *= cover > 0
    return Placed(camera(behind.astype(np.float32) * (1 - cover) + laid[..., :3], rng), corners)


def lit(card: U8, rng: np.random.Generator) -> U8:
    """The card in another light, its colours multiplied by its cover as they are mixed later."""
    ramp = np.power(np.arange(256) / 255, rng.uniform(0.6, 1.6)) * 255 * rng.uniform(0.6, 1.08)
    tables = ramp[:, None] * rng.uniform(0.92, 1.08, 3) + rng.uniform(-8, 16)
    out = card.copy()
    for channel in range(3):
        seen = cv2.LUT(card[..., channel], np.clip(tables[:, channel], 0, 255).astype(np.uint8))
        out[..., channel] = cv2.multiply(seen, card[..., 3], scale=1 / 255)
    return out


def plated(rgba: U8, rng: np.random.Generator) -> U8:
    """The artwork on a board or a disc of one colour, or on nothing."""
    if rng.random() > PLATED:
        return rgba
    side = rgba.shape[0]
    pad = int(side * rng.uniform(0.0, 0.22))
    full = side + 2 * pad
    tint: tuple[int, ...] = (255, 255, 255)
    draw = rng.random()
    if draw < 0.35:
        tint = tuple(int(value) for value in rng.integers(0, 256, 3))
    elif draw < 0.45:
        tint = (20, 20, 20)
    plate = np.zeros((full, full), np.uint8)
    if rng.random() < 0.3:
        cv2.circle(plate, (full // 2, full // 2), full // 2, 255, -1, cv2.LINE_AA)
    else:
        plate[:] = 255
    art = cv2.copyMakeBorder(rgba, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    share = art[..., 3].astype(np.uint16)
    for channel in range(3):
        art[..., channel] = (art[..., channel] * share + tint[channel] * (255 - share)) // 255
    art[..., 3] = cv2.max(art[..., 3], plate)
    return np.asarray(art, np.uint8)


def waving(rgba: U8, rng: np.random.Generator) -> U8:
    """A flag in the wind: sheared by a sine, light and shade along it."""
    side = rgba.shape[0]
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    angle = columns / (rng.uniform(0.5, 1.2) * side) * 2 * np.pi + rng.uniform(0, 2 * np.pi)
    shift = rng.uniform(0, 0.045) * side * np.sin(angle)
    out = cv2.remap(rgba, columns, (rows + shift).astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    out[..., :3] *= (1 + rng.uniform(0, 0.2) * np.sin(angle + 1))[..., None]
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def turned(
    mark: Mark, card_px: int, length_px: float, centre: tuple[float, float], rng: np.random.Generator
) -> tuple[F32, npt.NDArray[np.float64]]:
    """Where the artwork's corners lie, and the way from the card to the picture."""
    about_y, about_x, about_z = np.deg2rad([rng.uniform(-most, most) for most in TILT_DEGREES])
    turn = cv2.Rodrigues(np.array([about_x, about_y, 0.0]))[0] @ cv2.Rodrigues(np.array([0, 0, about_z]))[0]
    unit = mark.rgba.shape[0] * (1 - 2 / MARGIN)

    def seen(points: npt.NDArray[np.floating]) -> F32:
        flat = np.concatenate([points / unit, np.zeros((len(points), 1))], 1) @ turn.T
        return np.asarray(flat[:, :2] / (1 + flat[:, 2:] / DISTANCE) * length_px + centre, np.float32)

    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    opaque = mark.rgba[..., 3] > 24
    reach = [np.ptp(np.flatnonzero(opaque.any(axis))) + 1 for axis in (0, 1)]
    onto = seen(square * card_px / 2)
    warp = cv2.getPerspectiveTransform((square + 1) / 2 * card_px, onto)
    return seen(square * np.array(reach, np.float32) / 2), np.asarray(warp, np.float64)


def hide(cover: F32, corners: F32, rng: np.random.Generator) -> F32:
    """Something in front of it: a rectangle of the background, up to a quarter of the mark."""
    low, high = corners.min(0), corners.max(0)
    size = (high - low) * np.sqrt(rng.uniform(0.05, 0.25))
    left, top = (low + (high - low - size) * rng.random(2)).astype(int)
    cover = cover.copy()
    cover[max(top, 0) : max(int(top + size[1]), 0), max(left, 0) : max(int(left + size[0]), 0)] = 0
    return cover


def camera(mixed: F32, rng: np.random.Generator) -> U8:
    """Blur, noise and JPEG."""
    soft = cv2.GaussianBlur(mixed, (0, 0), float(rng.choice([0.2, 0.5, 0.8, 1.2])))
    grain = rng.standard_normal(soft.shape[:2], np.float32)[..., None] * np.float32(rng.choice([1, 3, 7]))
    out = np.clip(soft + grain, 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.choice([45, 60, 75, 88]))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
