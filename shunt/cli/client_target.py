"""The shunt that a client is to be pointed at: its address, and the key it asks for."""

from __future__ import annotations

import sys

import click

from shunt.accounts.secret import Secret
from shunt.cli import api_keys
from shunt.cli.exits import Failed
from shunt.cli.files import Files
from shunt.cli.terminal import interactive, note
from shunt.config.client_key import is_ours, is_whole
from shunt.config.types import Config
from shunt.connect.base import ANY_KEY, Target
from shunt.errors import ConfigError


def target_of(files: Files, url: str | None, *, from_stdin: bool) -> Target:
    """Find the address and the key.

    Args:
        files: of the shunt on this machine.
        url: the address a person named instead.
        from_stdin: the key comes from stdin.

    Raises:
        Failed: shunt asks for a key and none was given.
    """
    control = files.control(url)
    if from_stdin:
        return Target(control.url, _given())
    if url is not None:
        note("If that shunt asks for a key, pipe the client's into --key-stdin.")
        return Target(control.url)
    config = _config(files)
    if config.server.remote_key:
        return Target(control.url, config.server.remote_key)
    if config.clients:
        names = ", ".join(client.name for client in config.clients)
        raise Failed(
            f"This shunt asks its callers for a key (clients: {names}). Pipe the key of one into --key-stdin, or "
            "make one for this client with `shunt client add NAME --own-device`, which shows it once."
        )
    return Target(control.url, ANY_KEY)


def _given() -> Secret:
    key = _read()
    if is_ours(key.reveal()) and not is_whole(key.reveal()):
        raise Failed("That key is cut short or mistyped: it does not fit its own checksum.")
    return key


def _read() -> Secret:
    if sys.stdin.isatty():
        if not interactive():
            raise click.UsageError("--key-stdin reads the key from stdin.")
        return api_keys.from_prompt("this client")
    return api_keys.from_stream(sys.stdin)


def _config(files: Files) -> Config:
    try:
        return files.config()
    except ConfigError:
        return Config()
