"""Claude Code's question for its quota."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from attrs import evolve

from shunt.gateway.quota_probe import is_probe
from shunt.inference.inbound import Inbound
from shunt.limits.windows import Standing
from shunt.protocols import protocol_named
from tests.fakes import anthropic
from tests.gateway.rooms import limited, wall
from tests.gateway.stages import message, stage

ASKED: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 1,
    "messages": [{"role": "user", "content": "quota"}],
    "metadata": {"user_id": "u"},
}


def asking(**changes: Any) -> Inbound:
    body = json.dumps(ASKED | changes).encode()
    return evolve(message(), body=body, outline=protocol_named("anthropic-messages").outline(body))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "quota"}]}]}, True),
        ({"max_tokens": 2}, False),
        ({"stream": True}, False),
        ({"messages": [{"role": "user", "content": "what is a quota"}]}, False),
        ({"messages": [{"role": "user", "content": "quota"}] * 2}, False),
        ({"tools": [{"name": "ls", "input_schema": {}}]}, False),
        ({"messages": ["quota"]}, False),
    ],
)
async def test_only_that_very_question_is_one(changes: dict[str, Any], expected: bool) -> None:
    """A request of somebody who wants an answer is never taken for it."""
    await trio.lowlevel.checkpoint()
    body = json.dumps(ASKED | changes).encode()
    assert (
        is_probe(evolve(asking(), body=body, outline=evolve(asking().outline, stream="stream" in changes)))
        is expected
    )


async def test_it_is_answered_from_what_is_known_where_that_is_wished() -> None:
    """No token is spent; the headers are those that the client reads. Elsewhere the vendor is asked."""
    async with stage(lambda *_: anthropic.plain("."), "a") as s:
        at = wall()
        (window,) = limited("a", at, at + 3600).windows
        s.pool.record(
            evolve(
                limited("a", at, at + 3600), windows=(evolve(window, used=0.25, standing=Standing.ALLOWED),)
            )
        )
        s.pool.clear("a")
        assert (await s.ask(asking())).status == 200
        assert len(s.up.requests) == 1
        s.gateway.answers_probes = lambda: True
        told = await s.ask(asking())
        assert len(s.up.requests) == 1
        assert (told.json["model"], told.json["stop_reason"]) == ("claude-haiku-4-5", "max_tokens")
        assert told.header(b"anthropic-ratelimit-unified-status") == "allowed"
        assert told.header(b"anthropic-ratelimit-unified-5h-utilization") == "0.25"
        assert told.header(b"anthropic-ratelimit-unified-5h-reset") == str(int(at + 3600))
        assert told.header(b"x-shunt-account") == "a"


async def test_an_account_of_which_nothing_is_known_is_asked() -> None:
    """The answer then tells shunt as well."""
    async with stage([anthropic.plain(".")], "a") as s:
        s.gateway.answers_probes = lambda: True
        await s.ask(asking())
        assert len(s.up.requests) == 1
