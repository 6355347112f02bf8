"""Tells a file's format by its first bytes; names and declared types are not looked at.

A file that is two things at once is what its first bytes say, and is given to that format's reader alone.
"""

from __future__ import annotations

import struct
from enum import StrEnum

__all__ = ["VIDEOS", "Format", "tell_format", "webp_size"]


class Format(StrEnum):
    """What is read; anything else is refused."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    AVIF = "avif"
    HEIC = "heic"
    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"


VIDEOS = frozenset({Format.MP4, Format.MOV, Format.WEBM})

_EBML = b"\x1a\x45\xdf\xa3"
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MP4_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"M4V", b"3gp", b"3g2", b"dash", b"f4v", b"MSNV")
_MAX_BRANDS = 32


def tell_format(data: bytes) -> Format | None:
    """The format of `data`, None when it is none of those that are read.

    >>> tell_format(b"GIF89a...") is Format.GIF, tell_format(b"%PDF-1.7") is None
    (True, True)
    """
    if data.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return Format.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return Format.WEBP
    if data.startswith(_EBML) and b"webm" in data[:64]:
        return Format.WEBM
    return _of_boxes(data)


def _of_boxes(data: bytes) -> Format | None:
    """AVIF, HEIC, MP4 or MOV: the formats that begin with a box of brands."""
    if data[4:8] in (b"moov", b"mdat", b"wide"):
        return Format.MOV  # as older cameras wrote it
    if data[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(data[:4], "big"), 16 + 4 * _MAX_BRANDS)
    major = data[8:12]
    brands = [major, *(data[at : at + 4] for at in range(16, length, 4))]
    if not _AVIF_BRANDS.isdisjoint(brands):
        return Format.AVIF
    if not _HEIC_BRANDS.isdisjoint(brands):
        return Format.HEIC
    if major == b"qt  ":
        return Format.MOV
    return Format.MP4 if any(brand.startswith(_MP4_BRANDS) for brand in brands) else None


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in a WebP file's header: its reader takes their memory before it says them.

    Raises
    ------
    ValueError
        The header is cut short or is none.
    """
    try:
        return _webp_size(data[12:16], data[20:30])
    except (struct.error, IndexError) as error:
        raise ValueError("a WebP header that is cut short") from error


def _webp_size(chunk: bytes, body: bytes) -> tuple[int, int]:
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("a WebP file that begins with another chunk")
