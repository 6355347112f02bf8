"""Redaction against its plain reference: every step tried on every text, all expressions run by Arrow.

What the features clear, and which engine runs an expression, must change nothing but the time.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundswell.gate import Redactor, redact
from groundswell.gate.disguise import unmask
from groundswell.gate.drafts import Drafts
from groundswell.gate.expressions import Expression
from groundswell.gate.features import features
from groundswell.gate.handles import LEFT, TAKEN, strip_handles
from groundswell.gate.mending import MENDING, mend
from groundswell.gate.patterns import ACCOUNTS, DOCUMENTS, HANDLE, Pattern
from groundswell.gate.redact import BARE_LINK, LINK
from tests.measuring import measuring
from tests.test_gate_redact import _PIECES, IDENTIFIERS_WRITTEN

PATTERNS = (LINK, *ACCOUNTS, BARE_LINK, *DOCUMENTS)
EVERYTHING = (1 << 31) - 1
redactor = Redactor()

_TEXTS = st.lists(
    st.lists(_PIECES | st.sampled_from(IDENTIFIERS_WRITTEN) | st.text(max_size=6), max_size=10).map("".join),
    min_size=1,
    max_size=6,
).map(lambda texts: pa.array([text.encode("utf-8", "ignore").decode() for text in texts], pa.string()))


def replaced(texts: pa.StringArray, pattern: Pattern) -> pa.StringArray:
    return pc.replace_substring_regex(texts, pattern.expression, r"\1 " if pattern.keeps else " ")


def strip_by_arrow(work: redact._Work, pattern: Pattern, expression: Expression) -> None:
    drafts = work.drafts
    due = work._due(pattern.needs)
    values = replaced(drafts.texts(due), pattern)
    for draft, value in zip(due, values, strict=True):
        text = value.as_buffer().to_pybytes()
        if len(text) != drafts.sizes[draft]:
            drafts.ends[draft] = drafts.starts[draft] + len(text)
            drafts.data[drafts.starts[draft] : drafts.ends[draft]] = np.frombuffer(text, np.uint8)
            work._changed_at[draft] = work._step


@contextmanager
def every_step_on_every_text() -> Iterator[None]:
    """The plain reference: features that clear nothing, and Arrow for every expression."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "features", lambda texts, which: np.full(len(which), EVERYTHING, np.int32))
        patch.setattr(redact._Work, "strip", strip_by_arrow)
        patch.setattr(redact._Work, "strip_handles", lambda work, expression: work.strip(HANDLE, expression))
        yield


def reference(texts: pa.StringArray) -> pa.StringArray:
    with every_step_on_every_text():
        return redactor.redact(texts)[0]


@settings(max_examples=60, deadline=None)
@given(_TEXTS)
def test_redaction_is_the_plain_references(texts: pa.StringArray) -> None:
    assert redactor.redact(texts)[0].to_pylist() == reference(texts).to_pylist()


@settings(max_examples=60, deadline=None)
@given(_TEXTS)
def test_a_text_without_its_features_never_matches(texts: pa.StringArray) -> None:
    """A pattern is tried where all its features are: anywhere else it must have nothing to find."""
    drafts = Drafts(texts)
    unmask(drafts, drafts.rows)
    revealed = drafts.column()
    flags = features(drafts.readable(), drafts.rows)
    for pattern in PATTERNS:
        hits = pc.match_substring_regex(revealed, pattern.expression).to_numpy(zero_copy_only=False)
        wanted = int(pattern.needs)
        missed = revealed.filter(pa.array(hits & ((flags & wanted) != wanted)))
        assert missed.to_pylist() == [], pattern.identifier


@settings(max_examples=60, deadline=None)
@given(_TEXTS)
def test_texts_run_together_match_as_each_alone(texts: pa.StringArray) -> None:
    for pattern in PATTERNS:
        drafts = Drafts(texts)
        drafts.cut(*Expression(pattern.expression, keeps=pattern.keeps).spans(drafts, drafts.rows))
        assert drafts.column().to_pylist() == replaced(texts, pattern).to_pylist(), pattern.identifier


_HANDLES = st.sampled_from(
    [
        "@", "@a", "@Jane_doe", "RT", "rt", "via", "ht", "brt", ":", " ", "\n", ".", "-", "+", "/", "é", "名",
        "x", "_", "1", "@a.b-c", "@jané", "@a@b.org", "@a:b.c", "#", "\u200d", "。",
    ]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@example(["@a.RT @a", "@a.via: @a", "@a RT @a", "@a:RT @a", "@a.xRT@a"])  # a credit that is the handle before
@given(st.lists(st.lists(_HANDLES, max_size=8).map("".join), min_size=1, max_size=8))
def test_the_handle_kernel_takes_what_its_expression_takes(texts: list[str]) -> None:
    drafts = Drafts(pa.array(texts, pa.string()))
    fates = strip_handles(drafts, drafts.rows)
    expected = replaced(pa.array(texts, pa.string()), HANDLE).to_pylist()
    for text, left, want, fate in zip(texts, drafts.column().to_pylist(), expected, fates, strict=True):
        assert left == (text if fate == LEFT else want)
        assert fate == LEFT or (fate == TAKEN) == (text != want)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(" \t\n\f\v,;:.!?…()[]{}<>«»“”ab1é𝒳", max_size=14), min_size=1, max_size=8))
def test_the_mending_kernel_is_its_expressions(texts: list[str]) -> None:
    column = expected = pa.array(texts, pa.string())
    for pattern, put in MENDING:
        expected = pc.replace_substring_regex(expected, pattern, put)
    drafts = Drafts(column)
    mend(drafts, drafts.rows)
    assert drafts.column().to_pylist() == expected.to_pylist()


class _Post(msgspec.Struct):
    text: str


def posts(count: int, seed: int) -> pa.StringArray:
    """Real posts; into a fifth of them an identifier is put, and some are cut, doubled or joined."""
    decoder = msgspec.json.Decoder(_Post)
    with gzip.open(measuring("events", "crisislext6.jsonl.gz")) as lines:
        real = [decoder.decode(line).text for line in lines]
    with gzip.open(measuring("language", "social_train.tsv.gz"), "rt", encoding="utf-8") as tweets:
        real += [line.rstrip("\n").split("\t")[2] for line in tweets]
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        text = rng.choice(real)
        place = rng.randrange(len(text) + 1)
        match rng.randrange(12):
            case 0 | 1:
                text = f"{text[:place]} {rng.choice(IDENTIFIERS_WRITTEN)} {text[place:]}"
            case 2:
                text = text[:place] + rng.choice(IDENTIFIERS_WRITTEN) + text[place:]
            case 3:
                text = text[place:] + rng.choice(real)
        texts.append(text)
    return pa.array(texts, pa.string())


@pytest.mark.parametrize(
    "count", [6000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_real_posts_are_redacted_as_by_the_plain_reference(count: int) -> None:
    texts = posts(count, seed=9)
    for start in range(0, count, 50_000):
        part = texts.slice(start, 50_000)
        expected = reference(part)
        assert redactor.redact(part)[0].equals(expected)
        # In small batches other rows come together.
        small = [redactor.redact(part.slice(at, 97))[0] for at in range(0, min(len(part), 1000), 97)]
        assert pa.concat_arrays(small).slice(0, 1000).equals(expected.slice(0, 1000))
