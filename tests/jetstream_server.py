"""A small real Jetstream server on loopback, versions 1 and 2, that can be made to misbehave.

For tests: `with JetstreamServer(messages) as server: …`. By hand, or for another process to connect to:
`python -m tests.jetstream_server FILE --port 6008 --rate 50`.

It keeps the cursor semantics of the real one: a time cursor replays, in the order of the log, from the first
message at or after it; a time before `oldest_us` is moved up to it, in silence (version 1) or with an
`#info OutdatedCursor` frame (version 2); no cursor, or one in the future, means from now on.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

V1_PATH = "/subscribe"
V2_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"
DICTIONARY_PATH = "/xrpc/network.bsky.jetstream.getZstdDictionary"
_LEXICON = "network.bsky.jetstream.subscribeEvents"


def to_version2(message: bytes, seq: int) -> bytes:
    """A version 1 message as the version 2 frame of the same event; anything else as it is."""
    try:
        event = json.loads(message)
        moment = datetime.fromtimestamp(event["time_us"] / 1e6, UTC)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{event['time_us'] % 1_000_000:06d}Z"
        payload: dict[str, Any] = {"$type": f"{_LEXICON}#{event['kind']}", "seq": seq, "did": event["did"]}
        payload |= {"time": stamp, "witnessedAt": stamp}
        payload |= event["commit"] if event["kind"] == "commit" else {event["kind"]: event[event["kind"]]}
    except (ValueError, KeyError, TypeError):
        return message
    return _frame({"$type": "message", "payload": payload})


def _frame(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def moved_to(messages: Sequence[bytes], start_us: int) -> list[bytes]:
    """Version 1 messages with their times moved so that the first is at `start_us`; broken ones as they are.

    A public server's client asks from a little before now on, and gets nothing of an old recording.
    """
    shift_us = start_us - next(filter(None, (_time_of(message, 0) for message in messages)), start_us)
    moved = []
    for message in messages:
        time_us = _time_of(message, 0)
        moved.append(message.replace(b'"time_us":%d' % time_us, b'"time_us":%d' % (time_us + shift_us)))
    return moved


class JetstreamServer:
    """Serves a log of version 1 messages to any number of clients, each from its own cursor.

    Parameters
    ----------
    messages
        Version 1 messages, in the order of the log. Broken ones are sent as they are.
    version
        1 or 2.
    rate
        Messages a second that become visible, from the start of the server; None: all of them at once.
    oldest_us
        Start of what is kept.
    dictionary
        Compress for clients that ask for it.
    port
        0 picks a free one.
    """

    def __init__(
        self,
        messages: Iterable[bytes],
        version: int = 1,
        *,
        rate: float | None = None,
        oldest_us: int = 0,
        dictionary: bytes | None = None,
        port: int = 0,
    ) -> None:
        self.version = version
        self.oldest_us = oldest_us
        self.queries: list[dict[str, list[str]]] = []
        """The query of each connection or refused request, in order."""
        self.sent = 0
        self.client_frames = 0
        self._rate = rate
        self._began = time.monotonic()
        self._log: list[bytes] = []
        self._times: list[int] = []
        self._changed = threading.Condition()
        self._lost = 0
        self._closing = False
        self._connections: set[ServerConnection] = set()
        self._cuts: deque[int] = deque()
        self._refusals: deque[tuple[int, str]] = deque()
        self._mutes: deque[int] = deque()
        self._farewells: deque[tuple[int, str]] = deque()
        self._dictionary = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._dictionary_bytes = dictionary or b""
        self.append(messages)
        self._server: Server = serve(
            self._handle,
            "127.0.0.1",
            port,
            process_request=self._before_upgrade,
            select_subprotocol=_negotiated,
            compression=None,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{V2_PATH if self.version == 2 else V1_PATH}"

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.cut()
        self._server.shutdown()
        self._thread.join()

    def __enter__(self) -> JetstreamServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def append(self, messages: Iterable[bytes]) -> None:
        """Add messages to the end of the log; connected clients get them."""
        with self._changed:
            for message in messages:
                self._log.append(message)
                self._times.append(_time_of(message, self._times[-1] if self._times else 0))
            self._changed.notify_all()

    def forget_before(self, time_us: int) -> None:
        """Lose the messages before `time_us` without knowing it: no client is told."""
        with self._changed:
            self._lost = bisect_left(list(accumulate(self._times, max)), time_us)

    # Misbehaviour. Each plan is used up by the connections to come, one entry each.

    def cut(self) -> None:
        """Break all connections now, without a goodbye."""
        for connection in list(self._connections):
            _reset(connection)

    def cut_after(self, counts: Iterable[int]) -> None:
        """Break the next connections, each in the middle of the frame after so many whole ones."""
        self._cuts.extend(counts)

    def refuse(self, status: int, times: int = 1, error: str = "InvalidRequest") -> None:
        """Answer the next requests with an HTTP status."""
        self._refusals.extend([(status, error)] * times)

    def mute_after(self, counts: Iterable[int]) -> None:
        """Fall silent on the next connections, each after so many frames, as a half-open socket does."""
        self._mutes.extend(counts)

    def part_after(self, count: int, error: str) -> None:
        """End the next connection with an error frame (version 2) after so many frames."""
        self._farewells.append((count, error))

    # The protocol.

    def _before_upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        if parts.path == DICTIONARY_PATH and self._dictionary is not None:
            headers = Headers({"Content-Length": str(len(self._dictionary_bytes)), "Connection": "close"})
            return Response(200, "OK", headers, self._dictionary_bytes)
        self.queries.append(query)
        if self._refusals:
            status, error = self._refusals.popleft()
            return _refusal(status, error)
        if parts.path != (V2_PATH if self.version == 2 else V1_PATH):
            return _refusal(404, "MethodNotImplemented")
        if self.version == 2 and ("wantedCollections" in query or "wantedDids" in query):
            return _refusal(400, "InvalidRequest")
        if query.get("compress") == ["true"] and "Sec-WebSocket-Extensions" in request.headers:
            return _refusal(400, "InvalidRequest")  # version 1 does not compress twice
        asked = query.get("zstdDictionary", [""])[0]
        if asked and (self._dictionary is None or asked != str(self._dictionary.dict_id())):
            return _refusal(400, "UnknownZstdDictionary")
        return None

    def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        self._connections.add(connection)
        threading.Thread(target=self._listen, args=(connection,), daemon=True).start()
        try:
            self._serve(connection, query)
        except (ConnectionClosed, OSError):
            pass
        finally:
            self._connections.discard(connection)

    def _serve(self, connection: ServerConnection, query: dict[str, list[str]]) -> None:
        cut = self._cuts.popleft() if self._cuts else None
        mute = self._mutes.popleft() if self._mutes else None
        farewell = self._farewells.popleft() if self._farewells else None
        position, clamped = self._seek(query.get("cursor", [""])[0])
        pack = self._packing(query)
        if clamped and self.version == 2:
            connection.send(pack(_frame(_info("OutdatedCursor"))), text=pack is _unpacked)
        count = 0
        while (message := self._wait_for(position)) is not None:
            if farewell is not None and count == farewell[0]:
                connection.send(_frame({"$type": "error", "error": farewell[1]}), text=True)
                return
            if mute is not None and count >= mute:
                self._wait_for_end(connection)
                return
            if cut is not None and count >= cut:
                _torn_frame(connection, message)
                return
            frame = to_version2(message, position + 1) if self.version == 2 else message
            connection.send(pack(frame), text=pack is _unpacked and _is_text(frame))
            self.sent += 1
            position += 1
            count += 1

    def _seek(self, cursor: str) -> tuple[int, bool]:
        """Where in the log a cursor begins, and whether it was moved up to the oldest message kept."""
        with self._changed:
            visible = self._visible()
            newest = list(accumulate(self._times[:visible], max))
            if not cursor:
                return visible, False
            time_us = int(cursor)
            position = bisect_left(newest, max(time_us, self.oldest_us))
            return max(position, self._lost), time_us < self.oldest_us

    def _visible(self) -> int:
        if self._rate is None:
            return len(self._log)
        return min(len(self._log), int((time.monotonic() - self._began) * self._rate))

    def _wait_for(self, position: int) -> bytes | None:
        """The message at `position` once it is visible; None when the server closes."""
        with self._changed:
            while not self._closing:
                if position < self._visible():
                    return self._log[position]
                self._changed.wait(0.02 if self._rate is not None else 1)
        return None

    def _wait_for_end(self, connection: ServerConnection) -> None:
        with self._changed:
            while not self._closing and connection in self._connections and connection.close_code is None:
                self._changed.wait(0.05)

    def _listen(self, connection: ServerConnection) -> None:
        """Count what clients send: version 2 closes the connection on it."""
        try:
            for _ in connection:
                self.client_frames += 1
                if self.version == 2:
                    connection.close(1008)
        except ConnectionClosed:
            pass

    def _packing(self, query: dict[str, list[str]]) -> Any:
        if self._dictionary is not None and ("zstdDictionary" in query or query.get("compress") == ["true"]):
            return zstandard.ZstdCompressor(dict_data=self._dictionary).compress
        return _unpacked


def _unpacked(frame: bytes) -> bytes:
    return frame


def _is_text(frame: bytes) -> bool:
    try:
        frame.decode()
    except UnicodeDecodeError:
        return False
    return True


def _info(name: str) -> dict[str, Any]:
    return {"$type": "message", "payload": {"$type": f"{_LEXICON}#info", "name": name}}


def _time_of(message: bytes, before: int) -> int:
    try:
        return int(json.loads(message)["time_us"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return before


def _negotiated(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return offered[0] if offered else None


def _refusal(status: int, error: str) -> Response:
    body = json.dumps({"error": error, "message": "no"}).encode()
    headers = Headers(
        {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    )
    return Response(status, "Refused", headers, body)


def _torn_frame(connection: ServerConnection, message: bytes) -> None:
    """Send the first half of a frame, then break the connection."""
    header = struct.pack("!BBH", 0x81, 126, 1000)
    connection.socket.sendall(header + message[: min(len(message), 999) // 2])
    _reset(connection)


def _reset(connection: ServerConnection) -> None:
    try:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close_socket()
    except OSError:
        pass


def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve recorded Jetstream messages on loopback.")
    parser.add_argument("file", type=Path, help="version 1 messages, one a line; .zst and .gz too")
    parser.add_argument("--port", type=int, default=6008)
    parser.add_argument("--rate", type=float, default=None, help="messages a second; all at once if left out")
    parser.add_argument("--now", action="store_true", help="move the messages' times to begin now")
    parser.add_argument("--version", type=int, choices=(1, 2), default=2)
    arguments = parser.parse_args()
    lines = [line for line in _content(arguments.file).splitlines() if line.strip()]
    if arguments.now:
        lines = moved_to(lines, time.time_ns() // 1000)
    with JetstreamServer(lines, arguments.version, rate=arguments.rate, port=arguments.port) as server:
        print(server.url, flush=True)
        threading.Event().wait()


def _content(path: Path) -> bytes:
    from groundswell.sources.lines import decompressed

    with path.open("rb") as file:
        return b"".join(decompressed(file, str(path)))


if __name__ == "__main__":
    _main()
