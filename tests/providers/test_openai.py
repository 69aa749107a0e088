"""The record of OpenAI itself."""

from __future__ import annotations

import pytest

from shunt.config.types import EndpointsConfig
from shunt.providers.openai import PROVIDER


@pytest.mark.parametrize(
    ("method", "path", "carried"),
    [
        ("POST", "/v1/responses", True),
        ("POST", "/v1/responses/compact", True),
        ("GET", "/v1/responses/resp_1", True),
        ("DELETE", "/v1/responses/resp_1", True),
        ("POST", "/v1/chat/completions", True),
        ("GET", "/v1/models/gpt-5.5", True),
        ("POST", "/v1/embeddings", True),
        ("GET", "/v1/organization/api_keys", False),
        ("POST", "/v1/files", False),
        ("POST", "/v1/messages", False),
    ],
)
def test_what_may_be_asked(method: str, path: str, carried: bool) -> None:
    """Answers, models and embeddings; nothing about the organisation."""
    assert PROVIDER.carries(method, path, api_key=True) is carried


def test_both_protocols_are_its_own() -> None:
    """Requests in any other words become Responses."""
    assert PROVIDER.protocols == ("openai-responses", "openai-chat")


def test_the_address_can_be_moved() -> None:
    """And holds the version."""
    assert PROVIDER.default_url is not None
    assert PROVIDER.default_url(EndpointsConfig()) == "https://api.openai.com/v1"
    assert PROVIDER.path_for("", "/v1/responses") == "/v1/responses"
