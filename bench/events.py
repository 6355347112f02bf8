"""Are events found, once each and in time, and nothing besides?

Replays of labelled posts over posts about nothing (`_tracks`): events one after another at set rates, and
thirty at once; and the mix, whose posts' chains are compared with their labels beside two baselines. Events
and seeds are those held out in `events_split.tsv`. In brackets: 95 % of bootstrap resamples.

`python -m bench.events assign FILE --out TSV` writes, for people who hold labelled data, the chain that each
recorded post fell in; `measure --tuning` prints the figures on what tuning may look at.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import typer
from bench._about import MIXED, NONE
from bench._alerts import Alert, Outcome, alerts, interval, outcomes
from bench._baselines import first_stories, has_river, text_clusters
from bench._clustering import agreement
from bench._data import data_file, progress, row
from bench._observed import observe_file, observe_lines
from bench._tracks import CRISES, Split, Track, crises, isolated, seeds_of

from groundswell import logs
from groundswell.errors import GroundswellError, UsageError
from groundswell.pipeline import Lexica

__all__ = ["assign", "measure"]

SEEDS = 5
RIVER_POSTS = 20_000  # TextClust reads some 300 posts a second

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Rows = list[dict[str, Any]]


class Scored(NamedTuple):
    """All tracks of one kind."""

    outcomes: list[Outcome]
    alerts: list[Alert]


def measure(seeds: int = SEEDS, split: Split = "held-out") -> Rows:
    """All figures; `seeds` tracks of either kind are replayed."""
    lexica = Lexica()
    return [
        *_isolated_rows(_replayed("isolated events", isolated, seeds, split, lexica)),
        *_crises_rows(_replayed("thirty crises", crises, seeds, split, lexica)),
        *_mix_rows(lexica, seeds),
    ]


def _replayed(
    label: str, make: Callable[[int, Split], Track], count: int, split: Split, lexica: Lexica
) -> Scored:
    results: list[Outcome] = []
    found: list[Alert] = []
    with progress(label) as bar:
        for done, seed in enumerate(seeds_of(split, count)):
            track = make(seed, split)
            seen, keys = observe_lines(track.lines, lexica, secret=seed)
            labels = [post.event for post in track.posts]
            told = alerts(seen, dict(zip(keys.tolist(), labels, strict=True)), seed)
            results += outcomes(track, told)
            found += told
            bar(done + 1, count)
    return Scored(results, found)


def _isolated_rows(scored: Scored) -> Rows:
    usual = [each for each in scored.outcomes if each.placement.posts_per_second >= 0.2]
    slow = [each for each in scored.outcomes if each.placement.posts_per_second < 0.2]
    fast = [each.after_threshold_seconds for each in usual if each.placement.posts_per_second >= 2]
    middling = [each.after_threshold_seconds for each in usual if each.placement.posts_per_second <= 1]
    return [
        row("recall at >= .2 posts/s", _share(np.isfinite([e.after_start_seconds for e in usual])), ">= .95"),
        row(
            "recall within 30 min at .05 posts/s",
            _share(np.array([e.after_start_seconds for e in slow]) <= 1800),
            ">= .7",
        ),
        row("median delay at >= 2 posts/s, s", _quantile(fast, 0.5), "<= 10"),
        row("p90 delay at >= 2 posts/s, s", _quantile(fast, 0.9), "<= 60"),
        row("median delay at .2 to 1 posts/s, s", _quantile(middling, 0.5), "<= 60"),
        *_alert_rows("isolated", scored.alerts),
    ]


def _crises_rows(scored: Scored) -> Rows:
    published = sum(np.isfinite(each.after_start_seconds) for each in scored.outcomes)
    extra = sum(alert.duplicate for alert in scored.alerts)
    return [
        row(f"{CRISES} at once: recall", _found(scored.outcomes), ">= .95"),
        row(f"{CRISES} at once: fragments an event", f"{extra / max(published, 1):.3f}", "<= .1"),
        *_alert_rows(f"{CRISES} at once", scored.alerts),
    ]


def _alert_rows(track: str, found: list[Alert]) -> Rows:
    true = [alert.about not in {MIXED, NONE} for alert in found]
    mixed = [alert.about == MIXED for alert in found]
    return [
        row(f"{track}: alert precision", _share(true), ">= .95"),
        row(f"{track}: duplicates", _share([alert.duplicate for alert in found]), "<= .10"),
        row(f"{track}: mixed", _share(mixed), "<= .03"),
    ]


class _Labelled(msgspec.Struct):
    text: str
    event: str | None = None


def _mix_rows(lexica: Lexica, count: int) -> Rows:
    """What is published of the mix under `count` publishing keys, and how its labelled posts cluster."""
    path = data_file("events", "mix.jsonl.gz")
    decoder = msgspec.json.Decoder(_Labelled)
    with gzip.open(path) as lines:
        posts = [decoder.decode(line) for line in lines]
    labels = [post.event for post in posts]
    told: list[Alert] = []
    published: list[int] = []
    for secret in range(count):
        with progress(f"replaying the mix, key {secret + 1} of {count}") as bar:
            seen, keys = observe_file(path, lexica, secret=secret, progress=bar)
        if secret == 0:
            chains = seen.chain_of(keys)
        found = alerts(seen, dict(zip(keys.tolist(), labels, strict=True)), secret)
        told += found
        published.append(len({alert.about for alert in found} - {MIXED, NONE}))
    return [
        row("mix: disasters published, of 21", ", ".join(map(str, published)), "21"),
        *_alert_rows("mix", told),
        *_clustering(labels, [post.text for post in posts], chains),
    ]


def _clustering(labels: list[str | None], texts: list[str], chains: list[str]) -> Rows:
    """Groundswell's chains and two baselines on the same posts; of TextClust on the first of them."""
    stories, seconds = _timed(lambda: first_stories(texts))
    rows = [
        *_clustering_rows("mix: Groundswell", labels, chains, chains),
        *_clustering_rows("mix: first stories", labels, stories, chains),
        row("mix: first stories, posts/s", f"{len(texts) / seconds:.0f}", "-"),
    ]
    if not has_river():
        return [*rows, row("mix: TextClust", "River is not installed", "-")]
    some = slice(0, RIVER_POSTS)
    clusters, seconds = _timed(lambda: text_clusters(texts[some]))
    start = f"mix, first {RIVER_POSTS:,}"
    return [
        *rows,
        *_clustering_rows(f"{start}: Groundswell", labels[some], chains[some], chains[some]),
        *_clustering_rows(f"{start}: first stories", labels[some], stories[some], chains[some]),
        *_clustering_rows(f"{start}: TextClust", labels[some], clusters, chains[some]),
        row(f"{start}: TextClust, posts/s", f"{RIVER_POSTS / seconds:.0f}", "-"),
    ]


def _clustering_rows(system: str, labels: list[str | None], clusters: list[str], chains: list[str]) -> Rows:
    """On the labelled posts that Groundswell put into a chain, and on all labelled posts."""
    pairs = [(label, cluster, chain) for label, cluster, chain in zip(labels, clusters, chains, strict=True)]
    every = [(label, cluster) for label, cluster, _ in pairs if label]
    held = [(label, cluster) for label, cluster, chain in pairs if label and chain]
    on_all, on_held = (agreement(*map(list, zip(*some, strict=True))) for some in (every, held))
    return [
        row(f"{system}, labelled posts in a cluster", f"{on_all.covered:.3f}", "-"),
        row(f"{system}, AMI where in a chain; all", f"{on_held.ami:.3f}; {on_all.ami:.3f}", ">= .88"),
        row(f"{system}, B3 F1 where in a chain; all", f"{on_held.b3:.3f}; {on_all.b3:.3f}", ">= .85"),
    ]


def _found(results: list[Outcome]) -> str:
    return _share(np.isfinite([each.after_start_seconds for each in results]))


def _share(hits: Sequence[bool] | npt.NDArray[np.bool_]) -> str:
    value, low, high = interval(np.asarray(hits, np.float64).tolist())
    return f"{value:.3f} [{low:.2f}, {high:.2f}] of {len(hits)}"


def _quantile(seconds: list[float], share: float) -> str:
    """Misses count as endless."""
    value, low, high = interval(
        seconds, lambda sample: float(np.quantile(sample, share, method="inverted_cdf"))
    )
    return f"{value:.0f} [{low:.0f}, {high:.0f}] of {len(seconds)}"


def _timed(work: Callable[[], list[str]]) -> tuple[list[str], float]:
    started = time.process_time()
    return work(), time.process_time() - started


@app.callback()
def about() -> None:
    """Measurements of event detection; `groundswell bench events` prints the figures."""


@app.command("measure")
def measure_command(
    tuning: Annotated[bool, typer.Option(help="On the events and seeds that tuning may look at.")] = False,
    seeds: Annotated[int, typer.Option(min=1, max=100)] = SEEDS,
) -> None:
    """The figures of `groundswell bench events`."""
    logs.configure()
    for each in measure(seeds, "tuning" if tuning else "held-out"):
        typer.echo(f"{each['figure']:<64} {each['value']:>28}   goal {each['goal']}")


@app.command("assign")
def assign_command(
    file: Annotated[Path, typer.Argument(help="Recorded posts: .jsonl, .gz, .zst.")],
    out: Annotated[Path, typer.Option(help="The table to write.")],
) -> None:
    """Write `row` and `chain` for each line of FILE, tab-separated, with a header."""
    logs.configure()
    try:
        rows, assigned = assign(file, out)
    except GroundswellError as error:
        typer.echo(f"groundswell: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(f"{rows} rows, {assigned} of them in a chain: {out}")


def assign(file: Path, out: Path) -> tuple[int, int]:
    """Replay `file` and write its table; gives the rows, and how many of them have a chain.

    Raises
    ------
    UsageError
        `file` is missing or no file, or `out` cannot be written.
    """
    if not file.is_file():
        raise UsageError(str(file), "no such file", "give the path of a file of JSON lines")
    with progress("replaying") as bar:
        seen, keys = observe_file(file, Lexica(), progress=bar)
    chains = seen.chain_of(keys)
    try:
        with out.open("w", encoding="utf-8") as table:
            table.write("row\tchain\n")
            table.writelines(f"{row}\t{chain}\n" for row, chain in enumerate(chains))
    except OSError as error:
        raise UsageError(str(out), f"cannot be written ({error.strerror})", "choose another path") from None
    return len(chains), sum(map(bool, chains))


if __name__ == "__main__":
    app()
