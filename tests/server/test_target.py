"""Request targets: plain absolute paths, nothing else."""

from __future__ import annotations

import pytest

from shunt.server.errors import TurnedAway
from shunt.server.target import check_method, check_target


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/", b""),
        ("/v1/messages", b"beta=true"),
        ("/v1/models/claude-opus-5-5%5B1m%5D", b""),
        ("/v1/models/org/model:free", b"limit=1000&after=a..b//c"),
        ("/accounts/my%20name/pause", b""),
        ("/v1/messages;x", b""),
    ],
)
def test_plain_paths_pass(path: str, query: bytes) -> None:
    """What clients ask for goes through; queries may hold what they like of visible ASCII."""
    check_target(path, query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("", b"a=b"),
        ("*", b""),
        ("stat", b""),
        ("http://evil.example/stat", b""),
        ("victim.com:443", b""),
        ("/v1/../admin", b""),
        ("/v1/..", b""),
        ("//v1/messages", b""),
        ("/v1//messages", b""),
        ("/v1/%2e%2e/admin", b""),
        ("/v1/%2E./admin", b""),
        ("/v1%2fmessages", b""),
        ("/v1%2Fmessages", b""),
        ("/v1/%5cx", b""),
        ("/v1\\messages", b""),
        ("/v1/%00", b""),
        ("/v1/%zz", b""),
        ("/v1/%a", b""),
        ("/v1/x#y", b""),
        ("/v1/x", b"y#z"),
        ("/v1/\u00ff", b""),
        ("/v1/x", b"\xff"),
        ("/v1/a b", b""),
        ("/v1/a\x7f", b""),
    ],
)
def test_anything_odd_is_refused(path: str, query: bytes) -> None:
    """Other forms, climbing, empty or disguised segments and odd characters get a 400."""
    with pytest.raises(TurnedAway) as refused:
        check_target(path, query)
    assert refused.value.failure.http_status == 400


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "PROPFIND", "X" * 500])
def test_unknown_methods_are_refused(method: str) -> None:
    """With 405 and the methods that there are; a long one is not repeated in full."""
    with pytest.raises(TurnedAway) as refused:
        check_method(method)
    assert refused.value.failure.http_status == 405
    assert refused.value.headers[0][0] == b"allow"
    assert len(str(refused.value)) < 100
