"""A client's own body for an upstream of the same protocol."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference import envelope
from shunt.inference.content import Seal, SealForm
from shunt.protocols.openai_responses.adaptation import adapt_request
from tests.protocols.openai_responses.targets import target

CODEX = target("gpt-5.5", "codex")
USER = {"type": "message", "role": "user", "content": "hi"}


def thought(origin: str, account: str = "") -> dict[str, Any]:
    sealed = envelope.wrap(Seal(origin, SealForm.ENCRYPTED, "gAAAA", account))
    return {"type": "reasoning", "summary": [], "encrypted_content": sealed}


def test_bytes_pass_where_they_can() -> None:
    """OpenAI takes everything; the backend what Codex sends."""
    assert adapt_request({"model": "m", "input": "hi", "temperature": 1}, target()) is None
    body = {"model": "m", "input": [USER], "instructions": "", "store": False, "stream": True}
    assert adapt_request(body, CODEX) is None


def test_a_body_is_made_fit_for_the_backend() -> None:
    """Under the name that the account knows the model by."""
    found = adapt_request({"model": "alias", "input": "hi", "temperature": 1}, CODEX)
    assert found is not None
    assert (found.document["model"], found.dropped) == ("gpt-5.5", ("temperature",))


def test_envelopes_are_opened_for_their_own_and_left_out_for_others() -> None:
    """All else stays, known or not."""
    body = {
        "model": "m",
        "x_future": 1,
        "input": [USER, thought("openai", "acc-1"), thought("api.example.org"), USER],
    }
    found = adapt_request(body, target("gpt-5.1"))
    assert found is not None
    assert found.document == {
        "model": "gpt-5.1",
        "x_future": 1,
        "input": [USER, {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}, USER],
    }


def test_stored_state_is_the_upstreams_own_business() -> None:
    """OpenAI has it, the backend has not."""
    body = {"model": "m", "input": "hi", "previous_response_id": "resp_1"}
    assert adapt_request(body, target()) is None
    with pytest.raises(InvalidRequest):
        adapt_request(body, CODEX)


def test_a_conversation_to_shorten() -> None:
    """Goes without what its endpoint refuses."""
    found = adapt_request({"model": "m", "input": [USER]}, target("gpt-5.5", "codex", compact=True))
    assert found is not None
    assert set(found.document) == {"model", "input", "instructions"}
