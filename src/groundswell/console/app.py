"""The console's application: the first page, the JSON API and the event stream, all from published records.

Owns the routes and what each answers. Owns no data: records come from the `Reader`, news from the `Feed`,
the pipeline's state from `status`, all handed in. Everything it can say is already safe to publish, so there
is no login; that it answers on loopback only is the work of `loopback` and `server`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request
from fastapi import Path as PathParameter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from groundswell.console.answers import Health, ListedEvent, Problem, answer, listed
from groundswell.console.feed import Feed, frame
from groundswell.console.loopback import LoopbackOnly
from groundswell.console.openapi import array_of, document, json_answer, one, problem_answers
from groundswell.console.queries import CrowdQuery, ListQuery, PictureQuery
from groundswell.console.ranking import ranked
from groundswell.console.reader import Kind, Reader
from groundswell.console.refusals import add_refusals
from groundswell.console.status import Status
from groundswell.metrics import Metrics
from groundswell.published import (
    Amplification,
    Coverage,
    CrowdRecord,
    Event,
    Image,
    Narrative,
    Picture,
    Record,
)

__all__ = ["create_app"]

_STATIC = Path(__file__).parent / "static"
_SEARCHED = 1000
"""Records that a filtered list looks through."""
_LIST_BINS = 36
"""Three hours: what the page draws."""
_EVENT_BINS = 2016
"""A week, for one event asked for by id."""
_STATUS_SECONDS = 5.0
_HEARTBEAT_SECONDS = 15.0


def create_app(
    reader: Reader,
    feed: Feed,
    metrics: Metrics,
    status: Callable[[], Status],
    *,
    categories: Sequence[str] = (),
) -> FastAPI:
    """The console as an ASGI application.

    Parameters
    ----------
    reader
        Where published records are read; called from worker threads.
    feed
        Where the pipeline publishes; kept as `app.state.feed`, so that `serve` can end the open streams.
    metrics
        The pipeline's metrics, shown at `/metrics`.
    status
        The pipeline's state now; called often and from the event loop, so it must not block.
    categories
        The closed list of categories, to refuse a mistyped one; empty to accept any.
    """
    app = FastAPI(
        title="groundswell",
        description="Published records: what a crowd of accounts is saying. There is no author in them.",
        version=version("groundswell"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.feed = feed
    app.add_middleware(LoopbackOnly)
    add_refusals(app)
    _add_lists(app, _Lists(reader, categories))
    _add_stream(app, feed, metrics, status)
    _add_operations(app, metrics, status)
    _add_page(app)
    return app


class _Lists:
    """Reads lists of records, filtered and capped."""

    def __init__(self, reader: Reader, categories: Sequence[str]) -> None:
        self._reader = reader
        self._categories = categories

    def crowds(self, kind: Kind, query: CrowdQuery) -> Sequence[Record]:
        query.check_category(self._categories)
        query.check_near()
        if query.order == "newest" and not query.filters():
            return self._reader.latest(kind, since_us=query.since_us(), limit=query.limit)
        searched = self._reader.latest(kind, since_us=query.since_us(), limit=_SEARCHED)
        found = [record for record in searched if isinstance(record, CrowdRecord) and query.matches(record)]
        if query.order == "rank":
            series = self._reader.series([record.id for record in found]) if found else {}
            found = ranked(found, series, query.near)
        return found[: query.limit]

    def coverage(self, query: ListQuery) -> list[Record]:
        return self._reader.latest("coverage", since_us=query.since_us(), limit=query.limit)

    def pictures(self, query: PictureQuery) -> list[Record]:
        """Those that show, or are told of; what was taken back is left out."""
        found = self._reader.latest("picture", since_us=query.since_us(), limit=_SEARCHED)
        standing = [
            record
            for record in found
            if isinstance(record, Picture)
            and record.state != "withdrawn"
            and query.event in (None, record.event)
        ]
        return list(standing[: query.limit])

    def image(self, id: str) -> Image | None:
        return self._reader.image(id)

    def events(self, query: CrowdQuery) -> list[ListedEvent]:
        return self._with_timelines(self.crowds("event", query), _LIST_BINS)

    def event(self, id: str) -> ListedEvent | None:
        record = self._reader.record("event", id)
        return None if record is None else self._with_timelines([record], _EVENT_BINS)[0]

    def _with_timelines(self, records: Sequence[Record], newest: int) -> list[ListedEvent]:
        events = [record for record in records if isinstance(record, Event)]
        series = self._reader.series([event.id for event in events]) if events else {}
        return [listed(event, series.get(event.id, ()), newest) for event in events]


def _get(
    app: FastAPI, path: str, endpoint: Callable[..., Any], summary: str, responses: dict[Any, Any]
) -> None:
    """Route GET and HEAD of `path`; only GET is documented."""
    described = {**responses, **problem_answers(405, 421)}
    app.add_api_route(
        path, endpoint, methods=["GET"], summary=summary, responses=described, response_class=Response
    )
    app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False, response_class=Response)


def _add_lists(app: FastAPI, lists: _Lists) -> None:
    def events(query: Annotated[CrowdQuery, Query()]) -> Response:
        return answer(lists.events(query))

    def event(id: Annotated[str, PathParameter(max_length=200)]) -> Response:
        found = lists.event(id)
        if found is None:
            raise HTTPException(404)
        return answer(found)

    def narratives(query: Annotated[CrowdQuery, Query()]) -> Response:
        return answer(lists.crowds("narrative", query))

    def amplification(query: Annotated[CrowdQuery, Query()]) -> Response:
        return answer(lists.crowds("amplification", query))

    def coverage(query: Annotated[ListQuery, Query()]) -> Response:
        return answer(lists.coverage(query))

    def pictures(query: Annotated[PictureQuery, Query()]) -> Response:
        return answer(lists.pictures(query))

    def image(id: Annotated[str, PathParameter(max_length=200)]) -> Response:
        found = lists.image(id)
        if found is None:
            raise HTTPException(404)
        # Not kept by a cache: it may be taken back.
        return Response(found.body, media_type=found.media_type, headers={"cache-control": "no-store"})

    def list_answers(type_: type[msgspec.Struct]) -> dict[Any, Any]:
        return {200: json_answer(array_of(type_), "Last seen first."), **problem_answers(422, 503)}

    _get(app, "/api/events", events, "Events, with their newest bins", list_answers(ListedEvent))
    _get(app, "/api/narratives", narratives, "What is said again and again", list_answers(Narrative))
    _get(app, "/api/amplification", amplification, "Copies too fast for chance", list_answers(Amplification))
    _get(app, "/api/coverage", coverage, "What was not collected", list_answers(Coverage))
    _get(app, "/api/pictures", pictures, "Pictures that a crowd made public", list_answers(Picture))
    file = {
        200: {"description": "The file.", "content": {"image/*": {"schema": {"type": "string"}}}},
        **problem_answers(404, 422, 503),
    }
    _get(app, "/api/pictures/{id}", image, "A picture, faces and plates filled in", file)
    one_event = {200: json_answer(one(ListedEvent), "The newest version."), **problem_answers(404, 422, 503)}
    _get(app, "/api/events/{id}", event, "One event, with a week of bins", one_event)


def _add_stream(app: FastAPI, feed: Feed, metrics: Metrics, status: Callable[[], Status]) -> None:
    async def stream(request: Request) -> Response:
        if feed.full:
            problem = Problem(
                where="/api/stream",
                what="every stream is taken",
                mend="close a page that shows the console, or read `/api/events` instead",
            )
            return answer(problem, 503)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=headers)
        frames = _frames(feed, metrics, status, request.headers.get("last-event-id"))
        return StreamingResponse(frames, media_type="text/event-stream", headers=headers)

    described = {
        200: {
            "description": (
                "Server-sent events: `record` (one published record), `bins` (an array of `Bin`), `status` "
                "(a `Status`), and `resync` (messages were missed: read the lists again)."
            ),
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problem_answers(503),
    }
    _get(app, "/api/stream", stream, "News as it is published", described)


async def _frames(
    feed: Feed, metrics: Metrics, status: Callable[[], Status], last_event_id: str | None
) -> AsyncIterator[bytes]:
    """The stream's bytes: the status at once and when it changed, messages as they come, else a heartbeat."""
    now = asyncio.get_running_loop().time
    metrics.console_streams.inc()
    try:
        with feed.subscribe(last_event_id) as subscription:
            yield b"retry: 2000\n\n"
            shown, look_at, silent_since = b"", 0.0, now()
            while not feed.closed:
                out = []
                if now() >= look_at:
                    current = msgspec.json.encode(status())
                    look_at = now() + _STATUS_SECONDS
                    if current != shown:
                        shown = current
                        out.append(frame("status", current))
                if not out:
                    out = await subscription.take(max(0.0, look_at - now()))
                if not out and now() - silent_since >= _HEARTBEAT_SECONDS:
                    out = [b": still listening\n\n"]
                if out:
                    silent_since = now()
                    yield b"".join(out)
    finally:
        metrics.console_streams.dec()


def _add_operations(app: FastAPI, metrics: Metrics, status: Callable[[], Status]) -> None:
    def state() -> Response:
        return answer(status())

    def healthz() -> Response:
        blocked = status().store_blocked
        return answer(Health(status="blocked" if blocked else "ok"), 503 if blocked else 200)

    def exposition() -> Response:
        return Response(generate_latest(metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    def openapi() -> Response:
        return answer(app.openapi())

    described: dict[str, Any] = {}

    def describe() -> dict[str, Any]:
        if not described:
            described.update(document(app))
        return described

    app.openapi = describe  # type: ignore[method-assign]
    health = {
        200: json_answer(one(Health), "Writing."),
        503: json_answer(one(Health), "The store is blocked."),
    }
    text = {
        200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    anything = {200: json_answer({"type": "object"}, "This document.")}
    _get(app, "/api/status", state, "How the pipeline is doing", {200: json_answer(one(Status), "Now.")})
    _get(app, "/api/openapi.json", openapi, "This document", anything)
    _get(app, "/healthz", healthz, "Whether records can be written", health)
    _get(app, "/metrics", exposition, "Counters, for Prometheus", text)


def _add_page(app: FastAPI) -> None:
    def page() -> Response:
        return FileResponse(_STATIC / "index.html")

    for method in ("GET", "HEAD"):
        app.add_api_route("/", page, methods=[method], include_in_schema=False, response_class=Response)
    app.mount("/static", StaticFiles(directory=_STATIC))
