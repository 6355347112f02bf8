"""Writes `docs/replays.md`: what is published of real recordings, and when, beside what was known when.

    python -m bench._replays docs/replays.md

Only published records stand there. CrisisLexT6 is replayed on its own times. IDRISI's recordings are
samples of a thousand posts over days and weeks, too thin for any burst; each is played faster, over the
mix's background, and its times are turned back into the recording's.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from bench._alerts import alerts
from bench._data import data_file
from bench._observed import Observed, microseconds, observe_file, observe_lines
from bench._tracks import START_US, Placement, Post, background, track

from groundswell.clock import HOUR_US, SECOND_US, rfc3339
from groundswell.pipeline import Lexica
from groundswell.published import Event
from groundswell.sources.wire import time_of

__all__ = ["page"]

RECORDS = 4
PLAYED_HOURS = 3.0
BACKGROUND_RATE = 1.0
_LEAD = """# Real replays

What Groundswell publishes of recordings of real disasters, and when, beside what was known when. Made by
`python -m bench._replays docs/replays.md` from the [measuring data](scoreboard.md); phrases, places and
times are those of published records, nothing else of a post is here. Times are UTC and the recording's own.
The floor is 20 accounts, 50 for attacks; in CrisisLexT6 and IDRISI every post counts as an account of its
own.
"""
_CRISISLEX = """## CrisisLexT6, on its own times

Samples of some ten thousand posts each, half of them on the matter, collected by keyword and place around
it. What they hold per minute is a small part of what was written, so a live stream would have been sooner.
"""
_IDRISI = """## IDRISI, played faster

Samples of 250 to 1,300 posts over days and weeks: at their own pace no hour of them has a crowd. Each is
played in three hours over a background of other posts, and its times are turned back: a delay of an hour
here is a minute or two of stream time, as many posts as the floor asks for. Most recordings begin after the
event did.
"""


class Known(msgspec.Struct, frozen=True):
    """One line of `_known.tsv`."""

    event: str
    file: str
    known: str
    what: str


class _Labelled(msgspec.Struct):
    created_at: str
    text: str
    event: str | None = None


def page(lexica: Lexica) -> Iterator[str]:
    """The page, by parts."""
    known = _known()
    yield _LEAD
    yield _CRISISLEX
    path = data_file("events", "crisislext6.jsonl.gz")
    posts = _read("crisislext6")
    seen, keys = observe_file(path, lexica)
    label_of = dict(zip(keys.tolist(), [post.event for post in posts], strict=True))
    for event in (each for each in known if each.file == "crisislext6"):
        times_us = [time_of(post.created_at) or 0 for post in posts if post.event == event.event]
        yield _section(event, times_us, seen, label_of, lambda moment_us: moment_us)
    yield _IDRISI
    by_event: dict[str | None, list[_Labelled]] = defaultdict(list)
    for post in _read("idrisi"):
        by_event[post.event].append(post)
    for event in (each for each in known if each.file == "idrisi"):
        yield _played(event, by_event[event.event], lexica)


def _played(event: Known, posts: list[_Labelled], lexica: Lexica) -> str:
    """One recording, drawn together into `PLAYED_HOURS`."""
    timed = sorted((time_of(post.created_at) or 0, post.text) for post in posts)
    times_us = [time_us for time_us, _ in timed]
    begin_us, factor = START_US + HOUR_US, (times_us[-1] - times_us[0]) / (PLAYED_HOURS * HOUR_US)
    played = [
        Post(begin_us + int((time_us - times_us[0]) / factor), f"e{place}", f"e{place}", text, event.event)
        for place, (time_us, text) in enumerate(timed)
    ]
    end_us = played[-1].time_us + HOUR_US
    others = background(np.random.default_rng(0), START_US, end_us, BACKGROUND_RATE)
    made = track(played + others, [Placement(event.event, len(played) / PLAYED_HOURS / 3600)])
    seen, keys = observe_lines(made.lines, lexica)
    label_of = dict(zip(keys.tolist(), [post.event for post in made.posts], strict=True))

    def turned_back(moment_us: int) -> int:
        return times_us[0] + int((moment_us - begin_us) * factor)

    return _section(event, times_us, seen, label_of, turned_back)


def _section(
    event: Known,
    times_us: list[int],
    seen: Observed,
    label_of: dict[int, str | None],
    back: Callable[[int], int],
) -> str:
    """What is said of one event, with the first revision of each of its records and its last words."""
    about = [alert for alert in alerts(seen, label_of) if alert.about == event.event]
    known_us = microseconds(event.known)
    name = event.event.replace("_", " ")
    parts = [
        f"### {name}\n\n{event.what[0].upper()}{event.what[1:]}: {_moment(known_us)}. The recording has "
        f"{len(times_us):,} posts from {_moment(min(times_us))} to {_moment(max(times_us))}."
    ]
    if not about:
        return parts[0] + " Nothing is published.\n"
    first_us = back(about[0].published_us)
    start_us = max(known_us, min(times_us))
    since = "what was known" if start_us == known_us else "the recording begins"
    when = _span(first_us - start_us)
    order = f"{when} after" if first_us >= start_us else f"{when} before"
    before = sum(time_us <= first_us for time_us in times_us)
    parts[0] += f" First published {_moment(first_us)}, {order} {since}, with {before:,} of its posts read."
    rows = [
        "| published | kind | place | accounts | what it says, at first → at last |",
        "|---|---|---|---|---|",
    ]
    for alert in about[:RECORDS]:
        own = [record for record in seen.revisions if record.id == alert.chain and isinstance(record, Event)]
        told = [", ".join(record.phrases) for record in (own[0], own[-1])]
        place = f"{own[-1].place.name}, {own[-1].place.country}" if own[-1].place else "–"
        says = " → ".join(dict.fromkeys(told))
        moment = _moment(back(alert.published_us))
        rows.append(f"| {moment} | {own[-1].category} | {place} | {own[-1].accounts} | {says} |")
    parts.append("\n".join(rows))
    if len(about) > RECORDS:
        parts.append(f"And {len(about) - RECORDS} more records about it.")
    return "\n\n".join(parts) + "\n"


def _moment(time_us: int) -> str:
    return rfc3339(time_us)[:16].replace("T", " ")


def _span(microseconds_: int) -> str:
    minutes = abs(microseconds_) // (60 * SECOND_US)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _known() -> list[Known]:
    with Path(__file__).with_name("_known.tsv").open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t")
        return [Known(row["event"], row["file"], row["known"], row["what was known then"]) for row in rows]


def _read(name: str) -> list[_Labelled]:
    decoder = msgspec.json.Decoder(_Labelled)
    with gzip.open(data_file("events", f"{name}.jsonl.gz")) as lines:
        return [decoder.decode(line) for line in lines]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(page(Lexica())), encoding="utf-8")
