"""The environment for programs that we start: without what a packaged build put in for itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

LIBRARIES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")
"""A packaged build points these at its own libraries and keeps the old value beside them."""
KEPT: Final = "_ORIG"
PRIVATE: Final = ("_PYI_", "_MEIPASS", "PYINSTALLER_")
PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")
NEAR: Final = ("127.0.0.1", "localhost", "::1")


def cleaned(environ: Mapping[str, str], *, frozen: bool | None = None) -> dict[str, str]:
    """The environment as the user has it.

    Args:
        environ: ours.
        frozen: whether we are a packaged build; None finds out.
    """
    if not (getattr(sys, "frozen", False) if frozen is None else frozen):
        return dict(environ)
    found = {name: value for name, value in environ.items() if not name.startswith(PRIVATE)}
    for name in LIBRARIES:
        original = found.pop(f"{name}{KEPT}", None)
        if original:
            found[name] = original
        else:
            found.pop(name, None)
    return found


def changed(environ: Mapping[str, str], variables: Mapping[str, str | None]) -> dict[str, str]:
    """The environment with variables set, and those without a value taken away."""
    found = {name: value for name, value in environ.items() if name not in variables}
    return found | {name: value for name, value in variables.items() if value is not None}


def direct(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with this machine itself exempt from proxies, where any is set."""
    if not any(environ.get(name) or environ.get(name.upper()) for name in PROXIES):
        return dict(environ)
    found = dict(environ)
    for name in ("no_proxy", "NO_PROXY"):
        listed = [part.strip() for part in found.get(name, "").split(",") if part.strip()]
        if "*" not in listed:
            found[name] = ",".join([*listed, *(host for host in NEAR if host not in listed)])
    return found
