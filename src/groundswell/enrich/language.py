"""Which language a post is in: `eng_Latn`, `zho_Hans`, `und` when nothing tells.

A script that one language owns answers at once; for the others CLD2 (`pycld2`) is asked, one call a post: the
slowest step of enrichment, and the one place where it loops over rows. What the author declared is only a
fallback, for most apps declare a default. Codes are ISO 639-3 and ISO 15924 as FLORES-200 pairs them.

Where `pycld2` is not to be had, scripts and declarations are all there is; the log says so once.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import structlog

from groundswell.enrich.scripts import SCRIPTS, letters

try:
    import pycld2
except ImportError:  # no wheel for this platform
    pycld2 = None

__all__ = ["Languages", "bcp47", "identify_text"]

UNKNOWN = "und"
MIN_LETTERS = 12
"""Fewer letters of a shared script say nothing dependable: `ok` is a word of thirty languages."""
READ_BYTES = 400
"""Of each post; more changes few answers and costs time."""

# Scripts that one language of the social web owns, and those where one is by far the likeliest.
_OWNERS = """
Hang=kor Kana=jpn Thai=tha Laoo=lao Khmr=khm Mymr=mya Geor=kat Armn=hye Grek=ell Taml=tam Telu=tel Knda=kan
Mlym=mal Gujr=guj Guru=pan Orya=ory Sinh=sin Thaa=div Cher=chr Olck=sat Nkoo=nqo Syrc=syr Cans=iku Tfng=tzm
Mong=khk Adlm=fuv Vaii=vai Mtei=mni Java=jav Yiii=iii Limb=lif
"""
_OWNED = {script: f"{code}_{script}" for script, code in (pair.split("=") for pair in _OWNERS.split())}
_OWNED["Kana"] = "jpn_Jpan"
_LIKELIEST = {"Hebr": "heb_Hebr", "Ethi": "amh_Ethi", "Tibt": "bod_Tibt", "Hani": "zho_Hans"}
_OWNED_CONFIDENCE = 0.99
_LIKELIEST_CONFIDENCE = 0.8
_HINT_CONFIDENCE = 0.4

# Characters that only one of the two Chinese orthographies uses, the commonest of each.
_SIMPLIFIED = frozenset(
    "这们个说时会国对过发后来里为没还样么经动开关长门问间实现点电话东车书见气让"
    "认识边进远运员学习买卖爱乐飞机场厅广云亚产业务报纸华军马风鱼鸟龙灾伤亡难击灭"
)
_TRADITIONAL = frozenset(
    "這們個說時會國對過發後來裡為沒還樣麼經動開關長門問間實現點電話東車書見氣讓"
    "認識邊進遠運員學習買賣愛樂飛機場廳廣雲亞產業務報紙華軍馬風魚鳥龍災傷難擊滅"
)


class _Catalogue(NamedTuple):
    codes: dict[str, tuple[str, tuple[str, ...]]]
    """BCP 47 subtag -> ISO 639-3 code and scripts, the usual one first."""
    tags: dict[str, tuple[str, str]]
    """ISO 639-3 code -> BCP 47 subtag and the script it implies."""


@cache
def _catalogue() -> _Catalogue:
    codes: dict[str, tuple[str, tuple[str, ...]]] = {}
    tags: dict[str, tuple[str, str]] = {}
    text = (Path(__file__).parent / "data" / "languages.tsv").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        subtag, code, scripts, *others = line.split("\t")
        entry = (code, tuple(scripts.split()))
        for name in (subtag, *(others[0].split() if others else ())):
            codes[name.lower()] = entry
        tags[code] = (subtag if subtag != "sr-ME" else code, entry[1][0])
    return _Catalogue(codes, tags)


def bcp47(code: str) -> str:
    """The BCP 47 form of one of our codes, for pages and for feeds.

    >>> bcp47("eng_Latn"), bcp47("srp_Latn"), bcp47("zho_Hant"), bcp47("und")
    ('en', 'sr-Latn', 'zh-Hant', 'und')
    """
    language, _, script = code.partition("_")
    subtag, usual = _catalogue().tags.get(language, (language, script))
    if not script or (script == usual and script != "Hans"):
        return subtag
    return f"{subtag}-{script}"


def _with_script(subtag: str, script: str) -> str | None:
    """The code for a BCP 47 tag in this script, or None when the language is not written in it."""
    found = _catalogue().codes.get(subtag.lower()) or _catalogue().codes.get(subtag.lower().split("-")[0])
    if found is None:
        return None
    language, scripts = found
    if script in scripts:
        return f"{language}_{script}"
    if script == "Hani":
        traditional = any(part in subtag for part in ("Hant", "TW", "HK", "MO"))
        return (
            f"{language}_{'Hant' if traditional else scripts[0]}"
            if language in ("zho", "yue", "jpn")
            else None
        )
    if script == "Kana":
        return "jpn_Jpan" if language == "jpn" else None
    return None


def _orthography(text: str) -> str:
    traditional = sum(char in _TRADITIONAL and char not in _SIMPLIFIED for char in text)
    simplified = sum(char in _SIMPLIFIED and char not in _TRADITIONAL for char in text)
    return "zho_Hant" if traditional > simplified else "zho_Hans"


@cache
def _say_once() -> None:
    structlog.get_logger(__name__).warning(
        "pycld2 is not installed: languages are told by script and declaration only"
    )


class Languages:
    """Identifies languages, batch by batch; holds no state between batches."""

    def __init__(self) -> None:
        if pycld2 is None:
            _say_once()

    def identify(self, texts: pa.StringArray, hints: pa.ListArray) -> tuple[pa.StringArray, pa.FloatArray]:
        """The code and the confidence in [0, 1] of each text.

        Parameters
        ----------
        texts
            Posts as written, or folded; no nulls.
        hints
            list<string>, BCP 47 tags that the authors declared; may be empty lists.
        """
        found = letters(texts, READ_BYTES)
        data = found.data.tobytes()
        codes: list[str] = []
        confidences = np.zeros(len(texts), np.float32)
        for row, (number, count) in enumerate(
            zip(found.script.tolist(), found.letters.tolist(), strict=True)
        ):
            words = data[found.offsets[row] : found.offsets[row + 1]]
            code, confidences[row] = self._identify(words, SCRIPTS[number], count, hints, row)
            codes.append(code)
        return pa.array(codes, pa.string()), pa.array(confidences)

    def _identify(
        self, words: bytes, script: str, count: int, hints: pa.ListArray, row: int
    ) -> tuple[str, float]:
        owner = _OWNED.get(script)
        if owner is not None:
            return owner, _OWNED_CONFIDENCE
        enough = count >= MIN_LETTERS or (script == "Hani" and count >= MIN_LETTERS // 3)
        if enough and pycld2 is not None:
            answer = _ask(words, script)
            if answer is not None:
                return answer
        if script == "Zyyy":
            return UNKNOWN, 0.0
        for hint in hints[row].as_py():
            code = _with_script(hint, script)
            if code is not None:
                return code, _HINT_CONFIDENCE
        likeliest = _LIKELIEST.get(script)
        if likeliest is None:
            return UNKNOWN, 0.0
        if script == "Hani":
            likeliest = _orthography(words.decode("utf-8", "ignore"))
        return likeliest, _LIKELIEST_CONFIDENCE


def _ask(words: bytes, script: str) -> tuple[str, float] | None:
    """CLD2's first answer, when it is a language we know in the script the text is in."""
    try:
        reliable, _, details = pycld2.detect(words, isPlainText=True, bestEffort=True)
    except pycld2.error:  # it refuses a few characters that Unicode allows
        return None
    _, subtag, percent, _ = details[0]
    code = _with_script(subtag, script)
    if code is None:
        return None
    if code.startswith("zho"):
        code = _orthography(words.decode("utf-8", "ignore"))
    share = percent / 100.0
    return code, share * (0.95 if reliable else 0.55)


def identify_text(text: str) -> tuple[str, float]:
    """The code and confidence of one text, for a command line.

    >>> identify_text("The river is rising fast near the old bridge")[0]
    'eng_Latn'
    """
    clean = text.encode("utf-8", "replace").decode("utf-8")
    none: Any = pa.array([[]], pa.list_(pa.string()))
    codes, confidences = Languages().identify(pa.array([clean], pa.string()), none)
    return codes[0].as_py(), float(confidences[0].as_py())
