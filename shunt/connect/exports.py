"""Lines for a shell that point everything started from it at shunt."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final


def _posix(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    if value is None:
        return f"set -e {name}"
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str | None) -> str:
    if value is None:
        return f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"
    quoted = value.replace("'", "''")
    return f"$Env:{name} = '{quoted}'"


SHELLS: Final[Mapping[str, Callable[[str, str | None], str]]] = MappingProxyType(
    {"bash": _posix, "zsh": _posix, "sh": _posix, "fish": _fish, "powershell": _powershell}
)


def shell_of(environ: Mapping[str, str], platform: str) -> str:
    """The shell that this was most likely called from."""
    name = environ.get("SHELL", "").rpartition("/")[2]
    if name in SHELLS:
        return name
    return "powershell" if platform == "win32" else "sh"


def exports(shell: str, variables: Mapping[str, str | None]) -> list[str]:
    """One line for each variable; None takes it away."""
    return [SHELLS[shell](name, value) for name, value in variables.items()]
