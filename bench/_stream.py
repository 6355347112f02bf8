"""A fast stream of Jetstream messages in 124 languages with 30 live events, for measuring speed and memory.

Texts are spliced from halves of real sentences and tweets of one language (the measuring data's `language`
folder), so that words are as frequent as they are and word pairs are ever new, as on a real stream. Languages
follow Zipf's law. Accounts are drawn so that a tenth of them write 40 % of the posts; links, replies and
pictures come at about the rate they have on Bluesky. The events are the simulator's. All follows from a seed.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from bench._data import data_file

from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.simulator import World, WorldSettings

__all__ = ["EVENTS", "LANGUAGES", "START_US", "Stream", "elsewhere"]

START_US = WorldSettings().start_us
LANGUAGES = 124
EVENTS = 30
_ACCOUNTS = 3_000_000
_ZIPF_ACCOUNTS = 2.5
_TEXTS_OF_ONE = 6_000
_TAILS = 20_000
# The languages most written, in their order; the others follow in the order of their codes.
_FIRST = (
    *("eng_Latn", "jpn_Jpan", "por_Latn", "spa_Latn", "deu_Latn", "fra_Latn", "kor_Hang", "arb_Arab"),
    *("tur_Latn", "ind_Latn", "nld_Latn", "rus_Cyrl", "ita_Latn", "tha_Thai", "pol_Latn", "zho_Hans"),
    *("hin_Deva", "ukr_Cyrl", "vie_Latn", "pes_Arab", "swe_Latn", "zho_Hant", "fin_Latn", "ces_Latn"),
)
_SOCIAL = {"eng": "eng_Latn", "por": "por_Latn", "spa": "spa_Latn", "deu": "deu_Latn", "fra": "fra_Latn",
           "ara": "arb_Arab", "ita": "ita_Latn", "hin": "hin_Deva"}  # fmt: skip
_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)

_HEAD = (
    b'{"did":"did:plc:%s","time_us":%s,"kind":"commit","commit":{"rev":"3lzzzzzzzzzzz","operation":"create",'
    b'"collection":"app.bsky.feed.post","rkey":"%s","record":{"$type":"app.bsky.feed.post",'
    b'"createdAt":"2026-05-01T00:00:00.000Z",'
)
_encode = msgspec.json.Encoder().encode


class Stream:
    """Background and events from `start_us` on.

    Parameters
    ----------
    start_us
        Stream time from which all events are live.
    posts_per_second
        Of the background.
    event_rates
        Posts a second of the smallest and the largest event.
    minutes
        How long the events go on.
    """

    def __init__(
        self,
        start_us: int,
        posts_per_second: int,
        event_rates: tuple[float, float] = (2.0, 20.0),
        minutes: float = 10.0,
    ) -> None:
        self._posts_per_second = posts_per_second
        self._rng = np.random.default_rng(1)
        self._codes, self._pieces, self._bounds = _pieces()
        shares = 1.0 / np.arange(1, LANGUAGES + 1)
        self._shares = shares / shares.sum()
        self._tails = pa.array(_tails(self._rng), pa.binary())
        head = _HEAD % (b"@" * 24, b"#" * 16, b"%" * 13)
        self._head = np.frombuffer(head, np.uint8)
        self._slots = [head.index(mark) for mark in (b"@", b"#", b"%")]
        lead = 12 * MINUTE_US  # the last of the opening events has begun after ten
        hours = (lead / MINUTE_US + minutes) / 60
        due = max(EVENTS, (EVENTS + 0.5) / hours)  # a world of less than an hour plants what falls due in it
        self._world = World(
            WorldSettings(
                seed=1, start_us=start_us - lead, hours=hours, quiet_minutes=0, posts_per_second=0.5,
                events_per_hour=due, opening_events=EVENTS, event_rates=event_rates,
                event_minutes=(30, 60), campaigns_per_hour=0, pile_ons_per_hour=0,
            )
        )  # fmt: skip
        self._events = self._world.lines("jetstream", start_us)
        self._coming = next(self._events, b"")

    def seconds(
        self, start_us: int, seconds: int, *, events: bool = True, posts_per_second: int | None = None
    ) -> Iterator[bytes]:
        """JSON lines of `seconds` seconds from `start_us` on, a chunk for each second.

        `posts_per_second` of the background, where it is another for a while.
        """
        for second in range(seconds):
            at_us = start_us + second * SECOND_US
            background = self._background(at_us, posts_per_second or self._posts_per_second)
            yield self._merged(background, at_us + SECOND_US) if events else b"".join(background)

    def live(self, at_us: int) -> int:
        """How many events are going on at `at_us`."""
        return sum(planted.start_us <= at_us < planted.end_us for planted in self._world.truth)

    def _background(self, start_us: int, size: int) -> list[bytes]:
        rng = self._rng
        language = np.searchsorted(np.cumsum(self._shares), rng.random(size)).clip(max=LANGUAGES - 1)
        low, high = self._bounds[language], self._bounds[language + 1]
        first, second = (
            self._pieces.take(pa.array(low + (rng.random(size) * (high - low)).astype(np.int64)))
            for _ in range(2)
        )
        times = start_us + np.sort(rng.integers(0, SECOND_US, size))
        accounts = (rng.random(size) ** _ZIPF_ACCOUNTS * _ACCOUNTS).astype(np.uint64)
        heads = np.tile(self._head, (size, 1))
        account, time, key = self._slots
        heads[:, account : account + 24] = _letters(accounts, 24)
        heads[:, time : time + 16] = _digits(times)
        heads[:, key : key + 13] = _letters(times.astype(np.uint64) ^ accounts << np.uint64(20), 13)
        tail = self._tails.take(pa.array(rng.integers(0, _TAILS, size)))
        langs = self._codes.take(pa.array(language))
        text = pc.binary_join_element_wise(first, second, b" ")
        rows = pc.binary_join_element_wise(_fixed(heads), langs, text, tail, b"")
        return list(rows.to_pylist())

    def _merged(self, background: list[bytes], end_us: int) -> bytes:
        """The second's posts with those of the events among them, in stream-time order."""
        timed = [(_time_us(line), line) for line in background]
        while self._coming and _time_us(self._coming) < end_us:
            timed.append((_time_us(self._coming), self._coming + b"\n"))
            self._coming = next(self._events, b"")
        timed.sort(key=lambda item: item[0])
        return b"".join(line for _, line in timed)


def elsewhere(
    spans: Iterable[tuple[int, int, int]], start_us: int, posts_per_second: int, **options: Any
) -> Iterator[bytes]:
    """The chunks of a `Stream`, made in a process of its own, so that this one holds none of it.

    `spans` are (start in microseconds, seconds, posts a second of the background), one after the other.
    """
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    arguments = (sending, list(spans), start_us, posts_per_second, options)
    process = context.Process(target=_send, args=arguments, daemon=True)
    process.start()
    sending.close()
    try:
        while chunk := receiving.recv_bytes():
            yield chunk
    finally:
        process.terminate()
        process.join()


def _send(
    pipe: Connection, spans: list[tuple[int, int, int]], start_us: int, rate: int, options: dict[str, Any]
) -> None:
    stream = Stream(start_us, rate, **options)
    for span_us, seconds, posts_per_second in spans:
        for chunk in stream.seconds(span_us, seconds, posts_per_second=posts_per_second):
            pipe.send_bytes(chunk or b"\n")
    pipe.send_bytes(b"")


def _time_us(line: bytes) -> int:
    at = line.index(b'"time_us":', 0, 100) + 10
    return int(line[at : at + 16])


def _pieces() -> tuple[pa.BinaryArray, pa.BinaryArray, npt.NDArray[np.int64]]:
    """`"langs":[…],"text":"` by language; halves of texts, escaped for JSON; where each language's begin."""
    texts: dict[str, list[str]] = defaultdict(list)
    for name, text_at in (("social_train", 2), ("flores_train", 1)):
        with gzip.open(data_file("language", f"{name}.tsv.gz"), "rt", encoding="utf-8") as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                code = _SOCIAL.get(fields[0], fields[0])
                if len(texts[code]) < _TEXTS_OF_ONE:
                    texts[code].append(fields[text_at])
    others = sorted(code for code, found in texts.items() if code not in _FIRST and len(found) >= 400)
    codes = [*_FIRST, *(code for code in others if "_" in code)][:LANGUAGES]
    heads, halves, bounds = [], [], [0]
    for code in codes:
        for text in texts[code]:
            space = text.find(" ", len(text) // 2)
            middle = space + 1 if space > 0 else len(text) // 2
            halves += [_encode(half)[1:-1] for half in (text[:middle], text[middle:])]
        bounds.append(len(halves))
        heads.append(b'"langs":["%s"],"text":"' % code[:3].encode())
    return pa.array(heads, pa.binary()), pa.array(halves, pa.binary()), np.array(bounds)


def _tails(rng: np.random.Generator) -> list[bytes]:
    """What follows the text, as often as on Bluesky: replies, links with a card, pictures with their text."""
    tails = []
    for draw, number in zip(rng.random(_TAILS), rng.integers(0, 1 << 40, _TAILS), strict=True):
        uri = f"at://did:plc:{number:024x}/app.bsky.feed.post/{number:013x}"
        parts = []
        if draw < 0.45:
            ref = {"cid": f"bafyrei{number:052x}", "uri": uri}
            parts.append(b'"reply":' + _encode({"parent": ref, "root": ref}))
        elif draw < 0.6:
            card = {
                "uri": f"https://site{number % 900}.example/{number:x}",
                "title": "A card",
                "description": "",
            }
            parts.append(b'"embed":' + _encode({"$type": "app.bsky.embed.external", "external": card}))
        elif draw < 0.8:
            blob = {"$type": "blob", "ref": {"$link": f"bafkrei{number:052x}"}, "mimeType": "image/jpeg",
                    "size": 301_000}  # fmt: skip
            picture = {"alt": "", "aspectRatio": {"height": 900, "width": 1600}, "image": blob}
            parts.append(b'"embed":' + _encode({"$type": "app.bsky.embed.images", "images": [picture]}))
        record = b'",' + b",".join(parts) if parts else b'"'
        tails.append(record + b'},"cid":"bafyrei%052x"}}\n' % int(number))
    return tails


def _letters(values: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.uint8]:
    """`count` base-32 letters that follow from each value, well mixed."""
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    shifts = (np.arange(count, dtype=np.uint64) * np.uint64(5)) % np.uint64(59)
    spread = mixed[:, None] ^ (values[:, None] * np.uint64(0xD6E8FEB86659FD93) >> shifts)
    return _BASE32[((spread >> shifts) & np.uint64(31)).astype(np.intp)]


def _digits(times_us: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    powers = 10 ** np.arange(15, -1, -1, dtype=np.int64)
    return (times_us[:, None] // powers % 10 + 48).astype(np.uint8)


def _fixed(rows: npt.NDArray[np.uint8]) -> pa.BinaryArray:
    """Rows of one length as a binary array."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(rows))]
    )
