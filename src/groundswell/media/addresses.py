"""Which addresses may be reached: public unicast ones, told after every disguise is undone, and no others.

Owns the reading of a URL's host and the judgement of an address. What could lead somewhere else than it
says (IPv4 inside IPv6, translation and tunnel prefixes, numbers that some libraries read as addresses,
names without a dot) is refused as such, not translated: public content needs none of it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Target", "is_public", "read_url"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 4_096
_PORTS = {"http": 80, "https": 443}
_NOT_PUBLIC = tuple(  # of its own: what Python calls global differs from version to version
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",  # a cloud's own address for its machines, in public space
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_INSIDE = (
    "localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "localdomain", "arpa",
    "onion", "test", "example", "invalid", "alt", "i2p",
)  # fmt: skip
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class Target(NamedTuple):
    """A URL that may be asked for, in parts."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query, ready for a request line."""

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could be meant.

    >>> [
    ...     is_public(ipaddress.ip_address(text))
    ...     for text in ("93.184.216.34", "100.64.0.1", "::ffff:127.0.0.1")
    ... ]
    [True, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address) and (
        address.scope_id is not None or address not in _GLOBAL_UNICAST
    ):
        return False
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def read_url(url: str, ports: frozenset[int] | None = None) -> Target:
    """The parts of a URL, read strictly.

    Raises
    ------
    ValueError
        It is no `http` or `https` URL of a full host name or a plain address on a usual port (or one of
        `ports`), or has a user in it. The message does not quote it.
    """
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise ValueError("characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("no URL") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or parts.hostname is None or "@" in parts.netloc:
        raise ValueError("another scheme, no host, or a user in it")
    port = _PORTS[scheme] if port is None else port
    if port not in (frozenset(_PORTS.values()) if ports is None else ports):
        raise ValueError("an unusual port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, _read_host(parts.hostname), port, path if path.startswith("/") else f"/{path}")


def _read_host(host: str) -> str:
    """A host in its one usual form; `ValueError` for everything that some reader takes for another."""
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(ipaddress.IPv4Address(host))  # four plain decimal numbers, or an error
    if len(labels) < 2 or len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("no full host name")
    if labels[-1] in _INSIDE:
        raise ValueError("a name from inside a network")
    return host
