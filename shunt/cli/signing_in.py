"""Making a login together with the person at the terminal, and ending one at its vendor."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import click
import trio
from attrs import frozen

from shunt.accounts.credential import Login
from shunt.cli.files import Files
from shunt.cli.terminal import interactive, note
from shunt.config.types import Config
from shunt.errors import LoginFailed
from shunt.logins.browser import Machine, headless, open_page
from shunt.logins.flow import Flow, NobodyToAsk, Way
from shunt.providers import provider_named
from shunt.providers.base import LoginKind
from shunt.providers.sign_in import SignIn, ticket
from shunt.upstream.client import open_upstream
from shunt.upstream.grants import Grants
from shunt.upstream.timeouts import Timeouts

T = TypeVar("T")

REVOKE_WITHIN = 20.0
"""Seconds that ending a login nobody wants may take."""


def offered() -> tuple[str, ...]:
    """Names of the providers that a person can log in to."""
    return tuple(name for name in ("anthropic", "codex") if _kind(name) is not None)


def way_for(provider: str, files: Files, *, paste: bool, device: bool) -> Way:
    """How the code is to come back: as was asked for, else as this machine allows.

    Raises click.UsageError where the provider has no such way.
    """
    kind = _kind(provider)
    if kind is None:
        raise click.UsageError(
            f"There are no logins for provider {provider}, only for {', '.join(offered())}; it needs an API key."
        )
    has_device = kind[1].device is not None
    if device and not has_device:
        raise click.UsageError(f"Provider {provider} has no login by device code; use --paste.")
    if device or paste:
        return Way.DEVICE if device else Way.PASTE
    if not headless(Machine(files.call.environ)):
        return Way.BROWSER
    return Way.DEVICE if has_device else Way.PASTE


def callback_port(provider: str) -> int:
    """Loopback port to which the vendor's page returns; 0 is any. Raises click.UsageError without logins."""
    kind = _kind(provider)
    if kind is None:
        raise click.UsageError(
            f"There are no logins for provider {provider}, only for {', '.join(offered())}."
        )
    return kind[1].callback_port


def opener(files: Files) -> Callable[[str], bool]:
    """What opens a vendor's page in the browser of this machine, and no other page."""
    return partial(open_page, endpoints=files.config().endpoints, machine=Machine(files.call.environ))


def log_in(files: Files, provider: str, way: Way, proxy: str = "") -> Login:
    """Make a login of shunt's own. Raises LoginFailed or ConfigError; nothing is stored."""
    config = files.config()
    kind, sign_in = _kind_of(provider, config)
    opener = partial(open_page, endpoints=config.endpoints, machine=Machine(files.call.environ))

    async def work(grants: Grants) -> Login:
        flow = Flow(
            kind=kind,
            sign_in=sign_in,
            endpoints=config.endpoints,
            grants=grants,
            person=AtTerminal(),
            open_page=opener,
            held=ticket(secrets.token_bytes(64)),
            port=config.logins.callback_port,
        )
        return await flow.run(way)

    return _with_grants(files, config, provider, proxy, work)


def revoke(files: Files, provider: str, login: Login, proxy: str = "") -> None:
    """End a login at its vendor. Raises LoginFailed when that was not confirmed."""
    _with_grants(files, files.config(), provider, proxy, lambda grants: grants.revoke(login))


def discard(files: Files, provider: str, login: Login, proxy: str = "") -> None:
    """End a login that was just made and is not wanted. What fails is left: it ends by itself, unused."""

    async def work(grants: Grants) -> None:
        with trio.move_on_after(REVOKE_WITHIN):
            await grants.revoke(login)

    with suppress(LoginFailed):
        _with_grants(files, files.config(), provider, proxy, work)


@frozen
class AtTerminal:
    """The person, or the pipe, at the other end of this process."""

    def tell(self, text: str) -> None:
        """Say something, beside the command's result."""
        note(text)

    def ask(self, question: str) -> str:
        """Ask for one line that is not echoed. Raises NobodyToAsk when the input has ended.

        Blocks on purpose: nothing else runs meanwhile, and Ctrl-C gives the terminal its echo back.
        """
        if interactive():
            return str(click.prompt(question, hide_input=True, err=True, default="", show_default=False))
        note(question)
        line = sys.stdin.readline()
        if not line:
            raise NobodyToAsk("Nobody is there to paste the code: stdin has ended.")
        return line


def _kind(provider: str) -> tuple[LoginKind, SignIn] | None:
    kind = provider_named(provider).login
    return None if kind is None or kind.sign_in is None else (kind, kind.sign_in)


def _kind_of(provider: str, config: Config) -> tuple[LoginKind, SignIn]:
    kind = provider_named(provider).login
    kind = kind.configured(config.logins) if kind is not None else None
    if kind is None or kind.sign_in is None:
        raise LoginFailed(f"shunt does not know how logins of provider {provider} are made or ended.")
    return kind, kind.sign_in


def _with_grants(
    files: Files, config: Config, provider: str, proxy: str, work: Callable[[Grants], Awaitable[T]]
) -> T:
    kind, sign_in = _kind_of(provider, config)

    async def run() -> T:
        timeouts = Timeouts(connect=config.server.connect_timeout_secs)
        async with open_upstream(timeouts) as upstream:
            return await work(Grants(upstream, kind, sign_in, config.endpoints, files.call.now, proxy))

    try:
        return trio.run(run)
    except BaseExceptionGroup as group:
        # Ctrl-C reaches a task that waits in a nursery, which wraps it.
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None
        raise
