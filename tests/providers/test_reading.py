"""What is asked of every answer."""

from __future__ import annotations

import pytest

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.inbound import Operation
from shunt.limits.windows import OVERAGE, Source, Standing, Window
from shunt.providers.base import Answer
from shunt.providers.reading import Reading, by_kind, by_windows, documents, judged
from tests.providers.requests import T0, account, inbound


def reading(status: int, error: Failure | None, **changes: object) -> Reading:
    return Reading(account(), inbound(**changes), Answer(status, (), b""), b"", T0, (), error)


def failed(found: Reading, _error: Failure) -> Outcome:
    return found.outcome(Verdict.CUT, "asked the dialect")


def none_limited(_found: Reading) -> None:
    return None


@pytest.mark.parametrize(
    ("status", "error", "operation", "verdict"),
    [
        (200, None, Operation.GENERATE, Verdict.SERVED),
        (304, None, Operation.GENERATE, Verdict.BROKEN),
        (201, None, Operation.GENERATE, Verdict.BROKEN),
        (201, None, Operation.BATCHES, Verdict.SERVED),
        (400, Kind.INVALID_REQUEST, Operation.GENERATE, Verdict.CUT),
        (400, Kind.INVALID_REQUEST, Operation.PASS, Verdict.REFUSED),
        (401, Kind.AUTHENTICATION, Operation.PASS, Verdict.UNAUTHORIZED),
        (429, Kind.RATE_LIMITED, Operation.PASS, Verdict.REFUSED),
    ],
)
def test_the_order_of_questions(
    status: int, error: Kind | None, operation: Operation, verdict: Verdict
) -> None:
    """Only errors of generating calls are for the dialect to judge."""
    found = reading(status, Failure(error, "m") if error else None, operation=operation)
    assert judged(found, failed, none_limited).verdict is verdict


@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (500, Kind.INTERNAL, Verdict.BROKEN),
        (408, Kind.TIMEOUT, Verdict.REFUSED),
        (529, Kind.OVERLOADED, Verdict.OVERLOADED),
        (400, Kind.INVALID_REQUEST, None),
    ],
)
def test_kinds_that_need_no_second_look(status: int, kind: Kind, verdict: Verdict | None) -> None:
    """A slow client is not the vendor's fault."""
    found = by_kind(reading(status, Failure(kind, "m")), Failure(kind, "m"))
    assert (found.verdict if found else None) is verdict


def test_the_whole_account_is_asked_before_the_model() -> None:
    """The latest reset counts; paid extra usage refuses nothing."""

    def window(name: str, reset: float, scope: str = "") -> Window:
        return Window(name, 1.0, T0 + reset, Standing.REJECTED, Source.HEADER, T0, scope=scope)

    found = reading(429, Failure(Kind.RATE_LIMITED, "m"))
    told = (window("5h", 10), window("7d", 20), window("7d_opus", 90, "opus"), window(OVERAGE, 500))
    outcome = by_windows(found, told, lambda each: each.name)
    assert outcome is not None
    assert (outcome.scope, outcome.until, outcome.reason) == ("", T0 + 20, "7d")
    alone = by_windows(found, told[2:], lambda each: each.name)
    assert alone is not None
    assert (alone.scope, alone.until) == ("opus", T0 + 90)
    assert by_windows(found, told[3:], lambda each: each.name) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b' {"a":1}', [b' {"a":1}']),
        (b'event: x\ndata: {"a":1}\n\n: ping\n\ndata: half', [b'{"a":1}', b"half"]),
        (b"", []),
    ],
)
def test_what_a_body_may_say(body: bytes, expected: list[bytes]) -> None:
    """A document, or the events it begins with."""
    assert documents(body) == expected
