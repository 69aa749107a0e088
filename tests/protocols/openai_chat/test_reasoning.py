"""Reasoning fields: read from servers, given back to them, kept by clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.content import Seal, SealForm, Thinking
from shunt.inference.envelope import wrap
from shunt.inference.names import wire_id
from shunt.protocols.openai_chat.reasoning import (
    ReasoningReader,
    ReasoningWriter,
    carries,
    given_back,
    plain_seal,
    read_thinking,
)

SEAL = Seal("anthropic", SealForm.SIGNATURE, "EqQB", "acc")


def plain(payload: str, origin: str = "api.example.org") -> Seal:
    return Seal(origin, SealForm.PLAIN, payload)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, False),
        ({"reasoning_content": None, "reasoning": ""}, False),
        ({"reasoning_content": "x"}, True),
        ({"reasoning": "x"}, True),
        ({"reasoning_details": [{}]}, True),
    ],
)
def test_carries(fields: dict[str, Any], found: bool) -> None:
    """Nulls and empty strings are no reasoning."""
    assert carries(fields) is found


def test_reader_forgets_what_it_sealed() -> None:
    """Each part of the reasoning has its own seal."""
    reader = ReasoningReader()
    assert reader.words({"reasoning": "a"}) == "a"
    assert reader.seal() == plain('{"field":"reasoning"}', "")
    assert reader.seal() is None


@pytest.mark.parametrize(
    ("seal", "message"),
    [
        (plain('{"field":"reasoning_content"}'), {"reasoning_content": "hm"}),
        (plain('{"field":"reasoning"}'), {"reasoning": "hm"}),
        (plain('{"field":"novel"}'), {"reasoning": "hm"}),
        (
            plain('{"details":[{"type":"reasoning.text"}]}'),
            {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text"}]},
        ),
        (plain('{"field":"reasoning"}', "elsewhere"), {}),
        (plain('{"field":"reasoning"}', ""), {}),
        (plain("no json"), {}),
        (plain_seal("api.example.org"), {"reasoning_content": "hm"}),
        (SEAL, {}),
        (None, {}),
    ],
)
def test_given_back(seal: Seal | None, message: dict[str, Any]) -> None:
    """Reasoning goes back to the server that made it, in the field it came in, and to no other."""
    got: dict[str, Any] = {}
    assert given_back(Thinking("hm", seal), got, "api.example.org") == {}
    assert got == message


def test_extra_content_of_calls() -> None:
    """What was sealed in calls is told by the ids that the calls are sent with."""
    long = "call_" + "k" * 90
    reader = ReasoningReader()
    reader.keep_call("c1", {"x": 1})
    reader.keep_call(long, {"x": 2})
    seal = reader.seal()
    assert seal is not None
    message: dict[str, Any] = {}
    back = given_back(Thinking(seal=evolve(seal, origin="api.example.org")), message, "api.example.org")
    assert back == {"c1": {"x": 1}, wire_id(long): {"x": 2}}
    assert message == {}


def test_given_back_twice() -> None:
    """Two parts of one turn share the field."""
    message: dict[str, Any] = {}
    for text in ("a", "b"):
        given_back(Thinking(text, plain('{"field":"reasoning"}')), message, "api.example.org")
    assert message == {"reasoning": "ab"}


TEXTS = st.sampled_from(["", "a", "hm, \n\n well", "😀 wörds", "same", "same"])
PARTS = st.lists(st.builds(Thinking, TEXTS, st.none() | st.just(SEAL)), max_size=4)


@given(PARTS)
def test_written_and_read(parts: list[Thinking]) -> None:
    """A client that echoes what it got gives back every sealed part, word for word."""
    writer = ReasoningWriter()
    told = "".join(writer.words(n, part.text) for n, part in enumerate(parts))
    details = [found for n, part in enumerate(parts) if (found := writer.detail(n, part))]
    message = json.loads(json.dumps({"reasoning_content": told, "reasoning_details": details}))
    assert [d["index"] for d in details] == list(range(len(details)))
    sealed = [part for part in parts if part.seal]
    assert read_thinking(message) == (sealed or ([Thinking(told)] if told else []))


def test_changed_words() -> None:
    """A seal does not prove words that were changed."""
    writer = ReasoningWriter()
    told = writer.words(0, "the words")
    detail = writer.detail(0, Thinking("the words", SEAL))
    message = {"reasoning_content": told.upper(), "reasoning_details": [detail]}
    assert read_thinking(message) == [Thinking("THE WORDS")]


@pytest.mark.parametrize(
    "entry",
    [
        "x",
        {},
        {"data": wrap(SEAL)},
        {"data": "foreign", "id": "words-0-2-0123456789abcdef"},
        {"data": wrap(SEAL), "id": "words-0-99999999999-x"},
        {"data": 7, "id": 7},
    ],
)
def test_foreign_details(entry: Any) -> None:
    """Details that are none of ours prove nothing."""
    assert read_thinking({"reasoning": "hm", "reasoning_details": [entry]}) == [Thinking("hm")]
