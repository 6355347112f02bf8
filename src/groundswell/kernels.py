"""How a kernel is compiled that only other kernels call: without the doors for Python and C.

Half of the time that compiling a small kernel takes goes into those.
"""

from __future__ import annotations

from numba import njit

__all__ = ["inner"]

inner = njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
