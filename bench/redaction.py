"""What redaction takes out, what it takes wrongly, and how many names the person gate sees.

* Recall on presidio-research: the share of marked identifiers that are gone from the text, class by class.
* Recall on telephone, account and national numbers of forty countries, cards, mail and network addresses,
  drawn by their forms, as they are and in twelve disguises. One is gone when neither it nor half of its
  digits is left. The forms were known when the shapes in `gate` were set: it guards them, it does not judge
  how complete they are.
* CrisisLexT6 and tweets in 21 languages: posts that lost a number, an address or a document, of 10,000.
  Handles and links are masked there and hardly any of the rest is real, so this bounds the false positives
  from above.
* Microseconds of CPU that redaction takes a post, on the same posts.
* WNUT-17: the share of names of two and more words in tweets that no phrase could show.
"""

from __future__ import annotations

import gzip
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from bench._data import data_file, median_us
from bench._identifiers import drawn

from groundswell.gate import Redactor
from groundswell.gate.disguise import unmask
from groundswell.gate.drafts import Drafts
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
EACH = 400  # identifiers drawn of a class in a disguise


class _Span(msgspec.Struct):
    entity_type: str
    entity_value: str


class _Sample(msgspec.Struct):
    full_text: str
    spans: list[_Span]


class _Post(msgspec.Struct):
    text: str


def measure() -> list[dict[str, Any]]:
    return [*_recall(), *_recall_in_disguise(), *_clean_posts(), *_names()]


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


def _recall_in_disguise() -> list[dict[str, Any]]:
    rows = list(drawn(EACH, seed=1))
    texts = Redactor().redact(pa.array([text for *_, text in rows]))[0].to_pylist()
    gone: dict[str, list[bool]] = defaultdict(list)
    for (kind, disguise, hidden, _), left in zip(rows, texts, strict=True):
        survives = hidden in left or _digits(left) >= max(3, _digits(hidden) // 2)
        for name in ("all", f"class: {kind}", f"disguise: {disguise}"):
            gone[name].append(not survives)
    return [
        {
            "figure": f"recall, forty countries, {name} ({len(found)})",
            "value": round(sum(found) / len(found), 4),
            "goal": ">= .995",
        }
        for name, found in gone.items()
    ]


def _digits(text: str) -> int:
    drafts = Drafts(pa.array([text]))
    unmask(drafts, drafts.rows)
    plain = drafts.column()[0].as_py()
    return sum(unicodedata.decimal(sign, -1) >= 0 for sign in plain)


def _clean_posts() -> list[dict[str, Any]]:
    decoder = msgspec.json.Decoder(_Post)
    with gzip.open(data_file("events", "crisislext6.jsonl.gz")) as lines:
        crises = [decoder.decode(line).text for line in lines]
    with gzip.open(data_file("language", "social_train.tsv.gz"), "rt", encoding="utf-8") as tweets:
        social = [line.rstrip("\n").split("\t")[2] for line in tweets]
    rows = []
    for name, texts in (("CrisisLexT6", crises), ("tweets, 21 languages", social)):
        counts = Redactor().redact(pa.array(texts))[1]
        found = {kind: count for kind, count in sorted(counts.items()) if kind not in MASKED}
        rows.append(
            _of_ten_thousand(f"{name}: anything but handles and links", sum(found.values()), texts, "<= 100")
        )
        rows += [_of_ten_thousand(f"{name}: {kind}", count, texts, "-") for kind, count in found.items()]
        rows.append({"figure": f"{name}: µs a post", "value": _cost_us(texts), "goal": "-"})
    return rows


def _of_ten_thousand(name: str, count: int, texts: list[str], goal: str) -> dict[str, Any]:
    return {"figure": f"{name}, posts of 10,000", "value": round(count / len(texts) * 1e4, 1), "goal": goal}


def _cost_us(texts: list[str]) -> float:
    """CPU time a post, the median of five rounds in batches of 8,192."""
    column = pa.array(texts)

    def redact() -> None:
        for start in range(0, len(texts), 8192):
            Redactor().redact(column.slice(start, 8192))

    return round(median_us(redact, len(texts)), 2)


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
