"""Requests that are running: what they do, how fast, and since when nothing has come."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field

from shunt.accounts.state import RequestRecord
from shunt.gateway.progress import STALL
from shunt.gateway.recording import Recording
from shunt.gateway.trace import Phase

FIRST_GUESS: Final = 1 / 40
"""Output tokens per byte of a stream, until finished streams have taught better."""
LEARNING: Final = 0.1
"""Weight of the newest stream."""
LEAST_BYTES: Final = 2_000
"""Streams shorter than this teach nothing: their frame outweighs their words."""


@define(eq=False)
class Pace:
    """How many tokens a byte of a stream stands for, learnt from those that finished.

    Vendors tell the number of output tokens only at the end; until then it is estimated from bytes.
    """

    _per_byte: dict[str, float] = field(factory=dict)
    """By the client's protocol."""

    def learn(self, record: RequestRecord, size: int) -> None:
        """Take a finished stream of `size` bytes."""
        if record.outcome != "served" or size < LEAST_BYTES or not record.usage.output:
            return
        known = self._per_byte.get(record.protocol_in, record.usage.output / size)
        self._per_byte[record.protocol_in] = known + LEARNING * (record.usage.output / size - known)

    def tokens(self, protocol: str, size: int) -> int:
        """The estimate for a stream that has come so far."""
        return round(size * self._per_byte.get(protocol, FIRST_GUESS))


def of_active(recording: Recording, pace: Pace, now: float, clock: float) -> dict[str, Any]:
    """A running request. `now` is epoch seconds, `clock` Trio's time."""
    inbound, progress, trace = recording.inbound, recording.progress, recording.trace
    tap = recording.tap
    estimated = pace.tokens(inbound.protocol, progress.bytes)
    output = max(tap.usage.output if tap is not None else 0, estimated if inbound.outline.stream else 0)
    streaming = clock - progress.began_at if progress.began_at is not None else 0.0
    silence = progress.silence(clock)
    first = recording.first_byte_at
    exchange = recording.exchange
    return {
        "id": inbound.id,
        "ts_ms": round(inbound.arrived_at * 1000),
        "client": inbound.client or None,
        "conversation": inbound.conversation,
        "model": inbound.outline.model,
        "protocol": inbound.protocol,
        "operation": str(inbound.operation),
        "streamed": inbound.outline.stream,
        "account": (exchange.account if exchange is not None and not exchange.held else "") or None,
        "why": trace.why,
        "phase": str(phase_of(recording)),
        "age_ms": max(0, round((now - inbound.arrived_at) * 1000)),
        "first_byte_ms": None if first is None else max(0, round((first - inbound.arrived_at) * 1000)),
        "bytes": progress.bytes,
        "chunks": progress.chunks,
        "output_tokens": output,
        "tokens_per_second": round(output / streaming, 1) if streaming >= 0.5 else None,
        "since_last_byte_ms": None if silence is None else round(silence * 1000),
        "stalled": silence is not None and silence >= STALL,
        "stalls": progress.stalled,
        "attempts": len(exchange.notes) if exchange is not None else 0,
    }


def phase_of(recording: Recording) -> Phase:
    """What a request does now."""
    if recording.progress.chunks and not recording.progress.complete:
        return Phase.STREAMING
    held = recording.exchange is not None and recording.exchange.held
    return Phase.QUEUED if held else recording.trace.phase
