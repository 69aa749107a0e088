"""The real opencode through a running shunt: each of its three adapters on accounts of several makers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.agents import CUE, MODELS, RESULT, SAID, SUM, WORDS, account
from tests.e2e.npm import Run, headless, installed
from tests.e2e.program import program
from tests.fakes.upstream import scripted_upstream

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

VERSION = "1.18.33"
PAIRS = (
    ("@ai-sdk/anthropic", "anthropic"),
    ("@ai-sdk/openai-compatible", "anthropic"),
    ("@ai-sdk/openai", "anthropic"),
    ("@ai-sdk/anthropic", "openai-compatible"),
    ("@ai-sdk/anthropic", "openai"),
    ("@ai-sdk/openai", "openai-compatible"),
    *(
        pytest.param(adapter, provider, marks=pytest.mark.slow)
        for adapter, provider in (
            ("@ai-sdk/openai-compatible", "openai-compatible"),
            ("@ai-sdk/openai-compatible", "openai"),
            ("@ai-sdk/openai", "openai"),
        )
    ),
)
"""opencode's adapter → provider of the account. Each start takes seconds: one pair per translation; where nothing is
translated the clients of those protocols are tested anyway, and the pair is slow."""
MODEL = "claude-sonnet-5-5"


@pytest.fixture(scope="session")
def opencode() -> Path:
    """Path of the program; skips where npm is missing."""
    return installed("opencode-ai", VERSION, "opencode")


async def run(opencode: Path, folder: Path, port: int, adapter: str, prompt: str) -> Run:
    """`opencode run PROMPT` against the shunt on `port`."""
    home = folder / "opencode-home"
    config = home / ".config" / "opencode" / "opencode.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    proxy: dict[str, Any] = {
        "npm": adapter,
        "options": {"baseURL": f"http://127.0.0.1:{port}/v1", "apiKey": "dummy-not-a-key"},
        "models": {MODEL: {"tool_call": True, "limit": {"context": 200_000, "output": 8000}}},
    }
    config.write_text(json.dumps({"autoupdate": False, "share": "disabled", "provider": {"proxy": proxy}}))
    return await headless([str(opencode), "run", "-m", f"proxy/{MODEL}", prompt], home, {})


@pytest.mark.parametrize(("adapter", "provider"), PAIRS)
async def test_a_text_turn_and_a_tool_turn(
    opencode: Path, tmp_path: Path, adapter: str, provider: str
) -> None:
    """Words arrive, commands are run, and the client's own key stays here."""
    model = MODELS[provider]("bash", {"command": SUM, "description": "add"})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([account(provider, up.url)])
        await shunt.start()
        done = await run(opencode, tmp_path, shunt.port, adapter, "say something")
        assert done.status == 0, (done.out, done.err)
        assert WORDS in done.out, (done.out, done.err)
        done = await run(opencode, tmp_path, shunt.port, adapter, CUE)
        assert done.status == 0, (done.out, done.err)
        assert SAID + RESULT in done.out, (done.out, done.err)
        assert {request.key for request in up.requests} == {"sk-test-c"}
