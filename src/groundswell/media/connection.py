"""A request to one judged address, under one deadline for all of it.

Owns sockets. The address was judged by whoever calls; the name goes into TLS and the `Host` header alone,
and is not looked up again. Each wait is cut to what is left of the deadline, so that a host which trickles
its answer, or its headers, gains nothing. No connection outlives its request.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from groundswell.media.addresses import Address, Target

__all__ = ["Reply", "asked"]


class Reply:
    """The beginning of an answer; its content is read piece by piece."""

    def __init__(self, response: httpcore.Response) -> None:
        self.status = response.status
        self._headers = {name.lower(): value for name, value in response.headers}
        self._response = response

    def header(self, name: str, otherwise: str = "") -> str:
        """A header's value, at most a thousand characters of it."""
        value = self._headers.get(name.encode())
        return otherwise if value is None else value[:1_000].decode("latin-1")

    def parts(self) -> Iterator[bytes]:
        """The content as it comes, still packed if it is."""
        yield from self._response.iter_stream()


@contextmanager
def asked(
    target: Target,
    address: Address,
    headers: dict[str, str],
    *,
    tls: ssl.SSLContext,
    connect_seconds: float,
    deadline: float,
) -> Iterator[Reply]:
    """`GET` the target from `address`; `deadline` is on `time.monotonic`.

    Raises
    ------
    httpcore.ConnectError, httpcore.ConnectTimeout
        There is no connection.
    httpcore.TimeoutException
        The deadline has passed.
    httpcore.ProtocolError, httpcore.NetworkError
        The host breaks off, or speaks something else.
    """
    backend = _Backend(address, connect_seconds, deadline)
    with (
        httpcore.ConnectionPool(
            ssl_context=tls, max_keepalive_connections=0, network_backend=backend, retries=0
        ) as pool,
        pool.stream("GET", target.url, headers=list(headers.items())) as response,
    ):
        yield Reply(response)


class _Backend(httpcore.NetworkBackend):
    """Connects to the one address, whatever name it is told."""

    def __init__(self, address: Address, connect_seconds: float, deadline: float) -> None:
        self._address = address
        self._connect_seconds = connect_seconds
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(self._connect_seconds, _left(self._deadline, httpcore.ConnectTimeout))
        stream = self._plain.connect_tcp(str(self._address), port, seconds)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late
    return left
