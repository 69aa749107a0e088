"""The real Claude Code through a running shunt: no limit that another account could have taken is ever seen."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.claude_code import Run, claude, run
from tests.e2e.logins import claude_login
from tests.e2e.program import Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.issuer import TOKEN_PATH, Issuer
from tests.fakes.upstream import Answer, Request, Respond, ScriptedUpstream, scripted_upstream

__all__ = ["claude"]

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

SUM = "echo $((19283 + 40112))"
RESULT = "59395"
"""What the shell makes of it: it stands nowhere in the prompt, so showing it proves the tool turn."""


def agent(request: Request, _: int = 0) -> Answer:
    """A model that runs one command and repeats what it printed; asked for words, it says them."""
    last = request.json["messages"][-1]["content"]
    results = [part for part in last if isinstance(part, dict) and part.get("type") == "tool_result"]
    if results:
        return anthropic.stream("the shell says " + text_of(results[-1]["content"]))
    if "use the tool" in json.dumps(request.json["messages"]):
        events = (
            *anthropic.opening_events(),
            *anthropic.tool_events("Bash", {"command": SUM, "description": "add"}),
            *anthropic.closing_events(stop_reason="tool_use"),
        )
        return anthropic.events_answer(events)
    return anthropic.stream("plain words arrived")


def text_of(content: Any) -> str:
    """The text of a tool result."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def accounts(*names: str) -> list[dict[str, Any]]:
    """API-key accounts."""
    return [key_account(name) for name in names]


async def ready(shunt: Program, names: Sequence[str], **routing: Any) -> None:
    """Start shunt with these accounts."""
    shunt.configure(accounts(*names), routing=routing or {"wait": "0s"})
    await shunt.start()


def shows(done: Run, text: str) -> None:
    """The run ended well and its answer holds `text`."""
    assert done.status == 0, (done.out, done.err)
    assert text in done.out
    assert "API Error" not in done.out + done.err


def generating(upstream: ScriptedUpstream) -> list[Request]:
    """The requests for a model's answer, in order."""
    return [request for request in upstream.requests if request.path == "/v1/messages"]


async def test_a_text_turn_and_a_tool_turn(claude: Path, tmp_path: Path) -> None:
    """Both kinds of turn work, and what Claude Code sent arrives unchanged."""
    async with scripted_upstream(agent) as up, program(tmp_path, up.url) as shunt:
        await ready(shunt, ["a", "b"])
        shows(await run(claude, tmp_path, shunt.port, "say something"), "plain words arrived")
        shows(await run(claude, tmp_path, shunt.port, "use the tool"), RESULT)
        first = generating(up)[0]
        assert first.target.startswith(b"/v1/messages?beta=true")
        assert first.get(b"x-api-key") in (b"sk-test-a", b"sk-test-b")
        assert b"dummy-not-a-key" not in b"".join(value for _, value in first.headers)


async def failing_once(
    folder: Path, claude: Path, broken: Respond, names: Sequence[str] = ("a", "b")
) -> list[Request]:
    """A tool session in which the account in use answers its second turn as `broken` says."""
    served: dict[str, int] = {}

    def script(request: Request, n: int) -> Answer:
        turn = served.setdefault(request.key, 0)
        first_account = next(iter(served))
        if request.key == first_account and turn == 1:
            served[request.key] += 1
            return broken(request, n)
        served[request.key] += 1
        return agent(request)

    async with scripted_upstream(script) as up, program(folder, up.url) as shunt:
        await ready(shunt, names)
        shows(await run(claude, folder, shunt.port, "use the tool"), RESULT)
        return generating(up)


async def test_a_rejected_window_in_the_middle_of_a_session(claude: Path, tmp_path: Path) -> None:
    """The account's five-hour window ends between two turns: the other account takes over unseen."""
    requests = await failing_once(tmp_path, claude, lambda *_: anthropic.rejected(time.time() + 1800))
    keys = [request.key for request in requests]
    assert len(set(keys)) == 2
    assert requests[1].body == requests[2].body, "the turn was repeated elsewhere byte for byte"


async def test_an_overloaded_vendor(claude: Path, tmp_path: Path) -> None:
    """One 529 is retried without the client seeing it."""
    requests = await failing_once(tmp_path, claude, lambda *_: anthropic.overloaded())
    assert len(requests) == 3


async def test_an_expired_login_is_refreshed(claude: Path, tmp_path: Path) -> None:
    """A 401 costs one refresh; the session goes on, and the new tokens are on disk."""
    issuer = Issuer()
    tokens = issuer.grant("main")
    issuer.expire("main")
    protected = issuer.protect(agent)

    def script(request: Request, n: int) -> Answer:
        return issuer(request, n) if request.path == TOKEN_PATH else protected(request, n)

    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([])
        claude_login(shunt, tokens.access, tokens.refresh)
        added = await shunt.cli("add-account", "main", "--provider", "anthropic", "--import")
        assert added.returncode == 0, added.stderr
        await shunt.start()
        shows(await run(claude, tmp_path, shunt.port, "use the tool"), RESULT)
        assert len(issuer.calls) == 1
        assert issuer.families["main"].tokens.refresh in (shunt.home / "credentials.json").read_text()
        beta = generating(up)[-1].get(b"anthropic-beta") or b""
        assert b"oauth-2025-04-20" in beta
        assert b"claude-code-20250219" in beta


async def test_all_accounts_cool_for_forty_seconds(claude: Path, tmp_path: Path) -> None:
    """With every account spent the session waits, and goes on when the first window resets."""
    until = time.time() + 40

    def script(request: Request, n: int) -> Answer:
        return anthropic.rejected(until) if time.time() < until else agent(request)

    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        await ready(shunt, ["a", "b"], wait="5m")
        began = time.monotonic()
        shows(await run(claude, tmp_path, shunt.port, "use the tool", within=120), RESULT)
        assert time.monotonic() - began >= 38
        early = [request for request in generating(up) if request.arrived < up.requests[0].arrived + 30]
        assert len(early) == 2, "each account was asked once, and left alone while it cooled"
