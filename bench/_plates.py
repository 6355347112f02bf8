"""Number plates drawn on photographs: three formats, made-up numbers, seen somewhat from the side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from bench._rendered import FONTS, worn
from PIL import Image, ImageDraw, ImageFont

from groundswell.errors import UsageError

__all__ = ["FORMATS", "plate", "put"]

FORMATS = ("US", "EU", "BR")
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_US_STATES = ("TEXAS", "CALIFORNIA", "OHIO", "NEW YORK", "FLORIDA")


def _font(size: int) -> ImageFont.FreeTypeFont:
    path = Path(FONTS, "truetype", "liberation", "LiberationSansNarrow-Bold.ttf")
    if not path.exists():
        raise UsageError(str(path), "the font for plates is not there", "install fonts-liberation")
    return ImageFont.truetype(str(path), size)


def plate(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A plate seen from the front, RGB, 60 to 130 pixels high."""
    letters = "".join(rng.choice(list(_LETTERS), 6))
    digits = "".join(map(str, rng.integers(0, 10, 6)))
    if kind == "EU":
        text = (f"{letters[0]} {letters[1:3]} {digits[:4]}", f"{letters[:2]}-{digits[:3]}-{letters[2:4]}")[
            int(rng.integers(2))
        ]
        sheet = Image.new("RGB", (560, 120), (250, 250, 245))
        draw = ImageDraw.Draw(sheet)
        draw.rectangle((0, 0, 44, 120), fill=(0, 51, 153))
        draw.text((302, 60), text, font=_font(104), fill=(15, 15, 15), anchor="mm")
    elif kind == "US":
        text = (f"{letters[:3]} {digits[:4]}", f"{digits[0]}{letters[:3]}{digits[1:4]}")[int(rng.integers(2))]
        sheet = Image.new("RGB", (360, 180), tuple(int(each) for each in rng.integers(215, 256, 3)))
        draw = ImageDraw.Draw(sheet)
        draw.text((180, 26), str(rng.choice(_US_STATES)), font=_font(32), fill=(160, 30, 40), anchor="mm")
        draw.text((180, 105), text, font=_font(92), fill=(25, 35, 95), anchor="mm")
    else:
        sheet = Image.new("RGB", (400, 130), (250, 250, 250))
        draw = ImageDraw.Draw(sheet)
        draw.rectangle((0, 0, 400, 30), fill=(0, 51, 153))
        draw.text((200, 15), "BRASIL", font=_font(24), fill=(255, 255, 255), anchor="mm")
        text = f"{letters[:3]}{digits[0]}{letters[3]}{digits[1:3]}"
        draw.text((200, 82), text, font=_font(92), fill=(15, 15, 15), anchor="mm")
    draw.rectangle((0, 0, sheet.width - 1, sheet.height - 1), outline=(30, 30, 30), width=4)
    return np.asarray(sheet)


_INK = {"EU": (0.12, 0.12, 0.96, 0.88), "US": (0.08, 0.33, 0.92, 0.85), "BR": (0.08, 0.32, 0.92, 0.94)}
"""Where the number stands on each, in shares of the plate: left, top, right, bottom."""


def put(photograph: np.ndarray, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The photograph, 800 wide, with one plate 70 to 180 pixels wide on it, and the corners of its number."""
    high = round(photograph.shape[0] * 800 / photograph.shape[1])
    ground = cv2.resize(photograph, (800, high), interpolation=cv2.INTER_AREA).astype(np.float32)
    sheet = plate(kind, rng)
    rows, columns = sheet.shape[:2]
    wide = float(rng.uniform(70, 180))
    tall = wide * rows / columns
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    at = np.array([rng.uniform(20, 780 - wide), rng.uniform(high * 0.3, high - tall - 20)])
    there = corners * (wide / columns) + at
    there[1:3, 1] += float(rng.uniform(-0.12, 0.12)) * wide
    there += rng.normal(0, 0.02 * tall, (4, 2))
    over = cv2.getPerspectiveTransform(corners, there.astype(np.float32))
    drawn = cv2.warpPerspective(sheet.astype(np.float32) * float(rng.uniform(0.55, 1)), over, (800, high))
    share = cv2.warpPerspective(np.ones(sheet.shape[:2], np.float32), over, (800, high))[..., None]
    left, top, right, bottom = np.array(_INK[kind]) * (columns, rows, columns, rows)
    number = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float32)
    return worn(ground * (1 - share) + drawn * share, rng), cv2.perspectiveTransform(number, over)[0]
