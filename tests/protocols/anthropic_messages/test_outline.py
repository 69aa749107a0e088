"""Messages requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.protocols.anthropic_messages.outline import outline

SESSION = "0f7b3a52-1c1d-4b7e-9f53-6f0b2f3f8a11"


def body(**changes: Any) -> bytes:
    document: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "hello"}],
    }
    return json.dumps(document | changes).encode()


def test_model_and_stream_as_the_client_wrote_them() -> None:
    """Only a real `true` asks for a stream."""
    facts = outline(body(model="Claude-Odd[1m]", stream=True))
    assert (facts.model, facts.stream, facts.chained, facts.session) == ("Claude-Odd[1m]", True, False, "")
    assert not outline(body(stream="true")).stream
    assert not outline(body()).stream


@pytest.mark.parametrize(
    ("user_id", "session"),
    [
        (json.dumps({"device_id": "d" * 64, "account_uuid": "", "session_id": SESSION}), SESSION),
        (f"user_{'a' * 64}_account_{SESSION[::-1]}_session_{SESSION}", SESSION),
        (f"user_{'a' * 64}_account__session_{SESSION}", SESSION),
        (json.dumps({"session_id": 5}), ""),
        ("{broken", ""),
        ("someone@example.test", ""),
        (7, ""),
    ],
)
def test_the_session_of_claude_code(user_id: Any, session: str) -> None:
    """Both ways in which Claude Code has named its session are read; other user ids are no session."""
    assert outline(body(metadata={"user_id": user_id})).session == session


def test_odd_metadata_is_the_vendors_business() -> None:
    """It is passed on, and has no session."""
    assert outline(body(metadata="x")).session == ""


def test_the_billing_block_is_no_part_of_the_conversation() -> None:
    """Its hash changes with every request; the fingerprint must not."""
    system = [{"type": "text", "text": "You are Claude Code."}, {"type": "text", "text": "Be good."}]
    billing = [{"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1.{n};"} for n in (1, 2)]
    plain = outline(body(system=system)).fingerprint
    assert [outline(body(system=[block, *system])).fingerprint for block in billing] == [plain, plain]
    assert plain != outline(body(system=system[:1])).fingerprint


def test_a_conversation_keeps_its_fingerprint() -> None:
    """Later turns, cache marks, other options and the form of the text change nothing."""
    block = [{"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}}]
    later = [
        {"role": "user", "content": block},
        {"role": "system", "content": "environment"},
        {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
        {"role": "user", "content": "more"},
    ]
    first, second = outline(body()), outline(body(messages=later, max_tokens=5))
    assert (first.fingerprint, first.opening) == (second.fingerprint, second.opening)
    assert first.fingerprint


@pytest.mark.parametrize(
    ("changes", "chained"),
    [
        ({"container": "container_1"}, True),
        ({"container": {"id": "container_1"}}, True),
        ({"container": None}, False),
        ({"container": {"skills": []}}, False),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}],
                    }
                ]
            },
            True,
        ),
        ({"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}, True),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "content": [{"type": "document", "source": {"type": "file", "file_id": "f"}}],
                            }
                        ],
                    }
                ]
            },
            True,
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "content": [{"type": "tool_use", "input": {"file_id": "f"}}]}
                ]
            },
            False,
        ),
        ({"tools": [{"name": "t", "input_schema": {"properties": {"file_id": {}}}}]}, False),
        ({"messages": [{"role": "user", "content": 'the "file_id" key'}]}, False),
    ],
)
def test_what_only_one_organisation_holds(changes: dict[str, Any], chained: bool) -> None:
    """Containers and uploaded files tie a request to their account; merely naming the word does not."""
    assert outline(body(**changes)).chained is chained


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "The body is empty"),
        (b" \n", "The body is empty"),
        (b"not json at all", "not valid JSON"),
        (b'{"model": "claude-sonnet-4-5", "messages": [', "not valid JSON: .*char 44"),
        (b"[1,2]", "Expected `object`, got `array`"),
        (b"{}", "`model` is missing"),
        (b'{"model": 5, "messages": []}', "`model` must be a string, got a number"),
        (b'{"model": "m"}', "`messages` is missing"),
        (b'{"model": "m", "messages": "hi"}', "`messages` must be an array, got a string"),
        (b'{"model": "m", "messages": ["hi"]}', r"`messages\[0\]` has the wrong shape"),
        (b'{"model": "m", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes, said: str) -> None:
    """The client learns what is wrong and where."""
    with pytest.raises(InvalidRequest, match=said):
        outline(raw)


def test_odd_but_valid_bodies_are_read() -> None:
    """What the vendor may accept is not refused here: NaN, half characters, a byte order mark, no messages yet."""
    odd = b'\xef\xbb\xbf{ "model" : "m","messages":[{"role":"user","content":"a\\ud800"}], "z":[NaN,1.0,{"k":null}] }'
    assert outline(odd).model == "m"
    assert outline(b'{"model":"m","messages":[]}').fingerprint == b""
