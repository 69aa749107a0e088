"""A renewal over real sockets to a real file, cancelled at every step: the newest login is on disk."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from shunt.accounts.credential import Credential, Login
from shunt.accounts.secret import Secret
from shunt.custody import Custody
from shunt.errors import CredentialError, ReauthRequired
from shunt.store.credentials import CredentialStore
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewal
from shunt.upstream.timeouts import Timeouts
from tests.fakes.clocks import socket_clock
from tests.fakes.issuer import TOKEN_PATH, Issuer, Tokens, lost
from tests.fakes.upstream import Answer, Request, scripted_upstream
from tests.proof.logins import NAME, T0, check_kept, login
from tests.upstream.test_oauth import JSON_KIND


@define(eq=False)
class Vendor:
    """A token endpoint that can be exchanged for a fresh one between two runs."""

    url: str = ""
    issuer: Issuer = field(factory=Issuer)

    def __call__(self, request: Request, n: int) -> Answer:
        return self.issuer(request, n)

    def anew(self) -> None:
        self.issuer = Issuer()
        self.issuer.grant(NAME, "account-main")

    @property
    def newest(self) -> Login:
        return login(self.issuer.families[NAME].generation)


@asynccontextmanager
async def vendor() -> AsyncIterator[Vendor]:
    there = Vendor()
    async with scripted_upstream(there) as up:
        there.url = up.url + TOKEN_PATH
        yield there


def custody_of(path: Path, endpoint: TokenEndpoint, url: str, services: trio.Nursery) -> Custody:
    return Custody(
        CredentialStore(path),
        lambda name: Renewal(name, lambda held: endpoint.refresh(held, JSON_KIND, url)),
        services,
        lambda: T0,
        lambda: 0.0,
        lambda *news: None,
    )


@define(eq=False)
class CountDown(trio.abc.Instrument):
    """Cancels a scope when a task that is not the vendor's is about to run for the k-th time."""

    scope: trio.CancelScope
    left: int
    on: bool = True

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.on and "tests.fakes" not in task.name:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


async def cancelled_at(k: int, it: Vendor, path: Path, *, supervisor: bool) -> bool:
    """One run; whether the k-th step came before its end."""
    it.anew()
    CredentialStore(path).put(NAME, login(1))
    got: list[Credential] = []
    async with open_upstream(Timeouts()) as upstream, trio.open_nursery() as services:
        custody = custody_of(path, TokenEndpoint(upstream, lambda: T0), it.url, services)
        await custody.load()
        requester = trio.CancelScope()
        countdown = CountDown(services.cancel_scope if supervisor else requester, k)
        trio.lowlevel.add_instrument(countdown)
        try:
            with requester:
                got.append(await custody.refresh(NAME, login(1).access))
        except CredentialError:
            assert supervisor  # told that shunt is stopping
        finally:
            countdown.on = False
            trio.lowlevel.remove_instrument(countdown)
        if not supervisor:  # whoever comes next is served, by the same renewal
            assert (
                await custody.refresh(NAME, login(1).access) == CredentialStore(path).load()[NAME].credential
            )
            assert len(it.issuer.calls) == 1
        services.cancel_scope.cancel()
    assert check_kept(path, it.newest)
    assert upstream.in_flight == 0
    assert CredentialStore(path).pending() == {}
    assert not [entry for entry in path.parent.iterdir() if entry.name.endswith(".tmp")]
    return countdown.left <= 0


@pytest.mark.parametrize("supervisor", [False, True], ids=["the requester", "the whole program"])
async def test_cancelled_at_every_step(tmp_path: Path, supervisor: bool) -> None:
    """Whoever is cancelled, at whichever step of its own or of anybody's: what the vendor committed is on
    disk, whole and private, and no mark or stray file is left."""
    async with vendor() as it:
        for k in range(1, 1000):
            if not await cancelled_at(k, it, tmp_path / "credentials.json", supervisor=supervisor):
                assert k > 20
                return
    pytest.fail("it never came to its end")


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


async def test_a_thousand_refused_requests_cost_five_renewals(tmp_path: Path, clock: MockClock) -> None:
    """200 requests on each of five accounts meet a 401 at the same moment, a fifth of them leave: each
    account is renewed once, five seconds apart, and everybody else is served with what is on disk."""
    issuer, path = Issuer(), tmp_path / "credentials.json"
    names = [f"account{number}" for number in range(5)]
    granted = {name: issuer.grant(name) for name in names}
    store = CredentialStore(path)
    for name, tokens in granted.items():
        store.put(name, Login(Secret(tokens.access), Secret(tokens.refresh), T0))
    got: list[tuple[str, Credential]] = []
    begun: list[float] = []
    async with (
        scripted_upstream(issuer) as up,
        open_upstream(Timeouts()) as upstream,
        trio.open_nursery() as services,
    ):
        endpoint, url = TokenEndpoint(upstream, lambda: T0), up.url + TOKEN_PATH

        async def renew(held: Login) -> Login:
            begun.append(trio.current_time())
            return await endpoint.refresh(held, JSON_KIND, url)

        custody = Custody(
            store,
            lambda name: Renewal("one client", renew),
            services,
            lambda: T0,
            lambda: 0.5,
            lambda *news: None,
        )
        await custody.load()

        async def request(name: str, tokens: Tokens, patience: float) -> None:
            with trio.move_on_after(patience):
                got.append((name, await custody.refresh(name, Secret(tokens.access))))

        started = trio.current_time()
        async with trio.open_nursery() as requests:
            for number in range(1000):
                name = names[number % 5]
                leaves = number < 5 or number % 25 < 5
                requests.start_soon(request, name, granted[name], 0.01 if leaves else 600)
        services.cancel_scope.cancel()
    assert len(issuer.calls) == 5
    assert sorted(call.fields["refresh_token"] for call in issuer.calls) == sorted(
        tokens.refresh for tokens in granted.values()
    )
    # None begins before its turn; how late it begins depends on the disk, during which the clock may jump.
    assert all(at - started >= 5 * number for number, at in enumerate(sorted(begun)))
    stored = {name: entry.credential for name, entry in store.load().items()}
    assert len(got) >= 800
    assert all(credential == stored[name] for name, credential in got)
    assert {family.generation for family in issuer.families.values()} == {2}


async def test_a_lost_answer_is_named_after_the_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The vendor commits and its answer is lost, shunt ends: the next one tries the old token once, and then
    says what happened and what to do. Another account goes on."""
    path = tmp_path / "credentials.json"
    caplog.set_level(logging.DEBUG)
    async with vendor() as it:
        it.anew()
        CredentialStore(path).put(NAME, login(1))
        CredentialStore(path).put("other", login(7))
        it.issuer.faults.append(lost())
        async with open_upstream(Timeouts()) as upstream:
            endpoint = TokenEndpoint(upstream, lambda: T0)
            async with trio.open_nursery() as services:
                custody = custody_of(path, endpoint, it.url, services)
                await custody.load()
                with pytest.raises(CredentialError, match="closed the connection"):
                    await custody.refresh(NAME, login(1).access)
            assert not check_kept(path, it.newest)
            async with trio.open_nursery() as services:
                custody = custody_of(path, endpoint, it.url, services)
                await custody.load()
                raised: list[str] = []
                try:
                    await custody.refresh(NAME, login(1).access)
                except ReauthRequired as error:
                    raised.append(str(error))
                assert custody.credential("other") == login(7)
                services.cancel_scope.cancel()
    assert "never arrived" in raised[0]
    assert "shunt add-account main --login" in raised[0]
    assert len(it.issuer.calls) == 2
    assert "sk-ant" not in caplog.text
