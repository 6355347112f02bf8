"""How kernels are compiled that take no memory of their own: without counting who holds an array.

Counting costs time at every call with an array, a third of it in kernels of many small functions, and half of
the code that is to be compiled. Whoever calls from Python holds the arrays as long as the call lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import njit, types

from groundswell.compiler import Pipeline

__all__ = ["allocating", "inner", "kernel", "mix", "word_at", "zero_bytes"]

_ours = partial(njit, cache=True, nogil=True, no_cfunc_wrapper=True, pipeline_class=Pipeline)

kernel = _ours(_nrt=False)
"""A kernel that Python calls."""

allocating = _ours()
"""A kernel that takes memory of its own, or is called by one with what it took."""

_inner = _ours(no_cpython_wrapper=True, _nrt=False)


def inner(function: Callable[..., Any]) -> Any:
    """A kernel that only other kernels call: without doors for Python and C, half the work of a small one.

    It is compiled once for the types it is called with, not once more for each constant among them.
    """
    dispatcher = _inner(function)
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template(
        tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()}
    )
    return dispatcher


@inner
def word_at(data, at, stop):  # type: ignore[no-untyped-def]
    """The eight bytes at `at` (uint64) as a little-endian number; zeros for what is at `stop` or beyond."""
    if at + np.uint64(8) <= stop:
        return (
            np.uint64(data[at])
            | np.uint64(data[at + np.uint64(1)]) << np.uint64(8)
            | np.uint64(data[at + np.uint64(2)]) << np.uint64(16)
            | np.uint64(data[at + np.uint64(3)]) << np.uint64(24)
            | np.uint64(data[at + np.uint64(4)]) << np.uint64(32)
            | np.uint64(data[at + np.uint64(5)]) << np.uint64(40)
            | np.uint64(data[at + np.uint64(6)]) << np.uint64(48)
            | np.uint64(data[at + np.uint64(7)]) << np.uint64(56)
        )
    word = np.uint64(0)
    shift = np.uint64(0)
    while at < stop:
        word |= np.uint64(data[at]) << shift
        shift += np.uint64(8)
        at += np.uint64(1)
    return word


@inner
def zero_bytes(word):  # type: ignore[no-untyped-def]
    """The top bit of the first of eight bytes that is zero; 0 if none is.

    What is set above it means nothing, for differences borrow (Mycroft 1987).
    """
    return (word - np.uint64(0x0101010101010101)) & ~word & np.uint64(0x8080808080808080)


@njit(inline="always")
def mix(h):  # type: ignore[no-untyped-def]
    """The finaliser of MurmurHash3 (Appleby), a bijection on 64 bits."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return h
