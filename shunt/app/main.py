"""The start and the end of a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

import trio
from attrs import evolve

from shunt.app.options import RunOptions
from shunt.app.program import Program
from shunt.app.succession import Succession
from shunt.demo.setup import Demo, open_demo
from shunt.errors import ShuntError
from shunt.server.signals import AT_ONCE


def main(options: RunOptions) -> int:
    """Run until a signal; returns the exit status.

    Raises ShuntError when it cannot start: bad configuration, port taken, files that cannot be trusted.
    """
    try:
        succession = trio.run(_run, options)
    except KeyboardInterrupt:
        return AT_ONCE
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is not None:
            return AT_ONCE
        error: BaseException = group.subgroup(ShuntError) or group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
    if succession.kept:
        succession.become(options)
    return 0


async def _run(options: RunOptions) -> Succession:
    async with AsyncExitStack() as stack, trio.open_nursery() as outermost:
        demo: Demo | None = None
        if options.demo:
            demo = await stack.enter_async_context(open_demo(outermost, time.time))
            environ = {**_without_ours(options.environ), **demo.environment}
            options = evolve(options, environ=environ, home=None, config=None)
        program = Program(options)
        program.prepare()
        try:
            await program.run(partial(demo.tell, write=options.write) if demo is not None else None)
            program.starts.good()
        finally:
            program.instance.release()
        outermost.cancel_scope.cancel()
    return program.succession


def _without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without any setting of shunt: a demo must not touch the user's own files."""
    return {key: value for key, value in environ.items() if not key.startswith("SHUNT_")}
