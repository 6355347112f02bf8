"""Coordinated sharing by CooRTweet's definition, to compare with what is published as amplification.

Righetti and Balluff, "CooRTweet: Coordinated Networks Detection on Social Media" (R package 2.1, functions
`detect_groups` and `generate_coordinated_network`): two accounts, each with two shares or more, act
together whenever they share one object within ten seconds; their edge weighs as many objects; edges heavier
than the median edge are kept, and what hangs together is a cluster. It needs every account's history for
weeks; the line forgets accounts within a day and posts within an hour.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
from bench._data import data_file
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

__all__ = ["OBJECTS", "Coordinated", "Share", "coordinated", "election_lines", "one_hour_crowd", "shares"]

OBJECTS = ("url_id", "hashtag_id", "phash_id")
_WINDOW_SECONDS = 10.0
_HOUR_SECONDS = 3600.0
_LEAST_SHARES = 2
_WEIGHT_QUANTILE = 0.5


class Share(NamedTuple):
    """One account's share of one object."""

    seconds: float
    account: str
    object_id: str


class Coordinated(NamedTuple):
    """Accounts that act together, and what they shared."""

    accounts: frozenset[str]
    objects: frozenset[str]


def coordinated(every: Iterable[Share]) -> list[Coordinated]:
    """The clusters, largest first.

    >>> twice = [Share(at, account, f"{at // 100}") for at in (0.0, 100.0, 200.0) for account in ("a", "b")]
    >>> once = [Share(300.0, "c", "z"), Share(301.0, "a", "z")]
    >>> [sorted(cluster.accounts) for cluster in coordinated(twice + once + once)]
    [['a', 'b']]
    """
    kept = list(every)
    active = Counter(share.account for share in kept)
    by_object: dict[str, list[Share]] = defaultdict(list)
    for share in kept:
        if active[share.account] >= _LEAST_SHARES:
            by_object[share.object_id].append(share)
    together: dict[tuple[str, str], set[str]] = defaultdict(set)
    for object_id, shared in by_object.items():
        for pair in _pairs(sorted(shared)):
            together[pair].add(object_id)
    if not together:
        return []
    least = np.quantile([len(objects) for objects in together.values()], _WEIGHT_QUANTILE)
    heavy = {pair: objects for pair, objects in together.items() if len(objects) > least}
    return sorted(_components(heavy), key=lambda cluster: (-len(cluster.accounts), min(cluster.accounts)))


def _pairs(shared: list[Share]) -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    first = 0
    for at, share in enumerate(shared):
        while shared[first].seconds < share.seconds - _WINDOW_SECONDS:
            first += 1
        for other in shared[first:at]:
            if other.account != share.account:
                pairs.add((min(share.account, other.account), max(share.account, other.account)))
    return pairs


def _components(edges: dict[tuple[str, str], set[str]]) -> list[Coordinated]:
    if not edges:
        return []
    accounts = sorted({account for pair in edges for account in pair})
    number = {account: at for at, account in enumerate(accounts)}
    left, right = (np.array([number[pair[side]] for pair in edges]) for side in (0, 1))
    graph = coo_matrix((np.ones(len(edges)), (left, right)), shape=(len(accounts), len(accounts)))
    count, label = connected_components(graph, directed=False)
    members: list[set[str]] = [set() for _ in range(count)]
    objects: list[set[str]] = [set() for _ in range(count)]
    for account, which in zip(accounts, label.tolist(), strict=True):
        members[which].add(account)
    for (one, _), shared in edges.items():
        objects[int(label[number[one]])] |= shared
    return [Coordinated(frozenset(m), frozenset(o)) for m, o in zip(members, objects, strict=True)]


def one_hour_crowd(cluster: Coordinated, every: Iterable[Share]) -> int:
    """The most accounts of the cluster that shared one and the same of its objects within an hour."""
    of_object: dict[str, list[Share]] = defaultdict(list)
    for share in every:
        if share.account in cluster.accounts and share.object_id in cluster.objects:
            of_object[share.object_id].append(share)
    most = 0
    for shared in of_object.values():
        shared.sort()
        first = 0
        speaking: Counter[str] = Counter()
        for share in shared:
            speaking[share.account] += 1
            while shared[first].seconds < share.seconds - _HOUR_SECONDS:
                speaking[shared[first].account] -= 1
                first += 1
            most = max(most, sum(count > 0 for count in speaking.values()))
    return most


def shares(kind: str) -> list[Share]:
    """The shares of one kind of object (of `OBJECTS`) around the German election of 2021."""
    return [
        Share(float(row["timestamp"]), row["account_id"], row[kind])
        for row in _rows()
        if row[kind] and row["timestamp"]
    ]


def election_lines(days: float) -> list[bytes]:
    """The last `days` of the shares as plain posts: a link, a hashtag and a picture where there is one."""
    rows = sorted(_rows(), key=lambda row: float(row["timestamp"]))
    since = float(rows[-1]["timestamp"]) - days * 24 * _HOUR_SECONDS
    return [_plain_post(place, row) for place, row in enumerate(rows) if float(row["timestamp"]) >= since]


def _plain_post(place: int, row: dict[str, str]) -> bytes:
    link = f"https://site{row['domain_id']}.example/{row['url_id']}"
    words = [link if row["url_id"] else "", f"#tag{row['hashtag_id']}" if row["hashtag_id"] else ""]
    at = datetime.fromtimestamp(float(row["timestamp"]), UTC).isoformat()
    post = {
        "id": str(place),
        "created_at": at,
        "account": row["account_id"],
        "text": " ".join(filter(None, words)),
        "urls": [link] if row["url_id"] else [],
        "media": [row["phash_id"]] if row["phash_id"] else [],
    }
    return msgspec.json.encode(post)


@cache
def _rows() -> list[dict[str, str]]:
    path = data_file("coordination", "CooRTweet", "german_elections.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))
