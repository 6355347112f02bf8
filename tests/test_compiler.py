"""Kernels are compiled by few passes, and compute what Numba's own pipeline makes them compute."""

from __future__ import annotations

from functools import partial

import numpy as np
from numba import njit

from groundswell.compiler import Pipeline, _Linked

kernel = partial(njit, pipeline_class=Pipeline, _nrt=False)  # as `kernels.py` has it, but kept nowhere
inner = partial(kernel, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _shifted(number, by):  # type: ignore[no-untyped-def]
    return (np.uint64(number) << np.uint64(by)) | np.uint64(0xFF) + np.uint8(3)


def test_constants_that_are_folded_keep_their_type_and_worth() -> None:
    for number in (0, 1, 1 << 40):
        ours, theirs = kernel(_shifted)(number, 7), njit(_shifted)(number, 7)
        assert (type(ours), ours) == (type(theirs), theirs)


def test_what_only_kernels_call_is_linked_and_not_made_machine_code() -> None:
    doubled = inner(lambda number: number + number)
    assert kernel(lambda number: doubled(number) + 1)(20) == 41
    (compiled,) = doubled.overloads.values()
    assert isinstance(compiled.library, _Linked)


def test_what_our_passes_cannot_compile_is_compiled_by_numbas() -> None:
    def apply(number):  # type: ignore[no-untyped-def]
        more = lambda value: value + 1  # noqa: E731 - a closure, which Numba's own pipeline puts in its place
        return more(number)

    assert kernel(apply)(1) == 2
