"""The openly licensed sentences that languages are learnt from and measured on, and what keeps the two apart.

Every row has a source, a label (`iso639_3_Script`) and a part: train, tune or test. The part is a function of
the row's first letters alone, so the same sentence, retweet or cut-off copy falls in the same part whatever
source it comes from. Within a source and label, a text is kept once.
"""

from __future__ import annotations

import gzip
import html
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import data_file
from numba import njit

from groundswell.enrich.language_codes import head_of
from groundswell.enrich.scripts import SCRIPTS, U16, Letters, letters

__all__ = [
    "CAP",
    "FROM_UDHR_ALONE",
    "SOURCES",
    "TEST",
    "TRAIN",
    "TUNE",
    "Sentences",
    "family",
    "parts_of",
    "read",
]

SOURCES = ("flores", "tatoeba", "udhr", "common_voice", "nusax", "social")
TRAIN, TUNE, TEST = 0, 1, 2
CAP = 128
"""Letters of a text that are read."""
_KEY_LETTERS = 48
_TUNE_SHARE, _TEST_SHARE = 5, 12  # per cent
_MIN_LETTERS = 12

_FILES = {source: f"{source}.tsv.gz" for source in SOURCES}
_FILES |= {"flores": "flores_train.tsv.gz", "social": "social_train.tsv.gz"}

# One name for one language: macrolanguages as the individual language that is meant, retired codes.
_RENAMED = """
ara=arb cmn=zho uzb=uzn aze=azj sqi=als mon=khk kur=kmr yid=ydd orm=gaz swa=swh kzj=dtp ekk=est pbu=pbt
zlm=zsm gug=grn que=quy ike=iku fuf=fuv nhn=nah
"""
_NAMES = dict(pair.split("=") for pair in _RENAMED.split())
# `ber` is several languages and `und` none; the others have a hundred sentences of a language few write.
_LEFT_OUT = frozenset(
    {"ber", "und", "tzl", "nov", "ang", "orv", "max", "mto", "hlt", "csw", "ojb", "swg", "lfn"}
)
_UDHR_ALONE = """
abk_Cyrl ady_Cyrl alt_Cyrl azj_Cyrl bcl_Latn bis_Latn bos_Cyrl chr_Cher cos_Latn crs_Latn fuv_Adlm glv_Latn
gsw_Latn haw_Latn hil_Latn iii_Yiii iku_Cans jam_Latn jav_Java kal_Latn kbd_Cyrl kjh_Cyrl koi_Cyrl kri_Latn
mnw_Mymr nav_Latn oss_Cyrl pcm_Latn rmn_Latn sco_Latn sme_Latn tah_Latn tet_Latn tiv_Latn ton_Latn tuk_Cyrl
tyv_Cyrl uig_Latn uzn_Cyrl vai_Vaii ven_Latn wln_Latn yrk_Cyrl
"""
FROM_UDHR_ALONE = frozenset(_UDHR_ALONE.split())
"""Learnt from the declaration of human rights, nearly alone: many write them, or none other their script."""

_SERBO_CROATIAN = frozenset({"bos", "hrv", "srp", "cnr"})


def family(label: str) -> str:
    """The label with its family in the language's place: members share most of their sentences.

    >>> family("arz_Arab"), family("hrv_Latn"), family("yue_Hant"), family("nob_Latn")
    ('arb_Arab', 'hbs_Latn', 'zho_Hani', 'nob_Latn')
    """
    language, _, script = head_of(label).partition("_")
    if language == "zho":
        return "zho_Hani"
    return f"hbs_{script}" if language in _SERBO_CROATIAN else f"{language}_{script}"


class Sentences(NamedTuple):
    """Rows of all sources, in the order of the files."""

    text: npt.NDArray[np.object_]
    label: npt.NDArray[np.str_]
    source: npt.NDArray[np.uint8]
    """Index into `SOURCES`."""
    part: npt.NDArray[np.uint8]
    """`TRAIN`, `TUNE` or `TEST`."""
    key: npt.NDArray[np.uint64]
    """Hash of the first letters."""

    def where(self, rows: npt.NDArray[np.bool_]) -> Sentences:
        return Sentences(
            self.text[rows], self.label[rows], self.source[rows], self.part[rows], self.key[rows]
        )


def read() -> Sentences:
    """All sentences with enough letters and a label that is not left out (about 20 s)."""
    texts: list[str] = []
    names: list[str] = []
    sources: list[int] = []
    for number, source in enumerate(SOURCES):
        for name, text in _lines(source):
            texts.append(text)
            names.append(name)
            sources.append(number)
    found = letters(pa.array(texts, pa.string()), CAP)
    keys, part = parts_of(found)
    labels = np.array(_labels(texts, names, [SCRIPTS[number] for number in found.script]))
    source_of = np.array(sources, np.uint8)
    order = np.lexsort((np.arange(len(keys)), keys, labels, source_of))
    first = np.ones(len(keys), bool)
    same = (keys[order][1:] == keys[order][:-1]) & (labels[order][1:] == labels[order][:-1])
    first[order[1:]] = ~(same & (source_of[order][1:] == source_of[order][:-1]))
    dense = np.isin(found.script, [SCRIPTS.index(script) for script in ("Hani", "Kana", "Hang")])
    enough = found.counts >= np.where(dense, _MIN_LETTERS // 3, _MIN_LETTERS)
    everything = Sentences(np.array(texts, object), labels, source_of, part, keys)
    return everything.where(first & enough & (labels != ""))


def parts_of(found: Letters) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """The key of each row, a hash of its first letters, and the part that it belongs to."""
    keys = np.zeros(len(found.script), np.uint64)
    _keys(found.bounds, found.codes, keys)
    at = np.digitize(keys % np.uint64(100), [_TUNE_SHARE, _TUNE_SHARE + _TEST_SHARE])
    return keys, np.array([TUNE, TEST, TRAIN], np.uint8)[at]


def _lines(source: str) -> Iterator[tuple[str, str]]:
    """(label or code as the file has it, text)."""
    with gzip.open(data_file("language", _FILES[source]), "rt", encoding="utf-8") as lines:
        for line in lines:
            name, *others = line.rstrip("\n").split("\t")
            if others:
                yield name, html.unescape(others[-1]).replace("\\n", "\n")


def _labels(texts: list[str], names: list[str], scripts: list[str]) -> list[str]:
    """`iso639_3_Script`; empty for a row that cannot serve."""
    simplified, traditional = _orthographies(texts, names)
    labels: list[str] = []
    for text, name, script in zip(texts, names, scripts, strict=True):
        code, _, stated = name.partition("_")
        code = _NAMES.get(code, code)
        if script == "Kana":
            script = "Jpan"
        elif script == "Hani":
            if code == "jpn":
                script = "Jpan"
            elif code == "yue":
                script = "Hant"
            elif code == "wuu":
                script = "Hans"
            else:
                more = len(simplified.intersection(text)) - len(traditional.intersection(text))
                script = ("Hans" if more > 0 else "Hant") if more else "Hani"
        if stated:
            usual = {"zho_Hani": f"zho_{stated}"}.get(f"{code}_{script}", f"{code}_{script}")
            labels.append(usual if usual == f"{code}_{stated}" and code not in _LEFT_OUT else "")
        else:
            labels.append("" if code in _LEFT_OUT or script in ("Zyyy", "Hani") else f"{code}_{script}")
    return labels


def _orthographies(texts: list[str], names: list[str]) -> tuple[set[str], set[str]]:
    """Characters that FLORES writes in one Chinese orthography alone: simplified, traditional."""
    used: dict[str, set[str]] = {"zho_Hans": set(), "zho_Hant": set()}
    for text, name in zip(texts, names, strict=True):
        if name in used:
            used[name].update(text)
    return used["zho_Hans"] - used["zho_Hant"], used["zho_Hant"] - used["zho_Hans"]


@njit(cache=True)
def _keys(bounds: npt.NDArray[np.int32], codes: U16, keys: npt.NDArray[np.uint64]) -> None:
    """FNV-1a over the first letters of each row, spaces left out, well mixed."""
    for row in range(len(keys)):
        state = np.uint64(0xCBF29CE484222325)
        taken = 0
        for i in range(bounds[row], bounds[row + 1]):
            if codes[i] != 32 and taken < _KEY_LETTERS:
                state = (state ^ np.uint64(codes[i])) * np.uint64(0x100000001B3)
                taken += 1
        state ^= state >> np.uint64(33)
        state *= np.uint64(0xFF51AFD7ED558CCD)
        keys[row] = state ^ (state >> np.uint64(33))
