"""Which way a call goes out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shunt.providers.base import UpstreamCall
from shunt.upstream.client import open_upstream
from shunt.upstream.dispatch import Dispatch
from shunt.upstream.timeouts import Timeouts
from tests.fakes import anthropic
from tests.fakes.upstream import scripted_upstream
from tests.upstream.claude_code.desk import desk, events, text_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")


async def test_by_the_accounts_provider(tmp_path: Path) -> None:
    """Accounts of the local program are driven here; all others go over HTTP."""
    async with (
        scripted_upstream([anthropic.plain("over http")]) as up,
        open_upstream(Timeouts()) as http,
        desk(tmp_path) as at,
    ):
        out = Dispatch(http, at.driver)
        reply = await out.send(UpstreamCall("main", "POST", up.url, b"/v1/messages", (), b"{}"))
        assert b"over http" in await reply.read(10_000, 5)
        assert at.driver.drives(UpstreamCall("local", "POST", "local://x", b"/", (), b""))
        assert not at.driver.drives(UpstreamCall("main", "POST", up.url, b"/", (), b""))
    async with desk(tmp_path) as at, open_upstream(Timeouts()) as http:
        body = b'{"model": "opus", "messages": [{"role": "user", "content": "locally"}]}'
        local = await Dispatch(http, at.driver).send(
            UpstreamCall("local", "POST", "local://claude-code", b"/v1/messages", (), body)
        )
        assert text_of(await events(local)) == "locally"  # type: ignore[arg-type]
        await at.gone()
