"""Language identification on each source when it is left out of training: what a new platform is like.

Trains six models, three minutes each on one core. A language is measured where the other sources teach it
with at least as many sentences as `scripts/train_language.py` asks for; rows that occur in another source's
training part are taken out. `social` is tweets with no social text in training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from bench._data import progress
from bench._language_sets import CAP, SOURCES, TRAIN, TUNE, Sentences, read
from bench.language import on_set
from scripts.train_language import MIN_ROWS, Trained, calibrated, quantised, train

from groundswell.enrich.language_model import classify
from groundswell.enrich.scripts import SCRIPTS, letters

__all__ = ["measure"]

GOAL = ">= .90"


def measure() -> list[dict[str, Any]]:
    rows = read()
    figures: list[dict[str, Any]] = []
    with progress("language_left_out") as bar:
        for number, source in enumerate(SOURCES):
            others = rows.where(rows.source != number)
            learnt = others.where(others.part == TRAIN)
            labels, counts = np.unique(learnt.label, return_counts=True)
            apart = (rows.source == number) & ~np.isin(rows.key, learnt.key)
            trained = train(learnt)
            taught = np.intersect1d(labels[counts >= MIN_ROWS], trained.shape.labels)
            unseen = rows.where(apart & np.isin(rows.label, taught))
            figures += on_set(f"without {source}", unseen, GOAL, _answers(unseen, others, trained))
            bar(number + 1, len(SOURCES))
    return figures


def _answers(unseen: Sentences, others: Sentences, trained: Trained) -> np.ndarray:
    """What a model that learnt from `others` alone says of each unseen row."""
    labels = trained.shape.labels
    model = calibrated(labels, quantised(trained), others.where(others.part == TUNE))
    found = letters(pa.array(unseen.text.tolist(), pa.string()), CAP)
    numbers, _ = classify(found, model, np.ones(len(SCRIPTS), np.int32))
    answers = np.array([*labels, "und"])[numbers]
    answers[found.script == SCRIPTS.index("Kana")] = "jpn_Jpan"
    return answers
