"""Keeps the console on this machine: who may speak to it, how, and what its pages may do.

An ASGI layer around the whole application. It answers only to the machine's own names, so that a web page
elsewhere cannot reach the console by pointing its own host name at 127.0.0.1 (DNS rebinding); it knows only
GET and HEAD; and every answer tells the browser to load nothing from anywhere else. There is no CORS: another
origin's script may not read an answer.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundswell.console.answers import Problem, answer

__all__ = ["SECURITY_HEADERS", "LoopbackOnly"]

SECURITY_HEADERS = {
    # Trusted types make the browser itself refuse `innerHTML` and its kin: phrases are hostile input.
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

_OWN_NAMES = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


class LoopbackOnly:
    """Refuses strangers and writes, and adds `SECURITY_HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-cache")
            await send(message)

        refusal = _refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)


def _refusal(scope: Scope) -> ASGIApp | None:
    hosts = Headers(scope=scope).getlist("host")
    if len(hosts) != 1 or not _OWN_NAMES.fullmatch(hosts[0]):
        return answer(
            Problem(
                where="Host header",
                what="not a name of this machine's loopback",
                mend="open the console as `127.0.0.1`, `localhost` or `[::1]`",
            ),
            status_code=421,
        )
    if scope["method"] not in ("GET", "HEAD"):
        refusal = answer(
            Problem(where=scope["method"], what="the console only reads", mend="use GET or HEAD"),
            status_code=405,
        )
        refusal.headers["allow"] = "GET, HEAD"
        return refusal
    return None
