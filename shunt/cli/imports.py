"""Logins that other programs keep on this machine, and what sharing one of them means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import click
from attrs import frozen

from shunt.accounts.credential import Credential, Login
from shunt.cli.exits import NeedsLogin
from shunt.cli.invocation import Invocation
from shunt.cli.terminal import note
from shunt.store.claude_login import read_claude_login
from shunt.store.codex_login import read_codex_login


@frozen
class ImportSource:
    """A program whose login can be imported."""

    program: str
    read: Callable[[Mapping[str, str]], Credential | None]
    shared: str
    """What it means that two programs have one login."""


_CLAUDE_SHARED = """\
Claude Code and shunt now share this login, and its refresh token can be used once only. Whichever of the
two renews first makes the other's copy worthless, and Anthropic may then end the login for both: each
would ask you to log in again.
A login of shunt's own avoids all of that, and Claude Code keeps this one:
  shunt add-account {name} --login
If you stay with the shared one, let only shunt use it. Start Claude Code through shunt,
  ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN=shunt claude
so that it never renews by itself, and do not use /logout there.
If it did go wrong: log in with Claude Code and run this command again."""

_CODEX_SHARED = """\
Codex and shunt now share this login, and its refresh token can be used once only. shunt takes over what
Codex renews, and writes what it renews itself into Codex's auth.json (`shunt help logins`). If both renew
at the same moment, OpenAI may still end the login for both: each would ask you to log in again.
A login of shunt's own avoids all of that, and Codex keeps this one:
  shunt add-account {name} --login
If you stay with the shared one, let only shunt use it: point Codex at {url}/v1 with a model provider of
its own, so that it never renews by itself.
If it did go wrong: log in with Codex and run this command again."""

IMPORTS: Mapping[str, ImportSource] = MappingProxyType(
    {
        "anthropic": ImportSource("Claude Code", read_claude_login, _CLAUDE_SHARED),
        "codex": ImportSource("Codex", read_codex_login, _CODEX_SHARED),
    }
)
"""By provider name."""


def imported(call: Invocation, provider: str) -> Credential:
    """What the vendor's own program has on this machine.

    Raises click.UsageError where there is no such program, NeedsLogin where it has no login of use.
    """
    source = IMPORTS.get(provider)
    if source is None:
        raise click.UsageError(
            f"Nothing can be imported for provider {provider}; only for {', '.join(IMPORTS)}."
        )
    credential = source.read(call.environ)
    if credential is None:
        raise NeedsLogin(
            f"{source.program} has no login on this machine. Make one of shunt's own (--login), log in there "
            "first, or use an API key (--api-key-env, --api-key-stdin)."
        )
    if isinstance(credential, Login) and not credential.refresh:
        if credential.expires_at is not None and credential.expires_at <= call.now():
            raise NeedsLogin(
                f"The login of {source.program} has ended and cannot be renewed. Log in there again."
            )
        note(f"This login of {source.program} cannot be renewed: it works until it ends.")
    return credential
