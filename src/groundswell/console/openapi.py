"""The API's OpenAPI document: routes from FastAPI, answers from the structs that are really sent.

The published records are `msgspec` structs, which FastAPI does not read, so `msgspec` writes their JSON
schemas from the very types that encode the answers, and they go among the document's components.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from groundswell.console.answers import Health, ListedEvent, Problem
from groundswell.console.status import Status
from groundswell.published import Amplification, Bin, Coverage, Narrative, Picture

__all__ = ["array_of", "document", "json_answer", "one", "problem_answers"]

_ANSWERED = (ListedEvent, Narrative, Amplification, Coverage, Picture, Bin, Status, Health, Problem)
_COMPONENT = "#/components/schemas/{name}"
_PROBLEMS = {
    404: "No such record.",
    405: "The console only reads.",
    421: "The host name is not this machine's loopback.",
    422: "A parameter cannot be used.",
    503: "Published records cannot be read now.",
}


def one(type_: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one `type_`."""
    return {"$ref": _COMPONENT.format(name=type_.__name__)}


def array_of(type_: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of a JSON array of `type_`."""
    return {"type": "array", "items": one(type_)}


def json_answer(schema: dict[str, Any], description: str) -> dict[str, Any]:
    """An OpenAPI response object with a JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def problem_answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The response objects of the refusals with these status codes."""
    return {code: json_answer(one(Problem), _PROBLEMS[code]) for code in codes}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole OpenAPI 3.1 document of `app`."""
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
    )
    _, components = msgspec.json.schema_components(_ANSWERED, ref_template=_COMPONENT)
    schema["components"] = {"schemas": components}
    return schema
