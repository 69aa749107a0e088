"""What a command was called with: the environment, the clock, and where the files are."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
from attrs import evolve, field, frozen


@frozen
class Invocation:
    """One call of the program. Commands read the environment and the clock from here only."""

    environ: Mapping[str, str] = field(repr=False)
    now: Callable[[], float]
    """Epoch seconds."""
    pause: Callable[[float], None]
    """Waits so many seconds; for `--watch`."""
    home: str | None = None
    """`--home`: the one folder for all files, before SHUNT_HOME."""
    config: str | None = None
    """`--config`: path of config.toml."""

    def at(self, home: str | None, config: str | None) -> Invocation:
        """The same call with the places given by options; None keeps what was there."""
        return evolve(self, home=home or self.home, config=config or self.config)


def of_process() -> Invocation:
    """The call as this process received it."""
    return Invocation(
        environ=dict(os.environ),
        now=time.time,
        pause=time.sleep,
    )


def borrowed_root(environ: Mapping[str, str]) -> bool:
    """Whether somebody runs this through sudo: what is written then belongs to root, not to them."""
    return os.name == "posix" and os.geteuid() == 0 and bool(environ.get("SUDO_USER"))


_HOME = click.option("--home", metavar="DIR", help="Keep every file of shunt under DIR (like SHUNT_HOME).")
_CONFIG = click.option("--config", metavar="FILE", help="Read this config.toml.")


def places(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--home` and `--config`, and the resulting Invocation as first argument."""

    @_HOME
    @_CONFIG
    @click.pass_obj
    @functools.wraps(command)
    def placed(call: Invocation, /, home: str | None, config: str | None, **options: Any) -> Any:
        return command(call.at(home, config), **options)

    return placed


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
elsewhere = click.option(
    "--url", metavar="URL", help="Ask the server at this address instead of this machine's."
)
