"""Providers as records."""

from __future__ import annotations

import pytest

from shunt.providers.anthropic import PROVIDER as ANTHROPIC
from shunt.providers.base import Answer, Route
from shunt.providers.compatible import OPENAI_COMPATIBLE
from shunt.providers.openai import PROVIDER as OPENAI


@pytest.mark.parametrize(
    ("route", "method", "path", "expected"),
    [
        (Route("GET", "/a/b"), "GET", "/a/b", True),
        (Route("GET", "/a/b"), "POST", "/a/b", False),
        (Route("GET", "/a/b"), "GET", "/a/b/c", False),
        (Route("*", "/a/…"), "PUT", "/a", True),
        (Route("*", "/a/…"), "PUT", "/a/b/c", True),
        (Route("*", "/a/…"), "PUT", "/ab", False),
    ],
)
def test_routes_match_whole_paths_or_whole_folders(
    route: Route, method: str, path: str, expected: bool
) -> None:
    """A prefix ends at a slash."""
    assert route.matches(method, path) is expected


def test_an_answer_shows_nothing_of_its_content() -> None:
    """Bodies hold conversations, headers hold ids."""
    assert "secret" not in repr(Answer(200, ((b"x", b"secret"),), b"secret"))


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("", "/v1/chat/completions", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions", "/v1/chat/completions"),
        ("/api/v1", "/v1/models/a/b", "/api/v1/models/a/b"),
        ("/v1beta/openai", "/v1/chat/completions", "/v1beta/openai/chat/completions"),
    ],
)
def test_openai_base_urls_hold_the_version(base: str, path: str, expected: str) -> None:
    """Whatever they call it; an empty path means the usual one."""
    assert OPENAI_COMPATIBLE.path_for(base, path) == expected


@pytest.mark.parametrize("base", ["", "/v1"])
def test_anthropic_base_urls_leave_the_version_out(base: str) -> None:
    """One that has it nevertheless means the same."""
    assert ANTHROPIC.path_for(base, "/v1/messages") == "/v1/messages"


def test_a_provider_may_speak_several_protocols() -> None:
    """The preferred one stands first."""
    assert OPENAI.protocols == ("openai-responses", "openai-chat")
    assert ANTHROPIC.protocols == ("anthropic-messages",)
