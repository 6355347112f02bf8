"""Looks for identities in bytes: as they were written, encoded, and hashed.

An exact search for hundreds of thousands of needles at once: the first eight bytes of every needle mark a bit
in a filter, numpy runs all places of the haystack through it, and the few that pass are compared in full.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["Needles", "bytes_under", "disguises"]

_WINDOW = 8
_FILTER_BITS = 24
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_HASHES = (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.blake2b)


def disguises(value: str) -> Iterator[bytes]:
    """The forms in which an identity is looked for, each at least eight bytes long.

    As written and in lower case; in base64 at its three alignments, without the characters that its
    neighbours or the padding would change; in hexadecimal; and as plain hashes, raw and in hexadecimal.
    """
    for text in {value, value.lower(), value.lstrip("@")}:
        raw = text.encode()
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for lead in range(3):
            first = -(-lead * 8 // 6)
            whole = (lead + len(raw)) * 8 // 6
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                yield encode(bytes(lead) + raw)[first:whole]
        short = hashlib.blake2b(raw, digest_size=8)
        for hashed in (short, *(new(raw) for new in _HASHES)):
            yield hashed.digest()
            yield hashed.hexdigest().encode()


class Needles:
    """What is searched for, and whom it gives away.

    >>> needles = Needles([("handle", "@marlo-0000001.test")])
    >>> needles.find(b"...bWFybG8tMDAwMDAwMS50ZXN0...")
    ['handle']
    """

    def __init__(self, identities: Iterable[tuple[str, str]]) -> None:
        self._kinds: dict[bytes, str] = {}
        for kind, value in identities:
            self._kinds |= dict.fromkeys(disguises(value), kind)
        shortest = min(map(len, self._kinds))
        if shortest < _WINDOW:
            raise ValueError(f"a needle of {shortest} bytes would be found by chance")
        self._by_start: dict[int, list[bytes]] = {}
        for needle in self._kinds:
            self._by_start.setdefault(int.from_bytes(needle[:_WINDOW], "little"), []).append(needle)
        self._filter = np.zeros(1 << _FILTER_BITS, bool)
        self._filter[_buckets(np.fromiter(self._by_start, np.uint64, len(self._by_start)))] = True

    def __len__(self) -> int:
        return len(self._kinds)

    def find(self, haystack: bytes) -> list[str]:
        """The classes of the identities in `haystack`, one for each place."""
        found = []
        for shift in range(min(_WINDOW, len(haystack))):
            windows = np.frombuffer(haystack, "<u8", (len(haystack) - shift) // _WINDOW, shift)
            for at in np.flatnonzero(self._filter[_buckets(windows)]).tolist():
                place = shift + at * _WINDOW
                for needle in self._by_start.get(int(windows[at]), ()):
                    if haystack.startswith(needle, place):
                        found.append(self._kinds[needle])
        return found


def bytes_under(folder: Path) -> dict[Path, bytes]:
    """Every file under `folder`, and the names of the files themselves."""
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    names = "\n".join(str(path) for path in sorted(folder.rglob("*"))).encode()
    return files | {folder: names}


def _buckets(windows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return (windows * _MULTIPLIER) >> np.uint64(64 - _FILTER_BITS)
