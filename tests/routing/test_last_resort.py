from __future__ import annotations

import pytest

from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import Cooldown
from shunt.limits.windows import ALL_MODELS
from shunt.routing.choose import choose
from shunt.routing.last_resort import last_resort
from shunt.routing.view import Demand, View
from tests.fakes.pools import T0, demand, known, view, window


def asked(picture: View, wanted: Demand | None = None, tried: frozenset[str] = frozenset()) -> str | None:
    wanted = wanted or demand(picture)
    return last_resort(picture, wanted, choose(picture, wanted, tried, T0), tried, T0)


def cooling(cause: Verdict | None, until: float = 15.0, scope: str = ALL_MODELS) -> dict[str, Cooldown]:
    return {scope: Cooldown(T0 + until, T0, "because", cause)}


@pytest.mark.parametrize(
    "cause", [Verdict.BROKEN, Verdict.UNREACHABLE, Verdict.TIMED_OUT, Verdict.OVERLOADED]
)
def test_a_guess_is_given_up_when_there_is_nobody_else(cause: Verdict) -> None:
    """A pause that no vendor asked for does not turn a hiccup into a wait."""
    assert asked(view(known("a", cooldowns=cooling(cause)))) == "a"


@pytest.mark.parametrize(
    "cause", [Verdict.LIMITED, Verdict.THROTTLED, Verdict.FORBIDDEN, Verdict.UNAUTHORIZED, None]
)
def test_the_vendors_word_stands(cause: Verdict | None) -> None:
    """A limit, a retry-after or a refusal is respected, also by a lone account."""
    assert asked(view(known("a", cooldowns=cooling(cause)))) is None


KEY = {"subscription": False}


def test_a_refused_key_is_not_waited_for() -> None:
    """Its owner hears why at once; but a login may be renewed, and another account's reset is worth the wait."""
    refused = known("a", cooldowns=cooling(Verdict.UNAUTHORIZED, 300))
    spent = known("b", cooldowns=cooling(Verdict.LIMITED, 600))
    assert asked(view(refused, accounts={"a": KEY})) == "a"
    assert asked(view(refused, accounts={"a": {"subscription": True}})) is None
    assert asked(view(refused, spent, accounts={"a": KEY})) is None
    assert asked(view(refused, known("b", window("5h", 1.0, rejected=True)), accounts={"a": KEY})) is None
    picture = view(
        refused, known("b", cooldowns=cooling(Verdict.UNAUTHORIZED)), accounts={"a": KEY, "b": KEY}
    )
    assert asked(picture, tried=frozenset({"a"})) is None
    assert asked(picture) == "a"
    both = cooling(Verdict.UNAUTHORIZED) | cooling(Verdict.LIMITED, 900, "opus")
    assert asked(view(known("a", cooldowns=both), accounts={"a": KEY})) is None


def test_one_request_at_a_time() -> None:
    """While one request tries the account, others wait for its result."""
    assert asked(view(known("a", cooldowns=cooling(Verdict.BROKEN), in_flight=1))) is None


def test_the_one_that_would_be_back_first_is_asked() -> None:
    """Of several the pause that is nearly over is cut short."""
    picture = view(
        known("a", cooldowns=cooling(Verdict.BROKEN, 60)), known("b", cooldowns=cooling(Verdict.BROKEN, 15))
    )
    assert asked(picture) == "b"
    assert asked(picture, tried=frozenset({"b"})) == "a"


def test_a_healthy_account_that_is_busy_is_waited_for() -> None:
    """An account at its concurrency limit frees a place soon; a broken one is no better."""
    picture = view(
        known("a", cooldowns=cooling(Verdict.BROKEN)),
        known("busy", in_flight=1),
        accounts={"busy": {"max_concurrent": 1}},
    )
    assert asked(picture) is None


def test_a_spent_window_beside_a_guess_is_waited_for() -> None:
    """An account that is both spent and broken is spent."""
    picture = view(known("a", window("5h", 1.0, rejected=True), cooldowns=cooling(Verdict.BROKEN)))
    assert asked(picture) is None


def test_a_limit_of_the_models_family_counts() -> None:
    """A guess about the account does not lift the vendor's limit on the family that is asked for."""
    both = cooling(Verdict.BROKEN) | cooling(Verdict.LIMITED, 900, "opus")
    assert asked(view(known("a", cooldowns=both))) is None
