"""Taking an API key from a person or a pipe: never from the command line, never shown."""

from __future__ import annotations

import re
from typing import TextIO

import click

from shunt.accounts.secret import Secret
from shunt.cli.exits import Failed
from shunt.config.guarded import upstream_key
from shunt.config.misread import Misread

LONGEST = 8192
"""Characters; what is longer was not meant as a key."""

_LOGIN_TOKEN = re.compile(r"sk-ant-o[ar]t\d*-")


def from_stream(stream: TextIO) -> Secret:
    """Read one key from a pipe. Raises Failed when it holds none, or something else."""
    return checked(stream.read(LONGEST + 2).strip(), "what came on stdin")


def from_prompt(account: str) -> Secret:
    """Ask a person; nothing is echoed."""
    return checked(
        click.prompt(f"API key of {account} (not shown)", hide_input=True, err=True).strip(), "the key"
    )


def checked(text: str, where: str) -> Secret:
    """`text` as a key.

    Args:
        text: as it was read.
        where: how a message names it.

    Raises:
        Failed: it cannot be an API key; the message does not show it.
    """
    if not text:
        raise Failed(f"{where} is empty; expected one API key.")
    if len(text) > LONGEST or "\n" in text:
        raise Failed(f"{where} is not one key on one line.")
    if _LOGIN_TOKEN.match(text):
        raise Failed(
            f"{where} is a token of a Claude login, not an API key. Such a token ends within hours and only "
            "works together with the rest of the login. Log in with Claude Code (`claude`, then /login) and "
            "use --import; or make an API key at https://console.anthropic.com/settings/keys."
        )
    try:
        secret = upstream_key().read(text)
    except Misread as complaint:
        raise Failed(f"{where} {complaint}.") from None
    assert isinstance(secret, Secret)  # noqa: S101 - narrows the reader's Any
    return secret
