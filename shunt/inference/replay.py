"""A whole answer told as events, for clients that stream from a vendor that did not."""

from __future__ import annotations

from attrs import evolve

from shunt.inference.assembly import Assembly
from shunt.inference.events import Event
from shunt.inference.response import Answer, Stop


def replay(answer: Answer) -> list[Event]:
    """The events of the answer, each part in one piece. `collect` makes the answer of them again."""
    assembly = Assembly()
    assembly.begin(answer.id, answer.model, evolve(answer.usage, output=0, reasoning=0), answer.created)
    for part in answer.parts:
        assembly.add(part)
    assembly.stop(
        Stop.END_TURN if answer.declined else answer.stop,
        answer.usage,
        stop_sequence=answer.stop_sequence,
        explanation=answer.explanation,
        unknown_stop=answer.unknown_stop,
        tier=answer.tier,
    )
    assembly.finish()
    return assembly.take()
