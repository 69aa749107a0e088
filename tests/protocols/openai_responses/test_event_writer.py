"""Events as bytes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from shunt.protocols.openai_responses.event_writer import EventWriter, delta_head
from shunt.wire import sse


def test_events_are_numbered() -> None:
    """Whatever their kind; keep-alives are not."""
    events = EventWriter()
    events.write("a", {"x": 1})
    events.write_raw(b": life\n\n")
    events.delta(delta_head("b", {"item_id": "i"}), "hi")
    events.write("c", {})
    raw = events.take()
    found = [(event.name, json.loads(event.data)) for event in sse.Decoder().feed(raw) if event.data]
    assert found == [
        ("a", {"type": "a", "sequence_number": 0, "x": 1}),
        ("b", {"type": "b", "item_id": "i", "delta": "hi", "sequence_number": 1}),
        ("c", {"type": "c", "sequence_number": 2}),
    ]
    assert events.take() == b""


@given(st.text())
def test_any_words_can_be_told(words: str) -> None:
    """On one line, as they are."""
    events = EventWriter()
    events.delta(delta_head("d", {"n": 1}), words)
    (event,) = sse.Decoder().feed(events.take())
    assert json.loads(event.data or b"")["delta"] == words
