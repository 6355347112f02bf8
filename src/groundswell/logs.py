"""Structured logs on standard error: what the program does, never what a post says.

Standard output belongs to records. A field may carry a host, a file, a count or a reason; nothing here takes
a post, and sources and stages are written not to hand one over.
"""

from __future__ import annotations

import logging
import sys

import structlog

__all__ = ["configure"]


def configure(*, json: bool = False) -> None:
    """Send all logs to standard error, one JSON object a line if `json`."""
    renderer: structlog.types.Processor
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Standard error is looked up for every line: whoever runs a command inside a process of their own
        # (a test, a notebook) may have put another stream in its place, and closed it since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in ("uvicorn", "uvicorn.error", "websockets", "httpx", "numba"):
        logging.getLogger(name).setLevel(logging.WARNING)
