"""Providers as records."""

from __future__ import annotations

import pytest

from shunt.providers.base import Answer, Route


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
