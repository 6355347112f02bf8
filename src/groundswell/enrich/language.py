"""Which language a post is in: `eng_Latn`, `zho_Hans`, `und` when nothing tells.

A script that one language owns answers at once; for the others the project's own model is asked. What the
author declared is only a fallback for texts that are too short to tell, for most apps declare a default.
Codes are ISO 639-3 and ISO 15924 as FLORES-200 pairs them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.enrich import language_model
from groundswell.enrich.language_codes import UNKNOWN, bcp47, with_script
from groundswell.enrich.scripts import SCRIPTS, Letters, letters

__all__ = ["Languages", "bcp47", "identify_text"]

MIN_LETTERS = 12
"""Fewer letters of a shared script say nothing dependable: `ok` is a word of thirty languages."""
MIN_HAN = 4
"""Fewer Han characters leave the word to the declaration."""

# Scripts that one language of the social web owns.
_OWNERS = """
Hang=kor Kana=jpn Thai=tha Laoo=lao Khmr=khm Geor=kat Armn=hye Grek=ell Taml=tam Telu=tel Knda=kan Mlym=mal
Gujr=guj Guru=pan Orya=ory Sinh=sin Thaa=div Cher=chr Olck=sat Nkoo=nqo Syrc=syr Cans=iku Mong=khk Adlm=fuv
Vaii=vai Mtei=mni Java=jav Yiii=iii Limb=lif
"""
_OWNED = dict(pair.split("=") for pair in _OWNERS.split())
# Scripts in which so many letters are needed; in all others one will do.
_LEAST = {"Latn": MIN_LETTERS, "Cyrl": MIN_LETTERS, "Arab": MIN_LETTERS, "Deva": MIN_LETTERS}
_OWNED_CONFIDENCE = 0.99
_DECLARED_CONFIDENCE = 0.5

I32 = npt.NDArray[np.int32]


class Languages:
    """Identifies languages, batch by batch; holds no state between batches."""

    def __init__(self) -> None:
        labels, self._model = language_model.load()
        owned = {script: _code(language, script) for script, language in _OWNED.items()}
        self._codes = [UNKNOWN, *labels, *sorted(set(owned.values()) - set(labels))]
        self._number = {code: at for at, code in enumerate(self._codes)}
        self._names = pa.array(self._codes, pa.string())
        self._owner = np.array([self._number[owned.get(script, UNKNOWN)] for script in SCRIPTS], np.int32)
        self._least = np.array([_LEAST.get(script, 1) for script in SCRIPTS], np.int32)
        self._trusted = self._least.copy()
        self._trusted[SCRIPTS.index("Hani")] = MIN_HAN

    def identify(self, texts: pa.StringArray, hints: pa.ListArray) -> tuple[pa.StringArray, pa.FloatArray]:
        """The code and the confidence of each text: the chance in [0, 1] that the code is right.

        A code that stands for a family (`language_codes.head_of`) is right for all its members.

        Parameters
        ----------
        texts
            Posts as written, or folded; no nulls.
        hints
            list<string>, BCP 47 tags that the authors declared; may be empty lists.
        """
        found = letters(texts, language_model.CAP)
        labels, confidences = language_model.classify(found, self._model, self._least)
        numbers = labels.astype(np.int32) + 1
        owner = self._owner[found.script]
        owned = owner > 0
        numbers[owned] = owner[owned]
        confidences[owned] = _OWNED_CONFIDENCE
        short = ~owned & (found.counts < self._trusted[found.script]) & (found.counts > 0)
        self._declared(found, hints, np.flatnonzero(short), numbers, confidences)
        return self._names.take(pa.array(numbers)), pa.array(confidences)

    def _declared(
        self,
        found: Letters,
        hints: pa.ListArray,
        rows: npt.NDArray[np.int64],
        numbers: I32,
        confidences: npt.NDArray[np.float32],
    ) -> None:
        """Let the first declaration that fits the script speak for each of `rows`."""
        declared = hints.take(pa.array(rows))
        tags = declared.flatten().dictionary_encode()
        if not len(tags):
            return
        row_of = rows[pc.list_parent_indices(declared).to_numpy()]
        pairs = tags.indices.to_numpy().astype(np.int64) * len(SCRIPTS) + found.script[row_of]
        asked, at = np.unique(pairs, return_inverse=True)
        answers = [
            self._answer(tags.dictionary[pair // len(SCRIPTS)].as_py(), pair % len(SCRIPTS))
            for pair in asked.tolist()
        ]
        answered = np.array(answers, np.int32)[at]
        fits = np.flatnonzero(answered)
        row, first = np.unique(row_of[fits], return_index=True)
        numbers[row] = answered[fits[first]]
        confidences[row] = _DECLARED_CONFIDENCE

    def _answer(self, tag: str, script: int) -> int:
        """The number of the code that a declaration means in this script; 0 for none."""
        code = with_script(tag, SCRIPTS[script])
        return 0 if code is None else self._number.get(code, 0)


def _code(language: str, script: str) -> str:
    return f"{language}_{'Jpan' if script == 'Kana' else script}"


def identify_text(text: str) -> tuple[str, float]:
    """The code and confidence of one text, for a command line.

    >>> identify_text("The river is rising fast near the old bridge")[0]
    'eng_Latn'
    """
    clean = text.encode("utf-8", "replace").decode("utf-8")
    none: Any = pa.array([[]], pa.list_(pa.string()))
    codes, confidences = Languages().identify(pa.array([clean], pa.string()), none)
    return codes[0].as_py(), float(confidences[0].as_py())
