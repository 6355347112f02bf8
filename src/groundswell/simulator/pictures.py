"""The pictures of a simulated world: what a planted event's crowd posts, and what everybody else does.

A picture is named by a content identifier and drawn only when somebody asks for its bytes. Of an event there
are a few scenes, each with a sign (what happened, where), a mark of helpers, and several versions as they go
round: recompressed, smaller, cropped. All others post pictures of nothing, one each. No people are in them.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from groundswell.simulator.dice import mix
from groundswell.simulator.truth import PlantedEvent

__all__ = ["SCENES", "VERSIONS", "Scene", "content_id", "draw"]

SCENES = 2
"""Pictures of one event."""
VERSIONS = 4
"""Of each: as it was, recompressed, smaller, cropped."""
_SIZE = (800, 600)
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_GROUNDS = {
    "flood": (96, 112, 120),
    "wildfire": (120, 72, 40),
    "storm": (84, 92, 96),
    "heat": (196, 168, 104),
}


class Scene(NamedTuple):
    """One version of one picture of an event."""

    event: PlantedEvent
    number: int
    version: int


def content_id(*parts: int) -> str:
    """A content identifier as Bluesky writes those of pictures (`bafkrei` and 52 characters).

    >>> len(content_id(1, 2)), content_id(1, 2) == content_id(1, 3)
    (59, False)
    """
    value = np.uint64(0)
    for part in parts:
        value = mix(np.array([np.uint64(part & (2**64 - 1)) ^ value], np.uint64))[0]
    letters = []
    for round_ in range(5):
        word = int(mix(np.array([value + np.uint64(round_)], np.uint64))[0])
        letters += [_BASE32[word >> shift & 31] for shift in range(0, 60, 5)]
    return "bafkrei" + "".join(letters)[:52]


def draw(scene: Scene | None, name: str) -> bytes:
    """The JPEG file of a picture; with `scene` None one of nothing in particular, another for each `name`."""
    if scene is None:
        seed = int.from_bytes(name.encode()[-8:].rjust(8, b"\0"), "big")
        return _file(_nothing(seed), quality=80)
    return _file(*_as_it_goes_round(_scene(scene.event, scene.number), scene.version))


def _as_it_goes_round(picture: Image.Image, version: int) -> tuple[Image.Image, int]:
    width, height = picture.size
    if version == 1:
        return picture, 40
    if version == 2:
        return picture.resize((width * 3 // 4, height * 3 // 4)), 80
    if version == 3:
        return picture.crop((width // 40, height // 40, width - width // 40, height - height // 40)), 80
    return picture, 88


@lru_cache(maxsize=64)
def _scene(event: PlantedEvent, number: int) -> Image.Image:
    """Houses under a sky, what happened to them, and a sign that says so."""
    seed = int.from_bytes(f"{event.id}/{number}".encode()[-8:].rjust(8, b"\0"), "big")
    rng = np.random.default_rng(seed)
    ground = _GROUNDS.get(event.kind, (112, 108, 100))
    picture = Image.fromarray(_sky(rng, ground))
    pen = ImageDraw.Draw(picture)
    width, height = picture.size
    at = -20
    while at < width:
        wide, high = int(rng.integers(60, 150)), int(rng.integers(120, 330))
        top = height - 120 - high
        wall = tuple(int(value) for value in rng.integers(70, 210, 3))
        pen.rectangle((at, top, at + wide, height - 120), fill=wall)
        for x in range(at + 10, at + wide - 20, 30):
            for y in range(top + 14, height - 150, 40):
                lit = (238, 214, 140) if rng.random() < 0.3 else (52, 60, 72)
                pen.rectangle((x, y, x + 16, y + 22), fill=lit)
        at += wide + int(rng.integers(4, 30))
    pen.rectangle((0, height - 120, width, height), fill=ground)
    for _ in range(60):
        x, y = int(rng.integers(0, width)), int(rng.integers(height - 118, height))
        shade = tuple(max(0, value - int(rng.integers(8, 50))) for value in ground)
        pen.line((x, y, x + int(rng.integers(20, 90)), y), fill=shade, width=2)
    _sign(pen, (40 + 300 * number, 60), (event.kind.upper(), event.place))
    _cross(pen, (width - 150, height - 250))
    return picture


def _sky(rng: np.random.Generator, ground: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """From one colour to another, with clouds: no two skies are alike to a fingerprint."""
    width, height = _SIZE
    top, bottom = np.array((120, 150, 190)) + rng.integers(-30, 30, 3), np.array(ground) + 70
    share = np.linspace(0, 1, height)[:, None, None]
    sky = top + (bottom - top) * share
    coarse = Image.fromarray(rng.integers(0, 60, (9, 12)).astype(np.uint8))
    clouds = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float64)[..., None]
    grain = rng.normal(0, 4, (height, width, 1))
    pixels: npt.NDArray[np.uint8] = np.clip(sky + clouds + grain, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (height, width, 3)))


def _sign(pen: ImageDraw.ImageDraw, corner: tuple[int, int], lines: tuple[str, ...]) -> None:
    x, y = corner
    font = ImageFont.load_default(44)
    wide = max(int(pen.textlength(line, font=font)) for line in lines) + 40
    pen.rectangle(
        (x, y, x + wide, y + 64 * len(lines) + 16), fill=(250, 250, 246), outline=(20, 20, 20), width=4
    )
    for row, line in enumerate(lines):
        pen.text((x + 20, y + 12 + 60 * row), line, fill=(16, 16, 16), font=font)


def _cross(pen: ImageDraw.ImageDraw, corner: tuple[int, int]) -> None:
    """A helpers' tent with a red cross on white."""
    x, y = corner
    pen.rectangle((x, y, x + 120, y + 120), fill=(252, 252, 252), outline=(180, 180, 180), width=2)
    pen.rectangle((x + 46, y + 18, x + 74, y + 102), fill=(214, 18, 32))
    pen.rectangle((x + 18, y + 46, x + 102, y + 74), fill=(214, 18, 32))


def _nothing(seed: int) -> Image.Image:
    """Blots of colour: something else for every seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 8, 3)).astype(np.uint8))
    return small.resize((480, 360), Image.Resampling.BICUBIC)


def _file(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
