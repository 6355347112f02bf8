"""From bytes to pictures, or a refusal with a reason: header first, pixels after.

Owns the formats of stills and animations, the caps on what is decoded, and turning a picture upright. Of
the file only pixels go on. It trusts nothing, but a reader may still fall over: run it in a worker
(`sandbox`). Pictures of more than twelve million pixels are made smaller while they are decoded; nothing
here needs more.
"""

from __future__ import annotations

import importlib
import io
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from groundswell.drops import MediaDrop
from groundswell.media.formats import VIDEOS, Format, tell_format, webp_size
from groundswell.media.picture import Frame, Picture, as_picture
from groundswell.media.refusals import RefusedError
from groundswell.media.shots import Shots, tiny_grey

__all__ = ["MAX_BYTES", "MAX_PIXELS", "check", "decode"]

MAX_BYTES = 20 << 20
MAX_PIXELS = 40_000_000
"""Of a JPEG or PNG file, which are decoded line by line or in place."""
MAX_PIXELS_WHOLE = 16_000_000
"""Of formats whose readers hold several copies of the picture while they work."""
MAX_COEFFICIENTS = 80_000_000
"""Of a progressive JPEG file, whose reader holds them all, two bytes each."""
WORKING_PIXELS = 12_000_000
MAX_FRAMES = 1_000
MAX_ANIMATED_PIXELS = 400_000_000
"""All frames together."""

_PLUGINS = {
    Format.JPEG: ("JPEG", "MPO"),
    Format.PNG: ("PNG",),
    Format.WEBP: ("WEBP",),
    Format.GIF: ("GIF",),
    Format.AVIF: ("AVIF",),
    Format.HEIC: ("HEIF",),
}
_IN_PLACE = frozenset({Format.JPEG, Format.PNG})
_ORIENTATION = 0x0112
_AVERAGED = ("L", "RGB", "CMYK", "YCbCr")

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
for _name in ("Jpeg", "Mpo", "Png", "WebP", "Gif", "Avif"):  # before a worker locks its files away
    importlib.import_module(f"PIL.{_name}ImagePlugin")
try:
    importlib.import_module("pi_heif").register_heif_opener(thumbnails=False)
except ImportError:
    _PLUGINS.pop(Format.HEIC)


def check(data: bytes) -> Format:
    """The format of a still or an animation.

    Raises
    ------
    RefusedError
        The file is empty, too long, or none that `decode` reads.
    """
    if not data:
        raise RefusedError(MediaDrop.EMPTY)
    found = tell_format(data)
    if found is None or found in VIDEOS:
        raise RefusedError(MediaDrop.FORMAT_NOT_ALLOWED)
    if len(data) > MAX_BYTES:
        raise RefusedError(MediaDrop.TOO_MANY_BYTES)
    if found not in _PLUGINS:
        raise RefusedError(MediaDrop.CODEC_MISSING)
    return found


def decode(data: bytes) -> Iterator[Frame]:
    """The frames of a still (one) or of an animation (those kept of its shots), upright, one at a time.

    Raises
    ------
    RefusedError
        The file is not read; of an animation, maybe only after some frames.
    """
    found = check(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield from _frames(data, found)
    except (RefusedError, GeneratorExit):
        raise
    except BaseException as error:
        raise RefusedError(_reason(error)) from None


def _reason(error: BaseException) -> MediaDrop:
    """What a reader's exception amounts to; readers raise nearly every kind."""
    if isinstance(error, MemoryError):
        return MediaDrop.OUT_OF_MEMORY
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return MediaDrop.TOO_MANY_PIXELS
    if isinstance(error, UnidentifiedImageError):
        return MediaDrop.BROKEN
    if isinstance(error, Exception):
        cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
        return MediaDrop.TRUNCATED if cut else MediaDrop.BROKEN
    raise error  # an interrupt is none of the file's


def _frames(data: bytes, found: Format) -> Iterator[Frame]:
    if found is Format.WEBP:
        _allow(*webp_size(data), found)
    with Image.open(io.BytesIO(data), formats=_PLUGINS[found]) as image:
        _allow(*image.size, found)
        _allow_coefficients(image)
        if found is not Format.JPEG and getattr(image, "is_animated", False):
            yield from _animation(image)
        else:
            yield Frame(0.0, _pixels(image, found))


def _allow(width: int, height: int, found: Format) -> None:
    most = MAX_PIXELS if found in _IN_PLACE else MAX_PIXELS_WHOLE
    if width * height > most:
        raise RefusedError(MediaDrop.TOO_MANY_PIXELS)


def _allow_coefficients(image: Any) -> None:
    if image.info.get("progressive") and image.layer:
        sampled = sum(across * down for _, across, down, *_ in image.layer)
        most = max(across for _, across, *_ in image.layer) * max(down for _, _, down, *_ in image.layer)
        if image.width * image.height * sampled / most > MAX_COEFFICIENTS:
            raise RefusedError(MediaDrop.TOO_MANY_PIXELS)


def _animation(image: Any) -> Iterator[Frame]:
    """Kept frames; the header's count is believed only when it refuses."""
    shots = Shots(duration_seconds=None)
    offset_seconds = 0.0
    for number in range(MAX_FRAMES + 1):
        if (number + 1) * image.width * image.height > MAX_ANIMATED_PIXELS or number == MAX_FRAMES:
            raise RefusedError(MediaDrop.TOO_MANY_FRAMES)
        try:
            image.seek(number)
        except EOFError:
            return
        image.load()
        picture = _rgb(image.copy())
        if shots.keeps(offset_seconds, tiny_grey(picture)):
            yield Frame(round(offset_seconds, 3), picture)
        shown_ms = image.info.get("duration", 100)
        offset_seconds += max(20.0, float(shown_ms) if isinstance(shown_ms, (int, float)) else 100.0) / 1e3


def _pixels(image: Any, found: Format) -> Picture:
    step = math.ceil(math.sqrt(image.width * image.height / WORKING_PIXELS))
    turned = _orientation(image)
    if found is Format.JPEG and step > 1:
        image.draft(None, (image.width // step, image.height // step))
        step = math.ceil(math.sqrt(image.width * image.height / WORKING_PIXELS))
    image.load()
    if step > 1:
        if image.mode in _AVERAGED:
            smaller = image.reduce(step)
        else:  # averaging these takes a second copy of the whole
            size = (max(1, image.width // step), max(1, image.height // step))
            smaller = image.resize(size, Image.Resampling.NEAREST)
        image.close()  # gives its pixels back before others are made
        image = smaller
    return as_picture(_upright(_rgb(image), turned))


def _rgb(image: Any) -> Picture:
    """Pixels of any mode as RGB; what is transparent is white, sixteen bits are cut to eight."""
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    return np.asarray(image.convert("RGB"))


def _orientation(image: Any) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # metadata that cannot be read turns nothing
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: Picture, orientation: int) -> Picture:
    """`pixels` turned as EXIF's orientation (1 to 8) asks."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
