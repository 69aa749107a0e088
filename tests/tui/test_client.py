"""The monitor's way to the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shunt.accounts.secret import Secret
from shunt.tui.client import Client, Refused, Unreachable
from tests.cli.scripted_control import ScriptedControl, scripted_control
from tests.tui.scene import events, status


def talk(server: ScriptedControl, what: Callable[[Client], Awaitable[Any]], key: str = "") -> Any:
    """Run one talk with a server, in a loop of its own: the monitor's library wants asyncio."""

    async def talking() -> Any:
        client = Client(server.url, Secret(key))
        async with client.http:
            return await what(client)

    return asyncio.run(talking())


def test_documents_are_fetched_with_the_key() -> None:
    """In its header, and nowhere else."""
    with scripted_control({"GET /status": (200, status())}) as server:
        assert talk(server, lambda client: client.get("/status"), "obviously-fake")["version"] == "9.9"
        assert server.keys == ["obviously-fake"]


def test_commands_are_what_the_server_takes() -> None:
    """Names are quoted: an account may be called anything."""
    answers: dict[str, tuple[int, Any]] = {
        "POST /use": (200, {}),
        "POST /accounts/a%20b/pause": (200, {}),
        "PUT /strategy": (200, {}),
        "DELETE /strategy": (200, {}),
    }

    async def all_of_them(client: Client) -> None:
        await client.use("a b")
        await client.use(None)
        await client.steer("a b", "pause")
        await client.strategy("reaper")
        await client.strategy(None)

    with scripted_control(answers) as server:
        talk(server, all_of_them)
        assert server.calls == [
            ("POST /use", {"account": "a b"}),
            ("POST /use", {"account": None}),
            ("POST /accounts/a%20b/pause", {}),
            ("PUT /strategy", {"strategy": "reaper"}),
            ("DELETE /strategy", None),
        ]


def test_events_come_one_by_one() -> None:
    """Comments are passed over."""

    async def listen(client: Client) -> list[tuple[str, Any]]:
        heard: list[tuple[str, Any]] = []

        async def take(kind: str, data: Any) -> None:
            heard.append((kind, data))
            await asyncio.sleep(0)

        await client.listen(take)
        return heard

    stream = b": hello\n\n" + events(("pool", {"waiting": 1}), ("savings", {}))
    with scripted_control({"GET /events": (200, stream)}) as server:
        assert talk(server, listen) == [("pool", {"waiting": 1}), ("savings", {})]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, {"error": {"message": "A key is needed."}}), Refused),
        ((404, b"<html>"), Unreachable),
        ((200, b"<html>"), Unreachable),
        ((200, b"[1]"), Unreachable),
    ],
)
def test_what_goes_wrong_is_told_in_words(answer: tuple[int, Any], error: type[Exception]) -> None:
    """The server's own, or that it is no shunt."""
    with scripted_control({"GET /status": answer}) as server, pytest.raises(error, match=r"key|not shunt"):
        talk(server, lambda client: client.get("/status"))


@pytest.mark.parametrize("answer", [(404, {"error": {"message": "nope"}}), (200, {"accounts": []})])
def test_another_program_s_json_is_not_taken_for_shunt_s(answer: tuple[int, Any]) -> None:
    """It lacks the header that every answer of shunt has."""
    with scripted_control({"GET /status": answer}) as server:
        server.signs = False
        with pytest.raises(Unreachable, match="not shunt"):
            talk(server, lambda client: client.get("/status"))


def test_a_server_that_is_not_there_is_unreachable() -> None:
    """For documents as for events."""
    with scripted_control() as server:
        pass

    async def nobody(kind: str, data: Any) -> None:
        await asyncio.sleep(0)
        raise AssertionError

    async def listen(client: Client) -> None:
        await client.listen(nobody)

    for what in (listen, lambda client: client.get("/status")):
        with pytest.raises(Unreachable):
            talk(server, what)
