"""What this machine already has that shunt could use: logins of other programs, keys in the environment.

Nothing is read: that a file or a variable is there is all that is asked, and no value is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from shunt.providers import PROVIDERS
from shunt.store.codex_login import codex_file

MAIN: Final = "main"
"""What a first account is called in the commands shown."""


@frozen
class Finding:
    """Something that could become an account."""

    provider: str
    what: str
    """`a Claude Code login`, `an API key of Anthropic`."""
    where: str
    """A path, or `$VARIABLE`."""
    command: str
    """The one command that adds it."""


def found(environ: Mapping[str, str], home: Path | None, platform: str = sys.platform) -> tuple[Finding, ...]:
    """Everything this machine has, logins first.

    Args:
        environ: the environment.
        home: the user's home directory; None when there is none.
        platform: as `sys.platform` names it.
    """
    return (*_logins(environ, home, platform), *_keys(environ))


def advice(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Lines for somebody who has no account yet: what there is, and the command that adds each."""
    if not findings:
        return (
            "No accounts yet, and neither a login nor an API key was found on this machine.",
            "Add one: shunt add-account NAME (see --help), or try `shunt run --demo`.",
        )
    lines = ["No accounts yet. On this machine there is:"]
    for finding in findings:
        lines += [f"  {finding.what} ({finding.where}); add it:", f"    {finding.command}"]
    return tuple(lines)


def _logins(environ: Mapping[str, str], home: Path | None, platform: str) -> Iterator[Finding]:
    place = _claude_login(environ, home, platform)
    if place:
        yield Finding(
            "anthropic",
            "a Claude Code login",
            place,
            f"shunt add-account {MAIN} --provider anthropic --import",
        )
    codex = codex_file(environ)
    if codex is not None and _is_file(codex):
        command = "shunt add-account chatgpt --provider codex --import"
        yield Finding("codex", "a Codex login", str(codex), command)


def _claude_login(environ: Mapping[str, str], home: Path | None, platform: str) -> str:
    chosen = environ.get("CLAUDE_CONFIG_DIR")
    folder = Path(chosen) if chosen else home / ".claude" if home is not None else None
    if folder is None:
        return ""
    file = folder / ".credentials.json"
    if _is_file(file):
        return str(file)
    # On macOS the tokens are in the keychain, and looking there asks the user for consent. That
    # Claude Code has been set up shows without it.
    profile = folder / ".claude.json" if chosen else folder.parent / ".claude.json"
    return "the keychain" if platform == "darwin" and _is_file(profile) else ""


def _keys(environ: Mapping[str, str]) -> Iterator[Finding]:
    for provider in PROVIDERS:
        variable = provider.key_env
        if variable and environ.get(variable):
            yield Finding(
                provider.name,
                f"an API key of {provider.title}",
                f"${variable}",
                f"shunt add-account {provider.name}-key --provider {provider.name} --api-key-env {variable}",
            )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be looked into
        return False
