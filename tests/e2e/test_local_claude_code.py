"""The real Claude Code as an account: SDKs, Codex and opencode are answered by the vendor's own program."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import trio

from tests.e2e import test_codex, test_opencode
from tests.e2e.agents import CUE, RESULT, SUM, WORDS, claude_model
from tests.e2e.claude_code import claude
from tests.e2e.program import Program, program
from tests.e2e.test_codex import codex
from tests.e2e.test_opencode import opencode
from tests.fakes import anthropic as vendor
from tests.fakes.client import RawResponse, ask
from tests.fakes.upstream import Answer, Gate, Request, ScriptedUpstream, scripted_upstream

__all__ = ["claude", "codex", "opencode"]

pytestmark = [
    pytest.mark.clients,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left processes in /proc"),
]

MODEL = "claude-opus-5-5"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOLS: list[Any] = [
    {"name": name, "description": name, "input_schema": {"type": "object", "properties": {}}}
    for name in ("look", "listen")
]


def children(folder: Path) -> list[int]:
    """Processes that work in a folder of this test."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and str(folder) in str((entry / "cwd").readlink()):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def leads(pid: int) -> bool:
    """Whether a process is one that shunt started, and not a helper of such a one."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


async def none_left(folder: Path) -> None:
    """Every process of the program has gone."""
    with trio.fail_after(30):
        while children(folder / "shunt" / "claude-code"):  # noqa: ASYNC110 - real processes
            await trio.sleep(0.05)


def configure(shunt: Program, claude: Path, url: str, **settings: Any) -> None:
    """One account on the real program, which finds its vendor at `url`."""
    account = {"name": "local", "provider": "claude-code", "upstream_url": url, "api_key": "sk-ant-test-0"}
    shunt.extra |= {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    shunt.configure([account], claude_code={"command": str(claude), **settings})


def two_tools(request: Request, _: int) -> Answer:
    """A model that calls two tools at once, then tells their results."""
    last = request.json["messages"][-1]["content"]
    results = [part for part in last if isinstance(part, dict) and part.get("type") == "tool_result"]
    if request.json.get("tools") and not results:
        calls = [
            vendor.tool_events(f"mcp__c__{name}", {"n": place}, place)
            for place, name in enumerate(("look", "listen"))
        ]
        ending = vendor.closing_events(stop_reason="tool_use")
        # Each call gets an id of its own.
        events = [
            event.replace(b"toolu_", b"toolu_%d" % place)
            for place, call in enumerate(calls)
            for event in call
        ]
        return vendor.events_answer((*vendor.opening_events(), *events, *ending))
    told = " and ".join(part["content"][0]["text"] for part in results)
    return vendor.stream(told or WORDS)


@pytest.fixture
async def running(claude: Path, tmp_path: Path) -> AsyncIterator[tuple[Program, ScriptedUpstream]]:
    async with scripted_upstream(two_tools) as up, program(tmp_path, up.url) as shunt:
        configure(shunt, claude, up.url)
        await shunt.start()
        yield shunt, up
        await shunt.stop()
        await none_left(tmp_path)


def client_of(shunt: Program) -> anthropic.Anthropic:
    """The official SDK, pointed at shunt."""
    return anthropic.Anthropic(base_url=f"http://127.0.0.1:{shunt.port}", api_key="dummy", max_retries=0)


async def test_text_image_and_usage(running: tuple[Program, ScriptedUpstream]) -> None:
    """Words stream, an image reaches the model as it is, and usage is the vendor's own."""
    shunt, up = running
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content: Any = [{"type": "image", "source": source}, {"type": "text", "text": "what is this?"}]

    def talk() -> anthropic.types.Message:
        messages: Any = [{"role": "user", "content": content}]
        with client_of(shunt).messages.stream(model=MODEL, max_tokens=64, messages=messages) as stream:
            return stream.get_final_message()

    message = await trio.to_thread.run_sync(talk)
    assert message.content[0].text == WORDS  # type: ignore[union-attr]
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 5)
    sent = [part for turn in up.requests[0].json["messages"] for part in turn["content"]]
    images = [part for part in sent if isinstance(part, dict) and part.get("type") == "image"]
    assert base64.b64decode(images[0]["source"]["data"]) == base64.b64decode(PIXEL)
    assert up.requests[0].json["tools"] == []  # none of the program's own


async def test_parallel_tools_and_a_conversation_of_ten_turns(
    running: tuple[Program, ScriptedUpstream],
) -> None:
    """Two calls at once are the client's to answer; after that, each turn resumes the program's session."""
    shunt, up = running
    sdk = client_of(shunt)
    messages: list[Any] = [{"role": "user", "content": "look and listen"}]
    named = {"x-conversation-id": "ten-turns"}

    def turn(tools: list[Any]) -> anthropic.types.Message:
        return sdk.messages.create(
            model=MODEL, max_tokens=64, messages=messages, tools=tools, extra_headers=named
        )

    first = await trio.to_thread.run_sync(turn, TOOLS)
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [("look", {"n": 0}), ("listen", {"n": 1})]
    told = ("sun", "rain")
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": text}
        for call, text in zip(calls, told, strict=True)
    ]
    messages += [
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {"role": "user", "content": results},
    ]
    second = await trio.to_thread.run_sync(turn, TOOLS)
    assert second.content[0].text == "sun and rain"  # type: ignore[union-attr]
    messages.append({"role": "assistant", "content": "sun and rain"})
    for number in range(9):
        await none_left_working(shunt)
        messages.append({"role": "user", "content": f"turn {number}"})
        answer = await trio.to_thread.run_sync(turn, [])
        messages.append({"role": "assistant", "content": answer.content[0].text})  # type: ignore[union-attr]
    seen = up.requests[-1].json["messages"]
    assert str(seen).count("turn 3") == 1
    await none_left_working(shunt)
    listed = await sessions(shunt)
    (session,) = listed["sessions"]
    assert (session["conversation"], session["requests"]) == ("ten-turns", 10)
    assert json.loads((await shunt.post("/sessions/cleanup", {"all": True})).body) == {
        "removed": 1,
        "remaining": 0,
    }


def said_in(answer: RawResponse) -> str:
    """The text of a plain answer."""
    assert answer.status == 200, answer.body
    text: str = json.loads(answer.body)["content"][0]["text"]
    return text


async def sessions(shunt: Program) -> dict[str, Any]:
    """GET /sessions."""
    found: dict[str, Any] = json.loads((await ask(shunt.port, b"GET", b"/sessions")).body)
    return found


async def none_left_working(shunt: Program) -> None:
    """The program has put its session away."""
    with trio.fail_after(60):
        while (await sessions(shunt))["processes"]["answering"]:  # noqa: ASYNC110 - likewise
            await trio.sleep(0.02)


async def test_a_lost_session_is_told_anew(running: tuple[Program, ScriptedUpstream]) -> None:
    """When the program no longer has the session, the request goes through all the same, with everything."""
    shunt, up = running
    named = ((b"x-conversation-id", b"lost"),)
    await shunt.message("one", headers=named)
    await none_left_working(shunt)
    for kept in (shunt.user / ".claude" / "projects").rglob("*.jsonl"):
        kept.unlink()
    said = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": WORDS},
        {"role": "user", "content": "two"},
    ]
    answer = await shunt.message(headers=named, messages=said)
    assert said_in(answer) == WORDS
    texts = str(up.requests[-1].json["messages"])
    assert "'one'" in texts
    assert "two" in texts


async def test_the_openai_sdk(running: tuple[Program, ScriptedUpstream]) -> None:
    """Chat Completions and Responses reach the program too, streamed; what it has no switch for is told in the
    client's words."""
    shunt, _ = running
    sdk = openai.OpenAI(base_url=f"http://127.0.0.1:{shunt.port}/v1", api_key="dummy", max_retries=0)

    def chat() -> str:
        stream = sdk.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    def unsaid() -> tuple[str | None, str | None]:
        words: Any = [{"role": "user", "content": "hi"}]
        told = sdk.chat.completions.with_raw_response.create(
            model=MODEL, messages=words, stop="x", temperature=0
        )
        ours = told.headers.get("x-shunt-dropped")
        own = anthropic.Anthropic(base_url=f"http://127.0.0.1:{shunt.port}", api_key="dummy", max_retries=0)
        said = own.messages.with_raw_response.create(
            model=MODEL, max_tokens=99, messages=words, stop_sequences=["x"]
        )
        return ours, said.headers.get("x-shunt-dropped")

    def respond() -> str:
        return sdk.responses.create(model=MODEL, input="hi").output_text

    assert await trio.to_thread.run_sync(chat) == WORDS
    assert await trio.to_thread.run_sync(respond) == WORDS
    assert await trio.to_thread.run_sync(unsaid) == ("temperature, stop", "stop_sequences")


async def test_codex_has_its_tool_run(claude: Path, codex: Path, tmp_path: Path) -> None:
    """Codex runs the command that the model asks for behind the program."""
    model = claude_model("mcp__c__exec_command", {"cmd": SUM})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        configure(shunt, claude, up.url)
        await shunt.start()
        done = await test_codex.run(codex, tmp_path, shunt.port, CUE)
        assert RESULT in done.out, done.err[-3000:]
        await shunt.stop()
        await none_left(tmp_path)


async def test_opencode_has_its_tool_run(claude: Path, opencode: Path, tmp_path: Path) -> None:
    """So does opencode, in Anthropic's own protocol."""
    model = claude_model("mcp__c__bash", {"command": SUM, "description": "add"})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        configure(shunt, claude, up.url)
        await shunt.start()
        done = await test_opencode.run(opencode, tmp_path, shunt.port, "@ai-sdk/anthropic", CUE)
        assert RESULT in done.out, (done.out, done.err[-3000:])
        await shunt.stop()
        await none_left(tmp_path)


async def test_twenty_requests_share_five_places(running: tuple[Program, ScriptedUpstream]) -> None:
    """All are answered; never more than five processes at once."""
    shunt, _ = running
    most = 0

    async def one(number: int) -> None:
        answer = await shunt.message(f"number {number}")
        assert said_in(answer) == WORDS

    async def watch() -> None:
        nonlocal most
        while True:
            # The program starts helpers of its own: its processes are those that lead a session.
            found = children(shunt.folder / "shunt" / "claude-code")
            most = max(most, sum(1 for pid in found if leads(pid)))
            await trio.sleep(0.02)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        async with trio.open_nursery() as asking:
            for number in range(20):
                asking.start_soon(one, number)
        nursery.cancel_scope.cancel()
    assert 1 <= most <= 5


async def test_stall_kill_and_a_client_that_leaves(claude: Path, tmp_path: Path) -> None:
    """Each ends the answer with its reason and leaves no process; the next request works."""
    never = trio.Event()
    begun = (*vendor.opening_events(), *vendor.text_events(["half"])[:2])

    def script(request: Request, _: int) -> Answer:
        if "hang" in str(request.json["messages"]):
            return vendor.events_answer((*begun, Gate(never)))
        return vendor.stream(WORDS)

    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        configure(shunt, claude, up.url, stall_timeout="2s")
        await shunt.start()
        stalled = await shunt.message("hang", stream=True)
        assert b"event: error" in stalled.body
        assert b"stall_timeout" in stalled.body
        await none_left(tmp_path)

        over = {each["id"] for each in (await shunt.status())["active"]}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill_next, shunt, tmp_path, over)
            killed = await shunt.message("hang", stream=True)
        assert b"event: error" in killed.body
        await none_left(tmp_path)

        with trio.move_on_after(1):
            await shunt.message("hang", stream=True)
        await none_left(tmp_path)
        assert said_in(await shunt.message("go on")) == WORDS
        await shunt.stop()
        await none_left(tmp_path)


async def kill_next(shunt: Program, folder: Path, over: set[str]) -> None:
    """Kill the program's process once the answer of a request that is not `over` has begun to reach the client."""

    async def begun() -> bool:
        active = (await shunt.status())["active"]
        return any(each["bytes"] for each in active if each["id"] not in over)

    with trio.fail_after(60):
        while not await begun():  # noqa: ASYNC110 - likewise
            await trio.sleep(0.05)
    os.kill(children(folder / "shunt" / "claude-code")[0], signal.SIGKILL)
