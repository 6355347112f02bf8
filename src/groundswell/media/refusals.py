"""How a step says that a file is not read: one exception that carries a reason of the closed list, and no
words.

A reader's own message may quote the file; it ends here.
"""

from __future__ import annotations

from groundswell.drops import MediaDrop

__all__ = ["RefusedError"]


class RefusedError(Exception):
    """The file is not read, for `reason`."""

    def __init__(self, reason: MediaDrop) -> None:
        super().__init__(reason.value)
        self.reason = reason
