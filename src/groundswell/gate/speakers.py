"""Turns accounts into keys that die within a day: the only module that hashes who posted.

`speaker` is BLAKE2b under a key that lives in memory, is replaced at each UTC midnight of stream time and
at every start, and is overwritten when it is replaced. Speakers of two epochs cannot be compared, nor can
those of two runs. Yesterday's key is kept for one hour of stream time past midnight, for one use: an
account that disappears then is announced under both keys, so that its posts before midnight leave the
open windows too.

`post_key` must survive midnight, or a deletion would miss its post; its key lives as long as the process.
Owns no memory of posts and no redaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from groundswell.clock import HOUR_US
from groundswell.gate.blake2 import keyed_digests
from groundswell.gate.strings import buffers

__all__ = ["SpeakerKeys"]

DAY_US = 24 * HOUR_US
GRACE_US = HOUR_US
"""How long past midnight yesterday's key lives."""
_KEY_BYTES = 32


def _hash_column(
    key: bytearray, purpose: bytes, sources: pa.StringArray, values: pa.StringArray
) -> np.ndarray:
    """Keyed BLAKE2b-64 of each row's value within its source; 0 where the value is null.

    A hash of 0, which means none, becomes 1.
    """
    if not any(key):
        raise ValueError("the speaker keys were destroyed; make new `SpeakerKeys`")
    out = np.zeros(len(values), np.uint64)
    encoded = sources.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    which = encoded.indices.to_numpy()
    for index, name in enumerate(names):
        context = purpose + b"\0" + name.encode() + b"\0"
        if len(names) == 1:
            out = keyed_digests(key, context, *buffers(values.fill_null("")))
        else:
            rows = np.flatnonzero(which == index)
            out[rows] = keyed_digests(key, context, *buffers(values.take(pa.array(rows)).fill_null("")))
    out[out == 0] = 1
    if values.null_count:
        out[values.is_null().to_numpy(zero_copy_only=False)] = 0
    return out


class SpeakerKeys:
    """The keys of one process; nothing here is ever written down.

    >>> keys = SpeakerKeys()
    >>> keys.epochs(DAY_US - 1), keys.epochs(DAY_US), keys.epochs(DAY_US + GRACE_US)
    ((0,), (1, 0), (1,))
    """

    def __init__(self, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random = random
        self._post_key = bytearray(random(_KEY_BYTES))
        self._account_key = bytearray(random(_KEY_BYTES))
        self._epoch_keys: dict[int, bytearray] = {}
        self._now_us: int | None = None

    def advance(self, time_us: int) -> int:
        """Move stream time on: make today's key, destroy what is past its hour; the epoch of `time_us`.

        Time that runs backwards counts as the latest before it.
        """
        self._now_us = time_us if self._now_us is None else max(time_us, self._now_us)
        today = self._now_us // DAY_US
        if today not in self._epoch_keys:
            self._epoch_keys[today] = bytearray(self._random(_KEY_BYTES))
        for epoch in [epoch for epoch in self._epoch_keys if epoch != today]:
            if epoch < today - 1 or self._now_us % DAY_US >= GRACE_US:
                _destroy(self._epoch_keys.pop(epoch))
        return today

    def epochs(self, time_us: int) -> tuple[int, ...]:
        """The epochs whose keys are alive at `time_us`, today's first."""
        self.advance(time_us)
        return tuple(sorted(self._epoch_keys, reverse=True))

    def speakers(self, epoch: int, sources: pa.StringArray, accounts: pa.StringArray) -> np.ndarray:
        """`speaker` of each row (uint64) under a living epoch's key; `KeyError` when it is gone."""
        return _hash_column(self._epoch_keys[epoch], b"speaker", sources, accounts)

    def targets(self, epoch: int, sources: pa.StringArray, names: pa.StringArray) -> np.ndarray:
        """`target` of each row (uint64): the account its text speaks to or about, 0 for null."""
        return _hash_column(self._epoch_keys[epoch], b"target", sources, names)

    def posts(self, sources: pa.StringArray, uris: pa.StringArray) -> np.ndarray:
        """`post_key` of each row (uint64); the same for a post, its edits and its deletion."""
        return _hash_column(self._post_key, b"post", sources, uris)

    def accounts(self, sources: pa.StringArray, accounts: pa.StringArray) -> np.ndarray:
        """A key of each row's account (uint64) for the gate's own short memory; it never leaves the gate."""
        return _hash_column(self._account_key, b"account", sources, accounts)

    def close(self) -> None:
        """Destroy every key."""
        for key in (self._post_key, self._account_key, *self._epoch_keys.values()):
            _destroy(key)
        self._epoch_keys.clear()


def _destroy(key: bytearray) -> None:
    key[:] = bytes(len(key))
