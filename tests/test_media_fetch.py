"""Only public addresses are reached, whatever a URL, a resolver or a redirect says; real servers count."""

from __future__ import annotations

import ipaddress
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from groundswell.clock import ManualClock, SystemClock
from groundswell.drops import FetchDrop
from groundswell.media.addresses import Address, is_public, read_url
from groundswell.media.fetch import Fetcher, FetchSettings, content_urls
from groundswell.media.politeness import Politeness, retry_after_seconds
from groundswell.metrics import Metrics
from tests.media_files import packed, picture
from tests.media_server import Reply, Server, serving

PNG = packed(picture(), "PNG")
SHOWN: Reply = (200, {"Content-Type": "image/png"}, PNG)
PUBLIC_NAME = "pictures.press.net"
QUICK = FetchSettings(total_seconds=3.0, connect_seconds=1.0, interval_seconds=0.0)


def is_the_tests_server(address: Address) -> bool:
    """The tests' own server stands for the public internet, at one loopback address of millions."""
    return address == ipaddress.ip_address("127.0.0.1") or is_public(address)


def fetcher(
    server: Server, settings: FetchSettings = QUICK, metrics: Metrics | None = None, **options: object
) -> Fetcher:
    chosen: dict[str, object] = {"resolve": lambda host, port: ["127.0.0.1"], "allows": is_the_tests_server}
    return Fetcher(
        settings,
        SystemClock(),
        metrics or Metrics(),
        ports=frozenset({server.port}),
        **(chosen | options),  # type: ignore[arg-type]
    )


# --- forged addresses ---------------------------------------------------------------------------------------

PRIVATE_V4 = (
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254",
    "192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.0.1", "169.254.170.2", "100.64.0.1",
    "100.100.100.200", "100.127.255.254", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.0.8", "192.0.2.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "192.88.99.1", "192.31.196.1", "192.175.48.6",
)  # fmt: skip
PRIVATE_V6 = (
    "::1", "::", "::2", "fe80::1", "fe80::a9fe:a9fe", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fec0::1",
    "ff02::1", "ff05::2", "2001:db8::1", "2001::1", "2001:10::1", "2001:20::1", "2002::1", "3fff::1",
    "100::1", "64:ff9b:1::1", "5f00::1", "2620:4f:8000::1",
)  # fmt: skip
INSIDE_NAMES = (
    "localhost", "localhost.localdomain", "a.localhost", "metadata", "metadata.google.internal", "kubernetes",
    "kubernetes.default.svc.cluster.local", "instance-data.ec2.internal", "router.lan", "printer.home.arpa",
    "1.0.0.127.in-addr.arpa", "db.corp", "a.test", "b.example", "c.invalid", "hidden.onion", "vault.intranet",
)  # fmt: skip


def number_forms(text: str) -> Iterator[str]:
    """An IPv4 address as some reader or other takes it."""
    value = int(ipaddress.IPv4Address(text))
    first, second, third, fourth = text.split(".")
    yield text
    yield f"{text}."
    yield str(value)
    yield hex(value)
    yield f"0{value:o}"
    yield ".".join(hex(int(part)) for part in (first, second, third, fourth))
    yield ".".join(f"0{int(part):o}" for part in (first, second, third, fourth))
    yield f"{first}.{(int(second) << 16) + (int(third) << 8) + int(fourth)}"
    yield f"{first}.{second}.{(int(third) << 8) + int(fourth)}"
    yield f"{first}.{second}.{third}.{hex(int(fourth))}"
    yield f"00{first}.{second}.{third}.{fourth}"


def inside_v6(text: str) -> Iterator[str]:
    """An IPv4 address inside an IPv6 one."""
    value = int(ipaddress.IPv4Address(text))
    high, low = f"{value >> 16:x}", f"{value & 0xFFFF:x}"
    yield f"[::ffff:{text}]"
    yield f"[::ffff:{high}:{low}]"
    yield f"[::{high}:{low}]"
    yield f"[2002:{high}:{low}::1]"
    yield f"[64:ff9b::{high}:{low}]"
    yield f"[::ffff:0:{high}:{low}]"


def forged_urls(port: int) -> list[str]:
    hosts = [form for text in PRIVATE_V4 for form in (*number_forms(text), *inside_v6(text))]
    hosts += [f"[{text}]" for text in PRIVATE_V6] + ["[fe80::1%25eth0]", "[::1]", *INSIDE_NAMES]
    urls = [f"http://{host}:{port}/" for host in hosts]
    urls += [
        f"http://user@127.0.0.1:{port}/", f"http://{PUBLIC_NAME}@127.0.0.1:{port}/", f"//127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}\\@{PUBLIC_NAME}/", f"http:\\\\127.0.0.1:{port}/", f"http:///127.0.0.1:{port}/",
        f"http://①②⑦.⓪.⓪.①:{port}/", f"http://127。0。0。1:{port}/", f"http://%31%32%37.0.0.1:{port}/",
        f"http://127.0.0.1%00.{PUBLIC_NAME}:{port}/", f"http://{PUBLIC_NAME}\r\nHost: 127.0.0.1:{port}/",
        "file:///etc/passwd", f"ftp://127.0.0.1:{port}/", f"gopher://127.0.0.1:{port}/_GET",
        "data:image/png;base64,",
        "dict://127.0.0.1:11211/", "javascript:1", "jar:http://127.0.0.1!/", "", "http://",
        "http://:80/", "http://[/",
    ]  # fmt: skip
    return urls


def test_five_hundred_forged_addresses_reach_nothing() -> None:
    """A server listens on every loopback address, v4 and v6; nobody comes."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:
        listening.settimeout(0.2)
        port = listening.getsockname()[1]
        urls = sorted(set(forged_urls(port)))
        assert len(set(urls)) >= 500
        metrics = Metrics()
        fetch = Fetcher(
            QUICK, SystemClock(), metrics, ports=frozenset({port}), resolve=lambda host, _: ["127.0.0.1"]
        ).fetch
        drops = {url: fetch(url).drop for url in urls}
        reached = {
            url: drop
            for url, drop in drops.items()
            if drop not in (FetchDrop.BAD_URL, FetchDrop.FORBIDDEN_ADDRESS)
        }
        assert reached == {}
        with pytest.raises(TimeoutError):
            listening.accept()
    counted = {
        sample.labels["reason"]: sample.value
        for metric in metrics.media_fetch_dropped.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    assert sum(counted.values()) == len(urls)


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["::1"],
        ["93.184.216.34", "::ffff:10.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
    ],
)
def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to(answers: list[str]) -> None:
    fetch = Fetcher(QUICK, SystemClock(), Metrics(), resolve=lambda host, port: answers).fetch
    assert fetch(f"http://{PUBLIC_NAME}/a.png").drop is FetchDrop.FORBIDDEN_ADDRESS


def test_a_name_that_changes_its_mind_reaches_nothing() -> None:
    """Whoever looks the name up again, to connect, is led to a server that counts: it is not asked again."""
    with serving(lambda path, headers: SHOWN) as inside:
        answers = itertools.chain([["127.0.0.1"]], itertools.repeat(["127.0.0.2"]))
        looked_up: list[str] = []

        def rebinding(host: str, port: int) -> list[str]:
            looked_up.append(host)
            return next(answers)

        fetch = fetcher(inside, resolve=rebinding).fetch
        assert fetch(f"http://{PUBLIC_NAME}:{inside.port}/a.png").data == PNG
        assert looked_up == [PUBLIC_NAME]
        assert inside.hosts == [f"{PUBLIC_NAME}:{inside.port}"]
        assert fetch(f"http://{PUBLIC_NAME}:{inside.port}/a.png").drop is FetchDrop.FORBIDDEN_ADDRESS
        assert len(inside.asked) == 1


def test_redirects_go_through_the_same_door() -> None:
    with serving(lambda path, headers: SHOWN) as inside:
        places = [
            f"http://127.0.0.2:{inside.port}/", f"http://localhost:{inside.port}/", f"http://[::1]:{inside.port}/",
            f"http://2130706434:{inside.port}/", f"http://0x7f.2:{inside.port}/", "http://169.254.169.254/latest/",
            f"//127.0.0.3:{inside.port}/", "file:///etc/passwd", f"http://[::ffff:127.0.0.2]:{inside.port}/",
            f"http://user@127.0.0.2:{inside.port}/", f"http://within.press.net:{inside.port}/",
        ]  # fmt: skip

        def led(path: str, headers: dict[str, str]) -> Reply:
            return 302, {"Location": places[int(path.removeprefix("/"))]}, b""

        def resolve(host: str, port: int) -> list[str]:
            return ["127.0.0.2"] if host.startswith("within") else ["127.0.0.1"]

        with serving(led) as outside:
            fetch = fetcher(outside, resolve=resolve).fetch
            both = Fetcher(
                QUICK, SystemClock(), Metrics(), resolve=resolve, allows=is_the_tests_server,
                ports=frozenset({outside.port, inside.port}),
            ).fetch  # fmt: skip
            for number in range(len(places)):
                for each in (fetch, both):
                    drop = each(f"http://{PUBLIC_NAME}:{outside.port}/{number}").drop
                    assert drop in (FetchDrop.BAD_URL, FetchDrop.FORBIDDEN_ADDRESS), places[number]
            assert len(outside.asked) == 2 * len(places)
        assert inside.asked == []


def test_five_redirects_are_followed_and_a_sixth_is_not() -> None:
    def led(path: str, headers: dict[str, str]) -> Reply:
        left = int(path.rsplit("/", 1)[1])
        return SHOWN if left == 0 else (301, {"Location": f"../steps/{left - 1}"}, b"")

    with serving(led) as server:
        fetch = fetcher(server).fetch
        assert fetch(f"http://{PUBLIC_NAME}:{server.port}/steps/5").data == PNG
        assert fetch(f"http://{PUBLIC_NAME}:{server.port}/steps/6").drop is FetchDrop.TOO_MANY_REDIRECTS


@pytest.mark.parametrize("text", ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::200e"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_a_url_is_read_in_its_one_usual_form() -> None:
    target = read_url("HTTPS://Pictures.Press.NET./a/b?c=d#e")
    assert target == ("https", "pictures.press.net", 443, "/a/b?c=d")
    assert target.authority == "pictures.press.net"
    assert read_url("http://[2606:4700::1]/").authority == "[2606:4700::1]"
    with pytest.raises(ValueError, match="unusual port"):
        read_url("http://pictures.press.net:22/")


# --- caps and manners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "drop"),
    [
        ((200, {"Content-Type": "text/html"}, b"<p>"), FetchDrop.TYPE_NOT_ALLOWED),
        ((200, {"Content-Type": "image/svg+xml"}, b"<svg"), FetchDrop.TYPE_NOT_ALLOWED),
        ((200, {}, PNG), FetchDrop.TYPE_NOT_ALLOWED),
        (
            (200, {"Content-Type": "image/png", "Content-Encoding": "gzip"}, b"\x1f\x8b"),
            FetchDrop.TYPE_NOT_ALLOWED,
        ),
        ((404, {"Content-Type": "image/png"}, PNG), FetchDrop.STATUS),
        ((206, {"Content-Type": "image/png"}, PNG), FetchDrop.STATUS),
        ((302, {}, b""), FetchDrop.TOO_MANY_REDIRECTS),
        ((200, {"Content-Type": "image/png", "Content-Length": str(10**12)}, b""), FetchDrop.TOO_MANY_BYTES),
        ((200, {"Content-Type": "image/png", "Content-Length": "9000"}, b"short"), FetchDrop.UNREACHABLE),
    ],
)
def test_what_is_not_the_content_has_a_reason(reply: Reply, drop: FetchDrop) -> None:
    with serving(lambda path, headers: reply) as server:
        assert fetcher(server).fetch(f"http://{PUBLIC_NAME}:{server.port}/").drop is drop


def test_bytes_beyond_the_cap_are_not_read() -> None:
    body = bytes(3 << 20)
    with serving(lambda path, headers: (200, {"Content-Type": "image/png"}, body)) as server:
        small = FetchSettings(max_megabytes=2)
        assert (
            fetcher(server, small).fetch(f"http://{PUBLIC_NAME}:{server.port}/").drop
            is FetchDrop.TOO_MANY_BYTES
        )


def trickle(server: socket.socket, stop: threading.Event, head: bytes) -> None:
    """Answers with a beginning, and then a byte at a time, for ever."""
    connection, _ = server.accept()
    with connection:
        connection.recv(4_096)
        connection.sendall(head)
        while not stop.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nX-Long: ",
    ],
)
def test_a_host_that_trickles_runs_out_of_time(head: bytes) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server, stop, head), daemon=True)
        thread.start()
        port = server.getsockname()[1]
        fetch = Fetcher(
            FetchSettings(total_seconds=1.0), SystemClock(), Metrics(), ports=frozenset({port}),
            resolve=lambda host, _: ["127.0.0.1"], allows=is_the_tests_server,
        ).fetch  # fmt: skip
        assert fetch(f"http://{PUBLIC_NAME}:{port}/").drop is FetchDrop.OUT_OF_TIME
        stop.set()
        thread.join(5)


def test_what_has_not_changed_is_not_fetched_again() -> None:
    def answer(path: str, headers: dict[str, str]) -> Reply:
        if headers.get("If-None-Match") == '"one"' or headers.get("If-Modified-Since") == "yesterday":
            return 304, {}, b""
        mark = {"ETag": '"one"'} if path == "/etag" else {"Last-Modified": "yesterday"}
        return 200, {"Content-Type": "image/png"} | mark, PNG

    with serving(answer) as server:
        fetch = fetcher(server).fetch
        for path in ("/etag", "/modified"):
            assert fetch(f"http://{PUBLIC_NAME}:{server.port}{path}").data == PNG
            assert fetch(f"http://{PUBLIC_NAME}:{server.port}{path}").drop is FetchDrop.UNCHANGED
            assert fetch(f"http://{PUBLIC_NAME}:{server.port}{path}", anew=True).data == PNG


def test_a_host_serves_two_requests_at_a_time() -> None:
    def slow(path: str, headers: dict[str, str]) -> Reply:
        time.sleep(0.1)
        return SHOWN

    with serving(slow) as server:
        fetch = fetcher(server).fetch
        drops: list[FetchDrop | None] = []
        url = f"http://{PUBLIC_NAME}:{server.port}/"
        threads = [threading.Thread(target=lambda: drops.append(fetch(url).drop)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert drops == [None] * 8
        assert server.most_at_once <= 2


def test_a_host_that_asks_to_wait_is_left_alone() -> None:
    with serving(lambda path, headers: (429, {"Retry-After": "60"}, b"")) as server:
        fetch = fetcher(server).fetch
        for _ in range(3):
            assert fetch(f"http://{PUBLIC_NAME}:{server.port}/").drop is FetchDrop.HOST_BUSY
        assert len(server.asked) == 1


def test_manners_go_by_the_clock() -> None:
    clock = ManualClock(0)
    manners = Politeness(clock, at_once=2, interval_seconds=1.0, patience_seconds=0.0)
    attempts: Callable[[], bool] = lambda: _gets_a_turn(manners)  # noqa: E731
    assert attempts()
    assert not attempts()
    clock.advance(1.0)
    assert attempts()
    manners.rest("host", 30.0)
    clock.advance(29.0)
    assert not attempts()
    clock.advance(1.0)
    assert attempts()
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:30 GMT", ManualClock(30_000_000)) == 60.0


def _gets_a_turn(manners: Politeness) -> bool:
    from groundswell.media.politeness import BusyError

    try:
        with manners.turn("host"):
            return True
    except BusyError:
        return False


# --- references and silence ---------------------------------------------------------------------------------


def test_references_become_the_public_cdns_addresses() -> None:
    picture_url, still = content_urls("at-blob:did:plc:abc234/bafkreiabc")
    assert picture_url == "https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:abc234/bafkreiabc@jpeg"
    assert still == "https://video.bsky.app/watch/did:plc:abc234/bafkreiabc/thumbnail.jpg"
    for forged in (
        "at-blob:",
        "at-blob:did:plc:a/../x",
        "at-blob:did:plc:a/b/c",
        "at-blob:evil.net/b",
        "at-blob:did:plc:a@b/c",
    ):
        assert content_urls(forged) == ()


def test_no_address_is_told_in_logs_or_errors(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with serving(lambda path, headers: SHOWN) as server:
        fetcher(server).fetch(f"http://{PUBLIC_NAME}:{server.port}/canary-of-a-path")
        fetcher(server).fetch("http://canary-host.press.net:99999/canary")
    told = caplog.text + "".join(capfd.readouterr())
    assert "canary" not in told
    assert PUBLIC_NAME not in told
