"""The control API, fuzzed from its own description."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import trio

from tests.e2e.program import key_account, program
from tests.fakes import anthropic
from tests.fakes.client import ask
from tests.fakes.upstream import scripted_upstream

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_request_upsets_it_and_every_answer_is_as_described(tmp_path: Path) -> None:
    """Whatever is sent to any control route: never a 500, always a documented status and document."""
    async with scripted_upstream(lambda *_: anthropic.plain("hi")) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a"), key_account("b")])
        await shunt.start()
        for number in range(4):
            await shunt.message(f"conversation {number}")
        described = json.loads((await ask(shunt.port, b"GET", b"/openapi.json")).body)
        del described["paths"]["/events"]  # it has no end
        document = tmp_path / "openapi.json"
        document.write_text(json.dumps(described))
        tried = await trio.run_process(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
                *("--url", f"http://127.0.0.1:{shunt.port}", "--checks", ",".join(CHECKS)),
                *("--phases", "coverage,fuzzing", "--max-time", "90", "--no-color"),
            ],
            cwd=tmp_path,
            check=False,
            capture_stdout=True,
            capture_stderr=True,
        )
        assert tried.returncode == 0, tried.stdout.decode() + tried.stderr.decode()
