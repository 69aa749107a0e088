"""A process that renews one login when it is told to, and says which one it has then."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from shunt.accounts.credential import Login
from shunt.custody import Custody
from shunt.store.credentials import CredentialStore
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewal
from shunt.upstream.timeouts import Timeouts
from tests.proof.logins import NAME, T0, login
from tests.upstream.test_oauth import JSON_KIND


async def main(path: Path, url: str) -> None:
    async with open_upstream(Timeouts()) as upstream, trio.open_nursery() as services:
        endpoint = TokenEndpoint(upstream, lambda: T0)
        custody = Custody(
            CredentialStore(path),
            lambda name: Renewal("c", lambda held: endpoint.refresh(held, JSON_KIND, url)),
            services,
            lambda: T0,
            lambda: 0.0,
            lambda *news: None,
        )
        await custody.load()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await trio.to_thread.run_sync(sys.stdin.readline)
        got = await custody.refresh(NAME, login(1).access)
        assert isinstance(got, Login)
        sys.stdout.write(f"{got.refresh.fingerprint()}\n")
        services.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), sys.argv[2])
