"""Trains `src/groundswell/enrich/data/language.npz.zst`, the model behind `groundswell.enrich.language`.

    python scripts/train_language.py [--without SOURCE] [--out FILE]

Reads the sets that `bench/_language_sets.py` names, learns from their training part alone, fits the
confidence on their tuning part and writes one file. The seed is fixed; one core, about five minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench import _language_sets as sets
from numba import njit

from groundswell.enrich import language_model
from groundswell.enrich.language_codes import head_of
from groundswell.enrich.language_model import LENGTHS, Model
from groundswell.enrich.ngrams import DIMENSIONS, F32, I8, TABLE_BITS, blocked, hash_ngrams
from groundswell.enrich.scripts import SCRIPTS, U16, letters

SEED = 1
EPOCHS = 12
DRAWS = 350_000
RATE = 0.15
SMOOTHING = 0.03
LABEL_POWER = 0.3
_WRITTEN_MORE = """
eng_Latn=4 spa_Latn=2 por_Latn=2 fra_Latn=2 deu_Latn=2 ita_Latn=2 nld_Latn=2 tur_Latn=2 pol_Latn=2 ind_Latn=2
rus_Cyrl=2 ukr_Cyrl=2 arb_Arab=2 hin_Deva=2 zho_Hans=2 zho_Hant=2
"""
WRITTEN_MORE = {label: float(times) for label, times in (pair.split("=") for pair in _WRITTEN_MORE.split())}
"""Drawn so much more often: a lookalike that few people write shall need evidence."""
MIN_ROWS = 80
UDHR_WEIGHT = 0.5
CAP = sets.CAP
DENSE = SCRIPTS.index("Hani")
_ENGLISH = """
a about all an and are at be but can for from had has have he his how if in is it its just me my not of on or
our she so that the their they this was we were what when who will with you your
"""
ENGLISH = frozenset(_ENGLISH.split())
ENGLISH_SHARE = 0.25

# How often a sentence is made worse, and how; see `compose`.
WINDOW = 0.7
STRIP = 0.15
JOIN = 0.1
STRETCH = 0.05
BORROW = 0.12

TEMPERATURE = 0.6
"""Where there is too little to fit one on."""
TEMPERATURES = np.arange(0.3, 2.0, 0.04).astype(np.float32)
CALIBRATION_ROWS = 400
CALIBRATION_BINS = 10


class Corpus(NamedTuple):
    """Training rows, grouped by label and source, and how groups are drawn."""

    bounds: npt.NDArray[np.int32]
    codes: U16
    groups: npt.NDArray[np.int64]
    """Groups + 1 row numbers."""
    label_of: npt.NDArray[np.int64]
    """Of each group."""
    chance: npt.NDArray[np.float64]
    """Cumulated over groups."""
    english: npt.NDArray[np.int64]
    """Rows from which English words are borrowed."""


class Shape(NamedTuple):
    """The labels and which of them compete: those of script s stand from `first[s]` to `first[s + 1]`."""

    labels: tuple[str, ...]
    first: npt.NDArray[np.int64]


def gate_script(label: str) -> int:
    """The number of the script under which a label competes."""
    script = label.partition("_")[2]
    return SCRIPTS.index({"Hans": "Hani", "Hant": "Hani", "Jpan": "Hani"}.get(script, script))


def shape_of(labels: list[str]) -> Shape:
    ordered = sorted(labels, key=lambda label: (gate_script(label), label))
    numbers = [gate_script(label) for label in ordered]
    return Shape(tuple(ordered), np.searchsorted(numbers, np.arange(len(SCRIPTS) + 1)))


def mislabelled(rows: sets.Sentences) -> npt.NDArray[np.bool_]:
    """Tweets that are called romanised Hindi and are English: they are learnt as that."""
    suspects = rows.label == "hin_Latn"
    shares = [np.mean([word in ENGLISH for word in text.lower().split()]) for text in rows.text[suspects]]
    found = np.zeros(len(suspects), bool)
    found[suspects] = np.array(shares) >= ENGLISH_SHARE
    return found


def corpus_of(rows: sets.Sentences) -> tuple[Corpus, Shape]:
    named = np.unique(rows.label)
    beside, others = np.unique(rows.label[rows.source != sets.SOURCES.index("udhr")], return_counts=True)
    elsewhere = dict(zip(beside.tolist(), others.tolist(), strict=True))
    kept = [
        name for name in named.tolist() if elsewhere.get(name, 0) >= MIN_ROWS or name in sets.FROM_UDHR_ALONE
    ]
    shape = shape_of(kept)
    number = {label: at for at, label in enumerate(shape.labels)}
    rows = rows.where(np.isin(rows.label, kept))
    rows.label[mislabelled(rows)] = "eng_Latn"
    numbers = np.array([number[label] for label in rows.label.tolist()])
    order = np.lexsort((rows.source, numbers))
    numbers, source = numbers[order], rows.source[order]
    key = numbers * 16 + source
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    sizes = np.diff(np.r_[starts, len(key)])
    weight = np.sqrt(sizes) * np.where(source[starts] == sets.SOURCES.index("udhr"), UDHR_WEIGHT, 1.0)
    label_of = numbers[starts]
    wanted = np.array([WRITTEN_MORE.get(label, 1.0) for label in shape.labels])
    total = np.bincount(label_of, sizes)
    wanted *= total**LABEL_POWER
    share = weight / np.bincount(label_of, weight)[label_of] * (wanted / wanted.sum())[label_of]
    found = letters(pa.array(rows.text[order].tolist(), pa.string()), 4 * sets.CAP)
    english = np.flatnonzero(numbers == number["eng_Latn"])
    return (
        Corpus(found.bounds, found.codes, np.r_[starts, len(key)], label_of, np.cumsum(share), english),
        shape,
    )


@njit
def compose(corpus: Corpus, row: int, bare: U16, out: U16) -> int:
    """Write a made-worse version of a row to `out`, how many codes: what posts do to sentences.

    Mostly a short stretch of it; sometimes without its accents, with words run together as in a hashtag, with
    a letter drawn out, or with English words beside it.
    """
    codes = corpus.codes[corpus.bounds[row] : corpus.bounds[row + 1]]
    size = len(codes)
    spaces = 0
    for code in codes:
        spaces += code == 32
    begin, end = 0, size
    if np.random.random() < WINDOW:
        if spaces > size // 12:
            words = spaces - 1
            wanted = 2 + int(18 * np.random.random() ** 2)
            if wanted < words:
                skip = np.random.randint(0, words - wanted + 1)
                seen = -1
                for i in range(size):
                    if codes[i] == 32:
                        seen += 1
                        if seen == skip:
                            begin = i
                        if seen == skip + wanted:
                            end = i + 1
        else:
            wanted = 5 + int(60 * np.random.random() ** 2)
            if wanted < size:
                begin = np.random.randint(0, size - wanted + 1)
                end = begin + wanted
    strip = np.random.random() < STRIP
    join = 0.3 if np.random.random() < JOIN else 0.0
    stretch = np.random.randint(begin, end) if np.random.random() < STRETCH else -1
    out[0] = 32
    at = 1
    for i in range(begin, end):
        code = codes[i]
        if code == 32 and (out[at - 1] == 32 or np.random.random() < join):
            continue
        if strip:
            code = bare[code]
            if code == 0:
                continue
        out[at] = code
        at += 1
        if i == stretch and code != 32 and out[at - 2] != code:
            out[at] = code
            at += 1
        if at >= CAP:
            break
    if out[at - 1] != 32 and at < CAP:
        out[at] = 32
        at += 1
    if np.random.random() < BORROW and at < CAP:
        other = corpus.english[np.random.randint(0, len(corpus.english))]
        words = np.random.randint(1, 5)
        for i in range(corpus.bounds[other] + 1, corpus.bounds[other + 1]):
            if at >= CAP or words == 0:
                break
            out[at] = corpus.codes[i]
            at += 1
            words -= corpus.codes[i] == 32
    return at


@njit(fastmath=True)
def epoch(
    corpus: Corpus,
    first: npt.NDArray[np.int64],
    gate_of: npt.NDArray[np.int64],
    bare: U16,
    table: F32,
    spread: F32,
    out: F32,
    out_spread: F32,
    draws: int,
    rate_from: float,
    rate_to: float,
    seed: int,
) -> float:
    """One pass of stochastic gradient descent with AdaGrad, a step size a row; the mean loss.

    `table` and `out` are the vectors and the weights, `spread` and `out_spread` their squared gradients.
    """
    np.random.seed(seed)
    codes = np.zeros(2 * CAP + 16, np.uint16)
    rows = np.zeros(4 * CAP, np.uint32)
    hidden = np.zeros(DIMENSIONS, np.float32)
    back = np.zeros(DIMENSIONS, np.float32)
    scores = np.zeros(len(out), np.float32)
    loss = 0.0
    for draw in range(draws):
        rate = np.float32(rate_from + (rate_to - rate_from) * draw / draws)
        group = np.searchsorted(corpus.chance, np.random.random() * corpus.chance[-1], side="right")
        row = np.random.randint(corpus.groups[group], corpus.groups[group + 1])
        label = corpus.label_of[group]
        gate = gate_of[label]
        low, high = first[gate], first[gate + 1]
        size = compose(corpus, row, bare, codes)
        count = hash_ngrams(codes[:size], gate == DENSE, rows)
        if count == 0:
            continue
        scale = np.float32(1.0 / np.sqrt(count))
        hidden[:] = 0
        for k in range(count):
            vector = table[rows[k]]
            for d in range(DIMENSIONS):
                hidden[d] += vector[d]
        for d in range(DIMENSIONS):
            hidden[d] *= scale
        most = np.float32(-1e9)
        for at in range(low, high):
            weights = out[at]
            s = np.float32(0)
            for d in range(DIMENSIONS):
                s += weights[d] * hidden[d]
            scores[at] = s
            most = max(most, s)
        total = np.float32(0)
        for at in range(low, high):
            scores[at] = np.exp(scores[at] - most)
            total += scores[at]
        back[:] = 0
        rest = np.float32(SMOOTHING / (high - low))
        loss -= np.log(scores[label] / total)
        for at in range(low, high):
            error = scores[at] / total - rest
            if at == label:
                error -= np.float32(1 - SMOOTHING)
            weights = out[at]
            squares = np.float32(0)
            for d in range(DIMENSIONS):
                back[d] += error * weights[d]
                squares += hidden[d] * hidden[d]
            out_spread[at] += error * error * squares / DIMENSIONS
            step = rate * error / np.sqrt(out_spread[at] + np.float32(1e-8))
            for d in range(DIMENSIONS):
                weights[d] -= step * hidden[d]
        squares = np.float32(0)
        for d in range(DIMENSIONS):
            back[d] *= scale
            squares += back[d] * back[d]
        squares /= DIMENSIONS
        for k in range(count):
            r = rows[k]
            spread[r] += squares
            step = rate / np.sqrt(spread[r] + np.float32(1e-10))
            vector = table[r]
            for d in range(DIMENSIONS):
                vector[d] -= step * back[d]
    return loss / draws


def bare_letters() -> U16:
    """Each code point without its accents; 0 for a combining accent."""
    table = np.arange(0x10000, dtype=np.uint16)
    for code in range(0xC0, 0x2000):
        if 0x300 <= code < 0x370:
            table[code] = 0
        elif code < 0x530 or code >= 0x1E00:
            table[code] = ord(unicodedata.normalize("NFD", chr(code))[0])
    return table


class Trained(NamedTuple):
    shape: Shape
    vectors: F32
    """(rows of the hash table, dimensions)"""
    weights: F32
    """(labels, dimensions)"""


def train(rows: sets.Sentences, epochs: int = EPOCHS) -> Trained:
    """Learn from `rows`; says its progress on standard error."""
    corpus, shape = corpus_of(rows)
    labels = len(shape.labels)
    gate_of = np.array([gate_script(label) for label in shape.labels])
    alone = (np.diff(shape.first) == 1)[gate_of]
    chance = np.diff(np.r_[0.0, corpus.chance]) * ~alone[corpus.label_of]
    corpus = corpus._replace(chance=np.cumsum(chance))
    rng = np.random.default_rng(SEED)
    size = (1 << TABLE_BITS, DIMENSIONS)
    vectors = rng.uniform(-1 / DIMENSIONS, 1 / DIMENSIONS, size).astype(np.float32)
    spread = np.zeros(len(vectors), np.float32)
    weights = np.zeros((labels, DIMENSIONS), np.float32)
    weights_spread = np.zeros(labels, np.float32)
    bare = bare_letters()
    for number in range(epochs):
        begun = time.monotonic()
        rates = [RATE * (1 - at / epochs) for at in (number, number + 1)]
        loss = epoch(
            corpus, shape.first, gate_of, bare, vectors, spread, weights, weights_spread,
            DRAWS, *rates, SEED + number,
        )  # fmt: skip
        spent = time.monotonic() - begun
        sys.stderr.write(f"epoch {number + 1} of {epochs}: loss {loss:.4f}, {spent:.0f} s\n")
    return Trained(shape, vectors, weights)


def quantised(trained: Trained) -> Model:
    """Vectors to int8, dimension by dimension, the scales folded into the weights."""
    scale = np.percentile(np.abs(trained.vectors), 99.95, axis=0) / 127
    table: I8 = np.clip(np.round(trained.vectors / scale), -127, 127).astype(np.int8)
    weights = (trained.weights * scale).astype(np.float32)
    labels, first = trained.shape
    temperatures = np.full((len(SCRIPTS), len(LENGTHS) + 1), TEMPERATURE, np.float32)
    blocks = blocked([weights[low:high] for low, high in pairwise(first.tolist())])
    number = {label: at for at, label in enumerate(labels)}
    heads = np.array([number.get(head_of(label), at) for label, at in number.items()], np.int16)
    return Model(first.astype(np.int32), table, *blocks, heads, temperatures)


def calibrated(labels: tuple[str, ...], model: Model, rows: sets.Sentences) -> Model:
    """The model with the temperatures of least calibration error, on rows and stretches of them.

    Tweets weigh as much as all the rest.
    """
    rng = np.random.default_rng(SEED)
    texts, truths, social = [], [], []
    for text, label, source in zip(rows.text, rows.label, rows.source, strict=True):
        words = text.split()
        stretches = [text]
        if len(words) > 3:
            wanted = int(rng.integers(2, min(len(words), 14)))
            skipped = int(rng.integers(0, len(words) - wanted + 1))
            stretches.append(" ".join(words[skipped : skipped + wanted]))
        for stretch in stretches:
            texts.append(stretch)
            truths.append(label)
            social.append(source == sets.SOURCES.index("social"))
    found = letters(pa.array(texts, pa.string()), CAP)
    least = np.full(len(SCRIPTS), 1, np.int32)
    names = np.array([*labels, "und"])
    heads = [head_of(truth) for truth in truths]
    share = max(np.mean(social), 1e-9)
    weight = np.where(social, 1 / share, 1 / (1 - share))
    stretch = np.digitize(np.diff(found.bounds), LENGTHS)
    temperatures = np.full((len(SCRIPTS), len(LENGTHS) + 1), TEMPERATURE, np.float32)
    least_gap = np.full(temperatures.shape, np.inf)
    for temperature in TEMPERATURES:
        trial = model._replace(temperatures=np.full_like(temperatures, temperature))
        numbers, chances = language_model.classify(found, trial, least)
        answers = names[numbers]
        right = (answers == np.array(truths)) | (answers == np.array(heads))
        surplus = (chances - right) * weight
        bins = (chances * CALIBRATION_BINS).astype(int)
        for script, length in np.ndindex(temperatures.shape):
            chosen = (found.script == script) & (stretch == length)
            if chosen.sum() >= CALIBRATION_ROWS and model.first[script + 1] - model.first[script] > 1:
                gap = np.abs(np.bincount(bins[chosen], surplus[chosen])).sum()
                if gap < least_gap[script, length]:
                    least_gap[script, length] = gap
                    temperatures[script, length] = temperature
    return model._replace(temperatures=temperatures)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without", choices=sets.SOURCES, help="leave a source out")
    parser.add_argument("--out", type=Path, default=language_model.FILE)
    options = parser.parse_args()
    rows = sets.read()
    if options.without:
        rows = rows.where(rows.source != sets.SOURCES.index(options.without))
    trained = train(rows.where(rows.part == sets.TRAIN))
    labels = trained.shape.labels
    model = calibrated(labels, quantised(trained), rows.where(rows.part == sets.TUNE))
    language_model.save(options.out, labels, model)
    sys.stderr.write(f"{len(labels)} labels, {options.out.stat().st_size / 1e6:.1f} MB: {options.out}\n")


if __name__ == "__main__":
    main()
