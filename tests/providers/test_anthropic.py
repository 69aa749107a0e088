"""The record of Anthropic itself."""

from __future__ import annotations

import pytest

from shunt.config.types import EndpointsConfig
from shunt.providers.anthropic import PROVIDER


@pytest.mark.parametrize(
    ("method", "path", "with_key", "with_login"),
    [
        ("POST", "/v1/messages", True, True),
        ("POST", "/v1/messages/count_tokens", True, True),
        ("GET", "/v1/models", True, True),
        ("GET", "/v1/models/claude-opus-5-5", True, True),
        ("POST", "/v1/messages/batches", True, False),
        ("DELETE", "/v1/messages/batches/b_1", True, False),
        ("GET", "/v1/messages/batches/b_1/results", True, False),
        ("GET", "/api/web/domain_info", True, True),
        ("GET", "/api/directory/server-urls", True, True),
        ("GET", "/api/claude_cli/bootstrap", True, True),
        ("POST", "/api/event_logging/v2/batch", False, False),
        ("POST", "/api/eval/sdk-x", False, False),
        ("GET", "/api/oauth/profile", False, False),
        ("GET", "/api/claude_code_penguin_mode", False, False),
        ("POST", "/v1/oauth/token", False, False),
        ("POST", "/v1/messagesx", False, False),
        ("GET", "/v1/modelsx", False, False),
        ("PUT", "/v1/messages", False, False),
    ],
)
def test_what_may_be_asked(method: str, path: str, with_key: bool, with_login: bool) -> None:
    """Messages, counting, models, batches for keys, and what Claude Code reads; no telemetry, no person."""
    assert PROVIDER.carries(method, path, api_key=True) is with_key
    assert PROVIDER.carries(method, path, api_key=False) is with_login


def test_endpoints_can_be_moved() -> None:
    """A corporate gateway stands in for the API, and another for the token endpoint."""
    moved = EndpointsConfig(
        anthropic_url="https://gw.example", anthropic_token_url="https://gw.example/token"
    )
    assert PROVIDER.default_url is not None
    assert PROVIDER.default_url(moved) == "https://gw.example"
    assert PROVIDER.login is not None
    assert PROVIDER.login.token_url(moved) == "https://gw.example/token"


def test_windows_and_families_are_read_anthropics_way() -> None:
    """Limits come from the unified headers and are kept by model family."""
    headers = (
        (b"anthropic-ratelimit-unified-5h-utilization", b"0.5"),
        (b"anthropic-ratelimit-unified-5h-status", b"allowed"),
    )
    assert [window.name for window in PROVIDER.parse_limits(headers, 0.0)] == ["5h"]
    assert PROVIDER.model_family("claude-opus-5-5") == "opus"
    assert PROVIDER.parse_usage is not None
    assert [
        w.used for w in PROVIDER.parse_usage(b'{"five_hour":{"utilization":12,"resets_at":null}}', 0.0)
    ] == [0.12]
