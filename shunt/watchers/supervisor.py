"""Keeps watchers alive: a crash, a hang or an unexpected return is logged and followed by a restart.

Nothing a watcher does reaches its siblings or the server. One `supervise` per watcher runs in the
program's own nursery; a task that dies in Quart-Trio's nursery would take all the others along
while the server goes on answering.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType

import trio
from attrs import frozen

from shunt.errors import ShuntError
from shunt.watchers.health import Condition, Health, Report

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
"""Seconds before the first restart; doubled with each further one."""
LONGEST_PAUSE = 60.0
HEALTHY_AFTER = 300.0
"""Seconds of life after which the next pause is the first again."""
CLOSE_WITHIN = 5.0
"""Seconds a watcher's last act may take at shutdown, shielded."""


async def _nothing() -> None:
    """Most watchers leave nothing behind."""


@frozen
class Watcher:
    """One background task."""

    name: str
    run: Callable[[Report], Awaitable[None]]
    """Runs until cancelled. May be started anew after a crash, so lasting state lives outside."""
    limit: float
    """Seconds of work without a sign of life after which it counts as hung."""
    close: Callable[[], Awaitable[None]] = _nothing
    """The last act at shutdown, in whatever state `run` was."""


async def supervise(watcher: Watcher, health: Health, *, jitter: Callable[[], float]) -> None:
    """Run `watcher` until cancelled. `jitter` gives numbers in 0-1."""
    condition = health.enrol(watcher.name)
    pause = FIRST_PAUSE
    try:
        while True:
            started = trio.current_time()
            await _live(watcher, condition, health.now)
            if trio.current_time() - started >= HEALTHY_AFTER:
                pause = FIRST_PAUSE
            seconds = pause * (0.5 + jitter() / 2)
            condition.next_run = health.now() + seconds
            log.error(
                "watcher %s stopped: %s; restarting in %.1f s", watcher.name, condition.last_error, seconds
            )
            pause = min(LONGEST_PAUSE, pause * 2)
            await trio.sleep(seconds)
    finally:
        with trio.move_on_after(CLOSE_WITHIN) as scope:
            scope.shield = True
            await _close(watcher)
        if scope.cancelled_caught:
            log.error("watcher %s did not finish its last work in %.0f s", watcher.name, CLOSE_WITHIN)


async def _live(watcher: Watcher, condition: Condition, now: Callable[[], float]) -> None:
    """One life of a watcher; how it ended is left in `condition`."""
    failures: list[str] = []
    with trio.CancelScope(deadline=trio.current_time() + watcher.limit) as scope:
        report = Report(condition, scope, watcher.limit, now)
        condition.due = scope.deadline
        # `except*`: a crash that meets a cancellation comes as one group of both, and the
        # cancellation has to pass.
        try:
            await watcher.run(report)
        except* Exception as group:  # noqa: BLE001 - whatever it is, the siblings go on
            failures.append(describe(group))
    if failures:
        condition.fail(failures[0])
    elif scope.cancelled_caught:
        condition.fail(f"no sign of life for {watcher.limit:.0f} s")
    else:
        condition.fail("it returned although it should run for ever")


async def _close(watcher: Watcher) -> None:
    try:
        await watcher.close()
    except Exception as error:  # noqa: BLE001 - the program is ending; the others want to close too
        log.error("the last work of watcher %s failed: %s", watcher.name, describe(error))  # noqa: TRY400 - no traceback: it may quote secrets


def describe(error: BaseException) -> str:
    """One line about a failure: type, place, and words only where they cannot hold a secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    words = ""
    if isinstance(error, ShuntError):  # written by us, never with a secret in it
        words = f": {error}".replace("\n", " ")
    elif isinstance(error, OSError) and error.strerror:
        words = f": {error.strerror}"
    return f"{type(error).__name__}{_place(error.__traceback__)}{words}"


def _place(traceback: TracebackType | None) -> str:
    """Where it was raised: the innermost frame that is ours, else the innermost."""
    place, ours = "", ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = str(traceback.tb_frame.f_globals.get("__name__", "?"))
        place = f" in {module}.{code.co_name} line {traceback.tb_lineno}"
        if module.startswith("shunt.") and module != __name__:
            ours = place
        traceback = traceback.tb_next
    return ours or place
