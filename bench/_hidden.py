"""Files that carry more than a picture: EXIF with a position, XMP, comments, profiles, thumbnails, a tail."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

__all__ = ["KINDS", "hidden", "leaks"]

KINDS = ("jpeg", "png", "webp", "tiff")
_TAILS = (b"PK\x03\x04", b"<script>", b"%PDF-1.7\n", b"GIF89a")


def hidden(kind: str, canary: str, rng: np.random.Generator) -> bytes:
    """A picture file of `kind` that holds `canary` wherever the format has room for it."""
    picture = Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8))
    exif = Image.Exif()
    for tag in (0x010E, 0x013B, 0x8298, 0x9C9B):
        exif[tag] = canary.encode("utf-16-le") if tag == 0x9C9B else canary
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 24.0, 18.0), 29: canary})
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + canary.encode()
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>{canary}</dc:creator></x:xmpmeta>".encode()
    out = io.BytesIO()
    if kind == "jpeg":
        picture.save(
            out, "JPEG", exif=exif, xmp=xmp, comment=canary.encode(), icc_profile=canary.encode() * 9
        )
        data = _with_thumbnail(out.getvalue(), canary)
    elif kind == "png":
        notes = PngInfo()
        notes.add_text("Author", canary)
        notes.add_itxt("XML:com.adobe.xmp", xmp.decode())
        notes.add_text("Comment", canary, zip=True)
        picture.save(out, "PNG", pnginfo=notes, exif=exif)
        data = out.getvalue()
        private = b"prVt" + canary.encode()
        chunk = struct.pack(">I", len(canary)) + private + struct.pack(">I", zlib.crc32(private))
        data = data[:-12] + chunk + data[-12:]
    elif kind == "webp":
        picture.save(out, "WEBP", exif=exif, xmp=xmp, icc_profile=canary.encode() * 9)
        data = out.getvalue()
    else:
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[270], tags[700] = canary, xmp
        picture.save(out, "TIFF", tiffinfo=tags)
        data = out.getvalue()
    tail = _TAILS[int(rng.integers(len(_TAILS)))] + canary.encode() if rng.random() < 0.5 else b""
    return data + tail


def _with_thumbnail(data: bytes, canary: str) -> bytes:
    """A JPEG with a second, small picture in an application part of its own."""
    small = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 30, 30)).save(small, "JPEG", comment=canary.encode())
    part = b"JFXX\0\x10" + small.getvalue()
    return data[:2] + b"\xff\xe0" + struct.pack(">H", len(part) + 2) + part + data[2:]


def leaks(data: bytes, canary: str) -> bool:
    """Whether a file that was encoded anew still holds anything but its picture; judged by Pillow and by its
    bytes."""
    if (
        canary.encode() in data
        or canary.encode("utf-16-le") in data
        or any(tail in data for tail in _TAILS[:3])
    ):
        return True
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        kept = set(picture.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "background"}
        kept -= {"timestamp", "duration"}
        return bool(kept) or bool(dict(picture.getexif())) or data.count(b"\xff\xd8\xff") > 1
