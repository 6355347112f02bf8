"""Are hashtags cut into their words? Tags whose capitals tell the words, read without their capitals.

Tags of CrisisLexT6, IDRISI and PHEME, with some of which the costs were chosen, as with some of the tweets'
in 21 languages; no hashtag was learnt from. Capitals part `HurricaneSandy` into two words, and leave
`Earthquake` one.
"""

from __future__ import annotations

import gzip
import re
from typing import Any

import msgspec
import pyarrow as pa
from bench._data import data_file, median_us, row

from groundswell.enrich.fold import fold
from groundswell.enrich.tokens import WHOLE, tokenise

__all__ = ["measure", "parts_of"]

_EVENTS = ("crisislext6", "idrisi", "pheme")
_TAG = re.compile(r"#(\w+)")
_WORDS = re.compile("[A-Z][a-z]+")
_IN_WORDS = re.compile("([A-Z][a-z]+)+")
_LEAST_LETTERS = 4


class _Post(msgspec.Struct):
    text: str


def measure() -> list[dict[str, Any]]:
    rows = []
    for name, texts in (("events", _event_texts()), ("tweets", _tweets())):
        tags = _tags(texts)
        pairs = list(zip(tags.values(), parts_of(list(tags)), strict=True))
        several = [(words, parts) for words, parts in pairs if len(words) > 1]
        single = [parts for words, parts in pairs if len(words) == 1]
        told = sum(len(set(words) & set(parts)) for words, parts in several)
        there = sum(len(words) for words, _ in several)
        exact = sum(words == parts for words, parts in several)
        whole = sum(len(parts) == 1 for parts in single)
        rows += [
            row(f"{name}: words found of {len(several)} tags", round(told / there, 3), ">= .5"),
            row(f"{name}: tags cut exactly", round(exact / len(several), 3)),
            row(f"{name}: {len(single)} single words left whole", round(whole / len(single), 3)),
            row(f"{name}: µs a tag", round(_microseconds(list(tags)), 3)),
        ]
    return rows


def parts_of(tags: list[str]) -> list[list[str]]:
    """The words that each tag (without its `#`) is cut into."""
    folded = fold(pa.array([f"#{tag}" for tag in tags], pa.string()))
    tokens = tokenise(folded)
    found = []
    for tag in range(len(tags)):
        text = folded.data[folded.offsets[tag] : folded.offsets[tag + 1]].tobytes()
        own = range(tokens.offsets[tag], tokens.offsets[tag + 1])
        found.append(
            [text[tokens.starts[k] : tokens.ends[k]].decode() for k in own if not tokens.flags[k] & WHOLE]
        )
    return found


def _tags(texts: list[str]) -> dict[str, list[str]]:
    """Tags in small letters, and their words; each once, in the order they are met."""
    tags: dict[str, list[str]] = {}
    for text in texts:
        for tag in _TAG.findall(text):
            words = [word.lower() for word in _WORDS.findall(tag)]
            if _IN_WORDS.fullmatch(tag) and len(tag) >= _LEAST_LETTERS and min(map(len, words)) > 1:
                tags.setdefault(tag.lower(), words)
    return tags


def _event_texts() -> list[str]:
    decoder = msgspec.json.Decoder(_Post)
    texts = []
    for name in _EVENTS:
        with gzip.open(data_file("events", f"{name}.jsonl.gz")) as lines:
            texts += [decoder.decode(line).text for line in lines]
    return texts


def _tweets() -> list[str]:
    with gzip.open(data_file("language", "social_train.tsv.gz"), "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t")[-1] for line in lines]


def _microseconds(tags: list[str]) -> float:
    folded = fold(pa.array([f"#{tag}" for tag in tags], pa.string()))
    return median_us(lambda: tokenise(folded), len(tags))
