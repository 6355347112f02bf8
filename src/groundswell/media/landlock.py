"""Which files a worker may still read: its own program and models, nothing else; none may be written.

Owns the rules of Linux's Landlock (5.13 and later). The keys, the store and everybody's files are out of
reach even for a file that takes the worker over. Elsewhere `restrict` says false.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["readable_folders", "restrict"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system/cpu",
    "/proc/self",
)
_DEVICES = ("/dev/null", "/dev/urandom")
_MODELS = ("TESSDATA_PREFIX",)


def readable_folders() -> list[Path]:
    """Where the program, its packages and its models lie."""
    own = [*sys.path, sys.prefix, sys.base_prefix, *(os.environ.get(name, "") for name in _MODELS)]
    named = {Path(place).resolve() for place in (*own, *_SYSTEM, *_DEVICES) if place}
    return sorted(place for place in named if place.exists() and place != Path("/"))


def restrict(readable: Iterable[Path]) -> bool:
    """Allow this process to read beneath `readable` and to write nowhere, for good; false where it cannot be.

    Threads that run already keep what they had: call it before there are others.
    """
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    handled = (1 << _RIGHTS_BY_VERSION.get(version, 16)) - 1
    attributes = ctypes.create_string_buffer(struct.pack("Q", handled), 8)
    rules = libc.syscall(_CREATE_RULESET, attributes, 8, 0)
    if rules < 0:
        return False
    try:
        allowed = all(_allow(libc, rules, place) for place in readable)
        return allowed and libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, place: Path) -> bool:
    opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _READ_FILE | _READ_FOLDER if place.is_dir() else _READ_FILE
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, opened), 12)
        answer: int = libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
        return answer == 0
    finally:
        os.close(opened)
