"""Errors become failures that say what to do, and never more than they should."""

from __future__ import annotations

import pytest

from shunt.errors import AllCooling, InvalidRequest, Kind, NotFound
from shunt.server.errors import CONTROL, TurnedAway, encode, failure_of
from shunt.wire import json
from shunt.wire.headers import get


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidRequest("what"), 400, Kind.INVALID_REQUEST),
        (NotFound("where"), 404, Kind.NOT_FOUND),
        (TurnedAway("no", 421), 421, Kind.INVALID_REQUEST),
        (TurnedAway("later", 503, kind=Kind.UNAVAILABLE, retry_after=5), 503, Kind.UNAVAILABLE),
        (ValueError("sk-test-secret"), 500, Kind.INTERNAL),
    ],
)
def test_every_error_has_a_status(error: Exception, status: int, kind: Kind) -> None:
    """Ours keep their words; of others only the request id is told."""
    failure = failure_of(error, "req_1", 0.0)
    assert (failure.http_status, failure.kind) == (status, kind)
    assert (str(error) in failure.message) is not isinstance(error, ValueError)


def test_an_unforeseen_error_gives_nothing_away() -> None:
    """Its text may hold anything; the caller learns where to look."""
    failure = failure_of(RuntimeError("sk-test-secret"), "req_1", 0.0)
    assert "secret" not in failure.message
    assert "req_1" in failure.message


def test_what_will_not_get_better_is_not_to_be_retried() -> None:
    """SDKs obey `x-should-retry`; a wrong address stays wrong, a slow body does not."""
    assert failure_of(TurnedAway("no", 421), "", 0.0).should_retry is False
    assert failure_of(TurnedAway("slow", 408), "", 0.0).should_retry is None
    assert failure_of(TurnedAway("wait", 429, retry_after=60), "", 0.0).should_retry is None


def test_control_errors_are_small_json() -> None:
    """`error.message` for people, `error.type` for programs, and the time to wait as a header."""
    reply = encode(CONTROL, failure_of(AllCooling("spent", 100.0), "req_1", 40.0))
    assert reply.status == 429
    assert get(reply.headers, b"retry-after") == b"60"
    assert json.value(reply.body) == {
        "error": {"message": "spent", "type": "rate_limited", "request_id": "req_1"}
    }
