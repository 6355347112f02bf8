"""What stays of a link: a site and a hash, and nothing of a profile."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.gate.drafts import Drafts
from groundswell.gate.links import (
    MAX_LINKS,
    NOTHING,
    Links,
    _keys,
    _page,
    _read,
    _site_domain,
    read_link,
    read_links,
)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news/world-1", "bbc.co.uk"),
        ("HTTP://News.Example.ORG:8080/a", "example.org"),
        ("www.example.org", "example.org"),
        ("https://bücher.example.de/x", "example.de"),
        ("https://Bücher.de/x", "xn--bcher-kva.de"),
        ("https://xn--bcher-kva.de/x", "xn--bcher-kva.de"),
        ("https://someone.github.io/page", "github.io"),
        ("https://www.youtube.com/watch?v=abc", "youtube.com"),
        ("https://twitter.com/hashtag/flood", "twitter.com"),
        ("https://t.co/abc", None),
        ("https://bit.ly/abc", None),
        ("https://127.0.0.1/x", None),
        ("https://localhost.localdomain/x", None),
    ],
)
def test_a_link_keeps_its_registered_domain(url: str, domain: str | None) -> None:
    link = read_link(url)
    assert link.domain == domain
    assert link.key != 0


@pytest.mark.parametrize(
    "url",
    [
        "https://bsky.app/profile/did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/post/3k",
        "https://twitter.com/jane_doe", "https://x.com/jane_doe/status/1",
        "https://mobile.twitter.com/jane_doe",
        "https://www.facebook.com/jane.doe", "https://instagram.com/jane.doe/",
        "https://www.tiktok.com/@jane/video/1",
        "https://t.me/janedoe", "https://www.linkedin.com/in/jane-doe", "https://www.youtube.com/@jane",
        "https://mastodon.example/@jane", "https://mastodon.example/users/jane/statuses/1",
        "https://jane.bsky.social/",
        "https://reddit.com/user/jane", "https://jane.substack.com",
        "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/x/y",
        "mailto:jane@example.org", "https://wa.me/447700900123", "javascript://x", "", "nonsense",
        "https://", "https://@",
    ],
)  # fmt: skip
def test_a_profile_keeps_nothing(url: str) -> None:
    assert read_link(url) == NOTHING


def test_the_same_link_has_the_same_key_however_it_was_shared() -> None:
    spellings = [
        "https://www.example.org/a/b/?utm_source=x&id=7#top",
        "http://example.org/a/b?id=7",
        "example.org/a/b?id=7&fbclid=123",
        "https://m.example.org/a/b?id=7",
        "https://user:secret@example.org:443/a//b?id=7",
        "HTTPS://EXAMPLE.ORG/a/b?id=7",
        "https://example.org/a%2Fb?id=7",
    ]
    assert len({read_link(url).key for url in spellings}) == 1
    assert read_link("https://example.org/a/b?id=8").key != read_link(spellings[0]).key


def _links(urls: pa.ListArray, texts: pa.StringArray, may_link: list[int]) -> Links:
    return read_links(urls, Drafts(texts), np.array(may_link, np.int64))


def test_links_of_rows_are_distinct_and_in_order() -> None:
    urls = pa.array([["https://b.example.org/1", "https://a.example.com/"], [], ["https://t.co/x"]])
    texts = pa.array(
        [
            "again https://b.example.org/1 and http://example.net.",
            "none",
            "see https://t.co/x (www.bbc.co.uk/news), t.co/y",
        ]
    )
    links = _links(urls, texts, [0, 2])
    assert links.domains.to_pylist() == [["example.org", "example.com", "example.net"], [], ["bbc.co.uk"]]
    assert [len(keys) for keys in links.keys.to_pylist()] == [3, 0, 3]
    assert links.keys[0][0].as_py() == read_link("https://b.example.org/1").key


def test_a_link_that_the_platform_cut_short_counts_for_nothing() -> None:
    texts = pa.array(["see www.example.org/long/pa… and example.com/x..."])
    links = _links(pa.array([["https://www.example.org/long/path"]]), texts, [0])
    assert links.keys.to_pylist() == [[read_link("https://www.example.org/long/path").key]]


def test_links_of_a_post_are_capped() -> None:
    urls = pa.array([[f"https://example.org/{number}" for number in range(1000)]])
    links = _links(urls, pa.array([""]), [])
    assert len(links.keys[0]) == MAX_LINKS


def test_no_rows_and_no_links_are_fine() -> None:
    empty = _links(pa.array([], pa.list_(pa.string())), pa.array([], pa.string()), [])
    assert (len(empty.keys), len(empty.domains)) == (0, 0)
    none = _links(pa.array([[]], pa.list_(pa.string())), pa.array(["x"]), [0])
    assert (none.keys.to_pylist(), none.domains.to_pylist()) == ([[]], [[]])


@given(st.text())
def test_any_string_can_be_read(url: str) -> None:
    for link in (read_link(url), read_link("https://" + url), read_link("https://example.org/" + url)):
        assert 0 <= link.key < 1 << 64
        assert link.domain is None or (link.domain.isascii() and link.domain == link.domain.lower())


URLS = st.one_of(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["http://", "https://", "HTTPS://", "https:///", "hxxp://", "", "ftp://"]),
            st.sampled_from(["", "", "", "www.", "m.", "amp.m.", "a@", "."]),
            st.sampled_from(
                [
                    "example.org",
                    "News.example.org",
                    "x.com",
                    "bsky.app",
                    "a.tumblr.com",
                    "bit.ly",
                    "localhost",
                ]
            ),
            st.sampled_from(["", "", "", ":80", "."]),
            st.lists(
                st.sampled_from(
                    ["/", "//", "/a", "/2026/11", "/user", "/Profiles", "/name", "/did:plc:x", "/@me", "/%41"]
                ),
                max_size=4,
            ).map("".join),
            st.sampled_from(["", "", "", "?", "?b=1&a=2", "?utm_source=x", "#top", "#?", " "]),
        ),
    ),
    st.text(max_size=30).map("https://example.org/".__add__),
)


@given(st.lists(URLS, max_size=8))
def test_columns_are_read_as_single_links_are(urls: list[str]) -> None:
    """The kernel for URLs of the common shape against the plain reader, which judges all of them here."""
    urls = [url.encode("utf-8", "replace").decode() for url in urls]
    keys, domains, names = _read(pa.array(urls, pa.string()))
    for url, key, domain in zip(urls, keys.tolist(), domains.tolist(), strict=True):
        page = _page(url)
        assert key == (0 if page is None else _keys(pa.array([page.whole]))[0])
        assert (names[domain] if domain >= 0 else None) == (page and _site_domain(page.host))
