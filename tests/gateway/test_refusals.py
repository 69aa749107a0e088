from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import Cooldown, Custody
from shunt.errors import AccountUnavailable, AllCooling, Kind, NoAccounts, NotFound, NotOffered, ShuntError
from shunt.gateway.attempt import Attempt
from shunt.gateway.refusals import LoginNeeded, Situation, UpstreamFailed, duration, give_up, when
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.limits.windows import ALL_MODELS
from shunt.routing.choose import choose
from shunt.routing.view import View
from tests.fakes.pools import T0, demand, known, view, window

INBOUND = Inbound(
    id="req_1",
    protocol="anthropic-messages",
    operation=Operation.GENERATE,
    method="POST",
    path="/v1/messages",
    query=b"",
    headers=(),
    body=b"",
    outline=Outline(),
    arrived_at=T0,
)


def told(picture: View, *verdicts: Verdict, inbound: Inbound = INBOUND, **fields: Any) -> ShuntError:
    """The error for a request that met these verdicts."""
    failures = tuple(Attempt(Outcome("a", verdict, T0, message=f"{verdict} words")) for verdict in verdicts)
    wanted = evolve(demand(picture), wanted=inbound.wanted_account, **fields)
    return give_up(
        Situation(
            whole=choose(picture, wanted, frozenset(), T0),
            view=picture,
            inbound=inbound,
            carriers=frozenset(wanted.families),
            failures=failures,
            now=T0,
        )
    )


def spent(name: str, resets_in: float) -> Any:
    return known(name, window("5h", 1.0, resets_in, rejected=True))


def test_who_is_spent_and_until_when() -> None:
    """Two of three spent and one paused: the count, the moment and the one that is different."""
    error = told(view(spent("a", 8880), spent("b", 9999), known("c", paused=True)))
    assert isinstance(error, AllCooling)
    assert "2 of 3 accounts are spent; the first is back" in str(error)
    assert "(in 2 h 28 m)" in str(error)
    assert "c is paused" in str(error)
    assert error.retry_at == T0 + 8880


def test_a_fault_is_not_called_a_limit() -> None:
    """An account that is left alone after failures is not said to be spent."""
    broken = Cooldown(T0 + 15, T0, "broken: HTTP 500", Verdict.BROKEN)
    error = told(view(known("a", cooldowns={ALL_MODELS: broken})))
    assert "spent" not in str(error)
    assert "HTTP 500" in str(error)


def test_busy_accounts_are_called_busy() -> None:
    """A concurrency limit of the owner is told as such."""
    error = told(view(known("a", in_flight=2), accounts={"a": {"max_concurrent": 2}}))
    assert isinstance(error, AllCooling)
    assert "account a is busy" in str(error)


def test_a_login_that_is_needed_is_named_with_its_command() -> None:
    """When only a person can help, the answer is a 403 with the command, which clients show at once."""
    error = told(view(known("main", custody=Custody.REAUTH_REQUIRED)))
    assert isinstance(error, LoginNeeded)
    assert error.kind is Kind.PERMISSION
    assert "shunt add-account main --login" in str(error)


@pytest.mark.parametrize(
    ("picture", "inbound", "expected", "word"),
    [
        (view(), INBOUND, NoAccounts, "add-account"),
        (view("a"), evolve(INBOUND, wanted_account="b"), NotFound, '"b"'),
        (view(known("a", paused=True)), INBOUND, AccountUnavailable, "a is paused"),
        (view(known("a", custody=Custody.MISSING)), INBOUND, AccountUnavailable, "has no credential"),
    ],
)
def test_what_takes_a_person_is_named(
    picture: View, inbound: Inbound, expected: type[ShuntError], word: str
) -> None:
    """Each lasting obstacle is told by name, with what to do where there is something."""
    error = told(picture, inbound=inbound)
    assert isinstance(error, expected)
    assert word in str(error)


def test_a_call_nobody_carries_is_not_offered() -> None:
    """A route that no account has is a 501, not a wait."""
    batches = evolve(INBOUND, operation=Operation.BATCHES)
    error = told(view("a"), inbound=batches, families={})
    assert isinstance(error, NotOffered)
    assert "API key" in str(error)


def test_a_pool_the_key_may_not_use_is_not_told_about() -> None:
    """A client learns nothing about accounts outside its pools."""
    error = told(view("secret-account"), pools=frozenset({"other"}))
    assert isinstance(error, AccountUnavailable)
    assert "secret-account" not in str(error)


def test_logins_of_the_owner_are_not_shared() -> None:
    """A key for somebody else is refused in words of its own, and learns nothing about the logins."""
    error = told(view(spent("a", 60)), logins=False)
    assert error.kind is Kind.PERMISSION
    assert "owner_device" in str(error)
    assert "spent" not in str(error)


def test_the_most_useful_failure_is_kept() -> None:
    """Of several failed tries the one that tells the client most is delivered; all are in the words."""
    error = told(view("a"), Verdict.UNREACHABLE, Verdict.OVERLOADED, Verdict.BROKEN)
    assert isinstance(error, UpstreamFailed)
    assert error.attempt.outcome.verdict is Verdict.OVERLOADED
    assert "broken words" in str(error)


def test_silence_is_a_time_out() -> None:
    """504 when silence is what tells most, 502 when something else does."""
    assert told(view("a"), Verdict.TIMED_OUT, Verdict.UNREACHABLE).kind is Kind.TIMEOUT
    assert told(view("a"), Verdict.TIMED_OUT, Verdict.BROKEN).kind is Kind.UPSTREAM


def test_a_limit_among_the_failures_is_told_as_a_wait() -> None:
    """When one account was spent and another broke, the client is told when it can go on."""
    assert isinstance(told(view(spent("a", 60)), Verdict.LIMITED, Verdict.BROKEN), AllCooling)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (45, "45 s"), (720, "12 m"), (8880, "2 h 28 m"), (273_600, "3 d 4 h")],
)
def test_durations_for_people(seconds: int, words: str) -> None:
    """Lengths of time are told in the two largest units."""
    assert duration(seconds) == words


def test_a_moment_on_another_day_names_the_day() -> None:
    """A reset days away is not mistaken for one today."""
    assert " on " in when(T0 + 3 * 86_400, T0)
    assert " on " not in when(T0 + 60, T0)
