"""The table of routes: what is where, and in whose protocol errors are told."""

from __future__ import annotations

import pytest

from shunt.inference.inbound import Operation
from shunt.server.errors import CONTROL
from shunt.server.routes import CHAT, MESSAGES, RESPONSES, ROUTES, Surface, find, protocol_of, vendor_path

ANTHROPIC = ((b"Anthropic-Version", b"2023-06-01"),)


@pytest.mark.parametrize(
    ("path", "operation", "vendor"),
    [
        ("/v1/messages", Operation.GENERATE, "/v1/messages"),
        ("/messages", Operation.GENERATE, "/v1/messages"),
        ("/messages/count_tokens", Operation.COUNT_TOKENS, "/v1/messages/count_tokens"),
        ("/v1/messages/batches", Operation.BATCHES, "/v1/messages/batches"),
        ("/v1/messages/batches/b1/results", Operation.BATCHES, "/v1/messages/batches/b1/results"),
        ("/chat/completions", Operation.GENERATE, "/v1/chat/completions"),
        ("/v1/responses", Operation.GENERATE, "/v1/responses"),
        ("/responses/compact", Operation.COMPACT, "/v1/responses/compact"),
        ("/models/org/model", Operation.PASS, "/v1/models/org/model"),
    ],
)
def test_proxy_routes_and_their_aliases(path: str, operation: Operation, vendor: str) -> None:
    """Each route is there with and without /v1, and the vendor's own path is known."""
    route = find(path).route
    assert route is not None
    assert (route.operation, route.surface) == (operation, Surface.PROXY)
    assert vendor_path(path) == vendor


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/use", ("POST",)),
        ("/strategy", ("GET", "PUT", "DELETE", "HEAD")),
        ("/status", ("GET", "HEAD")),
        ("/accounts/my%20name/pause", ("POST",)),
        ("/accounts/reload", ("POST",)),
        ("/v1/models", ("GET", "HEAD")),
    ],
)
def test_methods_of_a_path(path: str, allowed: tuple[str, ...]) -> None:
    """A path knows its methods; HEAD comes with GET."""
    assert find(path).allowed == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/nope", "/v1", "/v1/", "/v1/messages/", "/v1/messages;x", "/V1/messages", "/v1/messages/other", "/v1/models/",
        "/accounts/a/b/pause", "/accounts//pause", "/status/", "/v1/use", "/messages/batches", "/healthz",
    ],
)  # fmt: skip
def test_nothing_else_is_there(path: str) -> None:
    """Paths are matched whole, in their own case, with no slash added or taken away."""
    assert find(path).route is None
    assert vendor_path(path) == path


@pytest.mark.parametrize(
    ("path", "headers", "protocol"),
    [
        ("/v1/messages", (), MESSAGES),
        ("/v1/messages/anything", (), MESSAGES),
        ("/messages", (), MESSAGES),
        ("/chat/completions", ANTHROPIC, CHAT),
        ("/v1/responses/r_1", (), RESPONSES),
        ("/v1/models", (), CHAT),
        ("/models/x", (), CHAT),
        ("/v1/models", ANTHROPIC, MESSAGES),
        ("/v1/embeddings", (), CHAT),
        ("/v1/files", ANTHROPIC, MESSAGES),
        ("/v1/messagesx", (), CHAT),
        ("/status", (), CONTROL),
        ("/nope", (), CONTROL),
        ("/", (), CONTROL),
    ],
)
def test_the_caller_s_protocol_is_told_by_where_it_knocks(
    path: str, headers: tuple[tuple[bytes, bytes], ...], protocol: str
) -> None:
    """Also for paths where nothing is: the error has to be readable to the caller."""
    assert protocol_of(path, headers) == protocol


def test_only_health_and_the_page_itself_are_open() -> None:
    """Every other route asks who is there: what the page shows, it fetches from those."""
    opened = [route.rule for route in ROUTES if route.surface is Surface.OPEN]
    assert opened == ["/health", "/", "/dashboard", "/dashboard/session", "/dashboard/<name>"]
