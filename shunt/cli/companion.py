"""A command that runs beside us: it has the terminal, we pass on signals and take its status."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

NOT_FOUND: Final = 127
"""What a shell reports for a command that is not there."""
NOT_RUNNABLE: Final = 126
SIGNALLED: Final = 128
"""What a shell adds to the number of the signal that ended a command."""

TERMINALS: Final = ("SIGINT", "SIGQUIT")
"""Sent by the terminal to everybody in front of it: the command gets them by itself."""
PASSED_ON: Final = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH")
"""Sent to us alone, though the command is meant."""


def run(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end with our stdin, stdout and stderr; its status as a shell has it.

    Raises OSError when it cannot be started.
    """
    with _attentive() as received:
        process = subprocess.Popen(list(words), env=dict(environ))  # noqa: S603 - what the user asks for
        received.process = process
        while True:
            # A signal that came in between is passed on by its handler; waiting goes on.
            with suppress(InterruptedError):
                status = process.wait()
                break
    return status if status >= 0 else SIGNALLED - status


class _Receiver:
    """Where signals go while the command runs."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def pass_on(self, number: int, _frame: Any) -> None:
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                self.process.send_signal(number)

    def hear(self, _number: int, _frame: Any) -> None:
        """Stay alive: it is for the command to say what an interrupt means.

        A handler and not SIG_IGN, which the command would inherit.
        """


@contextmanager
def _attentive() -> Iterator[_Receiver]:
    receiver, before = _Receiver(), dict[int, Any]()
    handlers = [(name, receiver.hear) for name in TERMINALS] + [
        (name, receiver.pass_on) for name in PASSED_ON
    ]
    try:
        for name, handler in handlers:
            number = getattr(signal, name, None)
            if number is not None:
                with suppress(ValueError, OSError):  # not in this thread, or not on this system
                    before[number] = signal.signal(number, handler)
        yield receiver
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def started_aside(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Start a program that goes on by itself. Raises OSError when it cannot be started."""
    subprocess.Popen(  # noqa: S603 - what the user asks for
        list(words),
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
    )
