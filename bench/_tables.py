"""Puts what a measurement printed into a page, as a table between two marks that only machines see.

A measurement's table is written anew each time, where it stood; one without a place gets its own at the end.
The rest of the page is not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["write_table"]


def write_table(page: Path, bench: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write the table of `bench` into `page`.

    Raises
    ------
    OSError
        The page cannot be read or written.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- bench {bench} -->\n", f"<!-- end of {bench} -->\n"
    before, found, rest = text.partition(begin)
    after = rest.partition(end)[2] if found else ""
    if not found:
        before = f"{text.rstrip()}\n\n"
    page.write_text(before + begin + _table(bench, rows) + end + after, encoding="utf-8")


def _table(bench: str, rows: Sequence[dict[str, Any]]) -> str:
    """Markdown.

    >>> print(_table("tides", [{"figure": "height | metres", "value": 1.2, "goal": "> 1"}]), end="")
    | `groundswell bench tides` | goal | figure |
    |---|---|---|
    | height \\| metres | > 1 | 1.2 |
    """
    lines = [f"| `groundswell bench {bench}` | goal | figure |", "|---|---|---|"]
    lines += [
        "| " + " | ".join(str(row[name]).replace("|", "\\|") for name in ("figure", "goal", "value")) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
