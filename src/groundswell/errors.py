"""The errors a user can meet: each says where, what, the value, and the mend.

No error carries a post's text, an account or a handle. Exit codes: 2 for bad use or bad configuration,
1 for what went wrong while running.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ConfigurationError",
    "GroundswellError",
    "SourceError",
    "StoreError",
    "UsageError",
    "did_you_mean",
]


class GroundswellError(Exception):
    """Base of all errors that Groundswell raises on purpose.

    Parameters
    ----------
    where
        The file, option, host or table the trouble is at.
    what
        What is wrong there, with the offending value where it is no post.
    mend
        What the reader can do about it.
    """

    exit_code = 1

    def __init__(self, where: str, what: str, mend: str) -> None:
        super().__init__(f"{where}: {what}; {mend}")
        self.where = where
        self.what = what
        self.mend = mend


class UsageError(GroundswellError):
    """A command or a function was called in a way that cannot work."""

    exit_code = 2


class ConfigurationError(GroundswellError):
    """The configuration cannot be used; raised before anything starts."""

    exit_code = 2


class SourceError(GroundswellError):
    """A source cannot go on: refused, gone, or speaking something else."""


class StoreError(GroundswellError):
    """Published records cannot be written: the disk is full, the file locked or not ours."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion for a mistyped word, or the list of what is known.

    >>> did_you_mean("relase", ["gate", "release"])
    'did you mean `release`?'
    """
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return "known here: " + ", ".join(f"`{option}`" for option in options)
