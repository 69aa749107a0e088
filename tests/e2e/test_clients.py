"""Client keys against a running shunt: what they open, what they do not, when they end."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.e2e.logins import claude_login
from tests.e2e.program import JSON, MESSAGES, Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.client import RawResponse, ask, raw_client, request
from tests.fakes.http1 import Headers
from tests.fakes.upstream import scripted_upstream


@pytest.fixture
async def shunt(tmp_path: Path) -> AsyncIterator[Program]:
    """One login and one API key."""
    async with scripted_upstream(lambda *_: anthropic.plain("hi")) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("metered")], server={"port": shunt.port})
        claude_login(shunt, "sk-ant-oat01-test-access", "sk-ant-ort01-test-refresh")
        added = await shunt.cli("add-account", "mine", "--provider", "anthropic", "--import", "--yes")
        assert added.returncode == 0, added.stderr
        yield shunt


async def key_of(shunt: Program, name: str, *options: str) -> Headers:
    """A new client's key, as a header."""
    done = await shunt.cli("client", "add", name, "--key-only", *options)
    assert done.returncode == 0, done.stderr
    return ((b"x-api-key", done.stdout.strip()),)


async def served(shunt: Program, headers: Headers, times: int = 6) -> set[bytes | None]:
    """The accounts that answer a client."""
    return {(await shunt.message(f"m{n}", headers=headers)).get(b"x-shunt-account") for n in range(times)}


async def test_logins_are_for_their_owner(shunt: Program) -> None:
    """Somebody else's key reaches the API key only, also when it asks for the login by name."""
    friend, own = await key_of(shunt, "friend"), await key_of(shunt, "own", "--own-device")
    await shunt.start()
    assert await served(shunt, friend) == {b"metered"}
    asked = await shunt.message(headers=(*own, (b"x-shunt-account", b"mine")))
    assert (asked.status, asked.get(b"x-shunt-account")) == (200, b"mine")
    refused = await shunt.message(headers=(*friend, (b"x-shunt-account", b"mine")))
    assert refused.status == 403
    assert b"owner_device" in refused.body
    assert json.loads(refused.body)["error"]["type"] == "permission_error"
    assert (await shunt.message()).status == 401


async def test_models_and_control_routes(shunt: Program) -> None:
    """A key for some models is for no other, and opens no control route from elsewhere."""
    some = await key_of(shunt, "some", "--model", "claude-haiku-*")
    await shunt.start()
    assert (await shunt.message(headers=some, model="claude-haiku-5-5")).status == 200
    refused = await shunt.message(headers=some)
    assert refused.status == 403
    assert b"claude-haiku-*" in refused.body
    # As a tunnel brings it: from this machine, for somebody else.
    elsewhere: Headers = ((b"x-forwarded-for", b"203.0.113.7"), *some)
    assert (await ask(shunt.port, b"GET", b"/status", elsewhere)).status == 403


async def test_a_day_s_requests(shunt: Program) -> None:
    """The one too many gets a 429 with the true reset, in the caller's own protocol."""
    limited = await key_of(shunt, "limited", "--daily-requests", "2")
    await shunt.start()
    assert [(await shunt.message(headers=limited)).status for _ in range(2)] == [200, 200]
    refused = await shunt.message(headers=limited)
    left = 86_400 - time.time() % 86_400
    assert refused.status == 429
    assert json.loads(refused.body)["error"]["type"] == "rate_limit_error"
    assert abs(float(refused.get(b"retry-after") or b"0") - left) < 60
    chat = await completion(shunt, limited)
    assert chat.status == 429
    assert "message" in json.loads(chat.body)["error"]
    listed = json.loads((await shunt.cli("client", "list", "--json")).stdout)["clients"][0]
    assert listed["today"]["requests"] == 2


async def completion(shunt: Program, headers: Headers) -> RawResponse:
    body = {"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "hi"}]}
    return await ask(
        shunt.port, b"POST", b"/v1/chat/completions", (*JSON, *headers), json.dumps(body).encode()
    )


async def test_what_was_used_survives_a_restart(shunt: Program) -> None:
    """A day is a day."""
    limited = await key_of(shunt, "limited", "--daily-requests", "1")
    await shunt.start()
    assert (await shunt.message(headers=limited)).status == 200
    assert await shunt.stop() == 0
    await shunt.start()
    assert (await shunt.message(headers=limited)).status == 429


async def test_a_withdrawn_key_ends_its_streams(tmp_path: Path) -> None:
    """Also the one that is running, within a moment."""
    async with (
        scripted_upstream(lambda *_: anthropic.stream(*["word "] * 400, every=0.1)) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("metered")], server={"port": shunt.port})
        laptop, other = await key_of(shunt, "laptop"), await key_of(shunt, "other")
        await shunt.start()
        body = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 64,
            "stream": True,
            "messages": [{"role": "user", "content": "hi"}],
        }
        async with raw_client(shunt.port) as client:
            await client.send(
                request(b"POST", b"/v1/messages", (*MESSAGES, *laptop), json.dumps(body).encode())
            )
            stream = await client.begin()
            assert await stream.piece() is not None
            removed = await shunt.cli("client", "remove", "laptop", "--yes")
            assert removed.returncode == 0, removed.stderr
            with trio.fail_after(60):
                rest = await stream.rest()
            assert b"withdrawn" in rest.body
            assert b"message_stop" not in rest.body
        assert (await shunt.message(headers=laptop)).status == 401
        assert (await ask(shunt.port, b"GET", b"/v1/models", (*MESSAGES, *other))).status != 401
