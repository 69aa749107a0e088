"""A control API on a real loopback port whose answers a test writes down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from attrs import define, field

from shunt.wire.headers import REQUEST_ID

HEALTH = {"status": "ok", "version": "0.1.0"}


@define
class ScriptedControl:
    """Answers by `METHOD path`; everything else is 404 as shunt says it."""

    port: int
    answers: dict[str, tuple[int, Any]] = field(factory=dict)
    """Status and body: bytes go out as they are, all else as JSON."""
    calls: list[tuple[str, Any]] = field(factory=list)
    """`METHOD path` and the JSON body, in order."""
    keys: list[str] = field(factory=list)
    """`x-api-key` of each call."""
    signs: bool = True
    """Whether its answers carry the header that every answer of shunt has."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def scripted_control(answers: Mapping[str, tuple[int, Any]] | None = None) -> Iterator[ScriptedControl]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Be quiet."""

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            call = f"{self.command} {self.path}"
            control.calls.append((call, json.loads(raw) if raw else None))
            control.keys.append(self.headers.get("x-api-key", ""))
            status, body = control.answers.get(call, (404, {"error": {"message": "no such route"}}))
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            if control.signs:
                self.send_header(REQUEST_ID.decode(), "req_test")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    control = ScriptedControl(server.server_address[1], {"GET /health": (200, HEALTH), **(answers or {})})
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield control
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
