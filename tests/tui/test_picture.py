"""The picture of a server, kept up to date by events."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.tui.picture import ERRORS, RECENT, Picture, after
from tests.tui.scene import ACTIVE, ERROR, REQUEST, T0, account, status

PICTURE = Picture(status())


def changed(kind: str, data: Any, picture: Picture = PICTURE) -> Picture:
    found = after(picture, kind, data, T0)
    assert found is not None
    return found


def test_a_request_comes_and_goes() -> None:
    """It runs, then it is the newest of the finished ones; said twice, it is there once."""
    begun = changed("request_started", {**ACTIVE, "id": "new"})
    assert [each["id"] for each in begun.active] == ["req_2", "new"]
    ended = changed("request_finished", {**REQUEST, "id": "new"}, begun)
    again = changed("request_finished", {**REQUEST, "id": "new"}, ended)
    assert [each["id"] for each in again.active] == ["req_2"]
    assert [each["id"] for each in again.recent] == ["new", "req_1"]


def test_finished_requests_are_bounded() -> None:
    """A monitor that runs for weeks does not grow."""
    picture = PICTURE
    for number in range(RECENT + 5):
        picture = changed("request_finished", {**REQUEST, "id": str(number)}, picture)
        picture = changed("error", {**ERROR, "id": str(number), "at": number}, picture)
    assert len(picture.recent) == RECENT
    assert len(picture.errors) == ERRORS
    assert picture.errors[0]["id"] == str(RECENT + 4)


def test_the_active_ones_bring_the_server_s_clock() -> None:
    """Countdowns go by it."""
    picture = changed("active", {"now_ms": (T0 + 30) * 1000, "waiting": 2, "active": []})
    assert (picture.active, picture.status["waiting"], picture.ahead) == ([], 2, 30.0)


def test_facts_replace_older_ones() -> None:
    """Of an account, the pool, the savings, a watcher."""
    picture = changed("account", account("reef", 0.0))
    assert [each["status"] for each in picture.accounts] == ["available", "available"]
    assert changed("pool", {"pinned_account": "reef"}).status["pinned_account"] == "reef"
    assert changed("savings", {"today_cost_usd": 7}).status["savings"] == {"today_cost_usd": 7}
    watchers = changed("watcher", {"name": "clock", "degraded": True}).watchers
    assert [each["name"] for each in watchers] == ["cooldown", "clock"]
    assert changed("watcher", {"name": "cooldown", "degraded": True}).watchers[0]["degraded"]


@pytest.mark.parametrize(
    ("kind", "data"), [("hello", {}), ("accounts", {"names": []}), ("account", account("new", 0.0))]
)
def test_what_an_event_cannot_tell_is_fetched(kind: str, data: Any) -> None:
    """A new connection, a changed configuration, an account nobody knew."""
    assert after(PICTURE, kind, data, T0) is None


@pytest.mark.parametrize(("kind", "data"), [("unheard-of", {}), ("pool", None), ("pool", [1])])
def test_events_of_another_version_change_nothing(kind: str, data: Any) -> None:
    """Newer servers may tell more."""
    assert after(PICTURE, kind, data, T0) == PICTURE
