"""Chat Completions requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.protocols.openai_chat.outline import outline


def body(**changes: Any) -> bytes:
    document: dict[str, Any] = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "hello"}]}
    return json.dumps(document | changes).encode()


def test_the_facts() -> None:
    """Model, stream and the cache key that names the conversation."""
    facts = outline(body(stream=True, prompt_cache_key="ses_1", user="u"))
    assert (facts.model, facts.stream, facts.session, facts.chained) == ("gpt-5.5", True, "ses_1", False)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_before_the_first_question_count(role: str) -> None:
    """Both roles; what is said later in the conversation does not change its fingerprint."""
    question = {"role": "user", "content": "hello"}
    with_system = outline(body(messages=[{"role": role, "content": "be good"}, question]))
    later = [{"role": role, "content": "be good"}, question, {"role": role, "content": "be better"}]
    assert with_system.fingerprint != outline(body()).fingerprint
    assert with_system.fingerprint == outline(body(messages=later)).fingerprint
    assert with_system.opening == outline(body()).opening


def test_tools_count_by_name() -> None:
    """The name lies one level deeper than elsewhere."""
    one, two = ({"type": "function", "function": {"name": name}} for name in ("a", "b"))
    assert outline(body(tools=[one])).fingerprint != outline(body(tools=[two])).fingerprint


@pytest.mark.parametrize(
    ("part", "chained"),
    [
        ({"type": "file", "file": {"file_id": "file-1"}}, True),
        ({"type": "file", "file": {"file_data": "…", "file_id": None}}, False),
        ({"type": "text", "text": '"file_id"'}, False),
    ],
)
def test_uploaded_files_tie_a_request_to_their_account(part: dict[str, Any], chained: bool) -> None:
    """Inline files do not."""
    assert outline(body(messages=[{"role": "user", "content": [part]}])).chained is chained


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"[1,2]", "got `array`"),
        (b'{"messages": []}', "`model` is missing"),
        (b'{"model": "m"}', "`messages` is missing"),
        (b'{"model": "m", "messages": {}}', "`messages` must be an array, got an object"),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes, said: str) -> None:
    """The client learns what is wrong and where."""
    with pytest.raises(InvalidRequest, match=said):
        outline(raw)


def test_responses_body() -> None:
    """A Responses body that was posted here is read for the same facts."""
    items = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "S2"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    ]
    chat = outline(
        b'{"model":"m","messages":[{"role":"system","content":"S1"},{"role":"system","content":"S2"},'
        b'{"role":"user","content":"hi"}]}'
    )
    posted = outline(json.dumps({"model": "m", "instructions": "S1", "input": items}).encode())
    assert (posted.fingerprint, posted.opening) == (chat.fingerprint, chat.opening)
    assert outline(b'{"model":"m","input":"hi"}').opening == chat.opening


def test_no_messages() -> None:
    """A body without any conversation is told what it lacks."""
    with pytest.raises(InvalidRequest, match="`messages` is missing"):
        outline(b'{"model":"m"}')
    with pytest.raises(InvalidRequest, match="`input` must be an array"):
        outline(b'{"model":"m","input":7}')
