"""Taking an API key."""

from __future__ import annotations

import io

import pytest

from shunt.cli.api_keys import LONGEST, checked, from_stream
from shunt.cli.exits import Failed


@pytest.mark.parametrize("text", ["sk-test-0123456789", "  sk-test-0123456789\n", "sk-test-0123456789\r\n"])
def test_a_key_is_read_without_what_a_shell_adds(text: str) -> None:
    """`echo key | …` adds a newline, and pasting adds spaces."""
    assert from_stream(io.StringIO(text)).reveal() == "sk-test-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "canary-one\ncanary-two",
        "canary with spaces",
        "canary-ключ",
        "canary" * LONGEST,
        "sk-ant-oat01-canary-000000",
        "sk-ant-ort01-canary-000000",
    ],
)
def test_what_is_no_key_is_refused_unseen(text: str) -> None:
    """Empty, several lines, unsendable characters and login tokens are refused, and never repeated."""
    with pytest.raises(Failed) as caught:
        from_stream(io.StringIO(text))
    assert "canary" not in caught.value.message


def test_a_login_token_is_explained() -> None:
    """Who pastes a login's token is told what to do instead."""
    with pytest.raises(Failed, match=r"not an API key.*--import"):
        checked("sk-ant-oat01-canary-000000", "the key")
