"""The API over a real server and a real store: what it answers, what it refuses, and how it streams."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from groundswell.clock import MINUTE_US, rfc3339
from groundswell.console import serve
from groundswell.errors import StoreError, UsageError
from groundswell.published import Record, to_json
from groundswell.store import Commit
from tests.console_world import (
    NOW_US,
    Console,
    bins,
    console,
    copies,
    event,
    flood,
    gap,
    narrative,
    simulated,
)
from tests.store_records import NOON_US, image, picture

LISTS = ("/api/events", "/api/narratives", "/api/amplification", "/api/pictures", "/api/coverage")


RECORDS: list[Record] = [event(), flood(), copies(), gap()]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console that no test changes."""
    with console(tmp_path_factory.mktemp("data"), RECORDS, bins("quake", None, "20+", "50+")) as running:
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Console]:
    """A console of the test's own."""
    with console(tmp_path, RECORDS) as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Console) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [record["id"] for record in answer.json()]


# -- records ------------------------------------------------------------------------------------------


def test_events_are_the_published_records_with_their_newest_bins(client: httpx.Client) -> None:
    listed = {record["id"]: record for record in client.get("/api/events").json()}
    timeline = listed["quake"].pop("timeline")
    assert listed["quake"].pop("pace") == "slow"
    assert listed["quake"] == json.loads(to_json(event()))
    assert [bin["accounts"] for bin in timeline] == [None, "20+", "50+"]
    assert timeline[-1]["start"] == rfc3339(NOW_US - 5 * MINUTE_US)
    assert listed["flood"]["timeline"] == []


def test_other_lists_are_the_records_as_they_are(client: httpx.Client) -> None:
    assert client.get("/api/amplification").json() == [json.loads(to_json(copies()))]
    assert client.get("/api/coverage").json() == [json.loads(to_json(gap()))]
    assert client.get("/api/narratives").json() == []


def test_a_picture_is_listed_while_it_shows_and_its_file_is_an_image_and_nothing_else(own: Console) -> None:
    own.store.commit(Commit(records=[picture(event="quake"), picture("p2", event="flood")], images=[image()]))
    assert ids(httpx.get(f"{own.url}/api/pictures?event=quake")) == ["p1"]
    file = httpx.get(f"{own.url}/api/pictures/p1")
    assert (file.content, file.headers["content-type"]) == (image().body, "image/jpeg")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["cache-control"] == "no-store"
    own.publish([picture(event="quake", at_us=NOON_US + MINUTE_US, state="withdrawn", media_type=None)])
    assert ids(httpx.get(f"{own.url}/api/pictures")) == ["p2"]
    assert httpx.get(f"{own.url}/api/pictures/p1").status_code == 404


def test_narratives_are_the_records_as_they_are(own: Console) -> None:
    own.publish([narrative(), narrative("spanish", languages=("spa_Latn",))], [])
    with httpx.Client(base_url=own.url, timeout=30) as client:
        everything = client.get("/api/narratives").json()
        english = client.get("/api/narratives", params={"language": "eng_Latn"}).json()
    assert sorted(record["id"] for record in everything) == ["eggs", "spanish"]
    assert english == [json.loads(to_json(narrative()))]


def test_one_event_has_a_week_of_bins_where_the_list_has_three_hours(own: Console) -> None:
    own.publish([event("long")], bins("long", *["20+"] * 100))
    assert len(httpx.get(f"{own.url}/api/events/long").json()["timeline"]) == 100
    listed = {record["id"]: record for record in httpx.get(f"{own.url}/api/events").json()}
    assert len(listed["long"]["timeline"]) == 36


def test_the_newest_version_of_an_event_is_shown(own: Console) -> None:
    own.publish([event(accounts="500+", published_at=rfc3339(NOW_US + MINUTE_US))])
    assert httpx.get(f"{own.url}/api/events/quake").json()["accounts"] == "500+"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["flood", "quake"]),
        ("category=flood", ["flood"]),
        ("country=TR", ["quake"]),
        ("country=FR", []),
        ("language=ell", ["quake"]),
        ("language=ell_Grek&country=TR", ["quake"]),
        ("language=ell_Grek&country=JO", []),
        (f"since={rfc3339(NOW_US - 2 * MINUTE_US)}", ["flood", "quake"]),
        (f"since={rfc3339(NOW_US)}", []),
        ("category=earthquake&limit=1", ["quake"]),
        ("order=rank&limit=1", ["quake"]),
        ("order=rank&limit=1&near=JO", ["flood"]),
        ("order=rank&near=861ec92d7ffffff&limit=1", ["quake"]),
        ("order=rank&category=flood", ["flood"]),
    ],
)
def test_lists_can_be_narrowed(client: httpx.Client, query: str, found: list[str]) -> None:
    assert sorted(ids(client.get(f"/api/events?{query}"))) == found


def test_limit_caps_a_list(client: httpx.Client) -> None:
    assert len(ids(client.get("/api/events?limit=1"))) == 1


# -- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "what", "mend"),
    [
        ("/api/events?limit=0", "`limit` = '0' is not usable", "give a whole number from 1 to 1000"),
        ("/api/events?limit=many", "`limit` = 'many' is not usable", "give a whole number from 1 to 1000"),
        ("/api/events?category=flod", "unknown category `flod`", "did you mean `flood`?"),
        ("/api/events?categry=flood", "unknown parameter `categry`", "did you mean `category`?"),
        (
            "/api/events?country=Turkey",
            "`country` = 'Turkey' is not usable",
            "give an ISO 3166-1 alpha-2 code such as `TR`",
        ),
        ("/api/events?order=random", "`order` = 'random' is not usable", "give `newest` or `rank`"),
        ("/api/events?near=TR", "`near` is for `order=rank`", "add `order=rank`, or leave `near` away"),
        (
            "/api/events?order=rank&near=000000000000000",
            "`000000000000000` is no H3 cell",
            "give an H3 cell such as `831c9cfffffffff` or a country's code such as `TR`",
        ),
        ("/api/coverage?country=TR", "unknown parameter `country`", "known here: `limit`, `since`"),
        (
            f"/api/events/{'x' * 201}",
            f"`id` = '{'x' * 59} is not usable",
            "give an id as `/api/events` lists it",
        ),
        (
            "/api/events?since=yesterday",
            "`since` = 'yesterday' is not usable",
            "give an RFC 3339 time such as `2026-05-01T00:00:00Z`",
        ),
    ],
)
def test_a_bad_question_is_refused_with_its_mend(
    client: httpx.Client, path: str, what: str, mend: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert (answer.json()["what"], answer.json()["mend"]) == (what, mend)


@pytest.mark.parametrize("name", ["account", "author", "handle", "did", "q", "speaker"])
@pytest.mark.parametrize("path", LISTS)
def test_no_list_can_be_asked_about_an_account(client: httpx.Client, path: str, name: str) -> None:
    assert client.get(f"{path}?{name}=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa").status_code == 422


@pytest.mark.parametrize(
    "path", ["/api/events/none", "/api/topics", "/static/none.js", "/docs", "/static/../app.py"]
)
def test_what_is_not_there_is_404_with_a_mend(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["mend"] == "`/api/openapi.json` lists what is served"


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "10.0.0.1", "[::2]", ""]
)
def test_another_host_name_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/api/events", headers={"host": host})
    assert answer.status_code == 421
    assert answer.json()["where"] == "Host header"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8750", "[::1]", "[::1]:8750"])
def test_this_machines_own_names_are_served(client: httpx.Client, host: str) -> None:
    assert client.get("/api/events", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/events", "/api/stream", "/static/page.js"])
def test_only_reading_is_allowed(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_store_that_cannot_read_is_503_with_its_own_mend(own: Console) -> None:
    own.store.latest = cannot_read  # type: ignore[method-assign]
    answer = httpx.get(f"{own.url}/api/events")
    assert answer.status_code == 503
    assert answer.json() == {"where": "published.duckdb", "what": "locked", "mend": "stop the other program"}


def cannot_read(*_: Any, **__: Any) -> Any:
    raise StoreError("published.duckdb", "locked", "stop the other program")


# -- headers, page, operations --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/static/page.js", "/api/events", "/api/events?limit=x", "/api/none", "/healthz"]
)
def test_every_answer_tells_the_browser_to_stay_here(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize(
    "path", ["/", *LISTS, "/api/events/quake", "/api/stream", "/api/status", "/healthz", "/metrics"]
)
def test_head_answers_without_a_body(client: httpx.Client, path: str) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_page_and_all_it_loads_come_from_here() -> None:
    static = Path(__file__).parents[1] / "src/groundswell/console/static"
    for file in static.iterdir():
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        if file.suffix == ".js":
            text = text.replace("https://bsky.app/search?q=", "")  # a link to follow, nothing that is fetched
        assert not re.search(r"//\w|url\((?!#)|@import", text), f"{file.name} names another host"
        assert not any(
            sink in text for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "style=")
        )


def test_health_follows_the_store(own: Console) -> None:
    assert (httpx.get(f"{own.url}/healthz").status_code, httpx.get(f"{own.url}/healthz").json()) == (
        200,
        {"status": "ok"},
    )
    own.set_status(simulated(store_blocked=True))
    assert (httpx.get(f"{own.url}/healthz").status_code, httpx.get(f"{own.url}/healthz").json()) == (
        503,
        {"status": "blocked"},
    )


def test_status_and_metrics_are_shown(own: Console) -> None:
    assert httpx.get(f"{own.url}/api/status").content == msgspec.json.encode(simulated())
    own.metrics.gate_kept.inc(7)
    assert "groundswell_gate_kept_posts_total 7.0" in httpx.get(f"{own.url}/metrics").text


# -- the document -------------------------------------------------------------------------------------


def test_the_openapi_document_is_valid(client: httpx.Client) -> None:
    validator = pytest.importorskip(
        "openapi_spec_validator", reason="openapi-spec-validator is not installed"
    )
    validator.validate(client.get("/api/openapi.json").json())


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        ("/api/events", "/api/events", 200),
        ("/api/events/{id}", "/api/events/quake", 200),
        ("/api/events/{id}", "/api/events/none", 404),
        ("/api/events", "/api/events?limit=0", 422),
        ("/api/amplification", "/api/amplification", 200),
        ("/api/coverage", "/api/coverage", 200),
        ("/api/status", "/api/status", 200),
        ("/healthz", "/healthz", 200),
    ],
)
def test_answers_are_what_the_document_says(client: httpx.Client, path: str, asked: str, code: int) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    document = client.get("/api/openapi.json").json()
    schema = document["paths"][path]["get"]["responses"][str(code)]["content"]["application/json"]["schema"]
    answer = client.get(asked)
    assert answer.status_code == code
    jsonschema.validate(answer.json(), {**schema, "components": document["components"]})
    wrong: Any = [{}] if isinstance(answer.json(), list) else {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, {**schema, "components": document["components"]})


def test_the_document_names_every_parameter(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    named = {parameter["name"] for parameter in paths["/api/events"]["get"]["parameters"]}
    assert named == {"since", "limit", "category", "country", "language", "order", "near"}
    assert {parameter["name"] for parameter in paths["/api/coverage"]["get"]["parameters"]} == {
        "since",
        "limit",
    }


# -- the stream ---------------------------------------------------------------------------------------


def messages(stream: httpx.Response) -> Iterator[dict[str, str]]:
    """The server-sent events of `stream`, each as its fields; only line feeds end a line here."""
    waiting = b""
    for chunk in stream.iter_bytes():
        *whole, waiting = (waiting + chunk).split(b"\n\n")
        for message in whole:
            yield dict(line.split(": ", 1) for line in message.decode().split("\n"))


def test_the_stream_tells_the_status_then_what_is_published(own: Console) -> None:
    with httpx.stream("GET", f"{own.url}/api/stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        news = messages(stream)
        assert next(news) == {"retry": "2000"}
        first = next(news)
        assert (first["event"], json.loads(first["data"])["mode"]) == ("status", "simulated")
        assert own.metrics.registry.get_sample_value("groundswell_console_streams") == 1
        own.publish([event("fresh")], bins("fresh", "20+"))
        record, of_bins = next(news), next(news)
    assert record["event"] == "record"
    assert record["data"].encode() == to_json(event("fresh"))
    assert (of_bins["event"], json.loads(of_bins["data"])[0]["series"]) == ("bins", "fresh")


def test_a_cut_stream_is_resumed_from_its_last_event_id(own: Console) -> None:
    with httpx.stream("GET", f"{own.url}/api/stream") as stream:
        news = messages(stream)
        next(news), next(news)
        own.publish([event("a")])
        last = next(news)["id"]
    own.publish([event("b"), event("c")])
    with httpx.stream("GET", f"{own.url}/api/stream", headers={"last-event-id": last}) as stream:
        news = messages(stream)
        next(news), next(news)
        assert [json.loads(next(news)["data"])["id"] for _ in range(2)] == ["b", "c"]


def test_phrases_cannot_break_out_of_a_message(own: Console) -> None:
    hostile = event("hostile", phrases=("one\n\nevent: status\ndata: {}", "two\r\rthree\u2028four"))
    with httpx.stream("GET", f"{own.url}/api/stream") as stream:
        news = messages(stream)
        next(news), next(news)
        own.publish([hostile])
        assert json.loads(next(news)["data"])["phrases"] == list(hostile.phrases)


# -- the server ---------------------------------------------------------------------------------------


def test_stopping_ends_open_streams(tmp_path: Path) -> None:
    ended = threading.Event()

    def follow(url: str, opened: threading.Event) -> None:
        with httpx.stream("GET", f"{url}/api/stream", timeout=None) as stream:
            for _ in messages(stream):
                opened.set()
        ended.set()

    with console(tmp_path) as running:
        opened = threading.Event()
        threading.Thread(target=follow, args=(running.url, opened), daemon=True).start()
        assert opened.wait(30)
    assert ended.wait(30)
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)


def test_a_taken_port_is_told_before_anything_starts(served: Console) -> None:
    port = int(served.url.rpartition(":")[2])
    with (
        pytest.raises(UsageError, match="another program listens there; stop that program") as error,
        serve(FastAPI(), port),
    ):
        pass
    assert error.value.where == f"127.0.0.1:{port}"
    assert error.value.exit_code == 2


def test_a_port_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="`65536` is no port"), serve(FastAPI(), 65536):
        pass


def test_the_console_listens_on_loopback_only(served: Console) -> None:
    port = int(served.url.rpartition(":")[2])
    assert served.url == f"http://127.0.0.1:{port}"
    outside = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    for address in {address for address in outside if not str(address).startswith("127.")}:
        with pytest.raises(OSError), socket.create_connection((str(address), port), timeout=5):
            pass
