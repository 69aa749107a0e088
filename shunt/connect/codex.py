"""Codex: a model provider of its own in config.toml.

The built-in provider cannot be moved: it opens a WebSocket to the vendor first and reads no variable.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any, Final

from shunt.connect.base import Client, Edit, Machine, Notation, Setting, Target

PROVIDER: Final = "shunt"
RUN_PROVIDER: Final = "shunt_exec"
"""The provider of a single run."""
KEY: Final = "SHUNT_EXEC_KEY"
"""Variable that a single run takes the key from: arguments can be read by everybody."""


def folder(machine: Machine) -> File:
    """Where Codex keeps its things."""
    chosen = machine.environ.get("CODEX_HOME")
    return File(chosen) if chosen else machine.home / ".codex"


def edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """The provider, and that it is the one to use. Its key, where shunt asks for one, is a header."""
    provider: dict[str, Any] = {
        "name": "shunt",
        "base_url": target.versioned,
        "wire_api": "responses",
    }
    if target.keyed:
        provider["http_headers"] = {"x-api-key": target.key.reveal()}
    settings = (
        Setting(("model_provider",), PROVIDER),
        *(Setting(("model_providers", PROVIDER, name), value) for name, value in provider.items()),
    )
    return (Edit(folder(machine) / "config.toml", Notation.TOML, settings),)


def conflicts(machine: Machine, target: Target) -> Iterator[str]:  # noqa: ARG001 - every client's signature
    """Profiles and projects that choose another provider."""
    file = folder(machine) / "config.toml"
    settings = _read(file)
    for name, chosen in _profiles(settings):
        if chosen != PROVIDER:
            used = " (the one in use)" if settings.get("profile") == name else ""
            yield f"{file}: profile {name}{used} has model_provider = {chosen!r}, which wins: take it out"
    for other in _stronger(machine, file):
        chosen = _read(other).get("model_provider")
        if chosen not in (None, PROVIDER):
            yield f"{other} sets model_provider = {chosen!r}, which wins: take it out"


def _profiles(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and provider of each profile that chooses one."""
    profiles = settings.get("profiles")
    for name, profile in profiles.items() if isinstance(profiles, dict) else ():
        chosen = profile.get("model_provider") if isinstance(profile, dict) else None
        if chosen is not None:
            yield name, chosen


def _stronger(machine: Machine, own: File) -> Iterator[File]:
    if machine.platform != "win32":
        yield File("/etc/codex/managed_config.toml")
    for place in (machine.folder, *machine.folder.parents):
        project = place / ".codex" / "config.toml"
        if project != own:
            yield project
        if (place / ".git").exists() or place == machine.home:
            return


def _read(file: File) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def environment(target: Target) -> Mapping[str, str | None]:
    """Where one run finds its key."""
    return {KEY: target.key.reveal()}


def arguments(machine: Machine, target: Target, scratch: File) -> tuple[str, ...]:  # noqa: ARG001 - every client's signature
    """Settings of one run, which win over every file; a profile's provider wins over the top of them."""
    profiles = _profiles(_read(folder(machine) / "config.toml"))
    pairs = {
        "model_provider": RUN_PROVIDER,
        f"model_providers.{RUN_PROVIDER}.name": "shunt",
        f"model_providers.{RUN_PROVIDER}.base_url": target.versioned,
        f"model_providers.{RUN_PROVIDER}.wire_api": "responses",
        f"model_providers.{RUN_PROVIDER}.env_key": KEY,
        **{f"profiles.{name}.model_provider": RUN_PROVIDER for name, _ in profiles if _settable(name)},
    }
    return tuple(word for name, value in pairs.items() for word in ("-c", f'{name}="{value}"'))


def _settable(profile: str) -> bool:
    # Codex cuts the names of its -c at every dot and knows no quotes there.
    return "." not in profile and "=" not in profile


def detours(machine: Machine) -> Iterator[str]:
    """Profiles with a provider of their own."""
    file = folder(machine) / "config.toml"
    for name, chosen in _profiles(_read(file)):
        if chosen == PROVIDER:
            continue
        if _settable(name):
            yield f"the provider of profile {name} in {file} is not used for this run"
        else:
            yield f"profile {name} in {file} would still go to {chosen!r}"


CODEX: Final = Client(
    "codex",
    "Codex",
    edits,
    conflicts,
    programs=("codex",),
    environment=environment,
    arguments=arguments,
    detours=detours,
)
