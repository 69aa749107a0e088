"""What a server's reader makes of bytes: for comparing one with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h11

Told = list[tuple[Any, ...]]


def read(connection: Any, chunks: Sequence[bytes], answer: Sequence[tuple[bytes, bytes]]) -> Told:
    """Everything a connection makes of these bytes; each whole request is answered with two pieces."""
    told: Told = []
    body = method = b""
    for chunk in chunks:
        connection.receive_data(chunk)
        while True:
            if connection.they_are_waiting_for_100_continue:
                told.append(("100",))
                connection.send(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                return [*told, ("error", error.error_status_hint, body)]
            if isinstance(event, h11.Request):
                fields = [(name, bytes(value)) for name, value in event.headers.raw_items()]
                assert [name for name, _ in event.headers] == [name.lower() for name, _ in fields]
                method = bytes(event.method)
                told.append((method, bytes(event.target), bytes(event.http_version), fields))
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                told.append(("body", body))
                body = b""
                told.append(("answer", written(connection, method, answer)))
                try:
                    connection.start_next_cycle()
                except h11.LocalProtocolError:
                    return [*told, ("closes", connection.our_state, connection.their_state)]
            else:
                break
    return [*told, ("waits", body, connection.their_state is h11.IDLE, connection.trailing_data[0])]


def written(connection: Any, method: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """An answer, whose body is left out where the request was HEAD."""
    body = [] if method == b"HEAD" else [h11.Data(data=b"ab")]
    events = (h11.Response(status_code=200, headers=list(headers)), *body, h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)
