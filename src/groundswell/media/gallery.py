"""The gallery of emblems to look for: a folder with `emblems.toml` and PNG pictures.

Owns what may be looked for: marks of organisations and hazards, in a closed list of categories. There is no
category for a faith, a movement, a party or a person, and there will be none: an emblem that people wear
for what they believe would turn the reading of pictures on them. Whoever loads a gallery with such an entry
gets an error, not a gallery without it.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.errors import ConfigurationError, did_you_mean

__all__ = ["MARGIN", "STARTER", "Category", "Emblem", "Entry", "Gallery", "artwork"]

U8 = npt.NDArray[np.uint8]

STARTER = Path(__file__).parent / "gallery"
"""The gallery that comes with the package."""
SIDE_PX = 192
MARGIN = 24
"""A picture's artwork is laid into a square with this part of its side empty on either edge."""
MOST_ENTRIES = 5000
MOST_BYTES = 1 << 20
MOST_SIDE_PX = 2048
LEAST_COVER = 24
"""Alpha from which on something is drawn."""
REFUSED = re.compile(
    r"faith|relig|belief|church|sect|movement|activis|protest|part(y|ies)$|politic|person|people|individual|face"
    r"|tattoo|ethnic|nation(ality)?$|orientation|gender|union|gang",
    re.IGNORECASE,
)


class Category(StrEnum):
    """What an emblem may be of. The list is closed."""

    ARMED_FORCE = "armed force"
    POLICE = "police"
    EMERGENCY_SERVICE = "emergency service"
    HUMANITARIAN = "humanitarian"
    GOVERNMENT = "government"
    HAZARD = "hazard"
    BRAND = "brand"
    MEDIA = "media"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table `[emblems.KEY]` of `emblems.toml`."""

    name: str
    """As it is told: "Flag of Norway"."""
    organisation: str
    """Whose it is, or what it warns of."""
    category: Category
    picture: str
    """A PNG beside the file, by its bare name; transparent where nothing is drawn."""
    source: str
    """Where the drawing comes from."""
    licence: str
    """Under which licence, with what else limits its use."""


class Emblem(NamedTuple):
    """An entry with its picture."""

    key: str
    entry: Entry
    art: U8
    """RGBA (192, 192, 4), as `artwork` gives it."""


class Gallery:
    """Emblems in the order of their file.

    >>> Gallery.load(STARTER)["red_crescent"].entry.category.value
    'humanitarian'
    """

    def __init__(self, emblems: tuple[Emblem, ...]) -> None:
        self.emblems = emblems
        self._by_key = {emblem.key: emblem for emblem in emblems}

    def __len__(self) -> int:
        return len(self.emblems)

    def __getitem__(self, key: str) -> Emblem:
        return self._by_key[key]

    @classmethod
    def load(cls, folder: Path) -> Gallery:
        """Read a folder; raises `ConfigurationError` at the first entry that cannot be used."""
        where = folder / "emblems.toml"
        tables = _tables(where)
        if len(tables) > MOST_ENTRIES:
            raise ConfigurationError(
                str(where), f"{len(tables)} entries", f"keep to {MOST_ENTRIES}; the search slows with each"
            )
        entries = {key: _entry(f"{where} [emblems.{key}]", table) for key, table in tables.items()}
        return cls(
            tuple(
                Emblem(key, entry, _picture(f"{where} [emblems.{key}]", folder, entry))
                for key, entry in entries.items()
            )
        )


def _tables(where: Path) -> dict[str, Any]:
    try:
        parsed = tomllib.loads(where.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            str(where), "no such file", "a gallery is a folder with `emblems.toml` and its pictures"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            str(where), f"cannot be read ({type(error).__name__})", "make it a readable UTF-8 file"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(where), f"not TOML: {error}", "mend the line it names") from None
    for name in parsed:
        if name != "emblems":
            raise ConfigurationError(str(where), f"unknown table `[{name}]`", did_you_mean(name, ["emblems"]))
    tables = parsed.get("emblems", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigurationError(
            str(where), "`emblems` is not a set of tables", "write one table each: `[emblems.KEY]`"
        )
    return tables


def _entry(where: str, table: dict[str, Any]) -> Entry:
    """Decode one table; says which field is wrong, its value and what may stand there."""
    fields = [field.encode_name for field in msgspec.structs.fields(Entry)]
    for key in table:
        if key not in fields:
            raise ConfigurationError(where, f"unknown key `{key}`", did_you_mean(key, fields))
    for key in fields:
        if key not in table:
            raise ConfigurationError(where, f"`{key}` is missing", f'add `{key} = "…"`')
        if not isinstance(table[key], str) or not table[key].strip():
            raise ConfigurationError(where, f"`{key}` = {table[key]!r} is not usable", "write some text")
    category = table["category"]
    known = [each.value for each in Category]
    if category not in known:
        mend = did_you_mean(category, known)
        if REFUSED.search(category):
            mend = "faiths, movements, parties and people are not looked for: leave the entry out"
        raise ConfigurationError(where, f"`category` = {category!r} does not exist", mend)
    return msgspec.convert(table, Entry)


def _picture(where: str, folder: Path, entry: Entry) -> U8:
    """The entry's picture, trimmed; refuses what is no small PNG in the folder itself."""
    what = f"`picture` = {entry.picture!r}"
    if Path(entry.picture).name != entry.picture or not entry.picture.lower().endswith(".png"):
        raise ConfigurationError(where, f"{what} is not usable", "give the bare name of a PNG in the folder")
    path = folder / entry.picture
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(where, f"{what} is over 1 MB", "draw it smaller: 256 pixels are enough")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            where, f"{what} cannot be read ({type(error).__name__})", "put the picture beside `emblems.toml`"
        ) from None
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    if content[:8] != b"\x89PNG\r\n\x1a\n" or not 16 <= max(width, height) <= MOST_SIDE_PX:
        raise ConfigurationError(where, f"{what} is not usable", f"a PNG of 16 to {MOST_SIDE_PX} pixels")
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    art = artwork(_rgba(read), SIDE_PX) if read is not None and read.dtype == np.uint8 else None
    if art is None:
        raise ConfigurationError(
            where, f"{what} shows nothing", "a drawing of 8 bits a channel, not all transparent, no thin line"
        )
    return art


def _rgba(read: npt.NDArray[Any]) -> U8:
    if read.ndim == 2:
        return np.asarray(cv2.cvtColor(read, cv2.COLOR_GRAY2RGBA), np.uint8)
    how = cv2.COLOR_BGRA2RGBA if read.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(read, how), np.uint8)


def artwork(rgba: U8, side_px: int) -> U8 | None:
    """The drawing alone in a square, its longer side 11/12 of the square's; None where there is none.

    What is transparent is not part of it. A white margin is: a flag may have one.
    """
    drawn = rgba[..., 3] > LEAST_COVER
    rows, columns = (np.flatnonzero(drawn.any(axis)) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return None
    cut = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = (side_px - 2 * (side_px // MARGIN)) / max(cut.shape[:2])
    size = [max(round(length * scale), 1) for length in cut.shape[1::-1]]
    if min(size) < side_px // 8:
        return None
    out = np.zeros((side_px, side_px, 4), np.uint8)
    top, left = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    out[top : top + size[1], left : left + size[0]] = cv2.resize(cut, size, interpolation=how)
    return out
