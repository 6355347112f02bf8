"""From a reference to what was seen: fetched, read in a worker, made safe to show, in memory from end to end.

Owns the steps for one picture and their order. A picture is looked at in up to three of the versions that go
round; an emblem counts when two of them show it. Whatever fails leaves a picture that is told of and not
shown, or nothing; a picture whose texts could name somebody is shown with these texts filled in.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from groundswell.candidates import Emblem, PictureSeen, Sign
from groundswell.drops import FetchDrop
from groundswell.media.encode import encode_jpeg
from groundswell.media.fetch import Fetched
from groundswell.media.findings import Findings, Hints, Text
from groundswell.media.fingerprint import Fingerprint
from groundswell.media.jobs import Answer, Job, JobKind
from groundswell.media.pool import Pool

__all__ = ["Fetch", "Judges", "Reading"]

Fetch = Callable[[str, bool], Fetched]
"""The bytes behind a reference; with True anew, whatever the host said of it before."""

_SURE = 0.6
"""Of a text: under it nothing is told, and its box counts for the shield alone."""
_HELD_BYTES = 32 << 20
"""Files of the last minutes that are kept in memory: a picture is fetched when new, and again to be read."""
_MOST_SIGNS = 24
_MOST_CHARACTERS = 120
_AGREEING = 2
_LEAST_LETTERS = 2


@dataclass(frozen=True)
class Judges:
    """What the line knows of texts, handed in."""

    redact: Callable[[str], str]
    """The gate's redaction."""
    names: Callable[[str], bool]
    """Whether a case-folded text could hold a private person's name."""
    language: Callable[[str], str]
    """`und` where nobody can tell."""

    def is_private(self, text: str) -> bool:
        """Whether a text could name somebody, or holds what redaction takes out."""
        return self.redact(text).split() != text.split() or self.names(text.casefold())


class Reading:
    """Looks at pictures; called from several threads, each call waits for its picture.

    Parameters
    ----------
    fetch
        Gives the bytes behind a reference.
    pool
        The workers.
    judges
        See `Judges`.
    """

    def __init__(self, fetch: Fetch, pool: Pool, judges: Judges) -> None:
        self._fetch = fetch
        self._pool = pool
        self._judges = judges
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the workers; what waits for them comes to nothing."""
        self._pool.close()

    def fingerprint(self, reference: str, crowd: int) -> Fingerprint | None:
        """By what the picture is found again; None where it cannot be had."""
        data = self._get(reference)
        if data is None:
            return None
        answer, _ = self._pool.submit(Job(JobKind.FINGERPRINT), data, crowd=crowd).result()
        return answer.frames[0].fingerprint if answer.frames else None

    def read(
        self, picture: int, references: Sequence[str], crowd: int, hints: Hints
    ) -> tuple[PictureSeen, Fingerprint] | None:
        """All that is seen in a picture, of which `references` are versions; None where none can be read."""
        files = [data for data in map(self._get, references) if data is not None]
        jobs = [self._pool.submit(Job(JobKind.READ, hints), data, crowd=crowd) for data in files]
        answers = [job.result()[0] for job in jobs]
        readable = [(data, answer) for data, answer in zip(files, answers, strict=True) if answer.frames]
        if not readable:
            return None
        data, first = readable[0]
        found = [_merged(answer) for _, answer in readable]
        image, width, height = self._shielded(data, found[0], hints, crowd)
        seen = PictureSeen(
            picture=picture,
            image=image,
            width=width,
            height=height,
            signs=self._signs(found[0].texts),
            emblems=_agreed(answers),
            tags=tuple(tag.name for tag in found[0].tags),
        )
        return seen, first.frames[0].fingerprint

    def _get(self, reference: str) -> bytes | None:
        """The bytes, of late ones those at hand when the host says that they are still the same."""
        with self._lock:
            held = self._held.pop(reference, None)
        fetched = self._fetch(reference, held is None)
        data = held if fetched.drop is FetchDrop.UNCHANGED else fetched.data
        if not data or fetched.drop not in (None, FetchDrop.UNCHANGED):
            return None
        with self._lock:
            self._held[reference] = data
            while sum(map(len, self._held.values())) > _HELD_BYTES:
                self._held.popitem(last=False)
        return data

    def _shielded(self, data: bytes, found: Findings, hints: Hints, crowd: int) -> tuple[bytes, int, int]:
        """A new file and its size; empty where it cannot be made safe."""
        cover = tuple(text.box for text in found.texts if self._judges.is_private(text.text))
        job = Job(JobKind.SHIELD, hints, cover=cover)
        answer, pixels = self._pool.submit(job, data, crowd=crowd).result()
        if pixels is None or answer.drop is not None:
            return b"", 0, 0
        return encode_jpeg(pixels), pixels.shape[1], pixels.shape[0]

    def _signs(self, texts: Sequence[Text]) -> tuple[Sign, ...]:
        """What may go on as words: redacted, and no text that could name somebody."""
        signs: dict[str, Sign] = {}
        for text in texts:
            words = " ".join(text.text.split())[:_MOST_CHARACTERS]
            if text.confidence < _SURE or sum(map(str.isalpha, words)) < _LEAST_LETTERS:
                continue
            if self._judges.is_private(words):
                continue
            sign = Sign(words, self._judges.language(words), round(text.confidence, 2))
            signs.setdefault(words.casefold(), sign)
        return tuple(signs.values())[:_MOST_SIGNS]


def _merged(answer: Answer) -> Findings:
    """What all frames of a file show; of a still, what it shows."""
    found = Findings()
    for frame in answer.frames:
        found = found.merged(frame.findings)
    return found


def _agreed(answers: Sequence[Answer]) -> tuple[Emblem, ...]:
    """The emblems that several versions, or several frames of a video, show, each once, surest first."""
    frames = [frame.findings for answer in answers for frame in answer.frames]
    shown = Counter(
        key for findings in frames for key in {(hit.name, hit.category) for hit in findings.emblems}
    )
    best: dict[tuple[str, str], float] = {}
    for hit in (hit for findings in frames for hit in findings.emblems):
        key = (hit.name, hit.category)
        best[key] = max(best.get(key, 0.0), hit.confidence)
    agreed = [(key, best[key]) for key, count in shown.items() if count >= _AGREEING]
    agreed.sort(key=lambda item: (-item[1], item[0]))
    return tuple(Emblem(name, category, round(confidence, 2)) for (name, category), confidence in agreed)
