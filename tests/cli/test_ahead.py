"""`shunt forecast` and `shunt simulate`."""

from __future__ import annotations

import pytest

from shunt.cli.ahead import forecast, trial
from tests.cli.desk import T0, Desk
from tests.cli.pasts import remember
from tests.fakes.pools import T0 as THEN
from tests.fakes.records import record, sample


def worked(desk: Desk) -> None:
    """A day on which one account of two ran dry."""
    desk.write_config(
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\n[[accounts]]\nname = "b"\nprovider = "anthropic"\n'
    )
    start = T0 - 40_000
    records = [
        record(n, at=start + n * 60, account="a", conversation=f"c{n % 7}", cost_usd=1.0) for n in range(120)
    ]
    seen = [sample(start - THEN + n * 600, n / 10, resets_in=start - THEN + 18_000) for n in range(11)]
    remember(desk, records, seen)


def test_forecasts_without_a_server(desk: Desk) -> None:
    """Nothing to foretell is said so."""
    remember(desk, [record(1)])
    assert "Nothing to foretell" in desk.run("forecast").stdout
    assert desk.document("forecast")["forecasts"] == []
    assert forecast.name == "forecast"


def test_one_account_less_hits_more_limits(desk: Desk) -> None:
    """Against the same days with the present accounts."""
    worked(desk)
    told = desk.document("simulate", "--remove", "b")
    assert told["requests"] == 120
    assert told["present"]["limits"] >= 0
    assert told["tried"]["limits"] >= 1
    assert told["tried"]["held"] > told["present"]["held"]
    assert [one["account"] for one in told["tried"]["accounts"]] == ["a"]
    more = desk.document("simulate", "--add", "2", "--strategy", "round-robin")
    assert (more["tried"]["strategy"], more["tried"]["held"]) == ("carousel", 0)
    assert [one["account"] for one in more["tried"]["accounts"]] == ["a", "b", "more-1", "more-2"]
    text = desk.run("simulate", "--add", "1").stdout
    assert "120 requests of 30 days, replayed" in text
    assert "1 more" in text


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--remove", "c"], 1, "No account is named 'c'"),
        (["--strategy", "maximal"], 2, "maximus"),
        (["--remove", "a", "--remove", "b"], 1, "No account is left"),
        (["--days", "0"], 2, "days"),
    ],
)
def test_what_makes_no_sense_is_named(desk: Desk, options: list[str], code: int, said: str) -> None:
    """With what would."""
    worked(desk)
    result = desk.run("simulate", *options)
    assert result.exit_code == code
    assert said in result.stderr


def test_nothing_to_go_by_is_said(desk: Desk) -> None:
    """No history, no requests, no windows."""
    assert desk.run("simulate").exit_code == 1
    remember(desk, [])
    assert "nothing to replay" in desk.run("simulate").stderr
    remember(desk, [record(1, at=T0 - 60)])
    assert "not known yet" in desk.run("simulate").stderr
    assert trial.__doc__
