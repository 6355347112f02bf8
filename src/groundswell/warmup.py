"""Compiles the kernels before posts wait for them: side by side, once an installation, and says so.

Numba keeps what it compiled beside the modules (or in the user's cache), so this pays at the first start
only. The stages are compiled in processes of their own, for Numba compiles one function at a time in each;
`python -m groundswell.warmup STAGE` is what they run. A kernel that is compiled later, because a module was
changed or nothing here reached it, is announced once as well.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numba
import numpy as np
import platformdirs
import pyarrow as pa
import structlog
from numba.core import event

from groundswell.batches import ENRICHED, POST, RAW, Kind
from groundswell.detect import TICK_US, Detector, DetectSettings
from groundswell.enrich import CATEGORIES, Enricher, EnrichSettings
from groundswell.enrich.mood import Moods
from groundswell.enrich.places import Gazetteer, PlacesSettings
from groundswell.gate import Gate, GateSettings
from groundswell.media.families import Families
from groundswell.media.fingerprint import take
from groundswell.metrics import Metrics
from groundswell.names import NameLexicon
from groundswell.pipeline import Lexica
from groundswell.recordings import replay
from groundswell.simulator import World, WorldSettings
from groundswell.sources import read_lines

__all__ = ["STAGES", "compile_all", "once"]

_POSTS = 4_000
_SAMPLE = 300

log = structlog.get_logger("groundswell.warmup")


def once() -> None:
    """Compile everything if this installation has not done so; always announce what is compiled later."""
    stamp = _stamp()
    if not stamp.exists():
        compile_all()
    event.register("numba:compile", _Announcer())


def compile_all() -> None:
    """Build the place index, compile every stage's kernels, and run a small world through all of them."""
    log.info("building the place index and compiling kernels, once: this takes up to a minute")
    waiting = [_compiling(stage) for stage in STAGES if stage != "places"]
    Lexica()  # writes the place index, without which places cannot be found
    for process in (*waiting, _compiling("places")):
        process.wait()  # what one could not compile is compiled by whoever needs it
    for _ in replay(_posts(_POSTS)):
        pass
    stamp = _stamp()
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    except OSError as error:
        log.warning("the cache cannot be written: every start compiles anew", error=type(error).__name__)


def _compiling(stage: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "groundswell.warmup", stage])  # noqa: S603 - our own code


def _stamp() -> Path:
    """An empty file that stands for: compiled, for this installation on this machine."""
    from groundswell import __version__

    about = (__version__, numba.__version__, sys.version, platform.machine(), str(Path(__file__).parent))
    name = f"kernels-{blake2b(repr(about).encode(), digest_size=8).hexdigest()}"
    return Path(platformdirs.user_cache_dir("groundswell")) / name


class _Announcer(event.Listener):  # type: ignore[misc]  # numba has no types
    """Says once that kernels are being compiled; what is loaded from the cache makes no event."""

    def __init__(self) -> None:
        self._said = False

    def on_start(self, event: event.Event) -> None:
        if not self._said:
            self._said = True
            log.info("compiling kernels that are not in the cache: posts wait for some seconds")

    def on_end(self, event: event.Event) -> None:
        pass


def _posts(count: int) -> Iterator[dict[str, Any]]:
    """Posts of many languages with identifiers of every class in them, so that no kernel is left out."""
    world = World(WorldSettings(seed=1, hours=1.0, posts_per_second=2.0, canary_rate=0.05))
    return (msgspec.json.decode(line) for line in islice(world.lines("plain"), count))


def _rows(schema: pa.Schema) -> pa.RecordBatch:
    """Batches as the stage before would give them, made without its kernels."""
    lists = ("marks", "langs", "urls", "media", "domains", "link_keys", "picture_keys")
    row: dict[str, Any] = {name: [] for name in lists}
    row |= dict.fromkeys(("post_key", "speaker", "epoch", "cell", "target", "time_us"), 0)
    row |= {"kind": int(Kind.POST), "source": "warmup"}
    rows = [row | post | {"uri": post["id"]} for post in _posts(_SAMPLE)]
    rows[-1]["kind"] = int(Kind.DELETE)
    return pa.RecordBatch.from_pylist(
        [{name: row.get(name) for name in schema.names} for row in rows], schema=schema
    )


def _sources() -> None:
    worlds = World(WorldSettings(seed=1, hours=0.1, posts_per_second=2.0, quiet_minutes=1.0))
    for form in ("jetstream", "plain"):
        for _ in read_lines((line + b"\n" for line in worlds.lines(form)), "warmup"):
            pass


def _gate() -> None:
    Gate(GateSettings(), Metrics()).admit(_rows(RAW))


class _Nowhere:
    """Finds no places, so that the rest of enrichment need not wait for their index."""

    def find(
        self, folded: pa.StringArray, text: pa.StringArray, lang: pa.StringArray
    ) -> tuple[pa.ListArray, pa.ListArray]:
        none: list[list[int]] = [[]] * len(text)
        return pa.array(none, pa.list_(pa.int32())), pa.array(none, pa.list_(pa.float32()))


def _enrich() -> None:
    posts = _rows(POST)
    Enricher(EnrichSettings(), _Nowhere(), NameLexicon.load()).enrich(posts)
    english = pa.array(["eng_Latn"] * posts.num_rows)
    Moods().guess(posts.column("text"), english)  # enrichment asks for the moods of few languages


def _places() -> None:
    posts = _rows(POST)
    unknown = pa.array(["und"] * posts.num_rows)
    Gazetteer.load(PlacesSettings()).find(posts.column("text"), posts.column("text"), unknown)


def _media() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    families = Families(capacity=16)
    for time_us in range(2):
        families.add(take(noise), speaker=1, time_us=time_us)


def _detect() -> None:
    """An hour of common words, then a crowd that says new ones in either of two orders."""
    detector = Detector(DetectSettings(), _ONE_TOWN, CATEGORIES, floor_k=20)
    for tick in range(360):
        said = [chr(0x4E00 + word) + chr(0x4E01 + word) + chr(0x4E02 + word) for word in range(24)]
        said += ["地震速報", "速報地震"] * (12 if tick > 350 else 0)
        end_us = (tick + 1) * TICK_US
        detector.wait(_said(said, end_us - 1))
        detector.tick(end_us)
    detector.restore_baseline(detector.baseline())


_ONE_TOWN = pa.table(
    {"name": ["-"], "country": ["-"], "latitude": [0.0], "longitude": [0.0], "population": [0]}
    | {"level": ["city"], "within": pa.array([-1], pa.int32())}
)


def _said(texts: list[str], time_us: int) -> pa.RecordBatch:
    """`ENRICHED` rows of texts in Han characters, each of a speaker and in a shape of its own."""
    empty: dict[str, Any] = {field.name: [] for field in ENRICHED if pa.types.is_list(field.type)}
    empty |= {field.name: 0 for field in ENRICHED if pa.types.is_integer(field.type)}
    rows = [
        empty
        | dict.fromkeys(("post_key", "shape"), time_us + row)
        | {"time_us": time_us, "speaker": (time_us + row) * 0x9E3779B97F4A7C15 % (1 << 64)}
        | {"source": "warmup", "text": "", "lang": "und", "folded": text}
        | {"terms": [ord(first) << 40 | ord(second) << 8 for first, second in pairwise(text)]}
        | {"term_starts": [3 * at for at in range(len(text) - 1)]}
        | {"term_ends": [3 * at + 6 for at in range(len(text) - 1)]}
        for row, text in enumerate(texts)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ENRICHED)


STAGES: dict[str, Callable[[], None]] = {
    "gate": _gate,
    "enrich": _enrich,
    "sources": _sources,
    "detect": _detect,
    "media": _media,
    "places": _places,
}

if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(5)  # the place index goes first: places wait for it
    STAGES[sys.argv[1]]()
