"""A stream's plain answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.protocols.openai_responses.gathering import Gathering
from shunt.wire import sse
from tests.protocols.openai_responses.client import encoded
from tests.protocols.openai_responses.vendor import COMPLETED, CREATED, call, done, ev, message, response


def gathered(*events: dict[str, Any]) -> dict[str, Any] | Failure:
    gathering = Gathering()
    for event in sse.Decoder().feed(encoded(events)):
        gathering.feed(event.name, event.data or b"")
    return gathering.result()


def test_the_items_are_put_into_an_empty_end() -> None:
    """As the ChatGPT backend sends it; whole, as the vendor wrote them."""
    found = gathered(CREATED, done(call(), 1), done(message("hi", phase="final_answer")), COMPLETED)
    assert isinstance(found, dict)
    assert found["output"] == [message("hi", phase="final_answer"), call()]
    assert found["usage"] == COMPLETED["response"]["usage"]


def test_an_end_that_tells_everything_is_the_answer() -> None:
    """Incomplete ones too; what follows is ignored."""
    end = response("incomplete", [message("hi")])
    assert gathered(CREATED, ev("response.incomplete", response=end), ev("error", message="m")) == end


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            ev(
                "response.failed",
                response=response("failed", error={"code": "server_is_overloaded", "message": "m"}),
            ),
            Kind.OVERLOADED,
        ),
        (ev("error", code="rate_limit_exceeded", message="slow"), Kind.RATE_LIMITED),
        (ev("response.output_text.delta", delta="hi"), Kind.UPSTREAM),
        (ev("response.completed", response=None), Kind.UPSTREAM),
    ],
)
def test_failures(event: dict[str, Any], kind: Kind) -> None:
    """Half an answer is none."""
    found = gathered(CREATED, event)
    assert isinstance(found, Failure)
    assert found.kind is kind


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    """Without an end there is no answer."""
    gathering = Gathering()
    for piece in pieces:
        gathering.feed("response.novel", piece)
    assert isinstance(gathering.result(), Failure)
