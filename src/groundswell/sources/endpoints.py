"""The hosts that serve a Jetstream, and how each wants to be asked.

Owns addresses, query parameters, the opening of a connection, and compression dictionaries. Version 2 is
told from version 1 by its path. <https://github.com/bluesky-social/jetstream> `docs/README.md`, section 5.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
import zstandard
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from groundswell.errors import ConfigurationError
from groundswell.sources.bluesky import COLLECTION

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["PUBLIC_HOSTS", "Dictionary", "Endpoint", "opened"]

_SUBSCRIBE_EVENTS = "/xrpc/network.bsky.jetstream.subscribeEvents"
_GET_DICTIONARY = "/xrpc/network.bsky.jetstream.getZstdDictionary"
PUBLIC_HOSTS = (
    f"wss://jetstream.us-east.bsky.network{_SUBSCRIBE_EVENTS}",
    f"wss://jetstream.us-west.bsky.network{_SUBSCRIBE_EVENTS}",
    "wss://jetstream1.us-east.bsky.network/subscribe",
    "wss://jetstream2.us-east.bsky.network/subscribe",
    "wss://jetstream1.us-west.bsky.network/subscribe",
    "wss://jetstream2.us-west.bsky.network/subscribe",
)
FRAME_BYTES = 8 << 20
"""Frames over this length end a connection; the server is asked not to send them."""
_DICTIONARY_BYTES = 4 << 20
_EARLIEST_TIME_CURSOR = 10**15
"""Smaller cursors are sequence numbers, which mean something on one host only."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Dictionary:
    """A Zstandard dictionary that frames are compressed with."""

    def __init__(self, content: bytes) -> None:
        self._dictionary = zstandard.ZstdCompressionDict(content)
        self.id = self._dictionary.dict_id()
        self._decompressor = zstandard.ZstdDecompressor(self._dictionary)

    def decompress(self, frame: bytes, limit: int) -> bytes:
        """The content of `frame`, or `limit + 1` bytes of anything where it is longer than `limit`.

        Raises `zstandard.ZstdError` when it is damaged. A frame that is not compressed comes back as it is.
        """
        if not frame.startswith(_ZSTD_MAGIC):
            return frame
        # The size a frame claims is what would be allocated, whatever limit is given.
        if zstandard.frame_content_size(frame) > limit:
            return bytes(limit + 1)
        return self._decompressor.decompress(frame, max_output_size=limit + 1)


class Endpoint:
    """One host's stream.

    Raises `ConfigurationError` when `url` is no WebSocket address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("ws", "wss") or not parts.hostname or port == -1:
            raise ConfigurationError(
                "jetstream `hosts`", f"`{url}` is no WebSocket address", "write `wss://HOST/PATH`"
            )
        self._parts = parts
        self.host = parts.hostname
        self.port = port or (443 if parts.scheme == "wss" else 80)
        self.version = 2 if parts.path.endswith("subscribeEvents") else 1

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def url(self, cursor_us: int | None, dictionary: Dictionary | None = None) -> str:
        """The address that asks for posts and gone accounts from `cursor_us` on; None for from now on."""
        query: list[tuple[str, str | int]] = [("maxMessageSizeBytes", FRAME_BYTES)]
        if self.version == 2:
            query += [("kinds", "commit"), ("kinds", "account"), ("collections", COLLECTION)]
            query += [("zstdDictionary", dictionary.id)] if dictionary else []
        else:
            query += [("wantedCollections", COLLECTION)]
            query += [("compress", "true")] if dictionary else []
        if cursor_us is not None:
            query.append(("cursor", max(cursor_us, _EARLIEST_TIME_CURSOR)))
        return urlunsplit(self._parts._replace(query=urlencode(query)))

    def fetch_dictionary(self, timeout_seconds: float) -> Dictionary:
        """The host's current dictionary (version 2); raises `httpx.HTTPError` or `zstandard.ZstdError`."""
        scheme = "https" if self._parts.scheme == "wss" else "http"
        url = urlunsplit((scheme, self._parts.netloc, _GET_DICTIONARY, "", ""))
        content = bytearray()
        with httpx.stream("GET", url, timeout=timeout_seconds, follow_redirects=False) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _DICTIONARY_BYTES:
                    raise zstandard.ZstdError("dictionary over the size limit")
        return Dictionary(bytes(content))


@contextmanager
def opened(
    endpoint: Endpoint,
    url: str,
    *,
    open_seconds: float,
    ping_seconds: float,
) -> Iterator[ClientConnection]:
    """A connection to `url`, a URL of `endpoint`.

    No data frame is ever sent on it: version 2 closes the connection on one. Redirects are refused, since
    they could lead anywhere. Raises `OSError` or `websockets.WebSocketException`.
    """
    dialled = _dialled(endpoint.host, endpoint.port, open_seconds)
    with connect(
        url,
        sock=dialled,  # a connection that is open already cannot be redirected to another host
        subprotocols=[Subprotocol("xrpc.v1.json")] if endpoint.version == 2 else None,
        compression=None,  # deflate costs more than it saves, and version 1 refuses it beside its own
        open_timeout=open_seconds,
        ping_interval=ping_seconds,
        ping_timeout=ping_seconds,
        close_timeout=1,
        max_size=FRAME_BYTES,
        max_queue=256,
    ) as connection:
        yield connection


def _dialled(host: str, port: int, seconds: float) -> socket.socket:
    """A TCP connection, given up after `seconds`, looking up the name included.

    The look-up has no time limit of its own and can hang for minutes where names cannot be resolved, so
    it happens in a thread that is left behind when it takes too long.
    """
    results: queue.SimpleQueue[socket.socket | OSError] = queue.SimpleQueue()
    given_up = threading.Event()

    def dial() -> None:
        try:
            dialled: socket.socket | OSError = socket.create_connection((host, port), timeout=seconds)
        except OSError as error:
            dialled = error
        except UnicodeError:  # a host name that cannot be one
            dialled = OSError("no such host name")
        results.put(dialled)
        if given_up.is_set() and isinstance(dialled, socket.socket):
            dialled.close()

    threading.Thread(target=dial, name=f"dial {host}", daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        given_up.set()
        raise TimeoutError(f"no connection to {host} in {seconds} s") from None
    if isinstance(result, OSError):
        raise result
    result.settimeout(None)
    return result
