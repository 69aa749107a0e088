"""How commands end."""

from __future__ import annotations

import click
import pytest

from shunt.cli.exits import (
    FAILED,
    NEEDS_LOGIN,
    NOT_RUNNING,
    USAGE,
    Failed,
    NeedsLogin,
    NotRunning,
    masked,
    plain_errors,
)
from shunt.errors import ConfigError, ReauthRequired, StoreError

CANARY = "sk-ant-api03-canary-000000000000"


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (StoreError("cannot read x"), FAILED),
        (ConfigError("config.toml:1: wrong", "config.toml:2: wrong too"), FAILED),
        (ReauthRequired("log in again"), NEEDS_LOGIN),
        (NotRunning("no server"), NOT_RUNNING),
        (NeedsLogin("log in"), NEEDS_LOGIN),
        (Failed("no"), FAILED),
        (click.UsageError("what?"), USAGE),
        (ExceptionGroup("nursery", [StoreError("disk full")]), FAILED),
        (ExceptionGroup("outer", [ExceptionGroup("inner", [ConfigError("bad key")])]), FAILED),
    ],
)
def test_purposeful_errors_end_with_their_exit_code(raised: Exception, code: int) -> None:
    """Every error raised on purpose becomes click's kind with the exit code of the contract."""
    with pytest.raises(click.ClickException) as caught, plain_errors():
        raise raised
    assert caught.value.exit_code == code


def test_the_words_of_a_group_are_those_of_its_members() -> None:
    """A nursery's wrapping does not hide what went wrong."""
    with pytest.raises(Failed) as caught, plain_errors():
        raise ExceptionGroup(
            "unhandled errors", [StoreError("disk full"), ExceptionGroup("", [StoreError("and broken")])]
        )
    assert caught.value.message == "disk full\nand broken"


@pytest.mark.parametrize(
    "raised", [ValueError("bug"), ExceptionGroup("mixed", [StoreError("a"), ValueError("bug")])]
)
def test_unexpected_errors_pass(raised: Exception) -> None:
    """A bug is not dressed up as a plain failure: the last net of the program records it."""
    with pytest.raises(type(raised)), plain_errors():
        raise raised


@pytest.mark.parametrize("raised", [StoreError(f"bad {CANARY}"), click.UsageError(f"unexpected {CANARY}")])
def test_no_message_shows_what_looks_like_a_key(raised: Exception) -> None:
    """A key typed in the wrong place is not repeated."""
    with pytest.raises(click.ClickException) as caught, plain_errors():
        raise raised
    assert "canary" not in caught.value.message


def test_masking_leaves_ordinary_words() -> None:
    """Only what is shaped like a key goes."""
    assert masked("the task-force of sk is fine") == "the task-force of sk is fine"
