"""Replaying the past: what windows hold, and what another way would have come to."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.limits.samples import Sample
from shunt.routing.simulate import Plan, Recorded, Report, Size, simulate, sizes_of
from shunt.routing.view import Tuning
from tests.fakes.pools import HOUR, T0, account
from tests.fakes.records import sample

OPUS = "claude-opus-5-5"


def asked(after: float, cost: float = 1.0, **fields: Any) -> Recorded:
    return Recorded(
        **{
            "at": T0 + after,
            "conversation": f"c{after}",
            "account": "a",
            "model": OPUS,
            "cost": cost,
            **fields,
        }
    )


def plan(*names: str, dollars: float = 10.0, strategy: str = "cushion", **fields: Any) -> Plan:
    sizes = {name: {"5h": Size(dollars, 5 * HOUR)} for name in names}
    return Plan(
        **{
            "accounts": tuple(account(name) for name in names),
            "sizes": sizes,
            "tuning": Tuning(strategy=strategy),
            **fields,
        }
    )


def shares(report: Report) -> dict[str, int]:
    return {share.account: share.requests for share in report.shares}


def test_one_account_runs_into_its_limit() -> None:
    """The request after it waits for the reset, five hours after the window's first."""
    report = simulate([asked(n * 60) for n in range(11)], plan("a"))
    assert (report.requests, report.limits, report.held, report.refused) == (11, 1, 1, 0)
    assert report.longest == pytest.approx(5 * HOUR - 600)
    assert shares(report) == {"a": 11}


def test_one_account_more_hits_no_limit() -> None:
    """The same requests over two."""
    report = simulate([asked(n * 60) for n in range(11)], plan("a", "b"))
    assert (report.limits, report.held) == (0, 0)
    assert shares(report) == {"a": 6, "b": 5}


def test_a_wait_that_is_too_long_is_a_refusal() -> None:
    """By the configured patience."""
    report = simulate([asked(n * 60) for n in range(12)], plan("a", wait=HOUR))
    assert (report.held, report.refused) == (0, 2)


def test_a_window_begins_anew_after_its_reset() -> None:
    """Work spread over the day hits nothing."""
    report = simulate([asked(n * HOUR) for n in range(40)], plan("a"))
    assert (report.limits, report.held) == (0, 0)


def test_conversations_stick() -> None:
    """A single one stays where it is until its account is spent."""
    report = simulate([asked(n, conversation="one") for n in range(15)], plan("a", "b"))
    assert shares(report) == {"a": 10, "b": 5}
    assert report.moves == 1


@pytest.mark.parametrize("strategy", ["maximus", "reaper", "cushion", "carousel", "priority"])
def test_every_strategy_can_be_tried(strategy: str) -> None:
    """No request is lost or served twice."""
    report = simulate([asked(n * 30) for n in range(60)], plan("a", "b", "c", strategy=strategy))
    assert report.strategy == strategy
    assert sum(shares(report).values()) + report.refused == 60


def test_metered_accounts_have_no_windows() -> None:
    """They come after the plans, and never end."""
    two = plan("a", "key", wait=0)
    accounts = (account("a"), account("key", subscription=False))
    trial = Plan(accounts, {"a": two.sizes["a"], "key": {}}, two.tuning)
    report = simulate([asked(n) for n in range(30)], trial)
    assert shares(report) == {"a": 10, "key": 20}


def test_the_size_of_a_window_is_worked_out() -> None:
    """Price of what was served between two sights, by how much fuller it was."""
    requests = [asked(n * 60, 0.5) for n in range(100)]
    seen = [sample(n * 600, n * 10 * 0.5 / 40) for n in range(10)]
    sizes = sizes_of(seen, requests, ["a", "b"])
    assert sizes["a"]["5h"].dollars == pytest.approx(40, rel=0.15)
    assert not sizes["a"]["5h"].guessed
    assert sizes["b"]["5h"].guessed
    assert sizes["b"]["5h"].dollars == sizes["a"]["5h"].dollars


def test_only_its_own_models_count_for_a_model_s_window() -> None:
    """A window for one family is filled by that family."""
    requests = [asked(n, 1.0, model=OPUS if n % 2 else "claude-haiku-5-5") for n in range(100)]
    seen = [sample(0, 0.0, window="7d_opus"), sample(99, 0.5, window="7d_opus")]
    assert sizes_of(seen, requests, ["a"])["a"]["7d_opus"].dollars == 100


@pytest.mark.parametrize(
    "seen",
    [[], [sample(0, 0.5)], [sample(0, 0.5), sample(9, 0.51)], [sample(0, 0.5), sample(9, 0.1)]],
)
def test_what_was_not_seen_to_fill_has_no_size(seen: list[Sample]) -> None:
    """Rather than a wild one."""
    assert sizes_of(seen, [asked(1)], ["a"]) == {"a": {}}


def test_keys_get_no_window_of_others() -> None:
    """An account that pays per token has none."""
    requests = [asked(n, 1.0) for n in range(50)] + [asked(60, account="key", metered=True)]
    sizes = sizes_of([sample(0, 0.0), sample(49, 0.5)], requests, ["a", "key", "new"])
    assert sizes["key"] == {}
    assert sizes["new"]["5h"].guessed
