"""The client of the control routes, against real sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

import click
import pytest

from shunt.accounts.secret import Secret
from shunt.cli.control import Control, Foreign, address, reach
from shunt.cli.exits import Failed, NotRunning
from shunt.config.types import ServerConfig
from tests.cli.scripted_control import scripted_control

CANARY = "sk-test-canary-key"


@pytest.mark.parametrize(
    ("ask", "call", "body"),
    [
        (lambda c: c.health(), "GET /health", None),
        (lambda c: c.status(), "GET /status", None),
        (lambda c: c.use("main"), "POST /use", {"account": "main"}),
        (lambda c: c.use(None), "POST /use", {"account": None}),
        (lambda c: c.strategy(), "GET /strategy", None),
        (lambda c: c.set_strategy("reaper"), "PUT /strategy", {"strategy": "reaper"}),
        (lambda c: c.set_strategy(None), "DELETE /strategy", None),
        (lambda c: c.model(), "GET /model", None),
        (lambda c: c.set_model("gpt-5.5"), "PUT /model", {"model": "gpt-5.5"}),
        (lambda c: c.set_model(None), "DELETE /model", None),
        (lambda c: c.reload(), "POST /accounts/reload", {}),
    ],
)
def test_each_question_is_one_call(ask: Callable[[Control], Any], call: str, body: Any) -> None:
    """Methods, paths and bodies are those of the contract, and the answer comes back as it is."""
    with scripted_control({call: (200, {"accounts": []})}) as server:
        assert ask(Control(server.url, Secret(CANARY))) == {"accounts": []}
        assert server.calls == [(call, body)]
        assert server.keys == [CANARY]


def test_without_a_key_none_is_sent() -> None:
    """A loopback caller needs no key."""
    with scripted_control() as server:
        Control(server.url).health()
        assert server.keys == [""]


def test_no_server_says_how_to_start_one() -> None:
    """A closed port is "not running", with the command that starts it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening: connections are refused
        with pytest.raises(NotRunning, match="shunt run"):
            Control(f"http://127.0.0.1:{taken.getsockname()[1]}").status()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>hello"),
        (200, b"[1, 2]"),
        (200, {"status": "ok"}),
        (404, b"not found"),
        (500, {"detail": "no such thing"}),
        (302, b""),
    ],
)
def test_another_program_on_the_port_is_named_as_such(status: int, body: Any) -> None:
    """Whatever does not talk like shunt is reported as a different program, with both cures."""
    with (
        scripted_control({"GET /status": (status, body)}) as server,
        pytest.raises(Foreign, match=r"not shunt .* server\.port .* --url"),
    ):
        Control(server.url).status()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error": "nope"}),
        (401, {"error": {"message": "Key?"}}),
        (503, {"error": "x"}),
        (200, {"accounts": []}),
    ],
)
def test_another_program_s_json_is_not_taken_for_shunt_s(status: int, body: Any) -> None:
    """Every answer of shunt carries one header; without it, words and documents are somebody else's."""
    with scripted_control({"GET /status": (status, body), "GET /ready": (status, body)}) as server:
        server.signs = False
        control = Control(server.url)
        for call in (control.status, control.ready):
            with pytest.raises(Foreign, match=rf"not shunt answers at {server.url}.* server\.port .* --url"):
                call()


def test_a_server_that_speaks_no_http_is_foreign() -> None:
    """An SSH banner is not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def banner() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = Thread(target=banner)
        thread.start()
        with pytest.raises(Foreign):
            Control(f"http://127.0.0.1:{listener.getsockname()[1]}").status()
        thread.join()


def test_a_refused_key_names_both_places_of_a_key() -> None:
    """401 says what to set, and never repeats the key."""
    with scripted_control({"GET /status": (401, {"error": {"message": "Wrong key."}})}) as server:
        with pytest.raises(Failed, match=r"SHUNT_KEY.*server\.remote_key") as caught:
            Control(server.url, Secret(CANARY)).status()
        assert CANARY not in str(caught.value)


def test_the_servers_own_words_are_passed_on() -> None:
    """A refusal by shunt is shown in its words."""
    with (
        scripted_control({"POST /use": (404, {"error": {"message": "There is no account 'x'."}})}) as server,
        pytest.raises(Failed, match="There is no account 'x'"),
    ):
        Control(server.url).use("x")


def test_not_ready_is_an_answer() -> None:
    """`/ready` answering 503 is news, not a failure to ask."""
    with scripted_control({"GET /ready": (503, {"ready": False})}) as server:
        assert Control(server.url).ready() == {"ready": False}


def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The admin key never travels to a proxy named by the environment."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with scripted_control() as server:
        assert Control(server.url).health()["status"] == "ok"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8082"),
        ("0.0.0.0", "http://127.0.0.1:8082"),
        ("::", "http://[::1]:8082"),
        ("::1", "http://[::1]:8082"),
        ("192.168.1.5", "http://192.168.1.5:8082"),
        ("box.lan", "http://box.lan:8082"),
    ],
)
def test_a_listening_address_becomes_one_to_call(host: str, expected: str) -> None:
    """Wildcards are reached over loopback, IPv6 is bracketed."""
    assert address(ServerConfig(host=host)) == expected


KEYED = ServerConfig(port=9000, remote_key=Secret("configured-key"))


@pytest.mark.parametrize(
    ("environ", "url", "base", "key"),
    [
        ({}, None, "http://127.0.0.1:9000", "configured-key"),
        ({"SHUNT_KEY": "given"}, None, "http://127.0.0.1:9000", "given"),
        ({}, "http://127.0.0.1:9001/", "http://127.0.0.1:9001", "configured-key"),
        ({}, "localhost:9001", "http://localhost:9001", "configured-key"),
        ({}, "https://box.example", "https://box.example", ""),
        ({"SHUNT_KEY": "given"}, "https://box.example/shunt/", "https://box.example/shunt", "given"),
    ],
)
def test_the_configured_key_stays_on_this_machine(
    environ: dict[str, str], url: str | None, base: str, key: str
) -> None:
    """A server elsewhere is only given the key that was named for it."""
    control = reach(KEYED, environ, url)
    assert (control.url, control.key.reveal()) == (base, key)


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://user:pw@host", "http://h:0", "http://h:99999", "://"]
)
def test_an_impossible_url_is_a_usage_error(url: str) -> None:
    """`--url` takes an http(s) address without credentials, and says so."""
    with pytest.raises(click.UsageError, match="--url"):
        reach(ServerConfig(), {}, url)


def test_a_control_hides_its_key() -> None:
    """`repr` shows the address only."""
    assert CANARY not in repr(Control("http://127.0.0.1:1", Secret(CANARY)))
