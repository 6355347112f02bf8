"""Links: from whole URLs to registered domains and unkeyed hashes, and how URLs look inside a text.

`domains` says which sites a crowd points at; `link_keys` tells that two posts share one link, without
saying which. A profile URL (and a permalink that carries an account in it) leaves neither: its hash could
be guessed back. A shortener's URL leaves a key, but no domain. Owns no redaction: `redact` takes the URLs
out of the text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tldextract

from groundswell.gate.blake2 import keyed_digests
from groundswell.gate.drafts import Drafts
from groundswell.gate.expressions import Expression
from groundswell.gate.hosts import ACCOUNT_SECTIONS, HOSTED, PROFILES, SHORTENERS, TRACKING
from groundswell.gate.patterns import ALPHABETS, LATIN, SPACE
from groundswell.gate.strings import Rows, Stretches, buffers, build, gathered
from groundswell.gate.urls import joined, split

__all__ = ["BARE_URL", "URL", "Link", "Links", "read_link", "read_links"]

MAX_URL_LENGTH = 2048
MAX_LINKS = 16  # a post; what comes after is not looked at

# The scripts that set words apart; in the others a link would run on into the sentence.
_SCRIPTS = rf"{ALPHABETS}\x{{5d0}}-\x{{5ea}}\x{{620}}-\x{{669}}\x{{671}}-\x{{6d3}}\x{{900}}-\x{{963}}"
_INSIDE = rf"[!#-;=?-\[\]_|~{_SCRIPTS}]"
_LAST = rf"[0-9/_=&%#+\-@~*${_SCRIPTS}]"
_TAIL = rf"(?:[/?#](?:{_INSIDE}*{_LAST})?)"
_LABELS = rf"\b(?:[{LATIN}0-9][{LATIN}0-9\-]*\.)+"
_SCHEME = r"(?:[A-Za-z][A-Za-z0-9+.\-]*:/{2,3})"

URL = rf"(?:{_SCHEME}|\b(?i:www\d{{0,2}})\.)[^{SPACE}<>\"“”«»/?#…()]+{_TAIL}?"
"""RE2: a URL with a scheme, or a host that begins with `www`. Punctuation at its end is the sentence's."""
BARE_URL = (
    rf"(?:{_LABELS}(?:[a-z]{{2,}}|[A-Z]{{2,}})(?::\d{{2,5}})?/(?:{_INSIDE}*{_LAST})?)"
    rf"|(?:{_LABELS}(?i:com|org|net|edu|gov|mil|info|biz|news|online|site|app|blog|co\.uk|org\.uk|gov\.uk|com\.au"
    r"|com\.br|co\.jp|co\.in|co\.za|com\.tr|com\.mx|com\.ng|co\.ke|go\.id|co\.id)\b)"
)
"""RE2: a link without a scheme: a host and a path, or a host under a suffix that is no word."""

_ANY_URL = Expression(f"{URL}|{BARE_URL}")
_CUT_SHORT = ("…".encode(), b"..")
# The packaged list: nothing is fetched, nothing cached on disk. Links of simulated posts lead to `.example`.
_EXTRACT = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), extra_suffixes=("example",))


class Link(NamedTuple):
    """What stays of a URL."""

    key: int
    """Unkeyed 64-bit hash of the whole normalised URL; 0 when nothing may stay."""
    domain: str | None
    """Registered domain, lower-case, IDNA (`xn--…`); None for addresses, shorteners, profiles, nonsense."""


class Links(msgspec.Struct, frozen=True):
    """The link columns of a batch."""

    domains: pa.ListArray
    keys: pa.ListArray


NOTHING = Link(0, None)


@lru_cache(maxsize=1 << 14)
def registered_domain(host: str) -> str | None:
    """The registered domain of a host name by the Public Suffix List, private section left out.

    >>> registered_domain("news.bbc.co.uk"), registered_domain("127.0.0.1")
    ('bbc.co.uk', None)
    """
    parts = _EXTRACT.extract_str(host)
    if not parts.domain or not parts.suffix:
        return None
    try:
        return f"{parts.domain}.{parts.suffix}".encode("idna").decode().lower()
    except UnicodeError:
        return None


def _is_profile(host: str, segments: list[str]) -> bool:
    if any("@" in segment or segment.startswith("did:") for segment in segments):
        return True
    if host in PROFILES:
        return bool(segments) and segments[0].lower() not in PROFILES[host]
    if segments and segments[0].lower() in ACCOUNT_SECTIONS and len(segments) > 1:
        return True
    return host.endswith(HOSTED) and not segments


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2].partition(":")[0].strip(".").lower()
    for prefix in ("www.", "m.", "mobile.", "amp."):
        if host.startswith(prefix) and host.count(".") > 1:
            host = host.removeprefix(prefix)
    return host


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in TRACKING or name.startswith("utm_")


class _Page(NamedTuple):
    """Where a URL leads."""

    whole: str
    host: str


def _page(url: str) -> _Page | None:
    """What identifies the page that a URL leads to; None when nothing of it may stay.

    >>> _page("https://www.example.org/a/?utm_source=x&b=2#top")
    _Page(whole='example.org/a?b=2', host='example.org')
    """
    url = url.strip()[:MAX_URL_LENGTH]
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    if scheme.lower() not in ("http", "https", "hxxp", "hxxps", ""):
        return None
    rest = rest.lstrip("/").partition("#")[0]
    address, _, query = rest.partition("?")
    authority, _, path = address.partition("/")
    host = _host(authority)
    if "." not in host or (not separator and "@" in authority):
        return None
    segments = [unquote(segment) for segment in path.split("/") if segment]
    if _is_profile(host, segments):
        return None
    parameters = sorted(unquote(part) for part in query.split("&") if part and not _is_tracking(part))
    whole = "/".join([host, *segments]) + ("?" + "&".join(parameters) if parameters else "")
    return _Page(whole.encode("utf-8", "replace").decode(), host)


class _Site(NamedTuple):
    """A host on which no path is an account's."""

    host: str
    domain: str | None


@lru_cache(maxsize=1 << 14)
def _site(written: str) -> _Site | None:
    """The site of a host as written in a URL of the common shape; None where the path has a say."""
    host = _host(written)
    if "." not in host or host in PROFILES or host.endswith(HOSTED):
        return None
    return _Site(host, _site_domain(host))


def _site_domain(host: str) -> str | None:
    return None if host in SHORTENERS else registered_domain(host)


class _Read(NamedTuple):
    """What stays of each URL of a column."""

    keys: np.ndarray
    """Of `Link`; 0 where nothing may stay."""
    domains: np.ndarray
    """Index into `names`, -1 for none."""
    names: list[str]


def _read(urls: pa.StringArray) -> _Read:
    """Read a column; URLs of the common shape cost one library call a host, the others one a URL."""
    numbers: dict[str, int] = {}

    def number(domain: str | None) -> int:
        return -1 if domain is None else numbers.setdefault(domain, len(numbers))

    keys, domains = np.zeros(len(urls), np.uint64), np.full(len(urls), -1, np.int64)
    parts = split(urls)
    written = parts.hosts(urls).dictionary_encode()
    sites = [_site(host) for host in written.dictionary.to_pylist()]
    which = written.indices.to_numpy()
    known = np.array([site is not None for site in sites], bool)[which]
    rows, which = np.flatnonzero(parts.is_common)[known], which[known]
    hosts = pa.array([site.host if site else "" for site in sites], pa.string())
    keys[rows] = _keys(joined(urls, rows, parts, hosts.take(pa.array(which))))
    domains[rows] = np.array([number(site.domain) if site else -1 for site in sites], np.int64)[which]

    odd = np.setdiff1d(np.arange(len(urls)), rows)
    found = [
        (row, _page(url)) for row, url in zip(odd.tolist(), urls.take(pa.array(odd)).to_pylist(), strict=True)
    ]
    pages = [(row, page) for row, page in found if page is not None]
    at = np.array([row for row, _ in pages], np.int64)
    keys[at] = _keys(pa.array([page.whole for _, page in pages], pa.string()))
    domains[at] = [number(_site_domain(page.host)) for _, page in pages]
    return _Read(keys, domains, list(numbers))


def _keys(wholes: pa.StringArray) -> np.ndarray:
    """A 64-bit BLAKE2b of each; a link is public, so the key is no secret. Never 0."""
    keys = keyed_digests(b"link", b"\0", *buffers(wholes))
    return np.where(keys == 0, np.uint64(1), keys)


def read_link(url: str) -> Link:
    """What stays of one URL; its scheme, fragment, tracking parameters and trailing slash do not count.

    >>> read_link("https://www.example.org/a/?utm_source=x#top") == read_link("http://example.org/a")
    True
    >>> read_link("https://bsky.app/profile/did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/post/3k")
    Link(key=0, domain=None)
    """
    read = _read(pa.array([url.encode("utf-8", "replace").decode()], pa.string()))
    return Link(int(read.keys[0]), read.names[0] if read.domains[0] >= 0 else None)


def _urls_in(drafts: Drafts, which: Rows) -> tuple[Rows, pa.StringArray]:
    """The URLs written in some drafts, and the row of each; those a platform cut short (`…`) are left out."""
    found, begins, afters = _ANY_URL.spans(drafts, which)
    data, starts, ends = drafts.readable()
    begins, afters = starts[found] + begins, starts[found] + afters
    whole = np.array(
        [not data[after : min(after + 3, end)].tobytes().startswith(_CUT_SHORT)
         for after, end in zip(afters.tolist(), ends[found].tolist(), strict=True)],
        bool,
    )  # fmt: skip
    stretches = Stretches.of(data, begins[whole].astype(np.int32), afters[whole].astype(np.int32))
    return drafts.rows[found[whole]], build(*gathered(stretches, np.arange(len(stretches.starts))))


def _lists(rows: np.ndarray, values: pa.Array, length: int) -> pa.ListArray:
    """One list a row from values whose rows are sorted."""
    offsets = np.searchsorted(rows, np.arange(length + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _distinct(rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Places of the first use of each (row, code), in order; at most `MAX_LINKS` a row."""
    if len(rows) == 0:
        return np.empty(0, np.int64)
    _, first = np.unique(np.stack([rows, codes]), axis=1, return_index=True)
    first.sort()
    kept = rows[first]
    rank = np.arange(len(kept)) - np.searchsorted(kept, kept)
    return np.asarray(first[rank < MAX_LINKS])


def read_links(urls: pa.ListArray, drafts: Drafts, may_link: Rows) -> Links:
    """The links of each row: those the platform gave, then those in the text.

    `may_link` are the drafts that are worth searching.
    """
    count = len(urls)
    given_rows = pc.list_parent_indices(urls).to_numpy()
    given = pc.list_flatten(urls)
    found_rows, found = _urls_in(drafts, may_link)
    rows = np.concatenate([given_rows, found_rows])
    encoded = pa.concat_arrays([given, found]).fill_null("").dictionary_encode()
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    which = encoded.indices.to_numpy()[order]
    keys, codes, names = _read(encoded.dictionary)
    with_key = np.flatnonzero(keys[which] != 0) if len(rows) else np.empty(0, np.int64)
    with_key = with_key[_distinct(rows[with_key], which[with_key])]
    with_domain = np.flatnonzero(codes[which] >= 0) if len(rows) else np.empty(0, np.int64)
    with_domain = with_domain[_distinct(rows[with_domain], codes[which[with_domain]])]
    return Links(
        domains=_lists(
            rows[with_domain],
            pa.array(names, pa.string()).take(pa.array(codes[which[with_domain]])),
            count,
        ),
        keys=_lists(rows[with_key], pa.array(keys[which[with_key]]), count),
    )
