"""From pixels to a JPEG file of ours: nothing of the file they came in can be in it."""

from __future__ import annotations

import io

from PIL import Image

from groundswell.media.picture import Picture, as_picture

__all__ = ["encode_jpeg"]


def encode_jpeg(picture: Picture, quality: int = 85) -> bytes:
    """The picture as a JPEG file without metadata."""
    out = io.BytesIO()
    Image.fromarray(as_picture(picture)).save(out, "JPEG", quality=quality)
    return out.getvalue()
