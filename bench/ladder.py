"""The attack on the ladder: how much more often the best boundary attacker is right than by chance.

The attack itself is the test's, `tests/test_release_ladder.py`; here it is run over more series and a fresh
key, and its figure printed.
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.test_release_ladder import advantage

from groundswell.release import Ladder, PublishKey

__all__ = ["measure"]

SERIES = 4_000
GOALS = {20: "<= .10", 10: "<= .19"}


def measure() -> list[dict[str, Any]]:
    """The advantage over all rungs up to 10k+, with every other account known to the attacker."""
    key = PublishKey(secrets.token_bytes(32))
    rows = []
    for k, goal in GOALS.items():
        ladder = Ladder(key, k)
        rungs = tuple(rung for rung in ladder.rungs if rung <= 10_000)
        value = round(advantage(ladder.label, rungs, SERIES), 3)
        rows.append({"figure": f"advantage at k = {k}", "value": value, "goal": goal})
    return rows
