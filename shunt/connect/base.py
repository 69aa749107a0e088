"""What is known about one client: where its settings are, which of them point it at shunt, what overrides them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path as File
from typing import Any, Final

from attrs import field, frozen

from shunt.accounts.secret import Secret
from shunt.connect.places import Path

ANY_KEY: Final = Secret("shunt")
"""What a client sends where shunt asks for no key: most refuse to start without any."""


class Notation(StrEnum):
    """How a file of settings is written."""

    JSON = "json"
    """With comments and trailing commas, if the client allows them."""
    TOML = "toml"
    YAML = "yaml"


@frozen
class Machine:
    """Where clients keep things; tests make one of their own."""

    environ: Mapping[str, str] = field(repr=False)
    home: File
    """The user's home directory."""
    folder: File
    """Where the command was called: projects have settings, too."""
    platform: str = sys.platform

    def config_folder(self, name: str, *, mac: str = "") -> File:
        """The folder of a program that follows the system's habits.

        Args:
            name: as it is called below ~/.config and %APPDATA%.
            mac: as it is called below ~/Library/Application Support; empty when it uses ~/.config there too.
        """
        if self.platform == "win32":
            return File(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming") / name
        if self.platform == "darwin" and mac:
            return self.home / "Library" / "Application Support" / mac
        chosen = self.environ.get("XDG_CONFIG_HOME", "")
        return (File(chosen) if File(chosen).is_absolute() else self.home / ".config") / name


@frozen
class Target:
    """The shunt that clients are pointed at."""

    url: str
    """`http://host:port`, without a trailing slash and without /v1."""
    key: Secret = field(default=ANY_KEY, repr=False)

    @property
    def keyed(self) -> bool:
        """Whether the key is one that shunt asks for."""
        return self.key != ANY_KEY

    @property
    def versioned(self) -> str:
        """The base URL in OpenAI's habit."""
        return f"{self.url}/v1"


@frozen
class Setting:
    """One value in a file of settings."""

    path: Path
    value: Any = field(repr=False)
    keep: bool = False
    """Whether any value that stands there already is as good."""


@frozen
class Edit:
    """What one file has to say."""

    file: File
    notation: Notation
    settings: tuple[Setting, ...]


@frozen
class Client:
    """One program that can be pointed at shunt."""

    name: str
    """As it is called on the command line."""
    title: str
    edits: Callable[[Machine, Target], tuple[Edit, ...]]
    conflicts: Callable[[Machine, Target], Iterator[str]]
    """What would win over the settings, or stands beside them; one line each, with the cure."""
    programs: tuple[str, ...] = ()
    """Names of its executables, for `shunt exec`."""
    environment: Callable[[Target], Mapping[str, str | None]] | None = None
    """Variables that point one run of it at shunt; None takes a variable away. None: the vendors' usual ones."""
    arguments: Callable[[Machine, Target, File], tuple[str, ...]] = lambda *_: ()
    """Arguments that have to stand first in such a run; the folder is private to it and goes afterwards."""
    detours: Callable[[Machine], Iterator[str]] = lambda *_: iter(())
    """What would send such a run past shunt, and what becomes of it; one clause each."""
    afterwards: str = ""
    """What is left to do by hand; `{url}` and `{versioned}` stand for the addresses."""


def variables(target: Target) -> dict[str, str | None]:
    """The variables that the vendors' own SDKs, and most programs built on them, read."""
    key = target.key.reveal()
    return {
        "ANTHROPIC_BASE_URL": target.url,
        "ANTHROPIC_AUTH_TOKEN": key,
        "ANTHROPIC_API_KEY": key,
        "OPENAI_BASE_URL": target.versioned,
        "OPENAI_API_BASE": target.versioned,
        "OPENAI_API_KEY": key,
    }


def overriding(machine: Machine, names: tuple[str, ...], what: str) -> Iterator[str]:
    """One line for each of these variables that is set."""
    for name in names:
        if machine.environ.get(name):
            yield f"{name} is set in this shell: {what}"
