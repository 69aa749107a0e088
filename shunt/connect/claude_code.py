"""Claude Code: the `env` block of its settings.json, which wins over the shell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any, Final

from shunt.connect import json_text
from shunt.connect.base import Client, Edit, Machine, Notation, Setting, Target
from shunt.connect.places import Unreadable
from shunt.store.files import write_private

URL: Final = "ANTHROPIC_BASE_URL"
TOKEN: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - a variable's name
"""Sent as a Bearer token to the base URL only. ANTHROPIC_API_KEY would go to the vendor as well."""
MANAGED: Final = {
    "linux": "/etc/claude-code/managed-settings.json",
    "darwin": "/Library/Application Support/ClaudeCode/managed-settings.json",
    "win32": r"C:\Program Files\ClaudeCode\managed-settings.json",
}
ELSEWHERE: Final = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")
"""Switches that make it go to another cloud, whatever its base URL says."""
OFF: Final = (None, "", "0", "false")
"""Values of such a switch that leave it off."""


def folder(machine: Machine) -> File:
    """Where Claude Code keeps its things."""
    chosen = machine.environ.get("CLAUDE_CONFIG_DIR")
    return File(chosen) if chosen else machine.home / ".claude"


def edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """Base URL and token, for every run of this user."""
    settings = (
        Setting(("env", URL), target.url),
        Setting(("env", TOKEN), target.key.reveal()),
    )
    return (Edit(folder(machine) / "settings.json", Notation.JSON, settings),)


def conflicts(machine: Machine, target: Target) -> Iterator[str]:
    """Other settings that win, and other credentials that are sent along."""
    yield from _own(folder(machine) / "settings.json")
    for file in _stronger(machine):
        env = _env(file)
        for name in (URL, TOKEN, *ELSEWHERE):
            if name in env and env[name] != (target.url if name == URL else None):
                yield f"{file} sets env.{name}, which wins over your own settings there: take it out"
    for name in ELSEWHERE:
        if machine.environ.get(name) not in OFF:
            yield f"{name} is set in this shell: Claude Code would go to that cloud instead; unset {name}"
    if machine.environ.get("ANTHROPIC_API_KEY"):
        yield (
            "ANTHROPIC_API_KEY is set in this shell: Claude Code sends it along, to shunt and to "
            "api.anthropic.com; unset ANTHROPIC_API_KEY"
        )
    if (folder(machine) / ".credentials.json").exists():
        yield (
            "Claude Code has a login of its own; while the token above is set it is not used, and /login or "
            "/logout there do not change that"
        )


def _own(file: File) -> Iterator[str]:
    settings = _read(file)
    if settings.get("apiKeyHelper"):
        yield f"{file} has an apiKeyHelper: its key is sent along with every request; take it out"
    if "ANTHROPIC_API_KEY" in _env(file):
        yield f"{file} sets env.ANTHROPIC_API_KEY: it is sent along, also to api.anthropic.com; take it out"
    for name in _switches(file):
        yield f"{file} sets env.{name}: Claude Code would go to that cloud instead; take it out"


def _stronger(machine: Machine) -> Iterator[File]:
    """Settings that win over the user's: the administrator's, and those of the project here."""
    managed = MANAGED.get(machine.platform)
    if managed:
        yield File(managed)
    own = folder(machine)
    for place in (machine.folder, *machine.folder.parents):
        project = place / ".claude"
        if project != own:
            yield from (project / "settings.json", project / "settings.local.json")
        if (place / ".git").exists() or place == machine.home:
            return


def _files(machine: Machine) -> tuple[File, ...]:
    return (folder(machine) / "settings.json", *_stronger(machine))


def _switches(file: File) -> tuple[str, ...]:
    """The switches to another cloud that are on in a file of settings."""
    env = _env(file)
    return tuple(name for name in ELSEWHERE if env.get(name) not in OFF)


def _read(file: File) -> Mapping[str, Any]:
    try:
        found = json_text.document(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, Unreadable):
        return {}
    return found if isinstance(found, dict) else {}


def _env(file: File) -> Mapping[str, Any]:
    env = _read(file).get("env")
    return env if isinstance(env, dict) else {}


def environment(target: Target) -> Mapping[str, str | None]:
    """One run of it at shunt; a key of the shell would only be shown around, a switch would win."""
    return {
        URL: target.url,
        TOKEN: target.key.reveal(),
        "ANTHROPIC_API_KEY": None,
        **dict.fromkeys(ELSEWHERE),
    }


def detours(machine: Machine) -> Iterator[str]:
    """Switches to another cloud, of the shell and of every file of settings."""
    for name in ELSEWHERE:
        if machine.environ.get(name) not in OFF:
            yield f"{name} of this shell is left out for this run"
    for file in _files(machine):
        for name in _switches(file):
            # Nothing wins over an administrator's settings.
            if str(file) == MANAGED.get(machine.platform):
                yield f"{name} of {file} wins over shunt: Claude Code goes to that cloud"
            else:
                yield f"{name} of {file} is switched off for this run"


def arguments(machine: Machine, target: Target, scratch: File) -> tuple[str, ...]:
    """Where its own settings point elsewhere, they win over the environment; those of one run win over them.

    They are handed over in a file: arguments can be read by everybody.
    """
    files = _files(machine)
    switches = dict.fromkeys((name for file in files for name in _switches(file)), "")
    if not switches and not any(name in _env(file) for file in files for name in (URL, TOKEN)):
        return ()
    file = scratch / "claude-settings.json"
    settings = {"env": {URL: target.url, TOKEN: target.key.reveal(), **switches}}
    write_private(file, json.dumps(settings).encode())
    return ("--settings", str(file))


CLAUDE_CODE: Final = Client(
    "claude",
    "Claude Code",
    edits,
    conflicts,
    programs=("claude",),
    environment=environment,
    arguments=arguments,
    detours=detours,
)
