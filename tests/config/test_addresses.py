from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config.addresses import is_loopback, listen_host, proxy_url, service_url, transport_problem
from shunt.config.misread import Misread


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com"),
        ("https://API.Anthropic.com/", "https://api.anthropic.com"),
        ("HTTPS://gateway.example:443/claude//"[:-1], "https://gateway.example/claude"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("https://10.1.2.3", "https://10.1.2.3"),
        ("https://my_gateway.example/a_b/~c", "https://my_gateway.example/a_b/~c"),
    ],
)
def test_service_url_normalises(written: str, normal: str) -> None:
    """A base address comes back in one form: lower case, no default port, no trailing slash."""
    assert service_url(written) == normal
    assert service_url(normal) == normal


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "must start with"),
        ("api.anthropic.com", "must start with"),
        ("ftp://example.com", "must start with"),
        ("file:///etc/passwd", "must start with"),
        ("https://", "must name a host"),
        ("https:///path", "must name a host"),
        ("https://u@example.com", "user name or password"),
        ("https://u:hunter2@example.com", "user name or password"),
        ("https://@example.com", "user name or password"),
        ("https://example.com?key=1", "query"),
        ("https://example.com/?", "query"),
        ("https://example.com#", "query"),
        ("https://example.com.", "valid host"),
        ("https://exa mple.com", "ASCII without spaces"),
        ("https://example.com\n", "ASCII without spaces"),
        ("https://bücher.example", "ASCII without spaces"),
        ("https://example.com:0", "port"),
        ("https://example.com:", "port"),
        ("https://example.com:70000", "not an address"),
        ("https://example.com:abc", "not an address"),
        ("https://[::1", "not an address"),
        ("https://-bad.example", "valid host"),
        ("https://a..b", "valid host"),
        ("http://127.1", "in full"),
        ("http://2130706433", "in full"),
        ("http://0x7f000001", "in full"),
        ("http://169.254.169.254/latest", "link-local"),
        ("http://[fe80::1]", "link-local"),
        ("http://0.0.0.0:80", "unspecified"),
        ("https://example.com/a/../b", "plain path"),
        ("https://example.com//v1", "plain path"),
        ("https://example.com/a\\b", "plain path"),
    ],
)
def test_service_url_refuses(written: str, said: str) -> None:
    """What is no plain base address is refused with the reason, and never repeated: it may hold a password."""
    with pytest.raises(Misread, match=said) as caught:
        service_url(written)
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=60))
def test_service_url_gives_an_address_or_a_reason(text: str) -> None:
    """Whatever is written, the answer is a normal form that stays as it is, or a reason."""
    try:
        normal = service_url(f"http://{text}")
    except Misread:
        return
    assert service_url(normal) == normal


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        ("socks5://127.0.0.1:1080", True),
        ("socks5h://user:pw@proxy.example:1080", True),
        ("http://user:pw@proxy.example:3128", True),
        ("http://proxy.example:3128/", True),
        ("socks4://proxy.example", False),
        ("http://proxy.example/path", False),
        ("http://proxy.example:3128?x", False),
        ("proxy.example:3128", False),
    ],
)
def test_proxy_url(written: str, *, accepted: bool) -> None:
    """A proxy is scheme, host and port, and may carry a user name and password."""
    if accepted:
        assert proxy_url(written) == written
    else:
        with pytest.raises(Misread):
            proxy_url(written)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("LocalHost", "localhost"),
        ("[::1]", "::1"),
        ("::", "::"),
        ("0.0.0.0", "0.0.0.0"),
        ("my-box.lan", "my-box.lan"),
    ],
)
def test_listen_host(written: str, host: str) -> None:
    """An address to listen on is a name or an IP address, brackets or not."""
    assert listen_host(written) == host


@pytest.mark.parametrize("written", ["", "http://127.0.0.1", "127.0.0.1:8082", "*", "a b", "1.2.3", "host/"])
def test_listen_host_refuses(written: str) -> None:
    """Scheme, port, wildcard signs and shortened addresses are no address to listen on."""
    with pytest.raises(Misread):
        listen_host(written)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.evil.example", False),
    ],
)
def test_is_loopback(host: str, *, loopback: bool) -> None:
    """Only addresses no other machine can reach are loopback; wildcards are not."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("url", "provider", "allowed"),
    [
        ("http://127.0.0.1:1", "anthropic", True),
        ("http://localhost:1", "codex", True),
        ("https://gateway.example", "anthropic", True),
        ("http://gateway.example", "anthropic", False),
        ("http://10.0.0.5:8080", "anthropic", False),
        ("http://10.0.0.5:8080", "anthropic-compatible", True),
        ("http://nas:11434", "ollama", True),
        ("http://nas.local", "openai-compatible", True),
        ("http://models.example", "openai-compatible", False),
        ("http://8.8.8.8", "anthropic-compatible", False),
    ],
)
def test_plain_http_stays_near(url: str, provider: str, *, allowed: bool) -> None:
    """A key travels unencrypted on this machine only, or to a server of the user's own next door."""
    assert (transport_problem(url, provider) is None) is allowed
