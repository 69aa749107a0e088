"""A decision as plain facts: who was refused, by what, known from where."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AccountState, Cooldown, Custody
from shunt.limits.windows import Source
from shunt.routing.choose import choose
from shunt.routing.explain import Considered, Decision, Fact, Noted
from tests.fakes.pools import T0, demand, known, view, window


def explained(*states: AccountState | str, tried: frozenset[str] = frozenset(), **fields: Any) -> Decision:
    picture = view(*states, accounts=fields.pop("accounts", None), pinned=fields.pop("pinned", None))
    wish = demand(picture, **fields)
    return Noted(T0, choose(picture, wish, tried, T0), picture.state, wish.families).explained()


def of(decision: Decision, name: str) -> Considered:
    return next(one for one in decision.candidates if one.account == name)


def fact(decision: Decision, name: str) -> Fact:
    found = of(decision, name).fact
    assert found is not None
    return found


def test_every_account_is_there_with_its_score() -> None:
    """One is chosen; the scores tell why."""
    told = explained(known("a", window("5h", 0.9)), known("b", window("5h", 0.1)))
    assert (told.account, told.why) == ("b", "strategy maximus")
    a, b = told.candidates
    assert (a.chosen, b.chosen) == (False, True)
    assert b.score > a.score
    assert a.fact is None


def test_a_spent_window_names_where_and_when_it_was_seen() -> None:
    """Header, body or usage endpoint; the moment; until when."""
    spent = window("5h", 1.0, 3600, rejected=True, seen_at=T0 - 12, source=Source.USAGE_ENDPOINT)
    found = fact(explained(known("a", spent), "b"), "a")
    assert (found.kind, found.source, found.seen_at, found.until) == (
        "window",
        "usage endpoint",
        T0 - 12,
        T0 + 3600,
    )
    assert found.what == "5h window rejected, 100% used"


def test_a_window_of_another_family_is_not_blamed() -> None:
    """The fact is the one that refused this request."""
    other = window("7d_sonnet", 1.0, 90_000, rejected=True)
    mine = window("7d_opus", 1.0, 3600, rejected=True)
    assert fact(explained(known("a", other, mine), "b", family="opus"), "a").what.startswith("7d_opus")


@pytest.mark.parametrize(
    ("cause", "reason", "source"),
    [
        (Verdict.BROKEN, "broken: HTTP 502", "status"),
        (Verdict.OVERLOADED, "overloaded: overloaded error inside HTTP 200", "body"),
        (Verdict.LIMITED, "limited: anthropic-ratelimit-unified-5h-status: rejected", "header"),
        (Verdict.UNREACHABLE, "unreachable: UpstreamUnreachable", None),
    ],
)
def test_a_cooldown_names_the_answer_that_began_it(cause: Verdict, reason: str, source: str | None) -> None:
    """And since when; where no answer came there is no source."""
    cooling = Cooldown(T0 + 30, T0 - 5, reason, cause)
    found = fact(explained(known("a", cooldowns={"": cooling}), "b"), "a")
    assert (found.kind, found.what, found.source) == ("cooldown", reason, source)
    assert (found.seen_at, found.until) == (T0 - 5, T0 + 30)


def test_the_windows_behind_a_cooldown_tell_its_source() -> None:
    """A limit told in a body is one told in a body."""
    seen = window("5h", 1.0, 3600, source=Source.BODY)
    cooling = Cooldown(T0 + 30, T0 - 5, "limited: usage_limit_reached", Verdict.LIMITED, windows=("5h",))
    assert fact(explained(known("a", seen, cooldowns={"": cooling}), "b"), "a").source == "body"


@pytest.mark.parametrize(
    ("state", "fields", "kind"),
    [
        (known("a", paused=True), {}, "owner"),
        (known("a", custody=Custody.REAUTH_REQUIRED), {}, "credential"),
        (known("a", custody=Custody.MISSING), {}, "credential"),
        (known("a"), {"tried": frozenset({"a"})}, "request"),
        (known("a"), {"pools": frozenset({"x"}), "accounts": {"b": {"pool": "x"}}}, "owner"),
        (known("a"), {"wanted": "b"}, "owner"),
        (known("a", in_flight=1), {"accounts": {"a": {"max_concurrent": 1}}}, "request"),
    ],
)
def test_every_other_refusal_has_its_kind(state: AccountState, fields: dict[str, Any], kind: str) -> None:
    """Nothing is refused without a fact."""
    told = explained(state, "b", **fields)
    assert told.account == "b"
    assert fact(told, "a").kind == kind


def test_where_nobody_can_serve_the_first_return_is_told() -> None:
    """With the reason in place of an account."""
    told = explained(known("a", window("5h", 1.0, 3600, rejected=True)))
    assert (told.account, told.retry_at) == (None, T0 + 3600)
    assert told.why
