"""Agents inside editors, which keep their settings in the editor's: VS Code's Claude extension, Zed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shunt.connect import claude_code
from shunt.connect.base import Client, Edit, Machine, Notation, Setting, Target, overriding
from shunt.connect.places import Item

VARIABLES: Final = "claudeCode.environmentVariables"


def vscode_edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """The extension starts Claude Code with the variables of this list."""
    pairs = {claude_code.URL: target.url, claude_code.TOKEN: target.key.reveal()}
    settings = tuple(
        Setting((VARIABLES, Item("name", name)), {"name": name, "value": value})
        for name, value in pairs.items()
    )
    folder = machine.config_folder("Code", mac="Code") / "User"
    return (Edit(folder / "settings.json", Notation.JSON, settings),)


def vscode_conflicts(machine: Machine, target: Target) -> Iterator[str]:
    """The extension starts Claude Code, so what stands in its way there does so here."""
    yield from claude_code.conflicts(machine, target)


def zed_edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """Zed keeps keys in the system's keychain, not in its settings."""
    settings = (
        Setting(("language_models", "anthropic", "api_url"), target.url),
        Setting(("language_models", "openai", "api_url"), target.versioned),
    )
    name = "Zed" if machine.platform == "win32" else "zed"
    return (Edit(machine.config_folder(name) / "settings.json", Notation.JSON, settings),)


def zed_conflicts(machine: Machine, target: Target) -> Iterator[str]:  # noqa: ARG001 - every client's signature
    """Zed takes a key from the environment before its keychain."""
    says = "Zed sends it to shunt as its key; that is harmless, and it need not be one of the vendor"
    yield from overriding(machine, ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), says)


VSCODE: Final = Client("vscode", "Claude Code in VS Code", vscode_edits, vscode_conflicts)
ZED: Final = Client(
    "zed",
    "Zed's own agent",
    zed_edits,
    zed_conflicts,
    afterwards="Zed asks for a key once (Agent settings, LLM providers): type the client key, or any word "
    "where shunt asks for none.",
)
