"""Ways back into a conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from shunt.accounts.account import Account
from shunt.providers.claude_code import LOCAL
from shunt.upstream.claude_code.launch import Start
from shunt.upstream.claude_code.memory import Memory
from shunt.upstream.claude_code.narration import Narration
from shunt.upstream.claude_code.plan import Plan, plan_of
from shunt.upstream.claude_code.run import Run
from shunt.upstream.claude_code.sessions import Sessions
from shunt.upstream.claude_code.turn import Bounds, Turn

ACCOUNT = Account("local", "claude-code", LOCAL, subscription=True)
BOUNDS = Bounds(1, 0, 0, 1)


def plan(*texts: str, results: bool = False) -> Plan:
    """A conversation of alternating turns."""
    turns: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)
    ]
    if results:
        turns[-1]["content"] = [{"type": "tool_result", "tool_use_id": "t", "content": texts[-1]}]
    return plan_of(json.dumps({"model": "opus", "messages": turns}).encode())


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path, {"HOME": str(tmp_path / "home")}, lambda: {"local": ""}, Sessions(5))


def mode_of(start: Start) -> int | None:
    """Mode of a transcript; None when it has gone."""
    path = Path(start.resume)
    return path.stat().st_mode & 0o777 if path.exists() else None


def roles_in(start: Start) -> list[str]:
    """Whose turns a transcript holds."""
    return [json.loads(line)["type"] for line in Path(start.resume).read_bytes().splitlines()]


async def kept(memory: Memory, asked: Plan, answer: str) -> None:
    """Remember the session of a run that gave this answer."""
    await trio.lowlevel.checkpoint()
    narration = Narration({}, started=True, finished=True)
    narration.content.append({"type": "text", "text": answer})
    run = Run("local", asked, Turn(narration, BOUNDS), lambda _: None, 1.0)
    run.session = "11111111-2222-4333-8444-555555555555"
    memory.keep(run, "talk", 5.0)


async def test_the_first_turn_starts_a_session(memory: Memory) -> None:
    """Kept under an id of ours when the conversation has a name, nowhere otherwise."""
    named = await memory.afresh(ACCOUNT, plan("hi"), "talk", 1.0)
    assert named.kept
    assert len(named.session) == 36
    assert not (await memory.afresh(ACCOUNT, plan("hi"), "", 1.0)).kept


async def test_a_conversation_is_told_as_the_turns_it_was(memory: Memory) -> None:
    """In a private file that goes when it has been read; the last turn is put in by the person."""
    start = await memory.afresh(ACCOUNT, plan("one", "two", "three"), "", 1.0)
    assert mode_of(start) == 0o600
    assert roles_in(start) == ["user", "assistant"]
    assert start.asked
    memory.discard(start)
    assert mode_of(start) is None


async def test_results_are_told_and_nothing_is_asked(memory: Memory) -> None:
    """The program goes on from them."""
    start = await memory.afresh(ACCOUNT, plan("one", "two", "sun", results=True), "", 1.0)
    assert roles_in(start) == ["user", "assistant", "user"]
    assert not start.asked


async def test_a_session_is_resumed_only_where_it_stands(memory: Memory) -> None:
    """The same model, the same words, exactly one turn more."""
    await kept(memory, plan("one"), "two")
    resumed = memory.resumable(ACCOUNT, plan("one", "two", "three"), "talk")
    assert resumed is not None
    assert resumed.resume.startswith("1111")
    for other in (plan("one", "TWO", "three"), plan("one"), plan("one", "two", "x", results=True)):
        assert memory.resumable(ACCOUNT, other, "talk") is None
    assert memory.resumable(ACCOUNT, plan("one", "two", "three"), "") is None


async def test_sessions_survive_a_restart(memory: Memory, tmp_path: Path) -> None:
    """The table is written when it changed; a damaged file costs the memory, not the start."""
    await kept(memory, plan("one"), "two")
    memory.save()
    again = Memory(tmp_path, {}, dict, Sessions(5))
    again.load()
    assert again.sessions.all() == memory.sessions.all()
    (tmp_path / "sessions.json").write_bytes(b"\0")
    damaged = Memory(tmp_path, {}, dict, Sessions(5))
    damaged.load()
    assert damaged.sessions.all() == ()


async def test_cleaning_up_removes_the_programs_file_and_no_other(memory: Memory) -> None:
    """Only that of the session, in the folder that the program names after ours."""
    await kept(memory, plan("one"), "two")
    (session,) = memory.sessions.all()
    project = "".join(
        letter if letter.isascii() and letter.isalnum() else "-"
        for letter in str(memory.work_folder("local"))
    )
    folder = Path(memory.environ["HOME"]) / ".claude" / "projects" / project
    folder.mkdir(parents=True)
    for name in (session.id, "other"):
        (folder / f"{name}.jsonl").touch()
    assert memory.cleanup(1.0) == 0
    assert memory.cleanup(6.0) == 1
    assert [path.name for path in folder.iterdir()] == ["other.jsonl"]
