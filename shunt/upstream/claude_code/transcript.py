"""A conversation as the program keeps it on disk, so that it can be resumed as the turns it was. Pure.

One JSON line per turn, each naming the one before (read off Claude Code 2.1.329). Only what resuming
reads is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from shunt.upstream.claude_code.plan import Message
from shunt.wire import json

_SPACE: Final = UUID("5f0c3f0e-5a53-4c1e-9f0a-7d6b1a1f6c11")
"""Names of turns are made from the session's and their place in it."""


def transcript(session: str, turns: Iterable[Message], *, folder: str, model: str, now: float) -> bytes:
    """Lines for the program's `--resume`.

    Args:
        session: UUID of the session they belong to.
        turns: Alternating turns, contents as lists of blocks.
        folder: The working folder.
        model: Named as the author of the assistant's turns.
        now: Epoch seconds.
    """
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    lines: list[bytes] = []
    parent: str | None = None
    for place, turn in enumerate(turns):
        message = dict(turn)
        if turn["role"] == "assistant":
            calls = any(block.get("type") == "tool_use" for block in turn["content"])
            message |= {
                "id": f"msg_{uuid5(_SPACE, f'{session}/m{place}').hex[:24]}",
                "type": "message",
                "model": model,
                "stop_reason": "tool_use" if calls else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            }
        name = str(uuid5(_SPACE, f"{session}/{place}"))
        line = {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": folder,
            "sessionId": session,
            "version": "2.1.0",
            "type": turn["role"],
            "message": message,
            "uuid": name,
            "timestamp": at,
        }
        lines.append(json.encode(line) + b"\n")
        parent = name
    return b"".join(lines)
