"""Host, Origin and fetch metadata: pages in the user's browser stay outside."""

from __future__ import annotations

import pytest

from shunt.server.errors import TurnedAway
from shunt.server.origin import Authority, check_host, check_origin, is_local, read_host
from shunt.wire.headers import Headers

OURS = ("127.0.0.1", 8082)
LAN = ("192.168.1.5", 8082)


def host(value: bytes) -> Headers:
    return ((b"Host", value),)


@pytest.mark.parametrize(
    ("value", "name", "port"),
    [
        (b"127.0.0.1:8082", "127.0.0.1", 8082),
        (b"LocalHost", "localhost", None),
        (b"[::1]:8082", "::1", 8082),
        (b"my_box.lan:80", "my_box.lan", 80),
    ],
)
def test_a_proper_host_is_taken_apart(value: bytes, name: str, port: int | None) -> None:
    """Name in lower case, address without brackets, port as a number."""
    assert read_host(host(value)) == Authority(name, port)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (*host(b"127.0.0.1"), *host(b"127.0.0.1")),
        host(b""),
        host(b"[::1"),
        host(b"::1"),
        host(b"a/b?c="),
        host(b"user@127.0.0.1"),
        host(b"127.0.0.1:"),
        host(b"127.0.0.1:80a"),
        host(b"127.0.0.1:123456"),
        host("bücher.example".encode()),
        host(b"a" * 10_000 + b"!"),
        host(b"a" * 10_000),
        host(b"127.0.0.1 "),
    ],
)
def test_an_improper_host_is_refused(headers: Headers) -> None:
    """None, two, or one that breaks the grammar: 400, before anything is decided by it."""
    with pytest.raises(TurnedAway) as refused:
        read_host(headers)
    assert refused.value.failure.http_status == 400


@pytest.mark.parametrize(
    ("value", "local"),
    [
        (b"127.0.0.1:8082", OURS),
        (b"127.0.0.1", OURS),
        (b"localhost:8082", OURS),
        (b"LOCALHOST:8082", OURS),
        (b"[::1]:8082", ("::1", 8082)),
        (b"[::1]:8082", OURS),
        (b"192.168.1.5:8082", LAN),
        (b"192.168.1.5", LAN),
        (b"box.lan:8082", LAN),
        (b"box.lan:443", LAN),
        (b"box.lan", OURS),
    ],
)
def test_our_own_names_are_accepted(value: bytes, local: tuple[str, int]) -> None:
    """Loopback names and our own address, with our port or without; configured names with any port."""
    check_host(read_host(host(value)), local, {"box.lan"})


@pytest.mark.parametrize(
    "value",
    [
        b"evil.example",
        b"evil.example:8082",
        b"127.0.0.1.evil.example",
        b"127.0.0.1.evil.example:8082",
        b"localhost.evil.example:8082",
        b"localhost.:8082",
        b"127.0.0.1:9999",
        b"localhost:80",
        b"0.0.0.0:8082",
        b"127.1:8082",
        b"2130706433:8082",
        b"0x7f000001:8082",
        b"10.0.0.1:8082",
        b"[::]:8082",
        b"xbox.lan:8082",
        b"box.lan.evil.example",
    ],
)
def test_other_names_are_misdirected(value: bytes) -> None:
    """A page whose own name was bound to our address (DNS rebinding) gets a 421."""
    with pytest.raises(TurnedAway) as refused:
        check_host(read_host(host(value)), OURS, {"box.lan"})
    assert refused.value.failure.http_status == 421


def browser(*, origin: bytes = b"", site: bytes = b"", mode: bytes = b"", dest: bytes = b"") -> Headers:
    """Headers of a request that a browser made."""
    named = (
        (b"Origin", origin),
        (b"Sec-Fetch-Site", site),
        (b"Sec-Fetch-Mode", mode),
        (b"Sec-Fetch-Dest", dest),
    )
    return (*host(b"127.0.0.1:8082"), *(pair for pair in named if pair[1]))


@pytest.mark.parametrize(
    ("headers", "method", "path"),
    [
        (browser(), "POST", "/use"),
        (browser(origin=b"http://127.0.0.1:8082"), "POST", "/use"),
        (browser(origin=b"https://127.0.0.1:8082"), "POST", "/use"),
        (browser(site=b"same-origin"), "POST", "/use"),
        (browser(site=b"none", mode=b"navigate"), "GET", "/status"),
        (browser(site=b"cross-site", mode=b"navigate", dest=b"document"), "GET", "/"),
    ],
)
def test_our_own_pages_and_programs_may_call(headers: Headers, method: str, path: str) -> None:
    """Agents send none of these headers; our own origin may do everything; a link leads to the front page."""
    check_origin(headers, method, path)


@pytest.mark.parametrize(
    ("headers", "method", "path"),
    [
        (browser(origin=b"https://evil.example"), "POST", "/v1/messages"),
        (browser(origin=b"null"), "POST", "/use"),
        (browser(origin=b"http://127.0.0.1"), "POST", "/use"),
        (browser(origin=b"http://127.0.0.1:8082.evil.example"), "POST", "/use"),
        (browser(origin=b"http://127.0.0.1:3000"), "POST", "/use"),
        (browser(origin=b"http://localhost:8082"), "POST", "/use"),
        ((*browser(origin=b"http://127.0.0.1:8082"), (b"origin", b"null")), "POST", "/use"),
        (browser(site=b"cross-site"), "GET", "/health"),
        (browser(site=b"same-site"), "POST", "/v1/messages"),
        (browser(site=b"cross-site", mode=b"navigate", dest=b"document"), "GET", "/status"),
        (browser(site=b"cross-site", mode=b"navigate", dest=b"document"), "POST", "/"),
        (browser(site=b"cross-site", mode=b"navigate", dest=b"iframe"), "GET", "/"),
    ],
)
def test_pages_of_other_sites_may_not(headers: Headers, method: str, path: str) -> None:
    """A foreign, null or doubled Origin, or a cross-site fetch, is refused on every route."""
    with pytest.raises(TurnedAway) as refused:
        check_origin(headers, method, path)
    assert refused.value.failure.http_status == 403


@pytest.mark.parametrize(
    ("peer", "name", "extra", "local"),
    [
        ("127.0.0.1", "127.0.0.1", (), True),
        ("::1", "localhost", (), True),
        ("127.0.0.1", "127.0.0.1", ((b"X-Forwarded-For", b"127.0.0.1"),), True),
        ("127.0.0.1", "127.0.0.1", ((b"Forwarded", b'for="[::1]:99";proto=http'),), True),
        ("127.0.0.1", "127.0.0.1", ((b"X-Forwarded-For", b"nonsense"),), True),
        ("192.168.1.7", "192.168.1.5", (), False),
        ("192.168.1.7", "192.168.1.5", ((b"X-Forwarded-For", b"127.0.0.1"),), False),
        ("127.0.0.1", "shunt.example.com", (), False),
        ("127.0.0.1", "127.0.0.1", ((b"X-Forwarded-For", b"203.0.113.9, 127.0.0.1"),), False),
        ("127.0.0.1", "127.0.0.1", ((b"X-Real-IP", b"203.0.113.9"),), False),
        ("127.0.0.1", "127.0.0.1", ((b"CF-Connecting-IP", b"2001:db8::7"),), False),
        ("127.0.0.1", "127.0.0.1", ((b"Forwarded", b'for="[2001:db8::7]:4711"'),), False),
    ],
)
def test_a_tunnel_is_not_this_machine(peer: str, name: str, extra: Headers, local: bool) -> None:
    """Words about other callers take rights away and never give any."""
    assert is_local(extra, Authority(name, 8082), peer) is local
