"""A crowd of requests meets the end of every login at once, at the running program."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import trio

from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.store.credentials import CredentialStore
from tests.e2e.program import program
from tests.fakes import anthropic
from tests.fakes.issuer import TOKEN_PATH, Issuer
from tests.fakes.upstream import by_path, scripted_upstream

NAMES = tuple(f"account{number}" for number in range(5))
EACH = 200


@pytest.mark.slow
async def test_a_thousand_requests_cost_five_renewals(tmp_path: Path) -> None:
    """200 requests on each of five accounts, some of which leave: every account is renewed once, five seconds
    apart, everybody who stayed is served, and the newest login of each account is on disk."""
    issuer = Issuer()
    script = by_path({TOKEN_PATH: issuer}, issuer.protect(lambda *_: anthropic.plain("hello")))
    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        accounts = [{"name": name, "provider": "anthropic"} for name in NAMES]
        # A thousand connections at once take their time on a busy machine.
        shunt.configure(accounts, server={"connect_timeout_secs": 60, "request_timeout_secs": 90})
        store = CredentialStore(shunt.home / "credentials.json")
        for name in NAMES:
            tokens = issuer.grant(name)
            store.put(name, Login(Secret(tokens.access), Secret(tokens.refresh), time.time() + 3600))
            issuer.expire(name)
        await shunt.start()
        statuses = Counter[int]()

        async def request(name: str, number: int) -> None:
            patience = 0.5 if number % 20 == 0 else 100
            with trio.move_on_after(patience):
                headers = ((b"x-shunt-account", name.encode()),)
                answer = await shunt.message(f"conversation {number}", headers=headers)
                statuses[answer.status] += 1

        async with trio.open_nursery() as nursery:
            for number in range(EACH):
                for name in NAMES:
                    nursery.start_soon(request, name, number)
        assert set(statuses) == {200}
        assert statuses[200] >= 950
        assert len(issuer.calls) == len(NAMES)
        assert issuer.calls[-1].at - issuer.calls[0].at > 15  # five starts, five seconds apart
        stored = (shunt.home / "credentials.json").read_text()
        for name in NAMES:
            assert issuer.families[name].generation == 2
            assert issuer.families[name].tokens.refresh in stored
        assert await shunt.stop() == 0
