from __future__ import annotations

import pytest
from attrs import evolve

from shunt.accounts.secret import Secret
from shunt.config.clients import ClientConfig
from shunt.config.exposure import bind_problem, bind_warning
from shunt.config.types import Config, ServerConfig

LAPTOP = ClientConfig(name="laptop", key_sha256="0" * 64)


def config(host: str, key: str = "", clients: tuple[ClientConfig, ...] = ()) -> Config:
    return Config(server=ServerConfig(host=host, remote_key=Secret(key)), clients=clients)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_needs_no_key(host: str) -> None:
    """Who may use this machine may use shunt."""
    assert bind_problem(config(host)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "my-box.lan"])
def test_other_addresses_need_a_key(host: str) -> None:
    """Every address others can reach, wildcards included, is refused without a key; the words say the cure."""
    problem = bind_problem(config(host))
    assert problem is not None
    assert host in problem
    assert "shunt client add" in problem
    assert bind_problem(config(host, "let-me-in-1234")) is None
    assert bind_problem(config(host, clients=(LAPTOP,))) is None


def test_a_guessable_key_is_none() -> None:
    """A key short enough to guess does not open a network; the refusal does not repeat it."""
    problem = bind_problem(config("0.0.0.0", "guess-me-1"))
    assert problem is not None
    assert "guess-me-1" not in problem


@pytest.mark.parametrize(
    ("host", "key", "warned"),
    [
        ("0.0.0.0", "let-me-in-1234", True),
        ("0.0.0.0", "x" * 11 + "y" * 11, False),
        ("127.0.0.1", "let-me-in-1234", False),
        ("0.0.0.0", "", False),
    ],
)
def test_a_short_key_on_a_network_is_mentioned(host: str, key: str, *, warned: bool) -> None:
    """Keys below 128 bits are accepted on a network, with a word of warning."""
    assert ("short" in (bind_warning(config(host, key)) or "")) is warned


@pytest.mark.parametrize(
    ("host", "cert", "warned"), [("0.0.0.0", "", True), ("0.0.0.0", "c.pem", False), ("::1", "", False)]
)
def test_a_network_without_tls_is_mentioned(host: str, cert: str, *, warned: bool) -> None:
    """Everybody on the way reads along then."""
    found = config(host, "x" * 11 + "y" * 11)
    found = evolve(found, server=evolve(found.server, tls_cert=cert))
    assert ("in the clear" in (bind_warning(found) or "")) is warned
