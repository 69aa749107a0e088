"""Finished requests as OpenTelemetry traces, through its own library: one span per request, one per try.

Importing this module imports the library. Its exporter has a thread and a bounded queue of its own; what
happens in a request's task is a reference put into a queue of ours.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shunt import __version__
from shunt.gateway.trace import Mark, Phase
from shunt.telemetry.ring import Finished

WAITING: Final = 1_000
"""Requests that may wait to be told; more are left out."""
_OPERATIONS: Final = {"generate": "chat", "count tokens": "count_tokens"}
_PARENTS: Final = TraceContextTextMapPropagator()


class Exporter:
    """Takes finished requests. Where to send them the library reads from its own variables."""

    def __init__(self, sink: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "shunt", "service.version": __version__}),
            shutdown_on_exit=False,  # it would wait for a collector that is gone
        )
        self._provider.add_span_processor(BatchSpanProcessor(sink or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("shunt", __version__)
        self._waiting: queue.Queue[Finished | None] = queue.Queue(WAITING)
        self._closed = threading.Event()
        threading.Thread(target=self._work, name="traces", daemon=True).start()

    def __call__(self, finished: Finished) -> None:
        """Take one. Never waits: a trace is not worth a request."""
        with suppress(queue.Full):
            self._waiting.put_nowait(finished)

    def close(self, within: float) -> None:
        """Send what waits, for so many seconds at most. Blocks."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._closed.wait(within)

    def _work(self) -> None:
        while (finished := self._waiting.get()) is not None:
            tell(self._tracer, finished)
        self._provider.shutdown()
        self._closed.set()


def tell(tracer: Tracer, finished: Finished) -> None:
    """Make the spans of one request."""
    record, marks = finished.record, finished.trace.marks
    began, ended = record.at, record.at + record.duration_ms / 1000
    parent = _PARENTS.extract({"traceparent": finished.parent}) if finished.parent else None
    span = tracer.start_span(
        f"{_OPERATIONS.get(str(record.operation), str(record.operation))} {record.model}".strip(),
        context=parent,
        kind=SpanKind.SERVER,
        start_time=_ns(began),
        attributes=_attributes(finished),
    )
    for phase, at, account in marks:
        span.add_event(str(phase), {"shunt.account": account} if account else {}, timestamp=_ns(at))
    context = set_span_in_context(span)
    for number, (account, start, end) in enumerate(tries(marks, ended)):
        verdict = record.attempts[number].verdict if number < len(record.attempts) else ""
        attempt = tracer.start_span(
            f"attempt {account}",
            context=context,
            kind=SpanKind.CLIENT,
            start_time=_ns(start),
            attributes={"shunt.account": account, "shunt.verdict": str(verdict)},
        )
        attempt.end(_ns(end))
    if finished.failure is not None:
        span.set_status(Status(StatusCode.ERROR, finished.failure.message))
    span.end(_ns(ended))


def tries(marks: Iterable[Mark], ended: float) -> list[tuple[str, float, float]]:
    """(account, begin, end) of each try: it lasts until the next one, a wait, or the end."""
    found: list[tuple[str, float, float]] = []
    running: tuple[str, float] | None = None
    for phase, at, account in marks:
        if running is not None and phase in (Phase.SENT, Phase.QUEUED, Phase.CHOSEN):
            found.append((*running, at))
            running = None
        if phase is Phase.SENT:
            running = (account, at)
    if running is not None:
        found.append((*running, ended))
    return found


def _attributes(finished: Finished) -> dict[str, Any]:
    record = finished.record
    usage = record.usage
    return {
        # The semantic conventions for calls of generative models, and our own beside them.
        "gen_ai.operation.name": _OPERATIONS.get(str(record.operation), str(record.operation)),
        "gen_ai.request.model": record.model,
        "gen_ai.response.model": record.served_model or record.model,
        "gen_ai.usage.input_tokens": usage.prompt,
        "gen_ai.usage.output_tokens": usage.output,
        "http.response.status_code": record.status,
        "shunt.request_id": record.id,
        "shunt.account": record.account,
        "shunt.why": record.why,
        "shunt.outcome": record.outcome,
        "shunt.protocol": record.protocol_in,
        "shunt.cache_read_tokens": usage.cache_read,
        "shunt.cache_write_tokens": usage.cache_write,
        "shunt.cost_usd": record.cost_usd,
        "shunt.first_byte_ms": record.first_byte_ms if record.first_byte_ms is not None else -1,
        "shunt.attempts": len(record.attempts),
    }


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
