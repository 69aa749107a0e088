"""How the program is started: arguments, environment and first lines. Pure.

Nothing of what is asked stands in the arguments, which other users of the machine can read: the
instructions, the schema and the tools go through the pipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from shunt.upstream.claude_code.plan import PREFIX, SERVER, Plan

OLDEST: Final = (2, 1, 0)
"""Older programs do not take their instructions through the pipe."""
INITIALIZE: Final = "shunt-initialize"
"""Id of our one control request."""

FIXED: Final = (
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json"),
    *("--verbose", "--include-partial-messages"),
    # Nobody's settings, hooks, servers, skills or commands, and no tool of its own: the program cannot
    # touch a file.
    *("--setting-sources=", "--strict-mcp-config", "--tools", "", "--disable-slash-commands"),
    # What is not allowed below is denied, never asked for.
    *("--permission-mode", "dontAsk", "--allowedTools", PREFIX.rstrip("_")),
)

KEPT: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SHELL"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
    *("USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "TEMP", "TMP", "COMSPEC", "PATHEXT"),
    # How this network reaches the vendor.
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),
    # The program's own login, where it is not in its folder.
    *("CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR"),
)
"""Variables the program is given. ANTHROPIC_BASE_URL is not: people point it at shunt."""

ALWAYS: Final = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # Whether and where to try again is decided here.
    "CLAUDE_CODE_MAX_RETRIES": "1",
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
    # The client keeps the conversation, and cuts it when it gets too long.
    "DISABLE_AUTO_COMPACT": "1",
    "ENABLE_TOOL_SEARCH": "false",
    # A tool's result is the client's business, whatever its size.
    "MAX_MCP_OUTPUT_TOKENS": "10000000",
}


@frozen
class Launch:
    """One start of the program."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    lines: tuple[Mapping[str, Any], ...] = field(repr=False)
    """JSON lines for its standard input."""


@frozen
class Start:
    """How the conversation so far gets into the program."""

    resume: str = ""
    """A session of the program, or the path of a transcript; empty for a conversation's first turn."""
    session: str = ""
    """UUID for a new session; empty to let the program choose."""
    kept: bool = False
    """Whether the program keeps the session on its disk."""
    asked: bool = True
    """Whether a turn is put in; without one, the program goes on from the results it is resumed with."""


def launch(
    plan: Plan,
    start: Start,
    *,
    environ: Mapping[str, str],
    url: str = "",
    key: str = "",
    config_dir: str = "",
    proxy: str = "",
    tool_wait: float = 600.0,
) -> Launch:
    """Put a start together.

    Args:
        plan: What is asked.
        start: Where the conversation stands.
        environ: This process's environment.
        url: Where the program finds its vendor; empty for its own.
        key: An API key; empty for the program's own login.
        config_dir: The program's folder; empty for its own.
        proxy: Outbound proxy.
        tool_wait: Seconds that a tool of the client may take.
    """
    arguments = [*FIXED, "--model", plan.model, *plan.switches]
    if start.resume:
        arguments.append(f"--resume={start.resume}")
    elif start.session:
        arguments.append(f"--session-id={start.session}")
    if not start.kept:
        arguments.append("--no-session-persistence")
    environment = {name: environ[name] for name in KEPT if name in environ} | ALWAYS
    environment["MCP_TOOL_TIMEOUT"] = str(int(tool_wait * 1000))
    wishes = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": key,
        "CLAUDE_CONFIG_DIR": config_dir,
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(plan.max_tokens or ""),
        "CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "" if start.asked else "1",
    }
    environment |= {name: value for name, value in wishes.items() if value}
    lines: list[Mapping[str, Any]] = [_initialize(plan)]
    if start.asked:
        lines.append(turn(plan.question))
    return Launch(tuple(arguments), environment, tuple(lines))


def turn(content: object) -> dict[str, Any]:
    """A person's turn, as the program takes it."""
    return {"type": "user", "message": {"role": "user", "content": content}}


def version_of(text: str) -> tuple[int, ...]:
    """`2.1.329 (Claude Code)` → (2, 1, 329); empty when it is no version."""
    numbers = text.strip().partition(" ")[0].split(".")
    return tuple(int(number) for number in numbers) if all(map(str.isdecimal, numbers)) else ()


def _initialize(plan: Plan) -> dict[str, Any]:
    request: dict[str, Any] = {"subtype": "initialize", "hooks": None, "systemPrompt": [plan.system]}
    if plan.tools:
        request["sdkMcpServers"] = [SERVER]
    if plan.output_schema is not None:
        request["jsonSchema"] = plan.output_schema
    return {"type": "control_request", "request_id": INITIALIZE, "request": request}
