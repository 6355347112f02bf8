"""Serves the console on loopback, in a thread beside the pipeline.

Owns the socket and the server's life: a taken port is told before anything starts, and stopping ends the open
event streams first, so that nobody's page can hold the program up.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from groundswell.errors import UsageError

__all__ = ["serve"]

_HOST = "127.0.0.1"
_STOP_SECONDS = 2


@contextlib.contextmanager
def serve(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 while the context is open, and give its URL.

    Port 0 takes a free one. Raises `UsageError` when the port cannot be had.

    >>> with serve(FastAPI()) as url:
    ...     url.startswith("http://127.0.0.1:")
    True
    """
    listening = _listen(port)
    config = uvicorn.Config(
        app,
        access_log=False,
        lifespan="off",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="console", daemon=True)
    thread.start()
    server.ready.wait()
    try:
        yield f"http://{_HOST}:{listening.getsockname()[1]}"
    finally:
        feed = getattr(app.state, "feed", None)
        if feed is not None:
            feed.close()
        server.should_exit = True
        thread.join()
        listening.close()


class _Server(uvicorn.Server):
    """Tells when it answers, or when it has given up before that."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.ready.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there the option would let two programs share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen(128)
    except OverflowError:
        listening.close()
        raise UsageError("--port", f"`{port}` is no port", "give a number from 0 to 65535") from None
    except OSError as error:
        listening.close()
        what = {
            errno.EADDRINUSE: "another program listens there",
            errno.EACCES: "this user may not listen there",
        }.get(error.errno or 0, f"cannot listen there ({type(error).__name__})")
        mend = "stop that program, or give another port with `--port N` (0 takes a free one)"
        if error.errno == errno.EACCES:
            mend = "give a port from 1024 up with `--port N` (0 takes a free one)"
        raise UsageError(f"{_HOST}:{port}", what, mend) from None
    return listening
