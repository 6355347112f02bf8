"""How kernels are compiled that take no memory of their own: without counting who holds an array.

Counting costs time at every call with an array, a third of it in kernels of many small functions, and half of
the code that is to be compiled. Whoever calls from Python holds the arrays as long as the call lasts.
"""

from __future__ import annotations

from numba import njit

__all__ = ["inner", "kernel"]

kernel = njit(cache=True, nogil=True, _nrt=False)
"""A kernel that Python calls."""

inner = njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
"""A kernel that only other kernels call: without the doors for Python and C, half the work of a small one."""
