"""How the program is started."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.upstream.claude_code.launch import Start, launch, turn, version_of
from shunt.upstream.claude_code.plan import Plan, plan_of

SECRET = "my secret plans"


def plan(**fields: Any) -> Plan:
    """What is asked."""
    messages = [{"role": "user", "content": SECRET}]
    body = {"model": "opus", "messages": messages, "system": SECRET, **fields}
    return plan_of(json.dumps(body).encode())


ENVIRON = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:8082",
    "ANTHROPIC_AUTH_TOKEN": "shunt",
    "LD_LIBRARY_PATH": "/frozen/_MEI",
    "AWS_SECRET_ACCESS_KEY": "x",
    "CLAUDECODE": "1",
}


def test_nothing_that_is_asked_stands_in_the_arguments() -> None:
    """Other users of the machine can read them."""
    tools = [{"name": "look", "description": SECRET}]
    schema = {"type": "json_schema", "schema": {"title": SECRET}}
    told = launch(plan(tools=tools, output_config={"format": schema}), Start(), environ={})
    assert SECRET not in " ".join(told.arguments)
    first = told.lines[0]["request"]
    assert first["systemPrompt"] == [SECRET]
    assert first["sdkMcpServers"] == ["c"]
    assert first["jsonSchema"] == {"title": SECRET}


def test_the_program_gets_no_tool_and_no_settings() -> None:
    """It cannot touch a file, and nobody's hooks or servers are loaded."""
    arguments = launch(plan(), Start(), environ={}).arguments
    assert arguments[arguments.index("--tools") + 1] == ""
    assert {"--setting-sources=", "--strict-mcp-config", "--no-session-persistence"} <= set(arguments)
    assert arguments[arguments.index("--permission-mode") + 1] == "dontAsk"


def test_the_environment_is_scrubbed() -> None:
    """No address of shunt itself, no key of others, no library path of a frozen build."""
    found = launch(plan(), Start(), environ=ENVIRON).environment
    assert {"PATH", "HOME"} <= set(found)
    assert not {"ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "LD_LIBRARY_PATH", "CLAUDECODE"} & set(found)
    assert "AWS_SECRET_ACCESS_KEY" not in found


def test_an_accounts_own_wishes() -> None:
    """Address, key, folder, proxy and the cap on output."""
    found = launch(
        plan(max_tokens=9),
        Start(),
        environ={},
        url="http://v",
        key="sk-ant-test",
        config_dir="/c",
        proxy="http://p",
    ).environment
    assert found["ANTHROPIC_BASE_URL"] == "http://v"
    assert found["ANTHROPIC_API_KEY"] == "sk-ant-test"
    assert (found["CLAUDE_CONFIG_DIR"], found["HTTPS_PROXY"]) == ("/c", "http://p")
    assert found["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "9"


def test_ways_to_begin() -> None:
    """A new session, a session resumed, and one that goes on from tool results without a new turn."""
    new = launch(plan(), Start(session="s1", kept=True), environ={})
    assert "--session-id=s1" in new.arguments
    assert "--no-session-persistence" not in new.arguments
    on = launch(plan(), Start(resume="/t.jsonl", asked=False), environ={})
    assert "--resume=/t.jsonl" in on.arguments
    assert len(on.lines) == 1
    assert on.environment["CLAUDE_CODE_RESUME_INTERRUPTED_TURN"] == "1"


def test_a_turn() -> None:
    """As a line of the program's input."""
    assert turn("hi") == {"type": "user", "message": {"role": "user", "content": "hi"}}


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.1.329 (Claude Code)\n", (2, 1, 329)), ("2.1.3-beta", ()), ("", ()), ("command not found", ())],
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    """What `--version` prints, or that it is none."""
    assert version_of(text) == version
