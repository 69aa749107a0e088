"""From a client's request to the call that goes out."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError, InvalidRequest, NotFound, NotOffered
from shunt.inference.inbound import Operation
from shunt.protocols import protocol_named
from shunt.providers import PROVIDERS, provider_named
from shunt.providers.base import UpstreamCall
from shunt.providers.build import build_call, is_field, split_url
from shunt.wire.headers import Headers
from tests.providers.requests import KEY, LOGIN, account, inbound, lookup

ANTHROPIC = provider_named("anthropic")

CLAUDE_CODE: Headers = (
    (b"Accept", b"application/json"),
    (b"Authorization", b"Bearer client-secret-1"),
    (b"Content-Type", b"application/json"),
    (b"User-Agent", b"claude-cli/2.1.329 (external, sdk-cli)"),
    (b"X-Claude-Code-Session-Id", b"sess-1"),
    (b"X-Stainless-Retry-Count", b"0"),
    (b"anthropic-beta", b"one-2026-01-01,two-2026-01-01"),
    (b"anthropic-dangerous-direct-browser-access", b"true"),
    (b"anthropic-version", b"2023-06-01"),
    (b"x-app", b"cli"),
    (b"Connection", b"keep-alive"),
    (b"Host", b"127.0.0.1:8082"),
    (b"Accept-Encoding", b"gzip, deflate, br, zstd"),
    (b"Content-Length", b"48064"),
)


def build(url: str = "https://api.anthropic.com", **changes: Any) -> UpstreamCall:
    return build_call(account(base_url=url), ANTHROPIC, KEY, inbound(**changes))


def test_the_body_is_not_touched() -> None:
    """Not a byte, and it is the very object."""
    asked = inbound(body=b'{ "model" : "x",\n"a":1.0 }')
    assert build_call(account(), ANTHROPIC, KEY, asked).body is asked.body


def test_headers_keep_their_order_and_spelling() -> None:
    """What Claude Code says about its request arrives as it was said; only auth and framing change."""
    call = build(headers=CLAUDE_CODE)
    assert call.headers == (
        (b"Accept", b"application/json"),
        (b"Content-Type", b"application/json"),
        (b"User-Agent", b"claude-cli/2.1.329 (external, sdk-cli)"),
        (b"X-Claude-Code-Session-Id", b"sess-1"),
        (b"X-Stainless-Retry-Count", b"0"),
        (b"anthropic-beta", b"one-2026-01-01,two-2026-01-01"),
        (b"anthropic-dangerous-direct-browser-access", b"true"),
        (b"anthropic-version", b"2023-06-01"),
        (b"x-app", b"cli"),
        (b"Accept-Encoding", b"identity"),
        (b"x-api-key", b"sk-test-key"),
    )


@pytest.mark.parametrize(
    "name",
    [
        "authorization", "X-Api-Key", "api-key", "x-goog-api-key", "Proxy-Authorization", "Cookie",
        "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Connection",
        "Host", "Content-Length", "Expect",
        "Origin", "Referer", "Sec-Fetch-Site", "Sec-CH-UA", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
        "X-Real-IP", "Via", "Remote-Addr", "CF-Connecting-IP", "CDN-Loop", "True-Client-IP",
        "x-shunt-account", "X-Shunt-Wait", "x-private",
    ],
)  # fmt: skip
def test_what_stays_behind(name: str) -> None:
    """Credentials of the client, its way here, its address, this hop's framing, words meant for shunt."""
    headers = ((b"Connection", b"x-private"), (name.encode(), b"client-secret"), (b"X-Kept", b"1"))
    call = build(headers=headers)
    assert all(value != b"client-secret" for _, value in call.headers)
    assert lookup(call.headers, b"x-kept") == [b"1"]


@pytest.mark.parametrize(
    ("operation", "path", "method", "expected"),
    [
        (Operation.GENERATE, "/v1/messages", "POST", [b"identity"]),
        (Operation.COUNT_TOKENS, "/v1/messages/count_tokens", "POST", [b"identity"]),
        (Operation.PASS, "/v1/models", "GET", [b"br"]),
        (Operation.BATCHES, "/v1/messages/batches", "POST", [b"br"]),
    ],
)
def test_answers_that_are_read_come_uncompressed(
    operation: Operation, path: str, method: str, expected: list[bytes]
) -> None:
    """Others come as the client asked."""
    call = build(operation=operation, path=path, method=method, headers=((b"accept-encoding", b"br"),))
    assert lookup(call.headers, b"accept-encoding") == expected


def test_identity_is_asked_for_even_when_the_client_says_nothing() -> None:
    """Silence means any coding."""
    assert lookup(build(headers=()).headers, b"accept-encoding") == [b"identity"]


def test_an_accounts_own_headers_replace_the_clients() -> None:
    """In any spelling; they cannot bring a second credential."""
    own = account(headers=((b"User-Agent", b"mine"), (b"X-Org", b"o"), (b"Authorization", b"Bearer other")))
    call = build_call(own, ANTHROPIC, KEY, inbound(headers=((b"user-agent", b"client"), (b"a", b"1"))))
    assert lookup(call.headers, b"user-agent") == [b"mine"]
    assert lookup(call.headers, b"x-org") == [b"o"]
    assert lookup(call.headers, b"authorization") == []
    assert lookup(call.headers, b"x-api-key") == [b"sk-test-key"]


@pytest.mark.parametrize(
    ("base", "path", "query", "origin", "target"),
    [
        ("https://api.anthropic.com", "/v1/messages", b"", "https://api.anthropic.com", b"/v1/messages"),
        (
            "http://127.0.0.1:9999/",
            "/v1/messages",
            b"beta=true&x=a%2Fb",
            "http://127.0.0.1:9999",
            b"/v1/messages?beta=true&x=a%2Fb",
        ),
        ("http://127.0.0.1:9999/v1", "/v1/messages", b"", "http://127.0.0.1:9999", b"/v1/messages"),
        ("http://[::1]:9999/v1/", "/v1/models/claude-x", b"", "http://[::1]:9999", b"/v1/models/claude-x"),
        (
            "https://api.z.ai/api/anthropic",
            "/v1/messages",
            b"",
            "https://api.z.ai",
            b"/api/anthropic/v1/messages",
        ),
        ("https://gw.example/team/v1", "/v1/messages", b"", "https://gw.example", b"/team/v1/messages"),
    ],
)
def test_where_a_call_goes(base: str, path: str, query: bytes, origin: str, target: bytes) -> None:
    """A base path is kept, `/v1` is neither doubled nor lost, the query is the client's bytes."""
    method = "GET" if "models" in path else "POST"
    call = build(base, path=path, query=query, method=method)
    assert (call.origin, call.target) == (origin, target)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/../messages",
        "/v1/models/..",
        "/v1/models/./x",
        "/v1/models//x",
        "/v1/models/%2e%2e/messages",
        "/v1/models/a%2Fb",
        "/v1/models/a%5cb",
        "/v1/models/a\\b",
        "/v1/models/a%00",
        "/v1/models/a%0d%0aX",
        "/v1/models/a b",
        "/v1/models/a\nb",
        "/v1/models/a#b",
        "/v1/models/é",
    ],
)
def test_a_path_with_two_meanings_is_refused(path: str) -> None:
    """What servers normalise in different ways never leaves this machine."""
    with pytest.raises(InvalidRequest, match="path"):
        build(path=path, method="GET", operation=Operation.PASS)


@pytest.mark.parametrize("path", ["/v1/models/claude-3.5..x", "/v1/models/a:b@c", "/v1/models/a%20b"])
def test_an_odd_but_clear_path_passes(path: str) -> None:
    """Only what is ambiguous is refused."""
    assert build(path=path, method="GET", operation=Operation.PASS).target == path.encode()


@pytest.mark.parametrize("query", [b"a=1 b", b"a\r\nX: 1", b"a=\xff", b"a#b", b"a\x00"])
def test_a_query_that_is_none_is_refused(query: bytes) -> None:
    """No byte of it can end the request line."""
    with pytest.raises(InvalidRequest, match="query"):
        build(query=query)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"x-a", b"b\r\nx-api-key: c"),
        (b"x-a", b"b\nc"),
        (b"x-a", b"b\x00"),
        (b"x-a\r\nb", b"c"),
        (b"x a", b"c"),
        (b"", b"c"),
    ],
)
def test_a_header_that_could_become_two_is_refused(name: bytes, value: bytes) -> None:
    """The message names the header, not its value."""
    with pytest.raises(InvalidRequest, match="The header") as caught:
        build(headers=((name, value),))
    assert "x-api-key: c" not in str(caught.value)


@given(st.binary(max_size=10), st.binary(max_size=20))
def test_a_field_never_holds_a_line_end(name: bytes, value: bytes) -> None:
    """Whatever is accepted is one line of a head, and parses back into this name and value."""
    if is_field(name, value):
        line = name + b": " + value
        assert line.splitlines() == [line]
        assert line.split(b":", 1)[0] == name


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/event_logging/v2/batch"),
        ("GET", "/api/oauth/profile"),
        ("GET", "/v1/messages"),
        ("POST", "/v1/messages/count_tokens/x"),
        ("DELETE", "/v1/models/x"),
        ("GET", "/v1/organizations"),
        ("GET", "/"),
    ],
)
def test_what_is_not_on_the_list_is_never_sent(method: str, path: str) -> None:
    """The allow-list is checked where the call is built, whoever asked for it."""
    with pytest.raises(NotFound, match=method):
        build(method=method, path=path, operation=Operation.PASS)


def test_batches_are_for_api_keys() -> None:
    """A login has none; the error names the account."""
    asked = inbound(operation=Operation.BATCHES, path="/v1/messages/batches/b_1/results", method="GET")
    assert build_call(account(), ANTHROPIC, KEY, asked).target == b"/v1/messages/batches/b_1/results"
    with pytest.raises(NotOffered, match="main is a login"):
        build_call(account(subscription=True), ANTHROPIC, LOGIN, asked)


def test_a_login_is_a_bearer_with_its_beta() -> None:
    """The client's betas keep their order, on one line."""
    headers = ((b"anthropic-beta", b"one"), (b"x-api-key", b"client"), (b"Anthropic-Beta", b"two"))
    call = build_call(account(subscription=True), ANTHROPIC, LOGIN, inbound(headers=headers))
    assert lookup(call.headers, b"authorization") == [b"Bearer sk-test-access"]
    assert lookup(call.headers, b"x-api-key") == []
    assert lookup(call.headers, b"anthropic-beta") == [b"one,two,oauth-2025-04-20"]


def test_a_credential_that_cannot_be_written_is_no_header() -> None:
    """The error does not show it."""
    broken = ApiKey(Secret("sk-test-key\r\nx-evil: 1"))
    with pytest.raises(CredentialError) as caught:
        build_call(account(), ANTHROPIC, broken, inbound())
    assert "sk-test" not in str(caught.value)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize("headers", [(), CLAUDE_CODE])
def test_exactly_one_credential_leaves(provider: Any, headers: Headers) -> None:
    """For every provider and client, and it is the account's."""
    path = protocol_named(provider.protocol).path
    asked = inbound(headers=headers, path=path, protocol=provider.protocol)
    call = build_call(account(provider=provider.name), provider, KEY, asked)
    found = lookup(call.headers, b"authorization") + lookup(call.headers, b"x-api-key")
    assert len(found) == 1
    assert b"sk-test-key" in found[0]
    assert "sk-test-key" not in repr(call)


def test_the_proxy_of_the_account_is_used_and_hidden() -> None:
    """Proxy addresses may hold a password."""
    call = build_call(account(proxy="http://u:sk-test-proxy@127.0.0.1:1"), ANTHROPIC, KEY, inbound())
    assert call.proxy == "http://u:sk-test-proxy@127.0.0.1:1"
    assert "sk-test-proxy" not in repr(call)


def test_the_clients_host_does_not_choose_the_origin() -> None:
    """Absolute or odd request targets change nothing about where a credential goes."""
    asked = evolve(inbound(), headers=((b"Host", b"evil.example"),), query=b"u=http://evil.example/")
    call = build_call(account(), ANTHROPIC, KEY, asked)
    assert call.origin == "https://api.anthropic.com"
    for path in (
        "//evil.example/v1/messages",
        "http://evil.example/v1/messages",
        "@evil.example/v1/messages",
    ):
        with pytest.raises(NotFound):
            build_call(account(), ANTHROPIC, KEY, inbound(path=path))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", ("https://a.example", "")),
        ("https://a.example/", ("https://a.example", "")),
        ("http://127.0.0.1:8000/x/y/", ("http://127.0.0.1:8000", "/x/y")),
    ],
)
def test_urls_are_split(url: str, expected: tuple[str, str]) -> None:
    """Into origin and base path."""
    assert split_url(url) == expected
