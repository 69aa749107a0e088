"""What the terminal shows once shunt serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from shunt import __version__
from shunt.config.exposure import bind_warning
from shunt.config.types import Config
from shunt.store.discovery import Finding, advice, found


def greeting(base_url: str, config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    """Lines: where it serves, with which accounts, and what to do when there are none."""
    yield f"shunt {__version__} serves at {base_url} (Ctrl-C ends it)"
    yield f"what happens and why: {base_url}/ in a browser, `shunt monitor` in another terminal"
    if config.accounts:
        yield f"accounts: {', '.join(account.name for account in config.accounts)}"
    else:
        yield from advice(findings(environ))
    warning = bind_warning(config)
    if warning is not None:
        yield warning
    yield from config.ignored


def findings(environ: Mapping[str, str]) -> tuple[Finding, ...]:
    """What this user's machine has that could become an account."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return found(environ, Path(home) if home else None)
