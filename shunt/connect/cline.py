"""Cline's command line: its file of providers.

The extension in editors keeps its settings in the editor's own store, which no other program should touch;
what to type there is said instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Final

from shunt.connect.base import Client, Edit, Machine, Notation, Setting, Target

PROVIDER: Final = "openai-compatible"
"""The one whose address may be chosen."""
MODEL: Final = "claude-sonnet-5-5"
"""It has to name one; `/models` in Cline chooses another."""


def edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """The provider, and that it is the one to use."""
    settings = {"provider": PROVIDER, "apiKey": target.key.reveal(), "baseUrl": target.versioned}
    chosen = machine.environ.get("CLINE_DATA_DIR") or machine.environ.get("CLINE_DIR")
    data = File(chosen) if chosen else machine.home / ".cline" / "data"
    where = ("providers", PROVIDER)
    return (
        Edit(
            data / "settings" / "providers.json",
            Notation.JSON,
            (
                Setting(("version",), 1, keep=True),
                Setting(("lastUsedProvider",), PROVIDER),
                Setting(("modes",), {}, keep=True),
                *(Setting((*where, "settings", name), value) for name, value in settings.items()),
                Setting((*where, "settings", "model"), MODEL, keep=True),
                Setting((*where, "updatedAt"), "2026-01-01T00:00:00.000Z", keep=True),
                Setting((*where, "tokenSource"), "manual", keep=True),
            ),
        ),
    )


def conflicts(machine: Machine, target: Target) -> Iterator[str]:  # noqa: ARG001 - every client's signature
    """Nothing is known to win over this file but options of a single run."""
    yield from ()


CLINE: Final = Client(
    "cline",
    "Cline",
    edits,
    conflicts,
    programs=("cline",),
    afterwards="In the editor's extension, choose API provider “OpenAI Compatible”, with base URL {versioned} and "
    "the client key (any word where shunt asks for none).",
)
