"""Names of languages: ISO 639-3 with script inside the program, BCP 47 at its surface."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["UNKNOWN", "bcp47", "covers", "head_of", "with_script"]

UNKNOWN = "und"


# Languages that share most of their sentences, and the one that stands for all where none is sure.
_FAMILIES = {
    "arb_Arab": "acm_Arab acq_Arab aeb_Arab ajp_Arab apc_Arab arq_Arab ars_Arab ary_Arab arz_Arab",
    "pes_Arab": "prs_Arab",
    "aka_Latn": "twi_Latn",
    "zho_Hans": "wuu_Hans",
    "zho_Hant": "yue_Hant",
}
_HEADS = {member: head for head, members in _FAMILIES.items() for member in members.split()}


def head_of(code: str) -> str:
    """The code that stands for the code's family; the code itself where it has none.

    >>> head_of("arz_Arab"), head_of("arb_Arab"), head_of("deu_Latn")
    ('arb_Arab', 'arb_Arab', 'deu_Latn')
    """
    return _HEADS.get(code, code)


def covers(answer: str, truth: str) -> bool:
    """Whether `answer` is right: it is the truth, or it stands for the family of the truth.

    >>> covers("arb_Arab", "arz_Arab"), covers("arz_Arab", "arb_Arab")
    (True, False)
    """
    return answer in (truth, head_of(truth))


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


def with_script(subtag: str, script: str) -> str | None:
    """The code for a BCP 47 tag in this script, or None when the language is not written in it.

    >>> with_script("pt-BR", "Latn"), with_script("zh-TW", "Hani"), with_script("ja", "Latn")
    ('por_Latn', 'zho_Hant', None)
    """
    found = _catalogue().codes.get(subtag.lower()) or _catalogue().codes.get(subtag.lower().split("-")[0])
    if found is None:
        return None
    language, scripts = found
    if script in scripts:
        return f"{language}_{script}"
    if script == "Hani" and language in ("zho", "yue", "wuu", "jpn"):
        traditional = any(part in subtag for part in ("Hant", "TW", "HK", "MO"))
        return f"{language}_{'Hant' if traditional else scripts[0]}"
    return None
