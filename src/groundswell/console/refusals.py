"""Turns every way in which a request can fail into one JSON answer: where, what, and how to mend it."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from groundswell.console.answers import Problem, answer
from groundswell.console.loopback import SECURITY_HEADERS
from groundswell.console.queries import CrowdQuery, ListQuery, explain
from groundswell.errors import GroundswellError, UsageError

__all__ = ["add_refusals"]


def add_refusals(app: FastAPI) -> None:
    """Install the handlers: 422 for a bad question, 404 for nothing there, 503 for a blocked store."""
    app.add_exception_handler(RequestValidationError, _bad_query)
    app.add_exception_handler(GroundswellError, _refused)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(Exception, _broken)


def _bad_query(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    asked = ListQuery if request.url.path == "/api/coverage" else CrowdQuery
    return answer(explain(error.errors()[0], asked), 422)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, GroundswellError)
    problem = Problem(where=error.where, what=error.what, mend=error.mend)
    return answer(problem, 422 if isinstance(error, UsageError) else 503)


def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    mend = "`/api/openapi.json` lists what is served"
    return answer(Problem(where=_path(request), what="nothing is here", mend=mend), error.status_code)


def _broken(request: Request, _: Exception) -> Response:
    refusal = answer(Problem(where=_path(request), what="the console failed here", mend="see its log"), 500)
    refusal.headers.update(SECURITY_HEADERS)  # this answer is made outside the `LoopbackOnly` layer
    return refusal


def _path(request: Request) -> str:
    return request.url.path[:80]
