"""Failures of TLS, sockets and HTTP become our errors: host, reason and cure, and never a secret."""

from __future__ import annotations

import errno
import socket
import ssl

import httpcore2 as httpcore
import pytest
import trio

from shunt.errors import InvalidRequest, ShuntError, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from shunt.upstream.client import open_upstream
from shunt.upstream.errors import address, mapped
from shunt.upstream.timeouts import Timeouts
from tests.fakes.certificates import Quality, client_tls, server_tls
from tests.fakes.upstream import scripted_upstream
from tests.upstream.calls import call

ORIGIN = "https://api.example.test"
HOST = "api.example.test:443"


def caused_by(cause: Exception) -> httpcore.ConnectError:
    """A connection error as httpcore's pool raises it: with the cause as context only."""
    error = httpcore.ConnectError("")
    error.__context__ = cause
    return error


CONNECTING = [
    (httpcore.ConnectTimeout(), f"{HOST} did not accept a connection in time."),
    (httpcore.ReadTimeout(), f"{HOST} did not accept a connection in time."),
    (caused_by(OSError(errno.ECONNREFUSED, "x")), "it refused the connection"),
    (caused_by(OSError(errno.ENETUNREACH, "x")), "is this machine online"),
    (caused_by(OSError(errno.EMFILE, "x")), "too many files open"),
    (caused_by(OSError(errno.EINVAL, "x")), "invalid argument"),
    (caused_by(socket.gaierror(-2, "x")), "its name is not known"),
    (caused_by(ExceptionGroup("x", [OSError(errno.EHOSTUNREACH, "x")])), "there is no way to it"),
    (caused_by(ValueError()), "the connection failed"),
]


@pytest.mark.parametrize(("error", "text"), CONNECTING)
def test_before_anything_was_sent_it_is_unreachable(error: Exception, text: str) -> None:
    """Whatever fails before the request has begun is 'unreachable': it may be tried elsewhere."""
    result = mapped(error, ORIGIN, sent=False)
    assert type(result) is UpstreamUnreachable
    assert text in str(result)
    assert str(result)[-2:-1].isalnum()
    assert str(result)[-1] in ".?"
    assert HOST in str(result)


SENDING: list[tuple[Exception, bool, type[ShuntError], str]] = [
    (httpcore.ReadTimeout(), False, UpstreamTimeout, "did not answer in time"),
    (httpcore.ReadTimeout(), True, UpstreamTimeout, "fell silent in the middle"),
    (httpcore.WriteTimeout(), False, UpstreamTimeout, "stopped taking"),
    (httpcore.ReadError(), False, UpstreamBroke, "before it answered"),
    (httpcore.ReadError(), True, UpstreamBroke, "in the middle"),
    (httpcore.RemoteProtocolError("illegal status line"), False, UpstreamBroke, "not HTTP/1.1"),
    (httpcore.LocalProtocolError("Illegal header value b'sk-test-1'"), False, InvalidRequest, "HTTP forbids"),
]


@pytest.mark.parametrize(("error", "answering", "kind", "text"), SENDING)
def test_afterwards_it_is_a_break_or_silence(
    error: Exception, answering: bool, kind: type[ShuntError], text: str
) -> None:
    """Once something may have been seen, silence and breaks are told apart, and nothing is quoted."""
    result = mapped(error, ORIGIN, answering=answering)
    assert type(result) is kind
    assert text in str(result)
    assert "sk-test" not in str(result)


def test_addresses_hold_no_secret() -> None:
    """A proxy's user and password are not part of its name."""
    assert address("http://user:sk-test-1@proxy.test:3128/x?y") == "proxy.test:3128"
    assert address("https://api.example.test/v1") == HOST
    refused = mapped(
        httpcore.ProxyError("407 x"), ORIGIN, proxy="http://u:sk-test-1@proxy.test:3128", sent=False
    )
    assert str(refused) == f"The proxy proxy.test:3128 refused to connect to {HOST}."


TLS: list[tuple[Quality, str]] = [
    ("expired", "its certificate has expired"),
    ("self_signed", "is self-signed; if this network inspects TLS, set SSL_CERT_FILE"),
    ("wrong_name", "is for another"),
]


@pytest.mark.parametrize(("quality", "text"), TLS)
async def test_tls_reasons_are_named(quality: Quality, text: str) -> None:
    """A certificate that is not good is refused, and the error says what is wrong with it."""
    async with (
        scripted_upstream([], tls=server_tls(quality)) as up,
        open_upstream(Timeouts(), tls=client_tls()) as upstream,
    ):
        with pytest.raises(UpstreamUnreachable, match=text):
            await upstream.send(call(up.url))
        assert (upstream.in_flight, upstream.pool_size) == (0, 0)


async def test_unknown_authority_is_named() -> None:
    """A good certificate of an authority we do not know is refused with a hint at an intercepting proxy."""
    async with (
        scripted_upstream([], tls=server_tls("good")) as up,
        open_upstream(Timeouts(), tls=ssl.create_default_context()) as upstream,
    ):
        with pytest.raises(UpstreamUnreachable, match="authority that this machine does not trust"):
            await upstream.send(call(up.url))


async def test_tls_to_a_plain_server() -> None:
    """An https address of a server that speaks plain HTTP is named as such."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with trio.open_nursery() as nursery, open_upstream(Timeouts(), tls=client_tls()) as upstream:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        with pytest.raises(UpstreamUnreachable, match="does not speak TLS"):
            await upstream.send(call(f"https://127.0.0.1:{port}"))
        nursery.cancel_scope.cancel()
