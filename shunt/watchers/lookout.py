"""Hearing from the operating system that files changed, through `watchfiles`.

Folders are watched, not files: programs replace their files, and a watch on the old one would hear nothing
more. Found by trying: the thread that listens comes back at once only when its stop event is set, and else
after its own time-out of seconds, which would hold up the end of the program.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, cast

import trio
from watchfiles import awatch

STEP: Final = 250
"""Milliseconds in which changes are gathered; as long the listening takes to end."""
SETTLE: Final = 1000
"""Milliseconds after which changes that go on are told all the same."""
TURN: Final = 60_000
"""Milliseconds of silence after which the listening begins anew."""

Lookout = Callable[[Collection[Path], Callable[[], None]], Awaitable[None]]
"""Listens to these files until cancelled, and calls back at every change. Raises OSError,
by itself or in a group, where it cannot."""


async def listen(files: Collection[Path], ring: Callable[[], None]) -> None:
    """Call `ring` whenever one of these files changes, comes or goes. Runs until cancelled.

    Raises (in a group) OSError when a folder is not there or the system has no more watches to give.
    """
    wanted = {str(path) for path in files}
    stop = trio.Event()

    async def stop_at_the_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_at_the_end)
        changes = awatch(
            *{path.parent for path in files},
            watch_filter=lambda _change, path: path in wanted,
            debounce=SETTLE,
            step=STEP,
            rust_timeout=TURN,
            stop_event=stop,
            recursive=False,
        )
        async with aclosing(cast("AsyncGenerator[Any, None]", changes)) as heard:
            async for _ in heard:
                ring()
        nursery.cancel_scope.cancel()
