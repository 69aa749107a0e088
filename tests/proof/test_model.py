"""Custody against a model of the world around it: whatever happens in whatever order, no login is lost silently."""

from __future__ import annotations

from collections import Counter, deque
from functools import partial

import trio
from attrs import define, evolve, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import Custody as Presence
from shunt.accounts.succession import is_spent
from shunt.custody import Custody
from shunt.custody.charge import Charge
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed, StoreError
from shunt.store.credential_format import StoredCredential
from shunt.store.vault import lost_at
from shunt.upstream.renewal import Renewal
from tests.fakes.stores import MemoryStore, SharedFiles, at_once
from tests.proof.standstill import Standstill

T0 = 1_800_000_000.0
OWN, SHARED = "own", "shared"
PLACE = "/codex/auth.json"


@define
class Vendor:
    """Single-use refresh tokens. One that is shown a second time ends its whole family."""

    families: dict[str, int] = field(factory=lambda: {OWN: 1, SHARED: 1})
    """How often a person has logged in, by account."""
    generations: dict[str, int] = field(factory=lambda: {OWN: 1, SHARED: 1})
    """The newest token of that family that was given out."""
    ended: set[str] = field(factory=set)
    faults: deque[str] = field(factory=deque)
    calls: Counter[str] = field(factory=Counter)

    def login(self, name: str, generation: int | None = None) -> Login:
        family, number = self.families[name], generation or self.generations[name]
        return Login(
            Secret(f"access-{name}-{family}-{number}"),
            Secret(f"refresh-{name}-{family}-{number}"),
            T0 + family * 1e6 + number * 1000.0,
            identity=Identity(f"account-{name}"),
            imported_from=PLACE if name == SHARED else "",
        )

    def log_in(self, name: str) -> Login:
        """A person logs in anew."""
        self.families[name] += 1
        self.generations[name] = 1
        self.ended.discard(name)
        return self.login(name)

    def rotate(self, name: str) -> Login:
        self.generations[name] += 1
        return self.login(name)

    async def renew(self, name: str, held: Login) -> Login:
        """What the token endpoint does: a second passes before and after it commits."""
        self.calls[name] += 1
        fault = self.faults.popleft() if self.faults else ""
        await trio.sleep(1)
        if fault == "unavailable":
            raise RefreshFailed("vendor:443 could not renew the login: status 503.")
        if name in self.ended or held.refresh != self.login(name).refresh:
            if held.refresh.reveal().startswith(f"refresh-{name}-{self.families[name]}-"):
                self.ended.add(name)
            raise ReauthRequired("vendor:443 refused to renew the login (invalid_grant).")
        new = self.rotate(name)
        await trio.sleep(1)
        if fault == "lost":
            raise RefreshFailed("vendor:443 closed the connection.", answer_lost=True)
        return evolve(new, imported_from=held.imported_from)


@define(eq=False)
class Disk(MemoryStore):
    """A store that dies with its process: what it is asked for after that never happens."""

    dead: bool = False
    unmarked: set[str] = field(factory=set)
    """Accounts whose last mark was refused; the log says so."""

    def _write(self, what: str) -> None:
        if self.dead:
            raise StoreError("this process was killed")
        deed, _, name = what.partition(" ")
        if deed == "mark":
            (self.unmarked.add if self.broken else self.unmarked.discard)(name)
        super()._write(what)


class CustodyMachine(RuleBasedStateMachine):
    """Requests, people, other programs, the vendor, the disk, and the end of the process."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Standstill()
        self.vendor, self.shared = Vendor(), SharedFiles()
        self.named: set[Secret] = set()
        """Refresh tokens whose loss only the log could name: the disk took neither them nor a mark."""
        self.requesters: list[trio.CancelScope] = []

    def teardown(self) -> None:
        self.loop.close()

    @initialize()
    def begin(self) -> None:
        logins = {name: self.vendor.login(name) for name in (OWN, SHARED)}
        self.store = Disk({name: StoredCredential(each) for name, each in logins.items()})
        self.shared.files[PLACE] = logins[SHARED]
        self.loop.call(self.start)

    async def start(self) -> None:
        began = trio.Event()
        self.loop.nursery.start_soon(self.supervise, began)
        await began.wait()
        self.custody = Custody(
            self.store,
            lambda name: Renewal(name, partial(self.vendor.renew, name)),
            self.services,
            lambda: T0 + trio.current_time(),
            lambda: 0.0,
            self.report,
            shared=self.shared,
            run=at_once(),
        )
        await self.custody.load()

    async def supervise(self, began: trio.Event) -> None:
        async with trio.open_nursery() as self.services:
            began.set()
            await trio.sleep_forever()

    def report(self, name: str, presence: Presence, identity: Identity | None) -> None:
        """Nobody listens."""

    def charge(self, name: str) -> Charge:
        return self.custody._holdings.charge(name)

    @property
    def in_the_air(self) -> bool:
        return any(self.charge(name).flight for name in (OWN, SHARED))

    # ── requests ──────────────────────────────────────────────────────────────────────────────────

    @rule(name=st.sampled_from([OWN, SHARED]), callers=st.integers(1, 3))
    def request(self, name: str, callers: int) -> None:
        """Requests meet a 401; they are waited for or not, as the rules that follow have it."""
        held = self.custody.credential(name)
        assert isinstance(held, Login)

        async def caller(scope: trio.CancelScope) -> None:
            with scope:
                try:
                    got = await self.custody.refresh(name, held.access)
                except CredentialError:
                    return
                assert isinstance(got, Login)
                assert got.access != held.access

        async def begin() -> None:
            for _ in range(callers):
                self.requesters.append(trio.CancelScope())
                self.loop.nursery.start_soon(caller, self.requesters[-1])
            await trio.testing.wait_all_tasks_blocked()

        calls = self.vendor.calls[name]
        self.loop.call(begin)
        assert self.vendor.calls[name] <= calls + 1

    @precondition(lambda self: self.requesters)
    @rule()
    def leave(self) -> None:
        """The client that asked first hangs up."""
        self.requesters.pop(0).cancel()

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.5, 40.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.call(trio.sleep, seconds)

    # ── people and other programs ─────────────────────────────────────────────────────────────────

    @precondition(lambda self: not self.in_the_air and not self.store.broken)
    @rule(name=st.sampled_from([OWN, SHARED]))
    def log_in_again(self, name: str) -> None:
        new = self.vendor.log_in(name)
        self.loop.call(self.custody.put, name, new)
        if name == SHARED:
            self.shared.files[PLACE] = new

    @precondition(lambda self: not self.store.broken)
    @rule(noticed=st.booleans(), amid=st.booleans())
    def log_in_at_the_command_line(self, noticed: bool, amid: bool) -> None:
        """A command stores a new login beside the running shunt, in the middle of whatever it does."""
        if amid:  # a renewal whose answer is on its way
            self.request(OWN, 1)
            self.time_passes(1.5)
        self.store.put(OWN, self.vendor.log_in(OWN))
        if noticed:
            self.loop.call(self.custody.load)

    @precondition(lambda self: not self.in_the_air and not self.store.broken)
    @rule()
    def another_shunt_renews(self) -> None:
        """Another process with the same credentials.json, while nobody is at it here."""
        entry = self.store.accounts[OWN]
        if OWN in self.vendor.ended or self.custody.unsaved or lost_at(entry) is not None:
            return
        assert isinstance(entry.credential, Login)
        if entry.credential.refresh == self.vendor.login(OWN).refresh:
            self.store.put(OWN, self.vendor.rotate(OWN))

    @precondition(lambda self: not self.in_the_air)
    @rule()
    def the_other_program_renews(self) -> None:
        """Codex renews what is in its file, if that still works."""
        found = self.shared.files[PLACE]
        assert isinstance(found, Login)
        if SHARED not in self.vendor.ended and found.refresh == self.vendor.login(SHARED).refresh:
            self.shared.files[PLACE] = self.vendor.rotate(SHARED)

    @precondition(lambda self: not self.in_the_air and self.vendor.generations[SHARED] > 1)
    @rule(back=st.integers(1, 3))
    def the_shared_file_is_restored(self, back: int) -> None:
        """A backup brings an older login back, where it is not the only place that has the newest."""
        newest, stored = self.vendor.login(SHARED), self.store.accounts[SHARED].credential
        assert isinstance(stored, Login)
        if stored.refresh == newest.refresh:
            self.shared.files[PLACE] = self.vendor.login(
                SHARED, max(self.vendor.generations[SHARED] - back, 1)
            )

    @rule()
    def follow_the_file(self) -> None:
        """What the watcher does when it looks."""
        found, held = self.shared.files[PLACE], self.custody.credential(SHARED)
        assert isinstance(found, Login)
        assert isinstance(held, Login)
        try:
            if is_spent(found, held):
                self.loop.call(self.custody.give_back, SHARED)
            else:
                self.loop.call(self.custody.adopt, SHARED, found)
        except StoreError:
            assert self.store.broken

    @rule()
    def recover(self) -> None:
        """What the recovery watcher does."""
        for name in (OWN, SHARED):
            try:
                self.loop.call(self.custody.recheck, name)
            except CredentialError:
                raise AssertionError(name) from None

    # ── faults ────────────────────────────────────────────────────────────────────────────────────

    @rule(fault=st.sampled_from(["unavailable", "lost"]))
    def the_vendor_fails(self, fault: str) -> None:
        self.vendor.faults.append(fault)

    @rule(broken=st.sampled_from(["", "no space left"]))
    def the_disk_changes(self, broken: str) -> None:
        self.store.broken = broken

    @rule(broken=st.sampled_from(["", "read-only"]))
    def the_shared_file_changes(self, broken: str) -> None:
        self.shared.broken = broken

    @precondition(lambda self: not (self.store.broken and self.in_the_air))
    @rule()
    def killed(self) -> None:
        """The process ends at once; what it was about to write is never written."""
        for name in (OWN, SHARED):
            charge = self.charge(name)
            begun = charge.flight is not None or charge.lost_at is not None
            if (begun and name in self.store.unmarked) or name in self.custody.unsaved:
                newest = self.vendor.generations[name]
                # What was sent may have been committed, or may still be.
                self.named |= {self.vendor.login(name, number).refresh for number in (newest, newest + 1)}
        self.store.dead = True
        self.shared, dead = SharedFiles(self.shared.files, self.shared.broken), self.shared
        dead.broken = "this process was killed"
        self.restart()

    @precondition(lambda self: not self.store.broken)
    @rule()
    def stopped(self) -> None:
        """The process ends in good order."""
        self.loop.call(self.custody.flush)
        self.restart()

    def restart(self) -> None:
        async def end() -> None:
            self.services.cancel_scope.cancel()
            await trio.sleep(60)

        before = self.store
        if not before.dead:
            self.loop.call(end)
        self.store = Disk(dict(before.accounts))
        if before.dead:
            self.services.cancel_scope.cancel()
        self.requesters.clear()
        self.loop.call(self.start)

    # ── what is always true ───────────────────────────────────────────────────────────────────────

    def held(self, name: str) -> Login:
        held = self.custody.credential(name)
        assert isinstance(held, Login)
        return held

    @invariant()
    def no_login_is_lost_silently(self) -> None:
        """The newest refresh token that a vendor gave out is on disk, or on its way, or its loss is named."""
        for name in (OWN, SHARED):
            newest, charge, entry = self.vendor.login(name), self.charge(name), self.store.accounts[name]
            assert isinstance(entry.credential, Login)
            found = self.shared.files[PLACE] if name == SHARED else None
            assert (
                entry.credential.refresh == newest.refresh
                or charge.flight is not None
                or (name in self.custody.unsaved and self.held(name).refresh == newest.refresh)
                or (isinstance(found, Login) and found.refresh == newest.refresh)
                or lost_at(entry) is not None
                or charge.lost_at is not None
                or "never arrived" in charge.refused
                or newest.refresh in self.named
            ), name

    @invariant()
    def who_has_to_log_in_is_told_why(self) -> None:
        """A login that was given up while a renewal of it was without an end says so."""
        for name in (OWN, SHARED):
            charge = self.charge(name)
            if charge.refused and lost_at(self.store.accounts[name]) is not None and not self.store.broken:
                assert "never arrived" in charge.refused

    @invariant()
    def accounts_stay_apart(self) -> None:
        """Nothing that happens to one login touches another one."""
        for name in (OWN, SHARED):
            assert self.held(name).identity.account_id == f"account-{name}"
            stored = self.store.accounts[name].credential
            assert isinstance(stored, Login)
            assert stored.identity.account_id == f"account-{name}"


TestCustody = CustodyMachine.TestCase
TestCustody.settings = settings(max_examples=60, stateful_step_count=40)
