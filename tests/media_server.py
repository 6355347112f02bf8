"""A small web server on loopback that counts who came, and answers as a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Reply", "Server", "serving"]

Reply = tuple[int, dict[str, str], bytes]


class Server:
    """What was asked for, in order, and by which `Host`."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Reply]) -> None:
        self.asked: list[str] = []
        self.hosts: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with outer._lock:
                    outer.asked.append(self.path)
                    outer.hosts.append(self.headers.get("Host", ""))
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    status, headers, body = answer(self.path, dict(self.headers))
                finally:  # before the reply: whoever has it may ask again before this thread goes on
                    with outer._lock:
                        outer.at_once -= 1
                try:
                    self.send_response(status)
                    for name, value in ({"Content-Length": str(len(body))} | headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the fetcher has hung up, as it should

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(answer: Callable[[str, dict[str, str]], Reply]) -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server(answer)
    try:
        yield server
    finally:
        server.close()
