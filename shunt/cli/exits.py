"""How a command ends: the exit codes, and an error as one plain line on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from shunt.errors import ReauthRequired, ShuntError

FINE = 0
FAILED = 1
USAGE = 2
NOT_RUNNING = 3
NEEDS_LOGIN = 4
INTERRUPTED = 130
"""What a shell reports for a program ended by Ctrl-C."""


class Failed(click.ClickException):
    """The command could not do what was asked."""

    exit_code = FAILED


class NotRunning(Failed):
    """The command needs a running server and there is none."""

    exit_code = NOT_RUNNING


class NeedsLogin(Failed):
    """Nothing but a login by a person helps."""

    exit_code = NEEDS_LOGIN


def masked(text: str) -> str:
    """`text` without anything shaped like a key or token.

    A second net for what people type in the wrong place: click repeats unexpected arguments.
    """
    from shunt.store.logs import Redactor  # noqa: PLC0415 - only a command that fails needs it

    return Redactor().clean(text)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors raised on purpose into click's, which end as one line and an exit code."""
    try:
        yield
    except click.ClickException as error:
        error.message = masked(error.message)  # type: ignore[misc]  # final to type checkers only
        raise
    except ReauthRequired as error:
        raise NeedsLogin(masked(str(error))) from error
    except ShuntError as error:
        raise Failed(masked(str(error))) from error
    except ExceptionGroup as group:
        # A nursery wraps what its tasks raise; when all of it was raised on purpose, say it plainly.
        ours, rest = group.split(ShuntError)
        if ours is None or rest is not None:
            raise
        raise Failed(masked("\n".join(str(error) for error in _leaves(ours)))) from group


def _leaves(group: BaseExceptionGroup[ShuntError]) -> Iterator[ShuntError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
