"""Requests as OpenTelemetry spans, through the library itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from shunt.accounts.state import AttemptNote
from shunt.gateway.trace import Mark, Phase, Trace
from shunt.telemetry.failures import note_of
from shunt.telemetry.ring import Finished
from shunt.telemetry.spans import WAITING, Exporter, tell, tries
from tests.fakes.pools import T0
from tests.fakes.records import record
from tests.telemetry.requests import recording

MARKS: list[Mark] = [
    (Phase.ARRIVED, T0, ""),
    (Phase.CHOSEN, T0 + 0.1, "b"),
    (Phase.SENT, T0 + 0.1, "b"),
    (Phase.CONNECTED, T0 + 0.3, "b"),
    (Phase.CHOSEN, T0 + 0.4, "a"),
    (Phase.SENT, T0 + 0.4, "a"),
    (Phase.DONE, T0 + 1, ""),
]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def finished(*, failed: bool = False, parent: str = "") -> Finished:
    attempts = (AttemptNote("b", "limited", ""), AttemptNote("a", "served", ""))
    told = record(0, attempts=attempts, outcome="failed" if failed else "served")
    note = note_of(recording(0), told, T0, str) if failed else None
    return Finished(told, Trace(list(MARKS)), failure=note, parent=parent)


def test_a_request_is_one_span_with_one_per_try() -> None:
    """Begin, end, phases and figures; the client's own trace is the parent."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tell(provider.get_tracer("t"), finished(parent=PARENT))
    first, second, whole = memory.get_finished_spans()
    assert whole.name == "chat claude-sonnet-5-5"
    assert (whole.start_time, whole.end_time) == (int(T0 * 1e9), int((T0 + 1) * 1e9))
    assert whole.parent is not None
    assert f"{whole.parent.trace_id:032x}" in PARENT
    assert [event.name for event in whole.events] == [str(phase) for phase, _, _ in MARKS]
    assert whole.attributes is not None
    assert whole.attributes["gen_ai.usage.input_tokens"] == 130
    assert whole.status.status_code is StatusCode.UNSET
    for span, name in ((first, "attempt b"), (second, "attempt a")):
        assert span.name == name
        assert span.parent is not None
        assert span.parent.span_id == whole.context.span_id


def test_a_failure_has_its_status() -> None:
    """With its message, which holds neither secrets nor content."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tell(provider.get_tracer("t"), finished(failed=True))
    assert memory.get_finished_spans()[-1].status.status_code is StatusCode.ERROR


def test_tries_end_where_the_next_begins() -> None:
    """The last at the request's end."""
    assert tries(MARKS, T0 + 1) == [("b", T0 + 0.1, T0 + 0.4), ("a", T0 + 0.4, T0 + 1)]
    assert tries([], T0) == []


def test_taking_never_waits() -> None:
    """However many come; what was taken is sent before the end."""
    memory = InMemorySpanExporter()
    exporter = Exporter(memory)
    for _ in range(WAITING + 10):
        exporter(finished())
    exporter.close(20)
    assert memory.get_finished_spans()


def test_a_collector_that_hangs_does_not_hold_up_the_end() -> None:
    """The end comes in time, with or without the last traces."""
    going = threading.Event()

    class Hanging(InMemorySpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            going.wait(60)
            return super().export(spans)

    exporter = Exporter(Hanging())
    exporter(finished())
    exporter.close(0.05)
    going.set()
