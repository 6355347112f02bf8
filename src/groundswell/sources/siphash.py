"""SipHash-2-4: a short keyed hash, for telling repetitions without keeping what repeats.

Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
"""

from __future__ import annotations

import numpy as np

from groundswell.kernels import inner, kernel, word_at

__all__ = ["siphash"]


@inner
def _rotated(word, bits):  # type: ignore[no-untyped-def]
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@inner
def _round(a, b, c, d):  # type: ignore[no-untyped-def]
    a += b
    c += d
    b = _rotated(b, 13) ^ a
    d = _rotated(d, 16) ^ c
    a = _rotated(a, 32)
    c += b
    a += d
    b = _rotated(b, 17) ^ c
    d = _rotated(d, 21) ^ a
    c = _rotated(c, 32)
    return a, b, c, d


@kernel
def siphash(key, data, length):  # type: ignore[no-untyped-def]
    """The hash (uint64) of the bytes `data[:length]` under `key`, two uint64 words.

    >>> key = np.frombuffer(bytes(range(16)), np.uint64)
    >>> hex(siphash(key, np.arange(15, dtype=np.uint8), 15))  # the vector of the paper's appendix
    '0xa129ca6149be45e5'
    """
    a = key[0] ^ np.uint64(0x736F6D6570736575)
    b = key[1] ^ np.uint64(0x646F72616E646F6D)
    c = key[0] ^ np.uint64(0x6C7967656E657261)
    d = key[1] ^ np.uint64(0x7465646279746573)
    for start in range(0, length + 1, 8):
        word = word_at(data, np.uint64(start), np.uint64(length))
        if start + 8 > length:
            word |= np.uint64(length & 0xFF) << np.uint64(56)
        d ^= word
        for _ in range(2):
            a, b, c, d = _round(a, b, c, d)
        a ^= word
    c ^= np.uint64(0xFF)
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    return a ^ b ^ c ^ d
