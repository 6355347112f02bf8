"""Where log lines go."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import structlog

from groundswell import logs


def test_a_line_goes_to_the_standard_error_of_its_moment() -> None:
    log = structlog.get_logger("groundswell.test")
    first, second = io.StringIO(), io.StringIO()
    with redirect_stderr(first):
        logs.configure(json=True)
        log.warning("one", source="simulator")
    written = first.getvalue()
    first.close()  # as a command run inside another process leaves it
    with redirect_stderr(second):
        log.warning("two", source="simulator")
    assert '"event": "one"' in written
    assert '"event": "two"' in second.getvalue()
