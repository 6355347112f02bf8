"""URLs of the common shape, split and normalised in columns; the others are for `links.read_link` to judge.

Common is `http(s)://host/path` in printable ASCII with a lower-case host, without a port, a user, a query or
an escape, and with a path that cannot begin with an account. That is most of what is linked to; anything odd
is left out here rather than understood twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.gate.strings import Bytes, Offsets, buffers, build
from groundswell.kernels import inner, kernel

__all__ = ["Split", "joined", "split"]

I32 = npt.NDArray[np.int32]

_MAX_LENGTH = 2048
_SLASH, _COLON, _DOT, _HASH = ord("/"), ord(":"), ord("."), ord("#")
_ODD = np.zeros(256, np.bool_)
_ODD[:33] = _ODD[127:] = True
_ODD[list(b"%@?")] = True
_IN_HOST = np.zeros(256, np.bool_)
_IN_HOST[list(b"abcdefghijklmnopqrstuvwxyz0123456789-.")] = True
_SCHEMES = np.frombuffer(b"http://https://", np.uint8)


class Split(NamedTuple):
    """Where the parts of each URL lie in the bytes of its column."""

    is_common: npt.NDArray[np.bool_]
    host_start: I32
    host_end: I32
    path_end: I32
    """The path begins where the host ends."""

    def hosts(self, urls: pa.StringArray) -> pa.StringArray:
        """The hosts of the common ones, as written."""
        data, _ = buffers(urls)
        starts, ends = self.host_start[self.is_common], self.host_end[self.is_common]
        offsets = np.zeros(len(starts) + 1, np.int32)
        np.cumsum(ends - starts, out=offsets[1:])
        out = np.empty(offsets[-1], np.uint8)
        _cut(data, starts, offsets, out)
        return build(out, offsets)


def split(urls: pa.StringArray) -> Split:
    """Find the parts of each URL, and which have the common shape."""
    data, offsets = buffers(urls)
    found = Split(np.zeros(len(urls), np.bool_), *(np.zeros(len(urls), np.int32) for _ in range(3)))
    _split(data, offsets, *found)
    return found


def joined(
    urls: pa.StringArray, rows: npt.NDArray[np.int64], parts: Split, hosts: pa.StringArray
) -> pa.StringArray:
    """`host/segment/segment` of the common `rows`, `hosts` in place of theirs; empty segments left out."""
    data, _ = buffers(urls)
    names, name_offsets = buffers(hosts)
    offsets = np.zeros(len(rows) + 1, np.int32)
    room = int((parts.path_end[rows] - parts.host_end[rows]).sum()) + len(names)
    out = np.empty(room, np.uint8)
    _join(data, parts.host_end[rows], parts.path_end[rows], names, name_offsets, out, offsets)
    return build(out[: offsets[-1]], offsets)


@kernel
def _split(
    data: Bytes,
    offsets: Offsets,
    is_common: npt.NDArray[np.bool_],
    host_start: I32,
    host_end: I32,
    path_end: I32,
) -> None:
    for row in range(len(is_common)):
        at, end = int(offsets[row]), int(offsets[row + 1])
        if end - at > _MAX_LENGTH:
            continue
        scheme = _scheme(data, at, end)
        if scheme == 0:
            continue
        at += scheme
        host = at
        while at < end and _IN_HOST[data[at]]:
            at += 1
        if at == host or data[host] == _DOT or data[at - 1] == _DOT or (at < end and data[at] != _SLASH):
            continue
        host_start[row], host_end[row] = host, at
        while at < end and data[at] != _HASH and not _ODD[data[at]]:
            at += 1
        path_end[row] = at
        while at < end and not _ODD[data[at]]:
            at += 1
        is_common[row] = at == end and not _names_account(data, host_end[row], path_end[row])


@inner
def _scheme(data: Bytes, at: int, end: int) -> int:
    """The length of `http://` or `https://`, 0 for anything else."""
    for first, size in ((0, 7), (7, 8)):
        if end - at > size:
            same = True
            for i in range(size):
                same &= data[at + i] == _SCHEMES[first + i]
            if same:
                return size
    return 0


@inner
def _names_account(data: Bytes, start: int, end: int) -> bool:
    """Whether a path may: a segment with a colon in it (`did:…`), or a short first one before another.

    Sections such as `user` and `profiles` have at most eight letters and begin with a, m, p or u.
    """
    first_start = -1
    first_end = -1
    at = start
    while at < end:
        if data[at] == _COLON:
            return True
        if data[at] != _SLASH and first_start < 0:
            first_start = at
        if data[at] == _SLASH and first_start >= 0 and first_end < 0:
            first_end = at
        if first_end >= 0 and data[at] != _SLASH and first_end - first_start <= 8:
            letter = data[first_start] | 0x20
            if letter == 97 or letter == 109 or letter == 112 or letter == 117:
                return True
        at += 1
    return False


@kernel
def _cut(data: Bytes, starts: I32, offsets: Offsets, out: Bytes) -> None:
    for row in range(len(starts)):
        for i in range(offsets[row + 1] - offsets[row]):
            out[offsets[row] + i] = data[starts[row] + i]


@kernel
def _join(
    data: Bytes, starts: I32, ends: I32, names: Bytes, name_offsets: Offsets, out: Bytes, offsets: Offsets
) -> None:
    at = 0
    for row in range(len(starts)):
        for i in range(name_offsets[row], name_offsets[row + 1]):
            out[at] = names[i]
            at += 1
        owed = False  # a slash is written when a segment follows
        for i in range(starts[row], ends[row]):
            if data[i] == _SLASH:
                owed = True
                continue
            if owed:
                out[at] = _SLASH
                at += 1
                owed = False
            out[at] = data[i]
            at += 1
        offsets[row + 1] = at
