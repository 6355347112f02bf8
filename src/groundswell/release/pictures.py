"""Owns which pictures of a published crowd are shown, and for how long.

A picture shows when as many distinct speakers posted it as anything else needs to show, by a threshold of its
own, and only beside a record that shows its words: not where a crowd could be about one person, and not of
what a sensitive place is about, since a picture can give away what the cell hides. The file was made before:
faces and plates filled in, no metadata. Without it the words and emblems are told and no picture is shown.

After 72 hours it is taken back, and at once when its crowd may no longer be described.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from groundswell.candidates import PictureSeen, PictureUse
from groundswell.clock import HOUR_US, MINUTE_US, floor_to, rfc3339
from groundswell.published import Image, Mark, Picture
from groundswell.release.ladder import Ladder, label

__all__ = ["SHOWN_US", "PictureStanding", "Pictures"]

SHOWN_US = 72 * HOUR_US
_MOST_WORDS = 8
_MOST_MARKS = 8
_MOST_STANDING = 2_000

Seen = Callable[[int], PictureSeen | None]


class PictureStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that is out: all that is remembered of it."""

    record: Picture
    rung: int
    since_us: int


class Pictures:
    """Decides on the pictures of released chains.

    Parameters
    ----------
    ladders
        By whether the matter is sensitive.
    showable
        Whether a text of one to five words may show: the person gate and what looks like an identifier.
    simulated, replayed
        Put on every record.
    """

    def __init__(
        self,
        ladders: Mapping[bool, Ladder],
        showable: Callable[[str], bool],
        *,
        simulated: bool,
        replayed: bool,
    ) -> None:
        self._ladders = ladders
        self._showable = showable
        self._simulated = simulated
        self._replayed = replayed
        self._open: dict[str, bool] = {}
        self._barred: dict[str, None] = {}
        self.standing: dict[str, PictureStanding] = {}
        """By the picture's id, the oldest first."""

    def allow(self, chain: str, *, sensitive: bool) -> None:
        """Pictures of the chain may show from now on."""
        if chain not in self._barred:
            self._open[chain] = sensitive

    def close(self, chain: str) -> None:
        """No more of them for now. What is out stays."""
        self._open.pop(chain, None)

    def bar(self, chain: str, tick_us: int) -> list[Picture]:
        """The chain may have no pictures, from now on: what takes back those that are out."""
        self._open.pop(chain, None)
        self._barred[chain] = None
        while len(self._barred) > _MOST_STANDING:
            del self._barred[next(iter(self._barred))]
        gone = [id for id, standing in self.standing.items() if standing.record.event == chain]
        return [self._withdraw(id, tick_us) for id in gone]

    def decide(
        self, uses: Sequence[PictureUse], seen: Seen, tick_us: int
    ) -> tuple[list[Picture], list[Image]]:
        """New revisions, and the files that go with those that are new."""
        records = [
            self._withdraw(id, tick_us)
            for id, standing in list(self.standing.items())
            if standing.since_us <= tick_us - SHOWN_US
        ]
        images = []
        for use in uses:
            sensitive = self._open.get(use.chain)
            if sensitive is None:
                continue
            id = _id_of(use)
            last = self.standing.get(id)
            rung = self._ladders[sensitive].rung(use.speakers, f"{use.chain}\x1fpicture\x1f{use.picture}")
            if rung is None or (last is not None and rung <= last.rung):
                continue
            if last is not None:
                records.append(self._raise(id, last, rung, tick_us))
                continue
            found = seen(use.picture)
            if found is None or len(self.standing) >= _MOST_STANDING:
                continue
            record = self._draft(id, use, found, rung, tick_us)
            self.standing[id] = PictureStanding(record=record, rung=rung, since_us=tick_us)
            records.append(record)
            if record.media_type is not None:
                images.append(_image(record, found))
        return records, images

    def _draft(self, id: str, use: PictureUse, found: PictureSeen, rung: int, tick_us: int) -> Picture:
        signs = [sign for sign in found.signs if self._showable(sign.text.casefold())][:_MOST_WORDS]
        marks = dict.fromkeys(Mark(emblem.name, emblem.category) for emblem in found.emblems)
        moment = rfc3339(floor_to(tick_us, MINUTE_US))
        return Picture(
            id=id,
            event=use.chain,
            first_seen=moment,
            last_seen=moment,
            published_at=rfc3339(tick_us),
            accounts=label(rung),
            words=tuple(dict.fromkeys(sign.text for sign in signs)),
            languages=tuple(sorted({sign.language for sign in signs} - {"und"})),
            emblems=tuple(marks)[:_MOST_MARKS],
            tags=found.tags,
            media_type=found.media_type if found.image else None,
            width=found.width if found.image else 0,
            height=found.height if found.image else 0,
            state="shown" if found.image else "told",
            simulated=self._simulated,
            replayed=self._replayed,
        )

    def _raise(self, id: str, last: PictureStanding, rung: int, tick_us: int) -> Picture:
        record = msgspec.structs.replace(
            last.record,
            accounts=label(rung),
            last_seen=rfc3339(floor_to(tick_us, MINUTE_US)),
            published_at=rfc3339(tick_us),
        )
        self.standing[id] = msgspec.structs.replace(last, record=record, rung=rung)
        return record

    def _withdraw(self, id: str, tick_us: int) -> Picture:
        """The last word on a picture: neither its file nor what stood in it."""
        last = self.standing.pop(id).record
        return msgspec.structs.replace(
            last,
            state="withdrawn",
            media_type=None,
            width=0,
            height=0,
            words=(),
            languages=(),
            emblems=(),
            tags=(),
            published_at=rfc3339(tick_us),
        )


def _id_of(use: PictureUse) -> str:
    digest = hashlib.blake2b(f"{use.chain}/{use.picture}".encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode().lower()


def _image(record: Picture, found: PictureSeen) -> Image:
    return Image(
        id=record.id, media_type=found.media_type, published_at=record.published_at, body=found.image
    )
