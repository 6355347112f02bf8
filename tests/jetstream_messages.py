"""Jetstream messages about nobody: invented accounts, invented posts, the shapes of the real wire."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

START_US = 1_777_593_600_000_000  # 2026-05-01T00:00:00Z
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def did(number: int) -> str:
    """An account that does not exist; its id is as long as a real one."""
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = _ALPHABET[digit] + digits
    return "did:plc:" + digits.rjust(24, "a")


def commit(
    number: int,
    time_us: int,
    *,
    operation: str = "create",
    account: int = 1,
    text: str = "rain over the harbour",
    collection: str = "app.bsky.feed.post",
    **record: Any,
) -> dict[str, Any]:
    """A version 1 commit; `number` names the record, `time_us` and the operation name its revision."""
    inner: dict[str, Any] = {
        "rev": f"3k{time_us:014x}",
        "operation": operation,
        "collection": collection,
        "rkey": f"3k{number:011d}",
    }
    if operation != "delete":
        inner["record"] = {
            "$type": collection,
            "createdAt": "2026-05-01T00:00:00.000Z",
            "text": text,
        } | record
        inner["cid"] = f"bafyrei{number:052d}"
    return {"did": did(account), "time_us": time_us, "kind": "commit", "commit": inner}


def account_event(
    account: int, time_us: int, *, active: bool = False, status: str | None = "deleted"
) -> dict[str, Any]:
    event = {"active": active, "did": did(account), "seq": time_us % 10**9, "time": f"t{time_us}"}
    if status is not None:
        event["status"] = status
    return {"did": did(account), "time_us": time_us, "kind": "account", "account": event}


def identity_event(account: int, time_us: int) -> dict[str, Any]:
    event = {"did": did(account), "handle": "invented.example", "seq": time_us % 10**9, "time": f"t{time_us}"}
    return {"did": did(account), "time_us": time_us, "kind": "identity", "identity": event}


def stream(
    count: int, seed: int = 1, *, step_us: int = 20_000, start_us: int = START_US
) -> Iterator[dict[str, Any]]:
    """`count` messages of every kind, times a little out of order, as a host would send them."""
    rng = random.Random(seed)
    words = [
        "flood",
        "bridge",
        "sirène",
        "地震",
        "жара",
        "fire",
        "مطر",
        "water",
        "smoke",
        "school",
        "road",
        "power",
        "wind",
    ]
    for number in range(count):
        time_us = start_us + number * step_us + rng.randrange(-3 * step_us, 3 * step_us)
        # Two revisions never share a time: the time names the revision.
        time_us = time_us - time_us % count + number if count < step_us else time_us
        account, draw = rng.randrange(1, 5000), rng.random()
        text = " ".join(rng.choices(words, k=8))
        if draw < 0.02:
            yield identity_event(account, time_us)
        elif draw < 0.04:
            yield account_event(account, time_us)
        elif draw < 0.05:
            yield account_event(account, time_us, active=True, status=None)
        elif draw < 0.10:
            yield commit(number, time_us, account=account, collection="app.bsky.feed.like")
        elif draw < 0.16:
            yield commit(rng.randrange(number + 1), time_us, account=account, operation="delete")
        elif draw < 0.18:
            yield commit(rng.randrange(number + 1), time_us, account=account, operation="update", text=text)
        else:
            yield commit(number, time_us, account=account, text=text, langs=["en"])


def wire(messages: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> list[bytes]:
    """The messages as version 1 frames."""
    return [json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() for message in messages]
