"""`[claude_code]`: how the local Claude Code is driven, for accounts of provider `claude-code`."""

from __future__ import annotations

from attrs import field, frozen

from shunt.config import values
from shunt.config.values import key


@frozen
class ClaudeCodeConfig:
    """`[claude_code]`: the program behind accounts of provider claude-code, and its limits."""

    command: str = field(
        default="claude",
        metadata=key(values.text(kind="a program"), "The program: a name on PATH, or its path."),
    )
    max_concurrent: int = field(
        default=5, metadata=key(values.whole(1, 1000), "Processes that may answer at once; others queue.")
    )
    queue_timeout: float = field(
        default=30.0,
        metadata=key(values.duration(), "How long a request may queue; then it is answered 529."),
    )
    stall_timeout: float = field(
        default=300.0,
        metadata=key(values.duration(1), "How long the program may say nothing; then the answer ends (504)."),
    )
    total_timeout: float = field(
        default=3600.0,
        metadata=key(values.duration(), 'How long one answer may take; "0s" for no limit.'),
    )
    max_output_chars: int = field(
        default=0,
        metadata=key(values.whole(0, 1_000_000_000), "Characters one answer may have; 0 for no limit."),
    )
    heartbeat: float = field(
        default=15.0,
        metadata=key(values.duration(1), "Time between signs of life while the program thinks."),
    )
    tool_wait: float = field(
        default=600.0,
        metadata=key(
            values.duration(1),
            "How long a process waits for the result of a client's tool; after that, the conversation is "
            "told anew.",
        ),
    )
    max_waiting: int = field(
        default=10,
        metadata=key(values.whole(0, 1000), "Processes that may wait for a client's tool at once."),
    )
    session_ttl: float = field(
        default=24 * 3600.0,
        metadata=key(values.duration(60), "How long a conversation that is not used is remembered."),
    )
    max_sessions: int = field(
        default=500, metadata=key(values.whole(0, 100_000), "Conversations that are remembered.")
    )
