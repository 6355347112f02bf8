"""Where the measuring data lies for tests, and how a test says that it needs some."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench._data import DATA

__all__ = ["DATA", "measuring"]


def measuring(*parts: str) -> Path:
    """A file or folder of the measuring data; skips the test where it is absent."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no measuring data: {path.name} is not there; set GROUNDSWELL_DATA")
    return path
