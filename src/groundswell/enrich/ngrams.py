"""Hashed n-grams of code points into scores: the kernels under the language and mood models.

An n-gram's row of the table is the top `TABLE_BITS` bits of Σ cⱼ·Kⱼ + Sₙ mod 2³². A text's hidden vector is
the sum of its n-grams' rows over √n; a label's score is its weights times that.

Two loops are written in LLVM's own terms, as vectors of fixed length: Numba leaves them scalar, at three
times the time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from groundswell.enrich.fold import I32, U32
from groundswell.enrich.scripts import U16
from groundswell.kernels import allocating

__all__ = [
    "BLOCK",
    "DIMENSIONS",
    "F32",
    "I8",
    "I16",
    "TABLE_BITS",
    "blocked",
    "hash_ngrams",
    "hidden_of",
    "score",
]

F32 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int8]
I16 = npt.NDArray[np.int16]

TABLE_BITS = 17
DIMENSIONS = 32
BLOCK = 16
"""Labels that are scored at once."""
_FLUSH = 256  # rows of at least -127 … 127 that 16 bits hold the sum of

_K0, _K1, _K2, _K3 = (np.uint32(k) for k in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F))
_S1, _S2, _S3, _S4 = (np.uint32(s) for s in (0x165667B1, 0x51ED270B, 0xD3A2646D, 0xFD7046C5))
_SHIFT = np.uint32(32 - TABLE_BITS)


@allocating
def hash_ngrams(codes: U16, dense: bool, out: U32) -> int:
    """Write the table rows of all 2-, 3- and 4-grams to `out`, how many; `dense` scripts: 1-, 2- and 3-grams.

    `out` holds three a code. The casts keep Numba from widening to 64 bits.
    """
    size = len(codes)
    if size < 4:
        return 0
    at = 0
    for i in range(size - 3):
        c0, c1 = np.uint32(codes[i]), np.uint32(codes[i + 1])
        c2, c3 = np.uint32(codes[i + 2]), np.uint32(codes[i + 3])
        two = np.uint32(c0 * _K0 + c1 * _K1)
        three = np.uint32(two + c2 * _K2)
        out[at] = np.uint32(two + _S2) >> _SHIFT
        out[at + 1] = np.uint32(three + _S3) >> _SHIFT
        last = np.uint32(c1 * _K0 + _S1) if dense else np.uint32(three + c3 * _K3 + _S4)
        out[at + 2] = last >> _SHIFT
        at += 3
    c0, c1, c2 = np.uint32(codes[size - 3]), np.uint32(codes[size - 2]), np.uint32(codes[size - 1])
    two = np.uint32(c0 * _K0 + c1 * _K1)
    out[at] = np.uint32(two + _S2) >> _SHIFT
    out[at + 1] = np.uint32(two + c2 * _K2 + _S3) >> _SHIFT
    out[at + 2] = np.uint32(c1 * _K0 + c2 * _K1 + _S2) >> _SHIFT
    return at + 3


@njit(cache=True, nogil=True, fastmath=True)
def hidden_of(table: I8, rows: U32, sums: I16, hidden: F32) -> None:
    """Put Σ table[rows] / √n into `hidden`; `sums` is room to work in."""
    size = len(rows)
    hidden[:] = 0
    for start in range(0, size, _FLUSH):
        _sum_rows(table, rows[start : min(start + _FLUSH, size)], sums)
        for d in range(DIMENSIONS):
            hidden[d] += sums[d]
    scale = np.float32(1.0 / math.sqrt(max(size, 1)))
    for d in range(DIMENSIONS):
        hidden[d] *= scale


def blocked(weights: list[F32]) -> tuple[I32, F32]:
    """Weights of several groups of labels, each (labels, dimensions), in the form that `score` reads.

    Returns
    -------
    Groups + 1 positions of blocks, and (blocks, dimensions, `BLOCK`); what fills up a block is zero.
    """
    parts = []
    for group in weights:
        count = -(-len(group) // BLOCK)
        padded = np.zeros((count * BLOCK, DIMENSIONS), np.float32)
        padded[: len(group)] = group
        parts.append(padded.reshape(count, BLOCK, DIMENSIONS).transpose(0, 2, 1))
    bounds = np.cumsum([0, *(len(part) for part in parts)])
    return bounds.astype(np.int32), np.ascontiguousarray(np.concatenate(parts))


@intrinsic
def score(context: Any, weights: types.Array, hidden: types.Array, scores: types.Array) -> Any:
    """Put the scores of all labels of the given blocks into `scores`, which holds `BLOCK` a block."""

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        of, by, to = (
            target.make_array(kind)(target, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        vector = ir.VectorType(ir.FloatType(), BLOCK)
        ones = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), [0] * BLOCK)
        index = by.nitems.type
        factors = []
        for d in range(DIMENSIONS):
            one = builder.load(builder.gep(by.data, [ir.Constant(index, d)]))
            first = builder.insert_element(ir.Constant(vector, ir.Undefined), one, ir.Constant(index, 0))
            factors.append(builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), ones))
        with cgutils.for_range(builder, cgutils.unpack_tuple(builder, of.shape)[0]) as loop:
            start = builder.mul(loop.index, ir.Constant(index, DIMENSIONS * BLOCK))
            totals = [ir.Constant(vector, None)] * 4
            for d, factor in enumerate(factors):
                at = builder.gep(of.data, [builder.add(start, ir.Constant(index, d * BLOCK))])
                column = builder.load(builder.bitcast(at, vector.as_pointer()), align=4)
                product = builder.fmul(column, factor, flags=("contract",))
                totals[d % 4] = builder.fadd(totals[d % 4], product, flags=("contract",))
            total = builder.fadd(builder.fadd(totals[0], totals[1]), builder.fadd(totals[2], totals[3]))
            at = builder.gep(to.data, [builder.mul(loop.index, ir.Constant(index, BLOCK))])
            builder.store(total, builder.bitcast(at, vector.as_pointer()), align=4)
        return target.get_dummy_value()

    return types.void(weights, hidden, scores), generate


@intrinsic
def _sum_rows(context: Any, table: types.Array, rows: types.Array, sums: types.Array) -> Any:
    """Put the sum of the chosen rows into `sums`, at most `_FLUSH` of them: a load and an addition a row."""

    def generate(target: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        of, at, to = (
            target.make_array(kind)(target, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        vector = ir.VectorType(ir.IntType(8), DIMENSIONS)
        wide = ir.VectorType(ir.IntType(16), DIMENSIONS)
        total = cgutils.alloca_once_value(builder, ir.Constant(wide, None))
        with cgutils.for_range(builder, at.nitems) as loop:
            row = builder.zext(builder.load(builder.gep(at.data, [loop.index])), loop.index.type)
            start = builder.mul(row, ir.Constant(row.type, DIMENSIONS))
            pointer = builder.bitcast(builder.gep(of.data, [start]), vector.as_pointer())
            values = builder.sext(builder.load(pointer, align=1), wide)
            builder.store(builder.add(builder.load(total), values), total)
        builder.store(builder.load(total), builder.bitcast(to.data, wide.as_pointer()), align=2)
        return target.get_dummy_value()

    return types.void(table, rows, sums), generate
