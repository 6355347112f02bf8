"""The parent's half of a worker: starts a locked-down process, hands it files, ends it when it takes too
long.

Owns one child. A file can cost its worker's life and nothing else: the answer then has a reason, and the
next file gets a new worker. Pixels come back as pixels, so nothing of a file's own bytes can pass.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from groundswell.drops import MediaDrop
from groundswell.media.jobs import MAX_ANSWER_BYTES, Answer, Job, Locks, decode_answer
from groundswell.media.picture import Picture

__all__ = ["MEMORY_BYTES", "OPEN_EYES", "Worker"]

OPEN_EYES = "groundswell.media.eyes:open_eyes"
MEMORY_BYTES = 2048 << 20
START_SECONDS = 180.0
"""Loading the parts takes seconds, on a busy machine many."""
JOBS_A_LIFE = 500
"""After so many files a worker is replaced, whatever it looks like."""
_CHUNK = 1 << 20
# The packages' own `__init__` would load the whole line; a worker needs these modules alone.
_BOOT = """
import json, sys, types
told = json.loads(sys.argv[1])
sys.path[:] = told["path"]
for name, folder in told["packages"].items():
    package = types.ModuleType(name)
    package.__path__ = [folder]
    sys.modules[name] = package
from groundswell.media.worker import main
main(told["eyes"], told["memory_bytes"])
"""
_THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
_PASSED = ("PATH", "LANG", "LC_ALL", "TESSDATA_PREFIX", "LD_LIBRARY_PATH", "SYSTEMROOT")


class Worker:
    """A process that looks at files, one at a time; started when first asked. Not for several threads.

    Parameters
    ----------
    eyes
        `module:function` that gives the `Eyes`, called in the worker before it is locked.
    memory_bytes
        Address space the worker may have.
    """

    def __init__(self, eyes: str = OPEN_EYES, memory_bytes: int = MEMORY_BYTES) -> None:
        self._eyes = eyes
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0
        self.locks = Locks()
        self.ended: list[str] = []
        """Why its processes ended so far, oldest first."""

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and wait until it is locked; raises `OSError` when it does not come up."""
        if self._process is not None:
            return
        self._process = self._spawn()
        self._jobs = 0
        try:
            self.locks = msgspec.msgpack.decode(self._read(time.monotonic() + START_SECONDS), type=Locks)
        except (OSError, ValueError):
            self._end("start")
            raise OSError("a media worker does not start") from None

    def ask(
        self, job: Job, data: bytes | bytearray | memoryview, wall_seconds: float
    ) -> tuple[Answer, Picture | None]:
        """What the worker sees; what goes wrong is the answer's `drop`, never an exception."""
        try:
            self.start()
        except OSError:
            return Answer(drop=MediaDrop.WORKER_DIED), None
        deadline = time.monotonic() + wall_seconds
        try:
            header = msgspec.msgpack.encode(job)
            self._write(
                (len(header).to_bytes(4, "big"), header, len(data).to_bytes(4, "big"), data), deadline
            )
            answer, picture = decode_answer(self._read(deadline))
        except TimeoutError:
            return Answer(drop=self._end("out_of_time", MediaDrop.OUT_OF_TIME)), None
        except (OSError, ValueError):
            return Answer(drop=self._end("died", MediaDrop.WORKER_DIED)), None
        self._jobs += 1
        if self._jobs >= JOBS_A_LIFE or answer.drop is MediaDrop.OUT_OF_MEMORY:
            self._end("replaced")
        return answer, picture

    def interrupt(self) -> None:
        """End the job that another thread waits for, if there is one: its answer is a drop."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._end("closed")

    def _spawn(self) -> subprocess.Popen[bytes]:
        here = Path(__file__).parent
        told = {
            "path": [os.path.abspath(place) for place in sys.path],
            "packages": {"groundswell": str(here.parent), "groundswell.media": str(here)},
            "eyes": self._eyes,
            "memory_bytes": self._memory_bytes,
        }
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        return subprocess.Popen(  # noqa: S603  # this interpreter, and a program that stands above
            [sys.executable, "-I", "-c", _BOOT, json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | _THREADS | {"MALLOC_ARENA_MAX": "2"},
            start_new_session=True,  # an interrupt at the terminal is for the parent
            bufsize=0,
        )

    def _write(self, parts: tuple[bytes | bytearray | memoryview, ...], deadline: float) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        os.set_blocking(pipe, False)
        for part in parts:
            rest = memoryview(part).cast("B") if len(part) else memoryview(b"")
            while len(rest):
                _wait(pipe, selectors.EVENT_WRITE, deadline)
                rest = rest[os.write(pipe, rest[:_CHUNK]) :]

    def _read(self, deadline: float) -> bytes:
        length = int.from_bytes(self._exactly(4, deadline), "big")
        if length > MAX_ANSWER_BYTES:
            raise ValueError("an answer over the cap")
        return self._exactly(length, deadline)

    def _exactly(self, length: int, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        parts = bytearray()
        while len(parts) < length:
            _wait(pipe, selectors.EVENT_READ, deadline)
            part = os.read(pipe, min(_CHUNK, length - len(parts)))
            if not part:
                raise ConnectionResetError
            parts += part
        return bytes(parts)

    def _end(self, why: str, drop: MediaDrop = MediaDrop.WORKER_DIED) -> MediaDrop:
        """End the process for good; a worker that the kernel ended for its CPU time was out of time."""
        process, self._process = self._process, None
        assert process is not None
        if why == "died":
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
            if process.returncode == -getattr(signal, "SIGXCPU", -1):
                why, drop = "out_of_time", MediaDrop.OUT_OF_TIME
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self.ended.append(why)
        return drop


def _wait(pipe: int, event: int, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
