"""The one fetcher: bytes of a picture or video from a public address, into memory, or a counted reason.

Owns every request that the media path makes. A host's addresses are looked up here, every one is judged,
and the connection is made to the very address that was judged (the name is kept for TLS and the `Host`
header), so that a name that changes its mind reaches nothing. Redirects are followed by hand through the
same door. Proxies of the environment are not used. No URL goes into a log, an error or a metric.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Annotated, NamedTuple
from urllib.parse import urljoin

import httpcore
import msgspec

from groundswell.clock import Clock
from groundswell.config import Settings
from groundswell.drops import FetchDrop
from groundswell.media.addresses import Address, Target, is_public, read_url
from groundswell.media.connection import Reply, asked
from groundswell.media.politeness import BusyError, Politeness, retry_after_seconds
from groundswell.metrics import Metrics

__all__ = ["FetchSettings", "Fetched", "Fetcher", "Resolver", "addresses_of", "content_urls"]

Resolver = Callable[[str, int], Iterable[str]]
"""All addresses of a host name, as text; raises `OSError` where there are none."""

MAX_REDIRECTS = 5
MAX_ADDRESSES = 32
REMEMBERED = 10_000
TYPES = frozenset(
    {
        "image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic", "image/heif",
        "video/mp4", "video/webm", "video/quicktime", "application/octet-stream", "binary/octet-stream",
    }
)  # fmt: skip
_AGENT = "groundswell (public-event intelligence; reads public media)"
_CDN = "https://cdn.bsky.app/img/feed_fullsize/plain/{account}/{content}@jpeg"
_STILL = "https://video.bsky.app/watch/{account}/{content}/thumbnail.jpg"


class FetchSettings(Settings, frozen=True, kw_only=True):
    """How far fetching goes."""

    max_megabytes: Annotated[int, msgspec.Meta(ge=1, le=96)] = 24
    total_seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = 20.0
    connect_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 4.0
    at_once_per_host: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2
    interval_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.1
    patience_seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 5.0


class Fetched(NamedTuple):
    """What came of a request; `drop` is None exactly when `data` is what was asked for."""

    data: bytes = b""
    drop: FetchDrop | None = None


class _DropError(Exception):
    def __init__(self, reason: FetchDrop) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Marks(NamedTuple):
    """What a host said of a file, to ask whether it has changed."""

    etag: str
    modified: str


class Fetcher:
    """Fetches from any thread.

    Parameters
    ----------
    resolve
        Looks up a host's addresses; the system's own by default.
    allows
        Which addresses may be connected to; public ones by default. Tests reach their own server with it.
    ports
        Ports beside 80 and 443; for tests too.
    """

    def __init__(
        self,
        settings: FetchSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        resolve: Resolver | None = None,
        allows: Callable[[Address], bool] = is_public,
        ports: frozenset[int] = frozenset(),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._resolve = resolve or addresses_of
        self._allows = allows
        self._ports = frozenset({80, 443}) | ports
        self._politeness = Politeness(
            clock, settings.at_once_per_host, settings.interval_seconds, settings.patience_seconds
        )
        self._marks: OrderedDict[bytes, _Marks] = OrderedDict()
        self._lock = threading.Lock()
        self._tls = ssl.create_default_context()

    def fetch(self, reference: str, anew: bool = False) -> Fetched:
        """The bytes behind a URL, or behind a reference as sources write them; never raises.

        With `anew` the host is not asked whether they have changed.
        """
        fetched = Fetched(drop=FetchDrop.BAD_URL)
        for url in content_urls(reference):
            fetched = self._fetch(url, anew)
            if fetched.drop is not FetchDrop.STATUS:
                break  # only "there is no such picture" makes the next address worth asking
        if fetched.drop is None:
            self._metrics.media_fetched.inc()
        else:
            self._metrics.media_fetch_dropped.labels(reason=fetched.drop.value).inc()
        return fetched

    def _fetch(self, url: str, anew: bool) -> Fetched:
        deadline = time.monotonic() + self._settings.total_seconds
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._once(url, anew, deadline)
                if isinstance(answer, bytes):
                    return Fetched(answer)
                url = answer
            return Fetched(drop=FetchDrop.TOO_MANY_REDIRECTS)
        except _DropError as error:
            return Fetched(drop=error.reason)

    def _once(self, url: str, anew: bool, deadline: float) -> bytes | str:
        """The content, or where a redirect leads."""
        try:
            target = read_url(url, self._ports)
        except ValueError:
            raise _DropError(FetchDrop.BAD_URL) from None
        if anew:
            with self._lock:
                self._marks.pop(_key(target), None)
        try:
            with self._politeness.turn(target.host):
                return self._ask(target, self._checked(target), deadline)
        except BusyError:
            raise _DropError(FetchDrop.HOST_BUSY) from None

    def _checked(self, target: Target) -> list[Address]:
        """The host's addresses; if a single one may not be reached, none is."""
        try:
            literal = [str(ipaddress.ip_address(target.host))]
        except ValueError:
            literal = []
        try:
            texts = literal or list(self._resolve(target.host, target.port))[:MAX_ADDRESSES]
            addresses = [ipaddress.ip_address(text) for text in texts]
        except (OSError, UnicodeError, ValueError):
            raise _DropError(FetchDrop.UNKNOWN_HOST) from None
        if not addresses:
            raise _DropError(FetchDrop.UNKNOWN_HOST)
        if not all(map(self._allows, addresses)):
            raise _DropError(FetchDrop.FORBIDDEN_ADDRESS)
        return sorted(dict.fromkeys(addresses), key=lambda address: address.version)

    def _ask(self, target: Target, addresses: list[Address], deadline: float) -> bytes | str:
        for address in addresses[:2]:
            try:
                return self._ask_at(target, address, deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # another of its addresses may be up
            except httpcore.TimeoutException:
                raise _DropError(FetchDrop.OUT_OF_TIME) from None
            except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError):
                raise _DropError(FetchDrop.UNREACHABLE) from None
        late = time.monotonic() >= deadline
        raise _DropError(FetchDrop.OUT_OF_TIME if late else FetchDrop.UNREACHABLE)

    def _ask_at(self, target: Target, address: Address, deadline: float) -> bytes | str:
        key = _key(target)
        with asked(
            target,
            address,
            self._headers(target, key),
            tls=self._tls,
            connect_seconds=self._settings.connect_seconds,
            deadline=deadline,
        ) as reply:
            return self._read(target, reply, key)

    def _headers(self, target: Target, key: bytes) -> dict[str, str]:
        headers = {
            "Host": target.authority,
            "User-Agent": _AGENT,
            "Accept": "image/*, video/*",
            "Accept-Encoding": "identity",
        }
        with self._lock:
            marks = self._marks.get(key)
        if marks is not None and marks.etag:
            headers["If-None-Match"] = marks.etag
        elif marks is not None:
            headers["If-Modified-Since"] = marks.modified
        return headers

    def _read(self, target: Target, reply: Reply, key: bytes) -> bytes | str:
        if reply.status in (301, 302, 303, 307, 308):
            return _redirect(target, reply)
        self._judge(target, reply)
        most = self._settings.max_megabytes << 20
        declared = reply.header("content-length")
        if declared.isdecimal() and int(declared[:20]) > most:
            raise _DropError(FetchDrop.TOO_MANY_BYTES)
        content = bytearray()
        for part in reply.parts():
            content += part
            if len(content) > most:
                raise _DropError(FetchDrop.TOO_MANY_BYTES)
        self._remember(key, reply)
        return bytes(content)

    def _judge(self, target: Target, reply: Reply) -> None:
        """Raise for an answer that is not the content."""
        if reply.status in (429, 503):
            waits = retry_after_seconds(reply.header("retry-after") or None, self._clock)
            self._politeness.rest(target.host, 30.0 if waits is None else waits)
            raise _DropError(FetchDrop.HOST_BUSY)
        if reply.status == 304:
            raise _DropError(FetchDrop.UNCHANGED)
        if reply.status != 200:
            raise _DropError(FetchDrop.STATUS)
        kind = reply.header("content-type").partition(";")[0].strip().lower()
        if kind not in TYPES or reply.header("content-encoding", "identity").lower() != "identity":
            raise _DropError(FetchDrop.TYPE_NOT_ALLOWED)

    def _remember(self, key: bytes, reply: Reply) -> None:
        marks = _Marks(reply.header("etag")[:200], reply.header("last-modified")[:100])
        if not any(marks):
            return
        with self._lock:
            self._marks[key] = marks
            self._marks.move_to_end(key)
            while len(self._marks) > REMEMBERED:
                self._marks.popitem(last=False)


def _key(target: Target) -> bytes:
    return hashlib.blake2b(target.url.encode(), digest_size=16).digest()


def _redirect(target: Target, reply: Reply) -> str:
    location = reply.header("location")
    if not location:
        raise _DropError(FetchDrop.TOO_MANY_REDIRECTS)
    try:
        return urljoin(target.url, location)
    except ValueError:
        raise _DropError(FetchDrop.BAD_URL) from None


def addresses_of(host: str, port: int) -> list[str]:
    """What the system's resolver says of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


def content_urls(reference: str) -> tuple[str, ...]:
    """Where a reference's content lies: of `at-blob:DID/CID` at Bluesky's public CDN, a video's still too.

    >>> content_urls("https://host.example/a.png")
    ('https://host.example/a.png',)
    """
    if not reference.startswith("at-blob:"):
        return (reference,)
    account, _, content = reference.removeprefix("at-blob:").partition("/")
    named = account.replace(":", "").replace(".", "").replace("-", "").replace("_", "")
    if not (account.startswith("did:") and named.isalnum() and content.isalnum() and reference.isascii()):
        return ()
    return tuple(form.format(account=account, content=content) for form in (_CDN, _STILL))
