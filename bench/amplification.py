"""Is amplification told from what spreads by itself? `groundswell bench amplification`.

Three looks. *Simulated campaigns*: one text by 15 to 200 accounts within two minutes, beside events,
cascades of reposts (unlabelled) and copies from a share button: a headline with its link, posted by many
over hours. A record is right when at least half of its posts are of one campaign. A campaign is found when
half of its posts were in a record, its own or that of the same text pushed before; it counts as missed only
from 2 k − 1 accounts, from where the ladder lets every crowd in. *Null p-values*: families of copies that
come in five ways that nobody arranges, each held against thirty others of its kind. *The German election of
2021*: the clusters that CooRTweet's method finds in 218,971 shares, and how many of them are crowds that a
line with a floor of k could publish at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from bench._alerts import crowd_label
from bench._coordination import OBJECTS, coordinated, election_lines, one_hour_crowd, shares
from bench._data import progress, row
from bench._observed import observe_lines

from groundswell.clock import HOUR_US, MINUTE_US, SECOND_US
from groundswell.detect.amplification import chance, is_unlikely, seconds_apart
from groundswell.pipeline import Lexica
from groundswell.published import Amplification
from groundswell.release import ReleaseSettings
from groundswell.simulator import PlantedCampaign, World, WorldSettings
from groundswell.sources.wire import time_of

__all__ = ["measure"]

SEEDS = 3
FIRST_SEED = 1001
NULL_GROUPS = 2_000
NULL_OTHERS = 30
"""Families that each is held against: what an hour of a middling stream has."""
SHARE_BUTTONS = 12
ELECTION_DAYS = 7
_HEADLINES = (
    "Council approves new tram line after long debate {} via @citypaper",
    "Ten recipes for the first days of autumn {} via @kitchenweekly",
    "Researchers teach old batteries to last twice as long {} via @sciencedesk",
    "Why rents keep rising and what other cities do about it {} via @metroreport",
)
Rows = list[dict[str, Any]]


def measure(seeds: int = SEEDS) -> Rows:
    """All three looks."""
    return [*_campaign_rows(seeds), *_null_rows(), *_election_rows()]


def _campaign_rows(count: int) -> Rows:
    lexica = Lexica()
    sure = 2 * ReleaseSettings().k - 1
    right = wrong = found = of_its_own = planted = 0
    about: Counter[str] = Counter()
    with progress("campaigns") as bar:
        for done in range(count):
            seed = FIRST_SEED + done
            world = World(_settings(seed))
            lines, labels = _with_share_buttons(world, seed)
            seen, keys = observe_lines(lines, lexica, secret=seed)
            label_of = dict(zip(keys.tolist(), labels, strict=True))
            told: set[str] = set()
            every: set[int] = set()
            for record in seen.latest.values():
                if isinstance(record, Amplification):
                    every.update(seen.crowds[record.id][0].tolist())
                    label = crowd_label(*seen.crowds[record.id], label_of)
                    is_campaign = label.startswith("campaign")
                    right, wrong = right + is_campaign, wrong + (not is_campaign)
                    told.add(label)
                    about[label.rpartition("-")[0] or label] += 1
            shown = Counter(label_of.get(key) for key in every)
            large = [
                truth
                for truth in world.truth
                if isinstance(truth, PlantedCampaign) and truth.accounts >= sure
            ]
            planted += len(large)
            of_its_own += sum(truth.id in told for truth in large)
            found += sum(2 * shown[truth.id] >= truth.posts for truth in large)
            bar(done + 1, count)
    return [
        row("campaigns: amplification records", right + wrong, "-"),
        row("campaigns: precision", f"{right / max(right + wrong, 1):.3f}", ">= .90"),
        row(f"campaigns: recall, of {planted} large ones", f"{found / max(planted, 1):.3f}", ">= .90"),
        row("campaigns: of these with a record of their own", of_its_own, "-"),
        row("campaigns: records by what they are about", str(dict(sorted(about.items()))), "-"),
    ]


def _settings(seed: int) -> WorldSettings:
    return WorldSettings(
        seed=seed, hours=4.0, campaigns_per_hour=6.0, pile_ons_per_hour=0.0, events_per_hour=1.5
    )


def _with_share_buttons(world: World, seed: int) -> tuple[list[bytes], list[str | None]]:
    """The world's lines and their labels, with copies of headlines among them."""
    timed: list[tuple[int, bytes, str | None]] = []
    for line in world.lines("plain"):
        post = msgspec.json.decode(line)
        timed.append((time_of(post["created_at"]) or 0, line, world.label(post["id"])))
    rng = np.random.default_rng(seed)
    for number in range(SHARE_BUTTONS):
        text = _HEADLINES[number % len(_HEADLINES)].format(f"https://paper{number}.example/{seed}")
        begin_us = world.settings.quiet_end_us + int(rng.random() * 2 * HOUR_US)
        size = int(np.exp(rng.uniform(np.log(20), np.log(200))))
        delays = np.sort(rng.exponential(45 * MINUTE_US, size)).astype(np.int64)
        for place, time_us in enumerate((begin_us + delays).tolist()):
            if time_us < world.settings.end_us - SECOND_US:
                at = np.datetime64(time_us, "us").item().isoformat() + "Z"
                name = f"share-{number}-{place}"
                post = {"id": name, "created_at": at, "account": name, "text": text}
                timed.append((time_us, msgspec.json.encode(post), f"share-{number}"))
    timed.sort(key=lambda item: item[0])
    return [line for _, line, _ in timed], [label for _, _, label in timed]


def _null_rows() -> Rows:
    """Shares of p-values under .05 where nobody arranged anything, and of what would be told."""
    rng = np.random.default_rng(FIRST_SEED)
    rows = []
    for kind, draw in NULLS.items():
        groups = [_spread(draw, rng) for _ in range(NULL_GROUPS)]
        p_values, told = [], 0
        for at, times_us in enumerate(groups):
            others = [seconds_apart(groups[(at + back) % NULL_GROUPS]) for back in range(1, NULL_OTHERS + 1)]
            p_values.append(chance(times_us, others))
            told += is_unlikely(times_us, others)
        under = f"{float((np.array(p_values) < 0.05).mean()):.3f}"
        rows.append(row(f"null p-values under .05, {kind}", under, "<= .05"))
        rows.append(row(f"of {NULL_GROUPS} such families told, {kind}", told, "-"))
    return rows


Delays = np.ndarray[Any, Any]


def _viral(rng: np.random.Generator, size: int) -> Delays:
    """Everybody takes it from somebody before, after an exponential time: it grows before it ends."""
    delays = np.zeros(size)
    waits = rng.exponential(0.5, size)
    for copy, source in enumerate((rng.random(size) * np.arange(size)).astype(int).tolist()[1:], 1):
        delays[copy] = delays[source] + waits[copy]
    return delays


NULLS: dict[str, Callable[[np.random.Generator, int], Delays]] = {
    "cascades": lambda rng, size: rng.exponential(1.0, size),  # the simulator's
    "lognormal delays": lambda rng, size: rng.lognormal(0.0, 1.5, size),
    "power-law delays": lambda rng, size: rng.pareto(1.0, size),
    "viral growth": _viral,
    "evenly over an hour": lambda rng, size: rng.random(size),
}
"""How copies come where nobody arranges it, in units of their pace (the last: of an hour)."""


def _spread(draw: Callable[[np.random.Generator, int], Delays], rng: np.random.Generator) -> Delays:
    """Moments of 20 to 400 copies, none over an hour after the first, in microseconds."""
    size = int(np.exp(rng.uniform(np.log(20), np.log(400))))
    pace_us = HOUR_US if draw is NULLS["evenly over an hour"] else rng.lognormal(6.0, 0.8) * SECOND_US
    return np.sort(np.minimum(draw(rng, size) * pace_us, HOUR_US - 1)).astype(np.int64)


def _election_rows() -> Rows:
    """CooRTweet's clusters, which of them the floor leaves room for, and what is published of the shares."""
    k = ReleaseSettings().k
    rows = []
    for kind in OBJECTS:
        every = shares(kind)
        clusters = coordinated(every)
        crowds = [cluster for cluster in clusters if len(cluster.accounts) >= k]
        room = sum(one_hour_crowd(cluster, every) >= k for cluster in crowds)
        found = f"{len(clusters)}; {len(crowds)}; {room}"
        name = kind.removesuffix("_id")
        rows.append(row(f"election, {name}: clusters; of k accounts; k in an hour", found, "-"))
    seen, _ = observe_lines(election_lines(ELECTION_DAYS), Lexica())
    published = Counter(type(record).__name__.lower() for record in seen.latest.values())
    rows.append(
        row(f"election, last {ELECTION_DAYS} days: records published", str(dict(published)), "those clusters")
    )
    return rows
