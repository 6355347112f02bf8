"""Pictures and videos: what is found again, what it costs, and what hostile files and addresses come to.

Fingerprints are measured on pictures drawn from a seed (`_media_pictures`), a fifth of them pieces of the
photographs of the measuring data; hostile files and forged addresses are those of the tests. Other
measurements of the media path (`media_ocr`, `media_shield`, `media_emblems`), where they are there, are run
after it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from bench import _media_costs, _media_families, _media_hostile

__all__ = ["measure"]

_OTHERS = ("media_ocr", "media_shield", "media_emblems")


def measure() -> list[dict[str, Any]]:
    """All tables of the media path."""
    rows = [*_media_families.measure(), *_media_costs.measure(), *_media_hostile.measure()]
    here = Path(__file__).parent
    for name in _OTHERS:
        if (here / f"{name}.py").exists():
            rows += importlib.import_module(f"bench.{name}").measure()
    return rows
