"""Calls to the local program: queue, limits, tools, failures, and nothing left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from shunt.errors import InvalidRequest, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from shunt.upstream.claude_code.turn import Reply
from tests.upstream.claude_code.desk import TOOL, desk, events, text_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")

OTHER = {**TOOL, "name": "listen"}


def results(*texts: str) -> dict[str, Any]:
    """A turn that brings the results of calls."""
    blocks = [
        {"type": "tool_result", "tool_use_id": f"toolu_{place}", "content": text}
        for place, text in enumerate(texts)
    ]
    return {"role": "user", "content": blocks}


async def test_an_answer_comes_as_the_vendor_streams_it(tmp_path: Path) -> None:
    """Every event of the message, once, from start to stop; the process ends and the place is free."""
    async with desk(tmp_path) as at:
        reply = await at.ask("hello")
        answer = await events(reply)
        assert (reply.status, text_of(answer)) == (200, "hello")
        assert [event["type"] for event in answer][:2] == ["message_start", "content_block_start"]
        assert answer[-1] == {"type": "message_stop"}
        await at.gone()


async def test_parallel_calls_are_answered_by_the_next_request(tmp_path: Path) -> None:
    """The process waits with both calls open, and goes on when their results come."""
    async with desk(tmp_path) as at:
        asked = await events(await at.ask("tools", tools=[TOOL, OTHER]))
        calls = [event["content_block"] for event in asked if event["type"] == "content_block_start"]
        assert [(call["id"], call["name"]) for call in calls] == [("toolu_0", "look"), ("toolu_1", "listen")]
        (run,) = at.driver.runs
        assert (run.waits_for, at.driver.places.taken) == (frozenset({"toolu_0", "toolu_1"}), 0)
        said = {"role": "assistant", "content": [{**call, "input": {}} for call in calls]}
        answer = await events(await at.ask("tools", said, results("sun", "rain"), tools=[TOOL, OTHER]))
        assert text_of(answer) == "sun and rain"
        await at.gone()


async def test_the_same_process_goes_on_with_the_results(tmp_path: Path) -> None:
    """No second process is started while one waits for exactly these results."""
    async with desk(tmp_path) as at:
        asked = await events(await at.ask("tools", tools=[TOOL]))
        first = at.driver.runs[0].pid
        block = next(event["content_block"] for event in asked if event["type"] == "content_block_start")
        said = {"role": "assistant", "content": [block]}
        reply = await at.ask("tools", said, results("sun"), tools=[TOOL])
        assert at.driver.runs[0].pid == first
        assert text_of(await events(reply)) == "sun"
        await at.gone()


async def test_a_waiting_process_does_not_wait_for_ever(tmp_path: Path) -> None:
    """When the client's tool takes longer than tool_wait, the process ends."""
    async with desk(tmp_path, tool_wait=0.2) as at:
        await events(await at.ask("tools", tools=[TOOL]))
        await at.gone()


async def test_few_processes_wait_at_once(tmp_path: Path) -> None:
    """Beyond max_waiting the one that waits longest is ended."""
    async with desk(tmp_path, max_waiting=1) as at:
        for _ in range(3):
            await events(await at.ask("tools", tools=[TOOL]))
        with trio.fail_after(20):
            while len(at.driver.runs) > 1:  # noqa: ASYNC110 - real processes end
                await trio.sleep(0.01)


async def test_the_queue_is_first_come_first_served(tmp_path: Path) -> None:
    """Twenty requests through two places: all are answered, never more than two at once."""
    most = 0
    async with desk(tmp_path, max_concurrent=2) as at:

        async def one(number: int) -> None:
            nonlocal most
            answer = await events(await at.ask(f"number {number}"))
            most = max(most, at.driver.places.taken)
            assert text_of(answer) == f"number {number}"

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(one, number)
        assert most <= 2
        await at.gone()


async def test_whoever_waits_too_long_in_the_queue_is_told(tmp_path: Path) -> None:
    """529 in the vendor's shape, marked as ours: the account is not to blame."""
    async with desk(tmp_path, max_concurrent=1, queue_timeout=0.1) as at:
        first = await at.ask("stall")
        reply = await at.ask("hello")
        body = await reply.read(1000, 5)
        assert reply.status == 529
        assert b"overloaded_error" in body
        assert dict(reply.headers)[b"x-shunt-busy"] == b"queue"
        await first.aclose()
        assert text_of(await events(await at.ask("hello"))) == "hello"
        await at.gone()


async def test_leaving_the_queue_leaves_no_hole(tmp_path: Path) -> None:
    """A client that goes while it queues takes no place with it."""
    async with desk(tmp_path, max_concurrent=1) as at:
        first = await at.ask("stall")
        with trio.move_on_after(0.1):
            await at.ask("hello")
        await first.aclose()
        assert text_of(await events(await at.ask("hello"))) == "hello"
        await at.gone()


async def test_a_client_that_leaves_ends_the_program(tmp_path: Path) -> None:
    """In the middle of an answer, and before it began: the process has gone, the place is free."""
    async with desk(tmp_path) as at:
        reply = await at.ask("stall")
        pid = at.driver.runs[0].pid
        assert pid is not None
        await reply.aclose()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with trio.move_on_after(0.5):
            await at.ask("silent")
        await at.gone()


@pytest.mark.parametrize("words", ["stall", "silent"])
async def test_a_silent_program_is_given_up(tmp_path: Path, words: str) -> None:
    """After stall_timeout, with the setting's name in the error; nothing is left behind."""
    async with desk(tmp_path, stall_timeout=0.5) as at:
        with pytest.raises(UpstreamTimeout, match="stall_timeout"):
            await whole(await at.ask(words))
        await at.gone()


async def test_an_endless_answer_is_bounded_in_time(tmp_path: Path) -> None:
    """The whole answer may take total_timeout."""
    async with desk(tmp_path, total_timeout=0.5, stall_timeout=60) as at:
        with pytest.raises(UpstreamTimeout, match="total_timeout"):
            await whole(await at.ask("stall"))
        await at.gone()


async def test_an_endless_answer_is_bounded_in_length(tmp_path: Path) -> None:
    """Output beyond max_output_chars ends the answer with that reason."""
    async with desk(tmp_path, max_output_chars=2000) as at:
        with pytest.raises(UpstreamBroke, match="max_output_chars"):
            await whole(await at.ask("long"))
        await at.gone()


async def test_silence_is_filled_with_pings(tmp_path: Path) -> None:
    """While the program thinks, the client is shown that somebody is there."""
    async with desk(tmp_path, heartbeat=0.05) as at:
        reply = await at.ask("stall")
        seen = b""
        with trio.fail_after(20):
            async for chunk in reply.chunks():
                seen += chunk
                if b"event: ping" in seen:
                    break
        await reply.aclose()
        await at.gone()


async def test_a_crash_is_told_with_its_reason_and_without_secrets(tmp_path: Path) -> None:
    """The end of standard error stands in the error, keys blanked; the next request works."""
    async with desk(tmp_path) as at:
        with pytest.raises(UpstreamBroke, match="out of memory") as caught:
            await whole(await at.ask("crash"))
        assert "sk-ant" not in str(caught.value)
        assert text_of(await events(await at.ask("hello"))) == "hello"
        await at.gone()


async def test_a_killed_program_is_told(tmp_path: Path) -> None:
    """SIGKILL in the middle of an answer ends it as broken."""
    async with desk(tmp_path) as at:
        reply = await at.ask("stall")
        pid = at.driver.runs[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(UpstreamBroke):
            await whole(reply)
        await at.gone()


async def test_a_spent_window_is_told_as_the_vendor_tells_it(tmp_path: Path) -> None:
    """429 with the unified headers, so that the account cools until the reset."""
    async with desk(tmp_path) as at:
        reply = await at.ask("limited")
        headers = dict(reply.headers)
        assert reply.status == 429
        assert headers[b"anthropic-ratelimit-unified-5h-status"] == b"rejected"
        assert headers[b"anthropic-ratelimit-unified-5h-reset"] == b"4102444800"
        assert at.learned[0][1][0].name == "5h"
        await at.gone()


async def test_a_missing_login_names_the_cure(tmp_path: Path) -> None:
    """401, with the command that logs in."""
    async with desk(tmp_path) as at:
        reply = await at.ask("logged out")
        assert reply.status == 401
        assert b"run `claude` once" in await reply.read(2000, 5)
        await at.gone()


async def test_a_conversation_is_resumed(tmp_path: Path) -> None:
    """With a conversation id and an unchanged history, the program's own session goes on."""
    named = ((b"x-conversation-id", b"talk"),)
    async with desk(tmp_path) as at:
        await events(await at.ask("one", headers=named))
        await at.gone()
        (session,) = at.driver.memory.sessions.all()
        assert (session.key, session.turns, session.requests) == ("talk", 2, 1)
        said = {"role": "assistant", "content": "one"}
        await events(await at.ask("one", said, "two", headers=named))
        await at.gone()
        (session,) = at.driver.memory.sessions.all()
        assert (session.turns, session.requests) == (4, 2)
        assert at.driver.listed()[0]["conversation"] == "talk"
        assert await at.driver.cleanup(everything=True) == 1
        assert at.driver.listed() == []


async def test_nonsense_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """A body without messages is the client's mistake; no process is started for it."""
    async with desk(tmp_path) as at:
        with pytest.raises(InvalidRequest, match="messages"):
            await at.ask()
        assert at.driver.runs == []


async def test_a_missing_program_names_the_install_command(tmp_path: Path) -> None:
    """Whoever has no Claude Code is told how to get it."""
    async with desk(tmp_path, command=str(tmp_path / "nowhere")) as at:
        with pytest.raises(UpstreamUnreachable, match="npm install"):
            await at.ask("hello")


async def test_unsaid_wishes_are_named(tmp_path: Path) -> None:
    """What the program has no switch for, in the words of the Messages API."""
    async with desk(tmp_path) as at:
        reply = await at.ask("hello", temperature=0.5, stop_sequences=["x"])
        assert reply.unsaid == ("temperature", "stop_sequences")
        await reply.aclose()
        reply = await at.ask("hello again", temperature=1.0, stop_sequences=[], service_tier="auto")
        assert reply.unsaid == ()
        await reply.aclose()
        await at.gone()


async def whole(reply: Reply) -> None:
    """Read to the end, or to the error; then close, as the request's lifetime does."""
    try:
        with trio.fail_after(30):
            async for _ in reply.chunks():
                pass
    finally:
        await reply.aclose()
