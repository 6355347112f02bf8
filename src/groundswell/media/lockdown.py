"""What a worker gives up before it sees its first file, in four layers that do not rely on each other.

1. Limits: memory, no file of any length, no core dump, few open files; CPU time anew for each job.
2. System calls (`seccomp`): no network, no new process, no file opened for writing.
3. Files (`landlock`): only the program and its models can be read.
4. Python's audit events: the same refusals in any code that goes through the interpreter; on systems without
   2 and 3 this is all that there is, and a flaw in a decoder's C code passes it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from groundswell.media import landlock, seccomp
from groundswell.media.jobs import Locks

__all__ = ["allow_cpu", "lock"]

_OPEN_FILES = 64
_NO_NEW_PRIVILEGES, _DUMPABLE, _DIE_WITH_PARENT = 38, 4, 1
_FORBIDDEN = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.remove",
    "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.kill", "shutil.",
    "ftplib.", "smtplib.", "urllib.", "http.client.", "webbrowser.", "tempfile.",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def lock(memory_bytes: int) -> Locks:
    """Give it all up; what the platform cannot do is left out of the answer."""
    limits = _limit(memory_bytes)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    files = landlock.restrict(landlock.readable_folders())
    syscalls = seccomp.install()
    sys.addaudithook(_refuse)
    return Locks(limits=limits, syscalls=syscalls, files=files, python=True)


def allow_cpu(seconds: float) -> None:
    """Let the process spend `seconds` more; then the kernel ends it."""
    try:
        import resource
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + max(1, int(seconds + 1)), hard))


def _limit(memory_bytes: int) -> bool:
    try:
        import resource
    except ImportError:
        return False
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    if sys.platform == "linux":  # elsewhere address space is no measure of memory
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    return True


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)
    if event == "open" and len(arguments) > 2:
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        mode = arguments[1] if isinstance(arguments[1], str) else ""
        if flags & _WRITING or set(mode) & set("wax+"):
            raise PermissionError(event)
