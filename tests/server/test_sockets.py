"""Listening sockets: both loopback families, and clear words about what is wrong."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack

import pytest

from shunt.errors import ConfigError
from shunt.server.sockets import BACKLOG, INHERITED, holder_of, inherit, listen


def ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not ipv6(), reason="this machine has no IPv6 loopback")


def closed(sockets: list[socket.socket]) -> list[tuple[str, int]]:
    """Close them; says where they listened."""
    names = [sock.getsockname()[:2] for sock in sockets]
    for sock in sockets:
        sock.close()
    return names


@needs_ipv6
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "::1"])
def test_loopback_means_both_families(host: str) -> None:
    """`localhost` resolves to either one; the port is the same in both."""
    names = closed(listen(host, 0))
    assert {name for name, _ in names} == {"127.0.0.1", "::1"}
    assert len({port for _, port in names}) == 1


def test_other_addresses_are_taken_as_they_are() -> None:
    """A wildcard or a further loopback address gets one socket."""
    assert [name for name, _ in closed(listen("0.0.0.0", 0))] == ["0.0.0.0"]
    assert [name for name, _ in closed(listen("127.0.0.2", 0))] == ["127.0.0.2"]


def test_a_burst_of_connections_is_queued() -> None:
    """300 clients connect before anybody accepts one (P10); Hypercorn's own 100 would drop most."""
    sockets = listen("127.0.0.1", 0)
    with ExitStack() as clients:
        for sock in sockets:
            clients.enter_context(sock)
        for _ in range(300):
            clients.enter_context(socket.create_connection(sockets[0].getsockname(), timeout=1))
    assert BACKLOG >= 4096


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a port")
def test_a_taken_port_is_one_line_that_names_its_holder() -> None:
    """What is taken, by whom, and what to do."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ConfigError) as refused:
            listen("127.0.0.1", port)
        assert f"(process {os.getpid()})" in holder_of(port)
    message = str(refused.value)
    assert f"127.0.0.1:{port}" in message
    assert f"process {os.getpid()}" in message
    assert "server.port" in message
    assert "\n" not in message


@needs_ipv6
def test_a_port_that_is_taken_in_the_other_family_is_taken() -> None:
    """Otherwise half of the clients that say `localhost` would talk to another program."""
    with socket.socket(socket.AF_INET6) as holder:
        holder.bind(("::1", 0))
        holder.listen()
        with pytest.raises(ConfigError, match=r"\[::1\]"):
            listen("127.0.0.1", holder.getsockname()[1])


def test_an_address_that_cannot_be_had_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of another machine, a name nobody knows: never a traceback."""
    with pytest.raises(ConfigError, match=r"203\.0\.113\.77:0: this machine has no such address"):
        listen("203.0.113.77", 0)

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match="cannot listen on nowhere:0: Name or service not known"):
        listen("nowhere", 0)


def test_nobody_holds_a_free_port() -> None:
    """Not knowing gives an empty name."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert holder_of(sock.getsockname()[1]) == ""


def test_vanished_peers_are_noticed_by_the_system() -> None:
    """Keep-alive probes run on every connection, so a client asleep is gone within two minutes."""
    sockets = listen("127.0.0.1", 0)
    try:
        assert sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            after, every, probes = (sockets[0].getsockopt(socket.IPPROTO_TCP, name) for name in names)
            assert after + every * probes < 120
    finally:
        closed(sockets)


def test_only_fitting_sockets_are_inherited() -> None:
    """Another port, something that does not listen, a variable that was left over: bound anew."""
    for environ in ({}, {INHERITED: ""}, {INHERITED: "x"}, {INHERITED: "99999"}):
        assert inherit(environ, "127.0.0.1", 1) == []
    (sock, *others) = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    for other in others:
        other.close()
    number = sock.detach()
    assert inherit({INHERITED: str(number)}, "127.0.0.1", port + 1) == []
    plain = socket.socket()
    assert inherit({INHERITED: str(plain.detach())}, "127.0.0.1", port) == []
