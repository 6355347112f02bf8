"""Maps, screenshots and documents, drawn, to train and measure scene tags with.

Two draughtsmen, so that what is measured was not drawn as what was learnt: `hand` 0 writes with OpenCV's
strokes, `hand` 1 with Pillow's outlines and other proportions. Half of either's pictures go through a
camera: turned a little, lit, blurred, compressed.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from bench._emblem_scenes import background, camera
from PIL import Image, ImageDraw, ImageFont

__all__ = ["KINDS", "draw"]

U8 = npt.NDArray[np.uint8]

KINDS = ("map", "screenshot", "document")
SIZES = ((800, 600), (600, 800), (400, 800), (720, 720))


def draw(kind: str, hand: int, photographs: Sequence[U8], rng: np.random.Generator) -> U8:
    """One picture of a kind."""
    width, height = SIZES[rng.integers(len(SIZES))]
    sheet = {"map": chart, "screenshot": screen, "document": page}[kind](
        width, height, hand, photographs, rng
    )
    if rng.random() < 0.5:
        return sheet
    return shot(sheet, photographs, rng) if kind != "screenshot" else camera(sheet.astype(np.float32), rng)


def words(count: int, rng: np.random.Generator) -> str:
    lengths = rng.integers(2, 10, count)
    return " ".join("".join(chr(rng.integers(97, 123)) for _ in range(length)) for length in lengths.tolist())


def write(sheet: U8, at: tuple[int, int], text: str, size: int, ink: tuple[int, ...], hand: int) -> None:
    if hand == 0:
        cv2.putText(
            sheet, text, (at[0], at[1] + size), cv2.FONT_HERSHEY_SIMPLEX, size / 24, ink, 1, cv2.LINE_AA
        )
        return
    picture = Image.fromarray(sheet)
    ImageDraw.Draw(picture).text(at, text, fill=ink, font=ImageFont.load_default(size))
    sheet[:] = np.asarray(picture)


def page(width: int, height: int, hand: int, behind: Sequence[U8], rng: np.random.Generator) -> U8:
    paper = tuple(int(value) for value in rng.integers(225, 256, 3))
    sheet = np.full((height, width, 3), paper, np.uint8)
    size = int(rng.integers(11, 20) + 3 * hand)
    y = int(rng.integers(20, 80))
    write(sheet, (40, y), words(4, rng), 2 * size, (10, 10, 10), hand)
    y += 4 * size
    indent = int(rng.integers(20, 80))
    while y < height - 2 * size:
        if rng.random() < 0.15:
            y += size
        line = words(20, rng)[
            : int((width - 2 * indent) / (0.62 * size) * (1.0 if rng.random() < 0.8 else 0.5))
        ]
        write(sheet, (indent, y), line, size, (30, 30, 30), hand)
        y += int(size * (1.6 + 0.3 * hand))
    if rng.random() < 0.3:
        cv2.rectangle(sheet, (indent, height // 2), (width - indent, height // 2 + 90), (60, 60, 60), 1)
    return sheet


def screen(width: int, height: int, hand: int, photographs: Sequence[U8], rng: np.random.Generator) -> U8:
    dark = rng.random() < 0.3
    sheet = np.full((height, width, 3), 24 if dark else 250, np.uint8)
    ink = (225, 225, 225) if dark else (40, 40, 40)
    accent = tuple(int(value) for value in rng.integers(0, 256, 3))
    bar = int(rng.integers(30, 70))
    cv2.rectangle(sheet, (0, 0), (width, bar), accent, -1)
    write(sheet, (14, bar // 4), words(2, rng), 18, (255, 255, 255), hand)
    y = bar + 16
    while y < height - 60:
        tall = int(rng.integers(60, 190))
        if rng.random() < 0.5:
            cv2.circle(
                sheet, (36, y + 20), 18, tuple(int(v) for v in rng.integers(0, 256, 3)), -1, cv2.LINE_AA
            )
        write(sheet, (66, y + 2), words(2, rng), 14 + 2 * hand, ink, hand)
        for line in range(int(rng.integers(1, 4))):
            write(sheet, (66, y + 24 + 20 * line), words(14, rng)[: width // 11], 13, ink, hand)
        if rng.random() < 0.35 and y + tall < height - 20:
            inner = background(photographs, max(tall - 84, 20), width - 140, rng)
            below = y + 84
            room = sheet[below : below + inner.shape[0], 66 : 66 + inner.shape[1]]
            room[:] = inner[: room.shape[0]]
            tall += 20
        if rng.random() < 0.5:
            cv2.rectangle(
                sheet, (width - 110, y), (width - 20, y + 28), accent, -1 if rng.random() < 0.5 else 1
            )
        y += tall
        cv2.line(sheet, (0, y - 8), (width, y - 8), (128, 128, 128), 1)
    return sheet


def chart(width: int, height: int, hand: int, behind: Sequence[U8], rng: np.random.Generator) -> U8:
    """Land, water, parks, roads and names."""
    land = np.array([242, 239, 230]) - rng.integers(0, 25, 3)
    sheet = np.full((height, width, 3), land, np.uint8)

    def blob(count: int, reach: float) -> npt.NDArray[np.int32]:
        angles = np.sort(rng.uniform(0, 2 * np.pi, count))
        radii = reach * rng.uniform(0.4, 1.0, count)
        middle = rng.uniform(0, 1, 2) * (width, height)
        return np.round(middle + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]).astype(
            np.int32
        )

    tints = (
        ((170, 211, 223), (200, 225, 175), (225, 215, 205))
        if hand == 0
        else ((150, 190, 240), (190, 230, 190), (235, 225, 235))
    )
    for tint in tints:
        for _ in range(int(rng.integers(1, 5))):
            cv2.fillPoly(
                sheet, [blob(int(rng.integers(6, 24)), width * rng.uniform(0.08, 0.4))], tint, cv2.LINE_AA
            )
    for _ in range(int(rng.integers(8, 30))):
        steps = rng.normal(0, 50, (7, 2)).cumsum(0) + rng.uniform(0, 1, 2) * (width, height)
        if rng.random() < 0.4:
            steps = np.linspace(
                rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, 1, 2) * (width, height), 4
            )
        path = np.round(steps).astype(np.int32)
        broad = int(rng.choice([1, 2, 4, 7]))
        cv2.polylines(sheet, [path], False, (150, 150, 150), broad + 2, cv2.LINE_AA)
        paint = (255, 255, 255) if rng.random() < 0.6 else (250, 205, 130)
        cv2.polylines(sheet, [path], False, paint, broad, cv2.LINE_AA)
    for _ in range(int(rng.integers(6, 26))):
        at = (int(rng.integers(0, width - 80)), int(rng.integers(0, height - 20)))
        write(sheet, at, words(1, rng), int(rng.integers(10, 22)), (70, 70, 80), hand)
    return sheet


def shot(sheet: U8, photographs: Sequence[U8], rng: np.random.Generator) -> U8:
    """A photograph of the sheet: a little turned, on something else."""
    height, width = sheet.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.normal(0, 0.03 * width, (4, 2))
    moved = (moved - moved.mean(0)) * rng.uniform(0.85, 1.05) + moved.mean(0)
    warp = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    laid = cv2.warpPerspective(sheet, warp, (width, height))
    cover = cv2.warpPerspective(np.ones((height, width), np.float32), warp, (width, height))[..., None]
    shade = np.linspace(rng.uniform(0.7, 1), rng.uniform(0.7, 1), width)[None, :, None]
    behind = background(photographs, height, width, rng)
    return camera((behind * (1 - cover) + laid * cover * shade).astype(np.float32), rng)
