"""Logins of other programs."""

from __future__ import annotations

import click
import pytest

from shunt.cli.exits import NeedsLogin
from shunt.cli.imports import IMPORTS, imported
from shunt.cli.invocation import Invocation
from tests.cli.desk import T0, Desk, never


def call(desk: Desk) -> Invocation:
    return Invocation({"HOME": str(desk.user)}, lambda: T0, never)


@pytest.mark.parametrize("provider", IMPORTS)
def test_a_program_without_a_login_is_named(desk: Desk, provider: str) -> None:
    """And a login of shunt's own is offered."""
    with pytest.raises(NeedsLogin, match="--login") as caught:
        imported(call(desk), provider)
    assert IMPORTS[provider].program in caught.value.message


def test_a_provider_without_such_a_program_is_a_mistake_in_the_call() -> None:
    """The message lists those that have one."""
    with pytest.raises(click.UsageError, match="anthropic, codex"):
        imported(Invocation({}, lambda: T0, never), "openai")


@pytest.mark.parametrize("provider", IMPORTS)
def test_what_sharing_means_ends_in_a_better_way(provider: str) -> None:
    """Whoever imports is told of the login that nobody else has."""
    assert "shunt add-account x --login" in IMPORTS[provider].shared.format(
        url="http://127.0.0.1:1", name="x"
    )
