"""The official `anthropic` SDK through a running shunt: every kind of call passes unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic as sdk
import pytest
import trio

from tests.e2e.program import Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.upstream import Answer, Request, ScriptedUpstream, scripted_upstream

TOOL: Any = {"name": "add", "description": "adds", "input_schema": {"type": "object", "properties": {}}}
ASK: Any = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "hi"}],
}


def vendor(request: Request, _: int) -> Answer:
    """Plain, streaming, tools, counting and models."""
    if request.path.endswith("/count_tokens"):
        return anthropic.count_tokens(42)
    if "/models" in request.path:
        return anthropic.models("claude-sonnet-5-5", "claude-haiku-5-5")
    if request.json.get("tools"):
        events = (
            *anthropic.opening_events(),
            *anthropic.tool_events("add", {"a": 1, "b": [2, "é"]}),
            *anthropic.closing_events(stop_reason="tool_use"),
        )
        return anthropic.events_answer(events)
    if request.json.get("stream"):
        return anthropic.stream("hello from afar", headers=((b"x-of-the-vendor", b"kept"),))
    return anthropic.plain("hello from afar", headers=((b"x-of-the-vendor", b"kept"),))


Running = tuple[Program, ScriptedUpstream]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with scripted_upstream(vendor) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        yield shunt, up


def sync_client(shunt: Program) -> sdk.Anthropic:
    return sdk.Anthropic(
        base_url=f"http://127.0.0.1:{shunt.port}", api_key="sk-test-of-the-client", max_retries=0
    )


def async_client(shunt: Program) -> sdk.AsyncAnthropic:
    return sdk.AsyncAnthropic(
        base_url=f"http://127.0.0.1:{shunt.port}", api_key="sk-test-of-the-client", max_retries=0
    )


def everything(client: sdk.Anthropic) -> dict[str, Any]:
    """Each kind of call once, with the blocking client."""
    raw = client.messages.with_raw_response.create(**ASK)
    with client.messages.stream(**ASK) as stream:
        streamed = "".join(stream.text_stream)
        final = stream.get_final_message()
    with client.messages.stream(**ASK, tools=[TOOL]) as stream:
        used = stream.get_final_message().content[0]
    return {
        "plain": client.messages.create(**ASK).content[0],
        "raw": (raw.status_code, raw.headers["x-of-the-vendor"], raw.headers["x-shunt-account"]),
        "streamed": streamed,
        "usage": (final.usage.input_tokens, final.usage.output_tokens),
        "tool": used,
        "iterated": [event.type for event in client.messages.create(**ASK, stream=True)],
        "count": client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"]).input_tokens,
        "models": [model.id for model in client.models.list()],
    }


def check(got: dict[str, Any]) -> None:
    """What both clients have to have seen."""
    assert got["plain"].text == "hello from afar"
    assert got["raw"] == (200, "kept", "a")
    assert got["streamed"] == "hello from afar"
    assert got["usage"] == (10, 5)
    assert (got["tool"].name, got["tool"].input) == ("add", {"a": 1, "b": [2, "é"]})
    assert got["iterated"][0] == "message_start"
    assert got["iterated"][-1] == "message_stop"
    assert got["count"] == 42
    assert got["models"] == ["claude-sonnet-5-5", "claude-haiku-5-5"]


async def test_the_blocking_client(running: Running) -> None:
    """Plain, raw, streaming, tools, counting and models work with the blocking client."""
    shunt, up = running
    with sync_client(shunt) as client:
        check(await trio.to_thread.run_sync(everything, client))
    assert {request.key for request in up.requests} == {"sk-test-a"}, "the client's own key stays here"
    assert all(request.get(b"anthropic-version") == b"2026-10-21" for request in up.requests)


async def test_the_async_client(running: Running) -> None:
    """The same with the async client, on Trio."""
    shunt, _ = running
    async with async_client(shunt) as client:
        raw = await client.messages.with_raw_response.create(**ASK)
        async with client.messages.stream(**ASK) as stream:
            streamed = "".join([text async for text in stream.text_stream])
            final = await stream.get_final_message()
        async with client.messages.stream(**ASK, tools=[TOOL]) as stream:
            used = (await stream.get_final_message()).content[0]
        events = await client.messages.create(**ASK, stream=True)
        counted = await client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"])
        check(
            {
                "plain": (await client.messages.create(**ASK)).content[0],
                "raw": (raw.status_code, raw.headers["x-of-the-vendor"], raw.headers["x-shunt-account"]),
                "streamed": streamed,
                "usage": (final.usage.input_tokens, final.usage.output_tokens),
                "tool": used,
                "iterated": [event.type async for event in events],
                "count": counted.input_tokens,
                "models": [model.id async for model in client.models.list()],
            }
        )


async def test_refusals_keep_their_type_and_text(tmp_path: Path) -> None:
    """A vendor's 400 reaches the SDK as its own exception with the vendor's words."""
    told = anthropic.refusal(400, "invalid_request_error", "max_tokens: 1 is too many")
    async with scripted_upstream([told]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        async with async_client(shunt) as client:
            with pytest.raises(sdk.BadRequestError, match="1 is too many"):
                await client.messages.create(**ASK)


async def test_shunts_own_errors_are_the_sdks_too(tmp_path: Path) -> None:
    """Without an account the SDK raises its own typed error, with the cure in it."""
    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([])
        await shunt.start()
        async with async_client(shunt) as client:
            with pytest.raises(sdk.InternalServerError, match="add-account") as caught:
                await client.messages.create(**ASK)
            assert caught.value.status_code == 503
