"""opencode: base URL and key of its built-in providers, so that its names of models stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any, Final

from shunt.connect import json_text
from shunt.connect.base import Client, Edit, Machine, Notation, Setting, Target, variables
from shunt.connect.places import ABSENT, Unreadable, find

PROVIDERS: Final = ("anthropic", "openai")
SCHEMA: Final = "https://opencode.ai/config.json"
NAMES: Final = ("opencode.jsonc", "opencode.json")
"""The first of them that is there wins."""


def edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """Both vendors' providers; their base URLs carry /v1."""
    options = {"baseURL": target.versioned, "apiKey": target.key.reveal()}
    settings = (
        # opencode adds it itself otherwise, and the file would no longer be as shunt left it.
        Setting(("$schema",), SCHEMA, keep=True),
        *(
            Setting(("provider", provider, "options", name), value)
            for provider in PROVIDERS
            for name, value in options.items()
        ),
    )
    return (Edit(_own(machine), Notation.JSON, settings),)


def conflicts(machine: Machine, target: Target) -> Iterator[str]:
    """Files that win, providers switched off, and logins that go to the vendor themselves."""
    for name in ("OPENCODE_CONFIG", "OPENCODE_CONFIG_CONTENT", "OPENCODE_CONFIG_DIR"):
        if machine.environ.get(name):
            yield f"{name} is set in this shell: what it names wins over {_own(machine)}"
    for file in _projects(machine):
        settings = _read(file)
        for provider in PROVIDERS:
            url = find(settings, ("provider", provider, "options", "baseURL"))
            if url is not ABSENT and url != target.versioned:
                yield f"{file} sets provider.{provider}.options.baseURL, which wins: take it out"
    own = _read(_own(machine))
    for provider in PROVIDERS:
        disabled, enabled = own.get("disabled_providers"), own.get("enabled_providers")
        if isinstance(disabled, list) and provider in disabled:
            yield f"{_own(machine)}: provider {provider} stands in disabled_providers and is not offered"
        if isinstance(enabled, list) and provider not in enabled:
            yield f"{_own(machine)}: provider {provider} is missing in enabled_providers and is not offered"
    yield from _logins(machine)


def _logins(machine: Machine) -> Iterator[str]:
    chosen = machine.environ.get("XDG_DATA_HOME", "")
    data = File(chosen) if File(chosen).is_absolute() else machine.home / ".local" / "share"
    file = data / "opencode" / "auth.json"
    try:
        logins = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    for provider in PROVIDERS:
        entry = logins.get(provider) if isinstance(logins, dict) else None
        if isinstance(entry, dict) and entry.get("type") == "oauth":
            yield (
                f"opencode is logged in at {provider} ({file}) and may send that login instead of the key; "
                f"`opencode auth logout` ends it"
            )


def _own(machine: Machine) -> File:
    folder = machine.home / ".config"
    chosen = machine.environ.get("XDG_CONFIG_HOME", "")
    folder = (File(chosen) if File(chosen).is_absolute() else folder) / "opencode"
    return next((folder / name for name in NAMES if (folder / name).exists()), folder / NAMES[-1])


def _projects(machine: Machine) -> Iterator[File]:
    for place in (machine.folder, *machine.folder.parents):
        yield from (place / name for name in NAMES)
        yield from (place / ".opencode" / name for name in NAMES)
        if (place / ".git").exists() or place == machine.home:
            return


def _read(file: File) -> Mapping[str, Any]:
    try:
        found = json_text.document(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, Unreadable):
        return {}
    return found if isinstance(found, dict) else {}


def environment(target: Target) -> Mapping[str, str | None]:
    """One run of it: settings in a variable win over every file, and its base URLs carry /v1."""
    options = {"options": {"baseURL": target.versioned, "apiKey": target.key.reveal()}}
    content = {"provider": dict.fromkeys(PROVIDERS, options)}
    return {
        **variables(target),
        "ANTHROPIC_BASE_URL": target.versioned,
        "OPENCODE_CONFIG_CONTENT": json.dumps(content),
    }


OPENCODE: Final = Client(
    "opencode",
    "opencode",
    edits,
    conflicts,
    programs=("opencode",),
    environment=environment,
    afterwards="opencode reads its settings when it starts: end the ones that run.",
)
