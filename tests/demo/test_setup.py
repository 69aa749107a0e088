"""The stage of the demo."""

from __future__ import annotations

import stat
import sys
import tomllib
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.credential import Login
from shunt.demo import http1
from shunt.demo.setup import WEEKLY, Demo, open_demo
from shunt.demo.vendor import TOKEN_PATH, Vendor
from shunt.store.credentials import CredentialStore

T0 = 1_900_000_000.0


async def test_files_name_accounts_that_the_vendor_knows() -> None:
    """Each account of config.toml has a login in credentials.json, and the vendor accepts its token."""
    async with trio.open_nursery() as nursery, open_demo(nursery, lambda: T0) as demo:
        home = Path(demo.environment["SHUNT_HOME"])
        config = tomllib.loads((home / "config.toml").read_text(encoding="utf-8"))
        names = [account["name"] for account in config["accounts"]]
        stored = CredentialStore(home / "credentials.json").load()
        assert names == list(WEEKLY) == list(stored)
        for name in names:
            login = stored[name].credential
            assert isinstance(login, Login)
            headers = (("authorization", f"Bearer {login.access.reveal()}"),)
            async with http1.request(
                demo.environment["SHUNT_ANTHROPIC_URL"], "GET", "/v1/models", headers
            ) as response:
                assert response.status == 200


async def test_all_traffic_of_the_demo_goes_to_a_loopback_port() -> None:
    """Both addresses of the vendor, for requests and for tokens, are on this machine."""
    async with trio.open_nursery() as nursery, open_demo(nursery, lambda: T0) as demo:
        base_url = demo.environment["SHUNT_ANTHROPIC_URL"]
        assert base_url.startswith("http://127.0.0.1:")
        assert demo.environment["SHUNT_ANTHROPIC_TOKEN_URL"] == base_url + TOKEN_PATH


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
async def test_home_is_private() -> None:
    """Nobody else can look into the demo's folder."""
    async with trio.open_nursery() as nursery, open_demo(nursery, lambda: T0) as demo:
        found = await trio.Path(demo.environment["SHUNT_HOME"]).stat()
        assert stat.S_IMODE(found.st_mode) == 0o700


async def test_nothing_is_left_behind_by_an_error() -> None:
    """Files and server end with the demo, and the error comes through as it is, not in a group."""
    homes = []

    async def fail(nursery: trio.Nursery) -> None:
        async with open_demo(nursery, lambda: T0) as demo:
            homes.append(trio.Path(demo.environment["SHUNT_HOME"]))
            raise KeyError

    async with trio.open_nursery() as nursery:
        with pytest.raises(KeyError):
            await fail(nursery)
    assert not await homes[0].exists()


async def test_nothing_is_left_behind_by_a_cancelled_demo() -> None:
    """Ctrl-C at any moment removes the folder."""
    homes = []
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            async with open_demo(nursery, lambda: T0) as demo:
                homes.append(trio.Path(demo.environment["SHUNT_HOME"]))
                scope.cancel()
                await trio.sleep_forever()
    assert not await homes[0].exists()


async def test_a_story_without_a_server_ends(autojump_clock: MockClock) -> None:
    """If shunt is not there (any more), the story says so and returns."""
    lines: list[str] = []
    nothing = http1.Answer(200, (), [])
    async with trio.open_nursery() as nursery, http1.listening(nursery, lambda _: nothing) as gone:
        pass
    await Demo({}, Vendor(lambda: T0)).tell(gone, lines.append)
    assert "does not answer" in lines[-1]
