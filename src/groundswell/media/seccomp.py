"""A Linux system-call filter: what a worker that only computes may still ask the kernel for.

Owns the list and the program (classic BPF). No socket of any kind, no new process or program, no file
opened for writing, no other process touched. What is not listed is answered `ENOSYS`, so that libraries
take another way instead of failing. Numbers are those of x86-64 and AArch64; elsewhere `install` says
false.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

__all__ = ["install", "program"]

# (x86-64, AArch64); None where that machine has no such call.
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "poll": (7, None), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "pread64": (17, 67), "readv": (19, 65), "writev": (20, 66),
    "access": (21, None), "sched_yield": (24, 124), "mremap": (25, 216), "mincore": (27, 232),
    "madvise": (28, 233), "dup": (32, 23), "nanosleep": (35, 101), "getpid": (39, 172), "exit": (60, 93),
    "uname": (63, 160), "getcwd": (79, 17), "readlink": (89, None), "gettimeofday": (96, 169),
    "getrusage": (98, 165), "sysinfo": (99, 179), "getuid": (102, 174), "getgid": (104, 176),
    "geteuid": (107, 175), "getegid": (108, 177), "sigaltstack": (131, 132), "gettid": (186, 178),
    "time": (201, None), "futex": (202, 98), "sched_getaffinity": (204, 123), "getdents64": (217, 61),
    "set_tid_address": (218, 96), "restart_syscall": (219, 128), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "exit_group": (231, 94),
    "newfstatat": (262, 79), "readlinkat": (267, 78), "faccessat": (269, 48), "ppoll": (271, 73),
    "set_robust_list": (273, 99), "getcpu": (309, 168), "getrandom": (318, 278), "membarrier": (324, 283),
    "statx": (332, 291), "rseq": (334, 293), "faccessat2": (439, 439),
}  # fmt: skip
_DENIED = {  # these are refused in words that every library understands
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "execve": (59, 221),
    "fork": (57, None), "vfork": (58, None), "kill": (62, 129), "ptrace": (101, 117), "open": (2, None),
    "creat": (85, None),
}  # fmt: skip
_OPENAT, _CLONE, _PRLIMIT, _PRCTL = (257, 56), (56, 220), (302, 261), (157, 167)
_WRITING = 0x1 | 0x2 | 0x40 | 0x200 | 0x400000  # WRONLY, RDWR, CREAT, TRUNC, TMPFILE
_THREAD = 0x10000
_SET_NAME = 15

_MACHINES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}
_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _EACCES, _ENOSYS = 0x7FFF0000, 0x00050000 | 13, 0x00050000 | 38
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_FILTER_MODE, _ALL_THREADS = 1, 1


def program(machine: str) -> bytes:
    """The filter as an array of `struct sock_filter`; raises `KeyError` for another machine."""
    column, audit, _ = _MACHINES[machine]
    code = [_step(_LOAD, _ARCH), _step(_JUMP_EQUAL, audit, 1, 0), _step(_RETURN, _ENOSYS)]
    code.append(_step(_LOAD, _NUMBER))
    for rules, answer in ((_ALLOWED, _ALLOW), (_DENIED, _EACCES)):
        for numbers in rules.values():
            if (number := numbers[column]) is not None:
                code += [_step(_JUMP_EQUAL, number, 0, 1), _step(_RETURN, answer)]
    code += _where_bits(_OPENAT[column], 2, _WRITING, when_set=_EACCES, when_clear=_ALLOW)
    code += _where_bits(_CLONE[column], 0, _THREAD, when_set=_ALLOW, when_clear=_EACCES)
    code += _where_bits(_PRLIMIT[column], 0, 0xFFFFFFFF, when_set=_EACCES, when_clear=_ALLOW)
    code += [
        _step(_JUMP_EQUAL, _PRCTL[column], 0, 4),
        _step(_LOAD, _ARGUMENTS),
        _step(_JUMP_EQUAL, _SET_NAME, 0, 1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _EACCES),
    ]
    code.append(_step(_RETURN, _ENOSYS))
    return b"".join(code)


def install() -> bool:
    """Put the filter on every thread of this process, for good; false where the system has none."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _MACHINES:
        return False
    code = program(machine)
    steps = ctypes.create_string_buffer(code, len(code))
    whole = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(steps)), struct.calcsize("HxxxxxxQ")
    )
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(_MACHINES[machine][2], _FILTER_MODE, _ALL_THREADS, whole)
    return answer == 0


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _where_bits(number: int, argument: int, bits: int, *, when_set: int, when_clear: int) -> list[bytes]:
    """The call `number`, answered by whether any of `bits` is set in an argument's lower half."""
    return [
        _step(_JUMP_EQUAL, number, 0, 4),
        _step(_LOAD, _ARGUMENTS + 8 * argument),
        _step(_JUMP_SET, bits, 0, 1),
        _step(_RETURN, when_set),
        _step(_RETURN, when_clear),
    ]
