"""One process at work: what it asks besides, and what is told of it."""

from __future__ import annotations

import json
import os
import sys

import pytest
import trio

from shunt.upstream.claude_code.child import spawn
from shunt.upstream.claude_code.launch import Launch
from shunt.upstream.claude_code.narration import Ended, Narration
from shunt.upstream.claude_code.plan import plan_of
from shunt.upstream.claude_code.run import Run, fails_with
from shunt.upstream.claude_code.turn import Bounds, Gone, Turn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes as POSIX has them")

PLAN = plan_of(json.dumps({"model": "opus", "messages": [{"role": "user", "content": "hi"}]}).encode())


async def outcome(code: str) -> tuple[Run, list[bytes | Ended | Gone]]:
    """Run a process to its end; what came of it."""
    turn = Turn(Narration({}), Bounds(30, 0, 0, 30))
    run = Run("local", PLAN, turn, lambda _: None, 1.0)
    child = await spawn([sys.executable, "-c", code], {}, "/", str)
    found: list[bytes | Ended | Gone] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.serve, child, Launch((), {}, ({"hello": 1},)))
        try:
            while True:
                found.append(await turn.first())
        except StopAsyncIteration:
            pass
    return run, found


async def test_requests_that_are_not_for_tools_are_refused() -> None:
    """The program may ask for permissions and hooks; it gets neither."""
    code = (
        "import json, sys\n"
        "sys.stdin.readline()\n"
        "print(json.dumps({'type': 'control_request', 'request_id': 'r', 'request': {'subtype': 'x'}}), flush=True)\n"
        "told = json.loads(sys.stdin.readline())['response']\n"
        "print(json.dumps({'type': 'result', 'is_error': True, 'result': told['subtype']}), flush=True)\n"
        "sys.stdin.read()\n"
    )
    run, found = await outcome(code)
    assert isinstance(found[0], Ended)
    assert fails_with(found[0]) == "error"
    assert run.ended.is_set()
    assert not run.well


async def test_its_death_is_told_with_its_last_words() -> None:
    """Status and the end of standard error."""
    run, found = await outcome("import sys; sys.stderr.write('no memory'); sys.exit(3)")
    assert found == [Gone(3, "no memory")]
    assert fails_with(Gone(3, "no memory")) == "no memory"
    assert run.pid is not None
    assert run.waits_for == frozenset()
