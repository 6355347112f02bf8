"""Honours the marks by which an author asks not to be read this way.

Sources hand the marks over as the platform names them; this module alone knows what they mean. Missing marks
are not consent for platforms that have an opt-in: such a source writes `indexable:false` itself.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["DECLINING", "declined"]

DECLINING = (
    r"#?no(?:bot|index|archive|search)s?"  # Mastodon, in a profile's text or fields
    r"|(?:mastodon:)?(?:indexable|discoverable_in_search)\s*[:=]\s*(?:false|no|0)"  # Mastodon 4.3
    r"|!no-unauthenticated|!no-promote|!hide|!takedown"  # Bluesky labels
    r"|org\.user-intents\.[a-z0-9.\-#]*\s*[:=]?\s*(?:false|declined?|denied|deny|disallow|no|optout|opt-out)"
    r"|nip-?70|protected"  # Nostr and others: not for the public
)
"""RE2, matched against a whole mark, case-folded."""


def declined(marks: pa.ListArray) -> np.ndarray:
    """Which rows carry a mark that declines (bool, one a row).

    >>> declined(pa.array([["#nobot"], ["lang:en"], []])).tolist()
    [True, False, False]
    """
    out = np.zeros(len(marks), bool)
    names = pc.list_flatten(marks).fill_null("")
    if len(names):
        declines = pc.match_substring_regex(names, rf"(?i)^\s*(?:{DECLINING})\s*$")
        rows = pc.list_parent_indices(marks).filter(declines)
        out[rows.to_numpy()] = True
    return out
