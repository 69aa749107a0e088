"""Answers about the past, with and without a server."""

from __future__ import annotations

from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation
from shunt.cli.past import Lookback, is_moment, parameters_of
from tests.cli.desk import T0, Desk, never
from tests.cli.pasts import remember
from tests.fakes.pools import T0 as THEN
from tests.fakes.records import record, request_id, sample


def lookback(desk: Desk, now: float = T0) -> Lookback:
    environ = {"HOME": str(desk.user), "SHUNT_HOME": str(desk.home), "SHUNT_PORT": str(desk.port)}
    return Lookback(open_files(Invocation(environ, lambda: now, never)), None)


def test_options_become_parameters() -> None:
    """What was not given is left out."""
    assert parameters_of({"account": ("a", "b"), "since": None, "by": "", "limit": 5}) == [
        ("account", "a"),
        ("account", "b"),
        ("limit", "5"),
    ]


def test_moments_people_write() -> None:
    """The same words as over HTTP."""
    assert is_moment("24h", T0)
    assert is_moment("2026-11-27", T0)
    assert not is_moment("yesterday", T0)


def test_a_request_is_explained_from_the_file(desk: Desk) -> None:
    """With its decisions."""
    remember(desk, [record(1)])
    told = lookback(desk).explain(request_id(1))
    assert told["request"]["id"] == request_id(1)
    assert told["decisions"][0]["account"] == "b"


def test_forecasts_from_the_file(desk: Desk) -> None:
    """Of the windows that were running."""
    remember(desk, [], [sample(n * 600, n / 40) for n in range(10)])
    told = lookback(desk, THEN + 5400).forecast()
    (one,) = told["forecasts"]
    assert (one["account"], one["window"]) == ("a", "5h")
    assert one["pace_per_hour"] > 0
    assert told["error"]["windows"] == 1
