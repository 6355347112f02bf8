"""Gives freed memory back to the system; by default glibc keeps large blocks in its heap.

A tick of many posts needs hundreds of megabytes for a moment. Once such blocks have been freed, glibc raises
the size from which it asks the system for a block of its own, up to 32 MiB, and what lies between others that
are in use is not given back. With sizes that stay, the line's peak is a seventh lower (`groundswell bench
memory`).
"""

from __future__ import annotations

import ctypes

__all__ = ["return_freed"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_BLOCK_BYTES = 4 << 20
_HEAP_END_BYTES = 64 << 20


def return_freed() -> None:
    """Return large blocks when they are freed. Does nothing where malloc is not glibc's."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _BLOCK_BYTES)
    mallopt(_M_TRIM_THRESHOLD, _HEAP_END_BYTES)
