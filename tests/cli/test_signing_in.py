"""Choosing how a login is made, and asking the person."""

from __future__ import annotations

import io

import click
import pytest

from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.cli import signing_in
from shunt.cli.files import Files
from shunt.cli.invocation import Invocation
from shunt.cli.signing_in import AtTerminal, discard, offered, revoke, way_for
from shunt.errors import LoginFailed
from shunt.logins.flow import NobodyToAsk, Way
from shunt.store.locations import locate
from tests.cli.desk import T0, Desk, never
from tests.fakes.upstream import closed_port

LOGIN = Login(Secret("canary-a"), Secret("canary-r"), T0)


def files(desk: Desk, **environ: str) -> Files:
    here = {"HOME": str(desk.user), "SHUNT_HOME": str(desk.home), **environ}
    return Files(Invocation(here, lambda: T0, never), locate(here, platform="linux"))


@pytest.mark.parametrize(
    ("provider", "environ", "asked", "way"),
    [
        ("anthropic", {"BROWSER": "x"}, {}, Way.BROWSER),
        ("codex", {"BROWSER": "x"}, {}, Way.BROWSER),
        ("codex", {"BROWSER": "x"}, {"device": True}, Way.DEVICE),
        ("anthropic", {"BROWSER": "x"}, {"paste": True}, Way.PASTE),
    ],
)
def test_the_browser_is_the_usual_way(
    desk: Desk, provider: str, environ: dict[str, str], asked: dict[str, bool], way: Way
) -> None:
    """Unless another one is asked for."""
    assert (
        way_for(
            provider,
            files(desk, **environ),
            paste=asked.get("paste", False),
            device=asked.get("device", False),
        )
        is way
    )


@pytest.mark.parametrize(("provider", "way"), [("anthropic", Way.PASTE), ("codex", Way.DEVICE)])
def test_a_machine_without_a_browser_goes_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, provider: str, way: Way
) -> None:
    """By itself: nobody has to know an option for it."""
    monkeypatch.setattr(signing_in, "headless", lambda _machine: True)
    assert way_for(provider, files(desk), paste=False, device=False) is way


@pytest.mark.parametrize(("provider", "device"), [("openai", False), ("anthropic", True)])
def test_a_way_that_does_not_exist_is_a_mistake_in_the_call(
    desk: Desk, provider: str, *, device: bool
) -> None:
    """The message says what there is."""
    with pytest.raises(click.UsageError):
        way_for(provider, files(desk), paste=False, device=device)


def test_every_offered_provider_has_logins() -> None:
    """The list is made from the registry."""
    assert offered() == ("anthropic", "codex")


def test_a_pipe_is_read_line_by_line_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal the code comes on stdin; its end is an answer too."""
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n"))
    assert AtTerminal().ask("?") == "one\n"
    with pytest.raises(NobodyToAsk):
        AtTerminal().ask("?")


def test_a_login_nobody_wants_is_ended_if_it_can_be(desk: Desk) -> None:
    """`discard` never fails; `revoke` tells."""
    gone = f"http://127.0.0.1:{closed_port()}/oauth/token"
    here = files(desk, SHUNT_ANTHROPIC_TOKEN_URL=gone)
    discard(here, "anthropic", LOGIN)
    with pytest.raises(LoginFailed):
        revoke(here, "anthropic", LOGIN)
