"""What redaction takes out, what it takes wrongly, and how many names the person gate sees.

* Recall on presidio-research: the share of marked identifiers that are gone from the text, class by class.
* CrisisLexT6: posts that lost a number, an address or a document, of 10,000. Handles and links are masked
  there and hardly any of the rest is real, so this bounds the false positives from above.
* WNUT-17: the share of names of two and more words in tweets that no phrase could show.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from bench._data import data_file

from groundswell.gate import Redactor
from groundswell.names import NameLexicon

__all__ = ["measure"]

RECALL_GOALS = {
    "EMAIL_ADDRESS": ">= .995",
    "PHONE_NUMBER": ">= .995",
    "CREDIT_CARD": ">= .995",
    "IBAN_CODE": ">= .995",
    "US_SSN": ">= .995",
    "IP_ADDRESS": ">= .995",
    "DOMAIN_NAME": ">= .995",
    "US_DRIVER_LICENSE": "-",
    "STREET_ADDRESS": "-",
}
WNUT = ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")
MASKED = frozenset({"handle", "url"})


class _Span(msgspec.Struct):
    entity_type: str
    entity_value: str


class _Sample(msgspec.Struct):
    full_text: str
    spans: list[_Span]


class _Post(msgspec.Struct):
    text: str


def measure() -> list[dict[str, Any]]:
    return [*_recall(), *_false_positives(), *_names()]


def _recall() -> list[dict[str, Any]]:
    path = data_file("identifiers", "presidio-research", "data", "synth_dataset_v2.json")
    samples = msgspec.json.decode(path.read_bytes(), type=list[_Sample])
    left = Redactor().redact(pa.array([sample.full_text for sample in samples]))[0].to_pylist()
    gone: dict[str, list[bool]] = defaultdict(list)
    for sample, text in zip(samples, left, strict=True):
        for span in sample.spans:
            gone[span.entity_type].append(span.entity_value not in text)
    return [
        {
            "figure": f"recall, {entity.lower()} ({len(gone[entity])})",
            "value": round(sum(gone[entity]) / len(gone[entity]), 3),
            "goal": goal,
        }
        for entity, goal in RECALL_GOALS.items()
    ]


def _false_positives() -> list[dict[str, Any]]:
    decoder = msgspec.json.Decoder(_Post)
    with gzip.open(data_file("events", "crisislext6.jsonl.gz")) as lines:
        texts = [decoder.decode(line).text for line in lines]
    counts = Redactor().redact(pa.array(texts))[1]
    return [
        {"figure": f"{identifier}, posts of 10,000", "value": round(count / len(texts) * 1e4, 1), "goal": "-"}
        for identifier, count in sorted(counts.items())
        if identifier not in MASKED
    ]


def _names() -> list[dict[str, Any]]:
    lexicon = NameLexicon.load()
    names = sorted(set().union(*(_wnut_names(data_file("identifiers", "wnut17", name)) for name in WNUT)))
    refused = sum(lexicon.person_like(name) for name in names)
    figure = f"WNUT-17 names of two words or more refused ({len(names)})"
    return [{"figure": figure, "value": round(refused / len(names), 3), "goal": "-"}]


def _wnut_names(path: Path) -> set[str]:
    """The distinct person entities of two words or more in a CoNLL file (`token<TAB>tag`)."""
    names: set[str] = set()
    words: list[str] = []
    for line in [*path.read_text("utf-8").splitlines(), ""]:
        token, _, tag = line.partition("\t")
        if tag != "I-person" and len(words) > 1:
            names.add(" ".join(words).casefold())
        if tag == "B-person":
            words = [token]
        elif tag == "I-person":
            words.append(token)
        else:
            words = []
    return names
