"""What goes on at one moment, for whoever has to find out why: written at SIGUSR1, without asking the server.

It holds what /status holds, and every task with the places it waits at: names of functions and lines of files,
never a value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import trio

from shunt.server.control import Control
from shunt.server.parts import ServerParts
from shunt.server.status import status
from shunt.telemetry.process import figures

MOST: Final = 2000
"""Tasks that are told."""
DEEP: Final = 6
"""Places told of each, the innermost."""


def situation(parts: ServerParts, clean: Callable[[str], str]) -> str:
    """All of it as JSON, every text of it without secrets."""
    tasks = list(_tasks())
    document = {
        "at": parts.now(),
        "process": figures(),
        "tasks": [_told(task) for task in tasks[:MOST]],
        "tasks_in_all": len(tasks),
        "status": status(Control(parts).picture()),
    }
    return clean(json.dumps(document, indent=1, default=str))


def _tasks() -> Iterator[trio.lowlevel.Task]:
    root = trio.lowlevel.current_root_task()
    waiting = [root] if root is not None else []
    while waiting:
        task = waiting.pop()
        yield task
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]


def _told(task: trio.lowlevel.Task) -> dict[str, Any]:
    places = [_place(frame, line) for frame, line in task.iter_await_frames()]
    return {"name": task.name, "waits_at": places[-DEEP:]}


def _place(frame: FrameType, line: int) -> str:
    return f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_qualname}"
