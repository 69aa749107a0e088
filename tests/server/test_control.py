"""Control routes: looking, steering, and refusing what makes no sense."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.accounts.state import Custody
from shunt.config.types import STRATEGIES
from shunt.errors import ConfigError, CredentialsUnreadable
from shunt.wire import json
from shunt.wire.headers import Headers
from tests.fakes.gateway import House, Setting, house

PLAIN: Headers = ((b"content-type", b"text/plain"),)


async def post(served: House, path: bytes, document: Any = None, method: bytes = b"POST") -> tuple[int, Any]:
    """Send JSON; status and document of the answer."""
    body = b"" if document is None else json.encode(document)
    answer = await served.ask(method, path, (), body)
    return answer.status, json.value(answer.body)


async def test_health_says_ok_and_nothing_else() -> None:
    """Anybody may ask it."""
    async with house() as served:
        answer = await served.ask(b"GET", b"/health")
        assert (answer.status, answer.body) == (200, b'{"status":"ok"}')
        assert answer.get(b"content-type") == b"application/json"
        assert answer.get(b"cache-control") == b"no-store"


async def test_ready_follows_the_accounts() -> None:
    """200 while one can serve, 503 with the reasons when none can, or there is none."""
    async with house() as served:
        assert (await post(served, b"/ready", method=b"GET"))[0] == 200
        for name in ("a", "b"):
            served.setting.pool.custody_changed(name, Custody.REAUTH_REQUIRED)
        status, told = await post(served, b"/ready", method=b"GET")
        assert (status, told["ready"]) == (503, False)
        assert "reauth required" in told["reasons"][0]
    async with house(setting=Setting(accounts=())) as served:
        assert (await post(served, b"/ready", method=b"GET"))[0] == 503


async def test_status_shows_the_pool() -> None:
    """All accounts, the strategy in force, who waits, since when."""
    async with house() as served:
        status, told = await post(served, b"/status", method=b"GET")
    assert status == 200
    assert [account["name"] for account in told["accounts"]] == ["a", "b"]
    assert (told["version"], told["strategy"], told["waiting"]) == ("9.9", "maximus", 3)
    assert told["started_ms"] == 1_799_999_940_000


async def test_an_account_is_pinned_and_unpinned() -> None:
    """By name; null and "auto" choose again."""
    async with house() as served:
        for release in (None, "auto"):
            assert await post(served, b"/use", {"account": "b"}) == (200, {"pinned_account": "b"})
            assert served.setting.pool.state.pinned == "b"
            assert await post(served, b"/use", {"account": release}) == (200, {"pinned_account": None})
        status, told = await post(served, b"/use", {"account": "nobody"})
        assert status == 404
        assert "nobody" in told["error"]["message"]
        assert served.setting.pool.state.pinned is None


@pytest.mark.parametrize(
    "document", [{}, {"account": 3}, {"account": ""}, {"account": ["a"]}, {"acount": "a"}]
)
async def test_a_field_that_makes_no_sense_is_named(document: dict[str, Any]) -> None:
    """400, and nothing changes."""
    async with house() as served:
        status, told = await post(served, b"/use", document)
        assert status == 400
        assert '"account"' in told["error"]["message"]


@pytest.mark.parametrize("body", [b"[1]", b"null", b"{", b"\xff"])
async def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """400 with the place."""
    async with house() as served:
        assert (await served.ask(b"POST", b"/use", (), body)).status == 400


@pytest.mark.parametrize("path", [b"/use", b"/accounts/a/pause", b"/accounts/reload"])
async def test_a_body_has_to_be_called_json(path: bytes) -> None:
    """A page of another site can post text without asking; nothing happens then."""
    async with house() as served:
        answer = await served.ask(b"POST", path, PLAIN, b'{"account":"a"}')
        assert answer.status == 415
        assert served.setting.pool.state.pinned is None
        assert not served.setting.pool.state.accounts["a"].paused
        assert served.setting.reloaded == 0
        fine = ((b"content-type", b"Application/JSON; charset=utf-8"),)
        assert (await served.ask(b"POST", path, fine, b'{"account":"a"}')).status == 200


async def test_the_strategy_is_told_overridden_and_released() -> None:
    """With where it comes from; an unknown one is refused with the nearest."""
    async with house() as served:
        known = list(STRATEGIES)
        configured = {"strategy": "maximus", "source": "config", "known": known}
        assert await post(served, b"/strategy", method=b"GET") == (200, configured)
        override = {"strategy": "carousel", "source": "override", "known": known}
        assert await post(served, b"/strategy", {"strategy": "round-robin"}, b"PUT") == (200, override)
        assert await post(served, b"/strategy", method=b"GET") == (200, override)
        status, told = await post(served, b"/strategy", {"strategy": "maximal"}, b"PUT")
        assert status == 400
        assert "maximus" in told["error"]["message"]
        assert await post(served, b"/strategy", method=b"DELETE") == (200, configured)


async def test_a_model_is_put_in_place_of_others_and_released() -> None:
    """Told, set and ended; a name that no model has is refused."""
    async with house() as served:
        free = {"model": None, "source": "client"}
        assert await post(served, b"/model", method=b"GET") == (200, free)
        override = {"model": "gpt-5.5", "source": "override"}
        assert await post(served, b"/model", {"model": "gpt-5.5"}, b"PUT") == (200, override)
        assert (await post(served, b"/status", method=b"GET"))[1]["model_override"] == "gpt-5.5"
        assert (await post(served, b"/model", {"model": "x" * 201}, b"PUT"))[0] == 400
        assert (await post(served, b"/model", {"model": ""}, b"PUT"))[0] == 400
        assert await post(served, b"/model", method=b"DELETE") == (200, free)


async def test_an_account_is_paused_resumed_and_cleared() -> None:
    """The answer shows it as it stands now; an unknown one is a 404."""
    async with house() as served:
        status, told = await post(served, b"/accounts/a/pause", {})
        assert (status, told["status"]) == (200, "disabled")
        status, told = await post(served, b"/accounts/a/resume")
        assert (status, told["status"]) == (200, "available")
        assert (await post(served, b"/accounts/a/clear"))[0] == 200
        for verb in (b"pause", b"resume", b"clear"):
            assert (await post(served, b"/accounts/nobody/" + verb))[0] == 404


async def test_accounts_are_read_again_on_request() -> None:
    """After the command line changed them; what is wrong with them is told, and nothing changes."""
    async with house() as served:
        assert await post(served, b"/accounts/reload", {}) == (200, {"accounts": ["a", "b"]})
        for error in (
            ConfigError("config.toml, line 3: what"),
            CredentialsUnreadable("credentials.json is cut"),
        ):
            served.setting.reload_error = error
            status, told = await post(served, b"/accounts/reload", {})
            assert (status, told["error"]["message"]) == (409, str(error))
        assert served.setting.reloaded == 3
