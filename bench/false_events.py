"""How many events a day are published where nothing happens? `groundswell bench false_events`.

The simulator's background at 500 posts a second: chatter, waves of fashion, cascades, floods and automated
accounts in its languages, and nothing planted in it. Each seed is a stream of its own; in its first half hour
nothing can be found, so that it does not count. By default the counted hours make a day and more, which takes
half an hour of CPU and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event as Stop
from typing import Any

from bench._data import progress

from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.published import Amplification, Bin, Event, Record
from groundswell.release import PublishKey
from groundswell.simulator import World, event_free
from groundswell.sources import Lines

__all__ = ["measure"]

SEEDS = 7
FIRST_SEED = 1001  # held out, as in `events_split.tsv`
POSTS_PER_SECOND = 500.0
HOURS = 4.0
LEARNING_HOURS = 0.5


def measure(seeds: int = SEEDS) -> list[dict[str, Any]]:
    """Records about nothing, a day."""
    lexica = Lexica()
    events = amplification = 0
    with progress("background") as bar:
        for done in range(seeds):
            found = records_of(FIRST_SEED + done, lexica)
            events += len({record.id for record in found if isinstance(record, Event)})
            amplification += len({record.id for record in found if isinstance(record, Amplification)})
            bar(done + 1, seeds)
    days = seeds * (HOURS - LEARNING_HOURS) / 24
    return [
        {"figure": "counted hours of stream time", "value": round(24 * days, 1), "goal": ">= 24"},
        {"figure": "false events", "value": events, "goal": "-"},
        {"figure": "false events a day", "value": round(events / days, 2), "goal": "<= 1"},
        {
            "figure": "amplification records a day, of cascades",
            "value": round(amplification / days, 2),
            "goal": "-",
        },
    ]


def records_of(seed: int, lexica: Lexica) -> list[Record]:
    """Everything published of one stream."""
    world = World(event_free(seed, HOURS, POSTS_PER_SECOND))
    records: list[Record] = []

    def take(published: Sequence[Record], _: Sequence[Bin]) -> None:
        records.extend(published)

    key = PublishKey(seed.to_bytes(32, "big"))
    line = Line(LineSettings(), lexica, key, Metrics(), published=take, resume=False)
    source = Lines("simulator", lambda since_us: (post + b"\n" for post in world.lines()), Metrics())
    for _ in line.run(source.read(None, Stop())):
        pass
    line.finish()
    line.close()
    return records
