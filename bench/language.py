"""Language identification on sentences kept from training, beside the installed peers on the same rows.

The shipped model has seen none of these rows (`_language_sets` says how they are kept apart). "Families"
counts the members of a family that share most of their sentences as one: Arabic and its dialects, Farsi and
Dari, Akan and Twi, Chinese and its languages, Bosnian, Croatian and Serbian. `language_left_out` measures
what this cannot: sources that training has not seen at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from bench._data import median_us, progress, row
from bench._language_score import calibration_error, cleaned, macro_f1, ours, peer_labels, peers
from bench._language_sets import SOURCES, TEST, Sentences, read

from groundswell.enrich import EnrichSettings, Languages
from groundswell.enrich.language_codes import covers
from groundswell.enrich.language_model import load

__all__ = ["measure"]

GOALS = {"flores": ">= .98", "social": ">= .94"}
TIMED_BYTES = (90, 120)
TIMED_ROWS = 40_000
BATCH = 4096
ROUNDS = 7


def measure() -> list[dict[str, Any]]:
    begun = time.process_time()
    load()
    loading = time.process_time() - begun
    rows = read()
    held_out = rows.where((rows.part == TEST) & np.isin(rows.label, load()[0]))
    figures = [_row("labels", len(load()[0]), ">= 250")]
    with progress("language") as bar:
        for number, source in enumerate(SOURCES):
            figures += on_set(source, held_out.where(held_out.source == number), GOALS.get(source, "-"))
            bar(number + 1, len(SOURCES) + 1)
    figures += _calibration(held_out.where(held_out.source == SOURCES.index("social")))
    figures += _times(rows)
    return [*figures, _row("loading, s of CPU", round(loading, 3), "<= .3")]


def on_set(name: str, rows: Sentences, goal: str, answers: Any = None) -> list[dict[str, Any]]:
    """Macro-F1 of ours and of every peer on the rows of one set; `answers` stand in for ours."""
    texts = rows.text.tolist()
    own = ours(texts)[0] if answers is None else answers
    figures = [
        _row(f"{name}, {len(texts)} rows: families", macro_f1(rows.label, own, families=True), goal),
        _row(f"{name}: strict", macro_f1(rows.label, own), "-"),
    ]
    for peer, ask in peers().items():
        said = peer_labels(ask(cleaned(texts)), texts)
        known = frozenset(said.tolist())
        figures += [
            _row(f"{name}: families, {peer}", macro_f1(rows.label, said, families=True), "less than ours"),
            _row(f"{name}: strict, on what {peer} knows", macro_f1(rows.label, said, of=known), "-"),
            _row(f"{name}: strict, on the same, ours", macro_f1(rows.label, own, of=known), "-"),
        ]
    return figures


def _calibration(tweets: Sentences) -> list[dict[str, Any]]:
    answers, confidences = ours(tweets.text.tolist())
    pairs = zip(answers.tolist(), tweets.label.tolist(), strict=True)
    right = np.array([covers(answer, truth) for answer, truth in pairs])
    sure = confidences >= EnrichSettings().min_language_confidence
    return [
        _row("social: calibration error", calibration_error(right, confidences), "<= .02"),
        _row("social: share answered at the default setting", float(sure.mean()), "-"),
        _row("social: right of those", float(right[sure].mean()), "-"),
    ]


def _times(rows: Sentences) -> list[dict[str, Any]]:
    """µs of CPU a post at about 105 bytes, medians; posts of all sources, as batches of the line come."""
    sizes = np.array([len(text.encode()) for text in rows.text])
    fitting = np.flatnonzero((sizes >= TIMED_BYTES[0]) & (sizes <= TIMED_BYTES[1]))
    chosen = np.random.default_rng(0).choice(fitting, TIMED_ROWS, replace=False)
    texts = rows.text[chosen].tolist()
    batches = [pa.array(texts[at : at + BATCH], pa.string()) for at in range(0, len(texts), BATCH)]
    undeclared = [pa.array([[]] * len(batch), pa.list_(pa.string())) for batch in batches]
    languages = Languages()

    def own() -> None:
        for batch, hints in zip(batches, undeclared, strict=True):
            languages.identify(batch, hints)

    figures = [_row(f"µs a post of {sizes[chosen].mean():.0f} bytes", _timed(own, ROUNDS), "<= 2")]
    plain = cleaned(texts)
    for peer, ask in peers().items():
        spent = _timed(lambda ask=ask: ask(plain), 1)  # type: ignore[misc]
        figures.append(_row(f"µs a post, {peer}", spent, "-"))
    return figures


def _timed(work: Callable[[], object], rounds: int) -> float:
    work()
    return median_us(work, TIMED_ROWS, rounds)


def _row(figure: str, value: float, goal: str) -> dict[str, Any]:
    return row(figure, round(value, 4), goal)
