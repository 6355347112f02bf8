"""What a restart goes on from: how far back it reads, the detector's part of a checkpoint, snapshots on disk.

It refuses to know what is in them: the detector and the watch over the sources make and read their own bytes.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from groundswell.clock import HOUR_US, MINUTE_US, QUARTER_US, floor_to
from groundswell.errors import StoreError

__all__ = ["Baselines", "Resume", "Sealed"]

RING_US = 60 * MINUTE_US
"""How far back the open window of posts reaches."""
RATES_US = 3 * HOUR_US + 30 * MINUTE_US
"""How far back from there the rates reach, with the gate's horizon."""


class Sealed(msgspec.Struct, frozen=True):
    """The detector's part of a checkpoint: when the stream began, the sealed chains and the refrains."""

    start_us: int
    chains: bytes
    narratives: bytes = b""


@dataclass(frozen=True)
class Resume:
    """Where a restarted run takes up: rewind the source to `since_us`, judge ticks after `checkpoint_us`."""

    checkpoint_us: int
    since_us: int
    baseline_us: int
    start_us: int

    @classmethod
    def after(cls, checkpoint_us: int, start_us: int) -> Resume:
        """The rewind that makes every window at `checkpoint_us` what it was.

        The window of posts reaches back an hour; what was surprising then depends on rates over the three
        hours before and on the long baseline as of that quarter hour.
        """
        baseline_us = max(start_us, floor_to(checkpoint_us - RING_US, QUARTER_US))
        return cls(checkpoint_us, max(start_us, baseline_us - RATES_US), baseline_us, start_us)


class Baselines:
    """The long baselines' snapshots, two files a quarter hour, and two for where the stream began.

    `.base` is of terms, `.volumes` of sources and languages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "baseline"

    def write(self, time_us: int, terms: bytes, volumes: bytes) -> None:
        """Durable before it returns; raises `StoreError`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for suffix, snapshot in (("volumes", volumes), ("base", terms)):
                with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                    file.write(snapshot)
                    file.flush()
                    os.fsync(file.fileno())
                Path(file.name).replace(self._path(time_us, suffix))
        except OSError as error:
            raise StoreError(
                str(self._folder),
                f"cannot be written ({error.strerror})",
                "free space or mend the permissions",
            ) from None

    def read(self, time_us: int, suffix: str = "base") -> bytes | None:
        path = self._path(time_us, suffix)
        return path.read_bytes() if path.exists() else None

    def __contains__(self, time_us: int) -> bool:
        return self._path(time_us).exists()

    def prune(self, oldest_us: int) -> None:
        """Delete snapshots from before `oldest_us`, and drafts that a crash left."""
        for old in self._folder.glob("*"):
            if not old.stem.isdigit() or int(old.stem) < oldest_us:
                with suppress(OSError):  # it goes the next time
                    old.unlink()

    def _path(self, time_us: int, suffix: str = "base") -> Path:
        return self._folder / f"{time_us}.{suffix}"
