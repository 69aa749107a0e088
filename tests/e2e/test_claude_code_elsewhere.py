"""The real Claude Code on accounts of other makers: it does not notice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.agents import CUE, MODELS, RESULT, SUM, WORDS, account
from tests.e2e.claude_code import claude, run
from tests.e2e.program import Program, program
from tests.fakes.upstream import ScriptedUpstream, scripted_upstream

__all__ = ["claude"]

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

Running = tuple[Program, ScriptedUpstream]


@pytest.fixture(params=["openai-compatible", "openai"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    provider: str = request.param
    model = MODELS[provider]("Bash", {"command": SUM, "description": "add"})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        family = {"openai": "gpt-5.5"}
        shunt.configure([account(provider, up.url)], models={"claude-*": family})
        await shunt.start()
        yield shunt, up


async def test_a_text_turn(claude: Path, tmp_path: Path, running: Running) -> None:
    """Words of another maker's model arrive, asked for under the name the owner mapped."""
    shunt, up = running
    done = await run(claude, tmp_path, shunt.port, "say something")
    assert (done.status, done.out.strip()) == (0, WORDS), (done.out, done.err)
    assert {request.key for request in up.requests} == {"sk-test-c"}
    assert {request.json["model"] for request in up.requests} == {"gpt-5.5"}


async def test_a_tool_turn(claude: Path, tmp_path: Path, running: Running) -> None:
    """Another maker's model has its command run and is told what it printed."""
    shunt, _ = running
    done = await run(claude, tmp_path, shunt.port, CUE)
    assert done.status == 0, (done.out, done.err)
    assert RESULT in done.out, (done.out, done.err)
