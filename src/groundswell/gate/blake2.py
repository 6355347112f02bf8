"""Keyed BLAKE2b over a column of strings: the same digests as `hashlib.blake2b`, many times faster a row.

RFC 7693, with digests of 8 bytes. Owns no keys and keeps none: what a call derives from a key is wiped
before it returns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.kernels import inner, kernel, word_at

__all__ = ["keyed_digests"]


_BLOCK = 128
_ROUNDS = 12
_IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint8,
)


@inner
def _turned(word, bits):  # type: ignore[no-untyped-def]
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))


@inner
def _mix(a, b, c, d, x, y):  # type: ignore[no-untyped-def]
    a = a + b + x
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + y
    d = _turned(d ^ a, 16)
    c = c + d
    b = _turned(b ^ c, 63)
    return a, b, c, d


@inner
def _compress(state, words, length, final):  # type: ignore[no-untyped-def]
    """Take a block of 16 words into the state; `length` counts the bytes so far."""
    v0, v1, v2, v3 = state[0], state[1], state[2], state[3]
    v4, v5, v6, v7 = state[4], state[5], state[6], state[7]
    v8, v9, v10, v11 = _IV[0], _IV[1], _IV[2], _IV[3]
    v12, v13, v14, v15 = _IV[4] ^ np.uint64(length), _IV[5], _IV[6], _IV[7]
    if final:
        v14 = ~v14
    for turn in range(_ROUNDS):
        s = _SIGMA[turn]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, words[s[0]], words[s[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, words[s[2]], words[s[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, words[s[4]], words[s[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, words[s[6]], words[s[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, words[s[8]], words[s[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, words[s[10]], words[s[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, words[s[12]], words[s[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, words[s[14]], words[s[15]])
    state[0] ^= v0 ^ v8
    state[1] ^= v1 ^ v9
    state[2] ^= v2 ^ v10
    state[3] ^= v3 ^ v11
    state[4] ^= v4 ^ v12
    state[5] ^= v5 ^ v13
    state[6] ^= v6 ^ v14
    state[7] ^= v7 ^ v15


@inner
def _absorb(state, words, held, length, data, start, end):  # type: ignore[no-untyped-def]
    """Take bytes in; how many the open block holds then, and how many came so far.

    A full block waits until more comes, because the last one is marked.
    """
    at, stop = np.uint64(start), np.uint64(end)
    while at < stop:
        if held == _BLOCK:
            _compress(state, words, length, False)
            words[:] = 0
            held = 0
        taken = min(_BLOCK - held, np.int64(stop - at))
        until = at + np.uint64(taken)
        place, shift = held >> 3, np.uint64(8 * (held & 7))
        while at < until:
            word = word_at(data, at, until)
            words[place] |= word << shift
            place += 1
            if shift and place < 16:
                words[place] |= word >> (np.uint64(64) - shift)
            at += np.uint64(8)
        at = until
        held += taken
        length += taken
    return held, length


@kernel
def _digests(key, context, data, offsets, base, state, opened, words, out):  # type: ignore[no-untyped-def]
    for place in range(8):
        base[place] = _IV[place]
    base[0] ^= np.uint64(0x01010008) ^ np.uint64(len(key) << 8)
    # The key, padded, is the first block; the context opens the second.
    opened[:] = 0
    _absorb(base, opened, 0, 0, key, 0, len(key))
    before, so_far = _absorb(base, opened, _BLOCK, _BLOCK, context, 0, len(context))
    for row in range(len(out)):
        for place in range(8):
            state[place] = base[place]
        for place in range(16):
            words[place] = opened[place]
        _, length = _absorb(
            state, words, before, so_far, data, np.int64(offsets[row]), np.int64(offsets[row + 1])
        )
        _compress(state, words, length, True)
        out[row] = state[0]
    base[:] = 0
    state[:] = 0
    opened[:] = 0
    words[:] = 0


def keyed_digests(
    key: bytes | bytearray, context: bytes, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32]
) -> npt.NDArray[np.uint64]:
    """`blake2b(context + row, digest_size=8, key=key)` of each row `data[offsets[i]:offsets[i + 1]]`.

    The digest's bytes are read as a little-endian number. `key` has 1 to 64 bytes, `context` at least one.

    >>> rows = np.frombuffer(b"onetwo", np.uint8), np.array([0, 3, 6], np.int32)
    >>> [hex(digest) for digest in keyed_digests(b"key", b"context", *rows)]
    ['0x9459cc6a65af59b7', '0xd1bd0db9c489934e']
    """
    out = np.empty(len(offsets) - 1, np.uint64)
    base, state, opened, words = (np.empty(size, np.uint64) for size in (8, 8, 16, 16))
    begin = np.frombuffer(key, np.uint8), np.frombuffer(context, np.uint8)
    begin[0].flags.writeable = False  # one kind of array, so that a kernel is compiled once
    _digests(*begin, data, offsets, base, state, opened, words, out)
    return out
