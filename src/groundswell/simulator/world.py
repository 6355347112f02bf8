"""The world itself: blocks of time, each generated alone, merged into one stream of lines.

A block's posts depend on the seed and the block's number only, so the same world gives the same bytes whether
it is read from its start, from its middle, twice, or in part. The world holds no state beyond caches.
"""

from __future__ import annotations

import gzip
import heapq
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
import zstandard

from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.errors import UsageError, did_you_mean
from groundswell.simulator import pictures, wire
from groundswell.simulator.background import Background, Draft, account_of
from groundswell.simulator.dice import Dice, Purpose, mix
from groundswell.simulator.identities import CANARY_CLASSES, carry, dids, identifier
from groundswell.simulator.plan import Plan
from groundswell.simulator.settings import WorldSettings
from groundswell.simulator.streams import Event
from groundswell.simulator.truth import Planted, PlantedEvent

__all__ = ["Form", "World"]

Form = Literal["jetstream", "plain"]

_BLOCK_POSTS = 3000  # a block is a minute, or the time in which so many background posts are due
_BLOCK_CANARIES = 512  # serial numbers set aside for each block: at most so many canaries in it
_CANARY_POOL = 203
_SCENES_KEPT = 4096
_LATEST_NOTICE_US = 20 * MINUTE_US
_STATUSES = ("deleted", "deactivated", "takendown", "suspended")


class _Block(NamedTuple):
    posts: list[Draft]
    """In stream-time order, no two at the same microsecond."""
    notices: list[wire.Notice]
    """News of these posts being gone; may be due in later blocks."""
    canaries: list[tuple[str, str]]


class World:
    """A seeded world with planted truth.

    >>> world = World(WorldSettings(seed=3, hours=0.1, quiet_minutes=1))
    >>> list(world.lines("plain")) == list(World(world.settings).lines("plain"))
    True
    """

    def __init__(self, settings: WorldSettings) -> None:
        self.settings = settings
        self._background = Background(settings.seed, settings.posts_per_second)
        self._plan = Plan(settings, self._background)
        seconds = max(1, min(60, int(_BLOCK_POSTS / settings.posts_per_second)))
        self._block_us = seconds * SECOND_US
        self._blocks = -(-(settings.end_us - settings.start_us) // self._block_us)
        self._labels: dict[int, dict[int, str]] = {}
        self._truth: list[Planted] | None = None
        self._canaries: list[tuple[str, str]] | None = None
        self._scenes: dict[str, pictures.Scene] = {}

    @property
    def truth(self) -> list[Planted]:
        """Everything planted, in order of its start."""
        if self._truth is None:
            self._truth = self._plan.truth()
        return self._truth

    @property
    def canaries(self) -> list[tuple[str, str]]:
        """Every (class, value) on the wire between the world's start and end, each once.

        The class `account` is the author of a post; all other values stand in a text exactly as given. The
        first call generates the whole world: ask it of worlds of hours, not of weeks.
        """
        if self._canaries is None:
            blocks = (self._block(block).canaries for block in range(self._blocks))
            self._canaries = list(chain.from_iterable(blocks))
        return self._canaries

    def background_rate(self, time_us: int) -> float:
        """Expected everyday posts a second at `time_us`."""
        return self._background.rate(time_us)

    def label(self, post_id: str) -> str | None:
        """The id of the planted thing a post belongs to, or None.

        Takes a plain post's id, a record key, or an `at://` uri.
        """
        time_us = wire.moment_of(post_id.rpartition("/")[2])
        if time_us is None or not self.settings.start_us <= time_us < self.settings.end_us:
            return None
        block = (time_us - self.settings.start_us) // self._block_us
        if block not in self._labels:
            posts = self._block(block).posts
            self._labels[block] = {post.time_us: post.label for post in posts if post.label}
        return self._labels[block].get(time_us)

    def lines(self, form: Form = "jetstream", since_us: int | None = None) -> Iterator[bytes]:
        """One JSON message a line (without its end), in stream-time order, from `since_us` inclusive.

        Raises `UsageError` for an unknown form.
        """
        encode = _encoder(form)
        since_us = max(self.settings.start_us, since_us or 0)
        first = (since_us - self.settings.start_us) // self._block_us
        pending: list[wire.Notice] = []
        if form == "jetstream":
            for block in range(max(0, first - _LATEST_NOTICE_US // self._block_us - 1), first):
                pending += self._block(block).notices
        for block in range(first, self._blocks):
            start_us, end_us = self._span(block)
            made = self._block(block)
            encoded = encode(self.settings.seed, made.posts)
            timed = [(post.time_us, line) for post, line in zip(made.posts, encoded, strict=True)]
            if form == "jetstream":
                pending += made.notices
                due = sorted(notice for notice in pending if start_us <= notice.time_us < end_us)
                pending = [notice for notice in pending if notice.time_us >= end_us]
                news = [(notice.time_us, wire.jetstream_notice(self.settings.seed, notice)) for notice in due]
                others = list(self._others(block, len(timed)))
                timed = list(heapq.merge(timed, news, others, key=lambda item: item[0]))
            yield from (line for time_us, line in self._spoiled(block, timed) if time_us >= since_us)

    def write(self, path: Path, form: Form = "jetstream") -> int:
        """Write the whole world as JSON lines, compressed by suffix (`.gz`, `.zst`).

        Returns the number of lines.
        """
        count = 0
        with path.open("wb") as raw, _compressor(raw, path.suffix) as out:
            for line in self.lines(form):
                out.write(line + b"\n")
                count += 1
        return count

    def picture(self, content_id: str) -> bytes:
        """The JPEG file under a content identifier, drawn anew each time.

        Of pictures whose posts have not been written yet, or long ago, nothing in particular is drawn.
        """
        return pictures.draw(self._scenes.get(content_id), content_id)

    def _span(self, block: int) -> tuple[int, int]:
        start_us = self.settings.start_us + block * self._block_us
        return start_us, min(start_us + self._block_us, self.settings.end_us)

    def _block(self, block: int) -> _Block:
        start_us, end_us = self._span(block)
        drafts = list(self._background.drafts(block, start_us, end_us))
        events = {}
        for stream, first, last in self._plan.streams(start_us, end_us):
            if isinstance(stream, Event):
                events[stream.truth.id] = stream.truth
            dice = Dice(self.settings.seed, Purpose.STREAM, stream.number, block)
            drafts.extend(stream.drafts(dice, first, last))
        for outage in self._plan.outages(start_us, end_us):
            drafts = [
                draft
                for draft in drafts
                if not outage.start_us <= draft.time_us < outage.end_us
                or outage.language not in (None, draft.language)
            ]
        if self.settings.sources:
            drafts = [_placed(draft, self.settings.sources) for draft in drafts]
        drafts, canaries = self._sprinkle(block, _spaced(drafts, end_us))
        if self.settings.picture_share:
            drafts = self._illustrate(drafts, events)
        notices = [
            notice
            for notice in self._notices(block, drafts, start_us)
            if not any(
                outage.language is None and outage.start_us <= notice.time_us < outage.end_us
                for outage in self._plan.outages(notice.time_us, notice.time_us + 1)
            )
        ]
        return _Block(drafts, notices, canaries)

    def _sprinkle(self, block: int, drafts: list[Draft]) -> tuple[list[Draft], list[tuple[str, str]]]:
        """Put invented identities into a share of the posts, planted ones too."""
        rate = self.settings.canary_rate
        if not rate or not drafts:
            return drafts, []
        dice = Dice(self.settings.seed, Purpose.CANARY, block)
        chosen = np.flatnonzero(dice.rng.random(len(drafts)) < rate).tolist()[:_BLOCK_CANARIES]
        canaries = []
        for place, index in enumerate(chosen):
            serial = block * _BLOCK_CANARIES + place
            kind = CANARY_CLASSES[(serial + self.settings.seed) % len(CANARY_CLASSES)]
            draft = drafts[index]
            if kind == "account":
                account = account_of(_CANARY_POOL, serial)
                drafts[index] = draft._replace(account=account)
                value = dids(self.settings.seed, np.array([account]))[0]
            else:
                value = identifier(kind, serial)
                drafts[index] = draft._replace(text=carry(draft.text, kind, value, dice.unit()))
            canaries.append((kind, value))
        return drafts, canaries

    def _illustrate(self, drafts: list[Draft], events: Mapping[str, PlantedEvent]) -> list[Draft]:
        """Give pictures to some posts, by a hash of each: no die is rolled, all else stays as it was."""
        share = self.settings.picture_share
        words = np.array([draft.time_us for draft in drafts], np.uint64)
        draws = mix(words ^ np.uint64(self.settings.seed))
        chosen = draws / 2.0**64 < np.array([share if draft.label else share / 4 for draft in drafts])
        for index in np.flatnonzero(chosen).tolist():
            draft, draw = drafts[index], int(draws[index])
            event = events.get(draft.label or "")
            name = pictures.content_id(self.settings.seed, draw)
            if event is not None:
                scene = pictures.Scene(event, draw % 7 // 5, draw // 7 % pictures.VERSIONS)
                name = pictures.content_id(self.settings.seed, event.start_us, scene.number, scene.version)
                self._scenes[name] = self._scenes.pop(name, scene)
            drafts[index] = draft._replace(picture=name)
        while len(self._scenes) > _SCENES_KEPT:
            del self._scenes[next(iter(self._scenes))]
        return drafts

    def _notices(self, block: int, posts: list[Draft], start_us: int) -> Iterator[wire.Notice]:
        """Deletions minutes after their posts, a few just before them, and accounts that go."""
        if not posts:
            return
        dice = Dice(self.settings.seed, Purpose.NOTICE, block)
        draws = dice.rng.random(len(posts))
        for index in np.flatnonzero(draws < self.settings.delete_share).tolist():
            post = posts[index]
            delay_us = min(int(dice.rng.lognormal(5.0, 1.0) * SECOND_US) + 1, _LATEST_NOTICE_US)
            if dice.chance(0.06) and post.time_us - start_us > 5 * SECOND_US:
                delay_us = -1 - dice.below(4 * SECOND_US)
            times, accounts = np.array([post.time_us]), np.array([post.account])
            key = wire.record_keys(times, accounts)[0]
            yield wire.Notice(post.time_us + delay_us, post.account, key, None)
        for index in np.flatnonzero(draws > 1 - self.settings.gone_share).tolist():
            post = posts[index]
            at_us = post.time_us + 1 + dice.below(_LATEST_NOTICE_US)
            yield wire.Notice(at_us, post.account, None, dice.choose(_STATUSES))

    def _others(self, block: int, posts: int) -> Iterator[tuple[int, bytes]]:
        dice = Dice(self.settings.seed, Purpose.OTHER, block)
        start_us, end_us = self._span(block)
        for time_us in np.sort(
            dice.rng.integers(start_us, end_us, size=dice.rng.poisson(self.settings.other_share * posts))
        ).tolist():
            yield (
                time_us,
                wire.jetstream_other(self.settings.seed, time_us, account_of(0, dice.below(9999)), dice),
            )

    def _spoiled(self, block: int, timed: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The lines, with broken ones among them where the settings ask for it."""
        rate = self.settings.malformed_rate
        dice = Dice(self.settings.seed, Purpose.MALFORMED, block)
        for time_us, line in timed:
            if rate and dice.unit() < rate:
                yield time_us, wire.malformed_line(dice, line)
            yield time_us, line


def _placed(draft: Draft, sources: tuple[str, ...]) -> Draft:
    """On the source where its account is, unless it says where."""
    return draft if draft.source is not None else draft._replace(source=sources[draft.account % len(sources)])


def _spaced(drafts: list[Draft], end_us: int) -> list[Draft]:
    """In stream-time order, pushed apart to whole microseconds: a moment names one post."""
    if not drafts:
        return drafts
    drafts.sort(key=lambda draft: draft.time_us)
    steps = np.arange(len(drafts))
    times = np.maximum.accumulate(np.array([draft.time_us for draft in drafts]) - steps) + steps
    times = np.minimum(times, end_us - 1 - steps[::-1])
    return [
        draft if draft.time_us == time_us else draft._replace(time_us=time_us)
        for draft, time_us in zip(drafts, times.tolist(), strict=True)
    ]


def _encoder(form: str) -> Callable[[int, list[Draft]], list[bytes]]:
    known: dict[str, Callable[[int, list[Draft]], list[bytes]]] = {
        "jetstream": wire.jetstream_posts,
        "plain": wire.plain_posts,
    }
    if form not in known:
        raise UsageError("world", f"unknown form `{form}`", did_you_mean(form, known))
    return known[form]


def _compressor(raw: BinaryIO, suffix: str) -> BinaryIO:
    """A writer onto `raw`; the gzip header carries no time, so that the same world is the same file."""
    if suffix == ".gz":
        return io.BufferedWriter(gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
    if suffix == ".zst":
        return zstandard.ZstdCompressor().stream_writer(raw, closefd=False)
    return io.BufferedWriter(raw)
