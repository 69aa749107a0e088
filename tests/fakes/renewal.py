"""A token endpoint in memory: single-use tokens, time that passes before and after the commit, faults."""

from __future__ import annotations

from collections import deque

import trio
from attrs import define, evolve, field

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import ReauthRequired
from shunt.upstream.renewal import Renewal

T0 = 1_800_000_000.0
"""Epoch seconds at which tests begin."""
LIFETIME = 28_800.0


def now() -> float:
    """Epoch seconds on trio's clock."""
    return T0 + trio.current_time()


def login(
    name: str, generation: int = 1, *, expires_at: float = T0 + LIFETIME, imported_from: str = ""
) -> Login:
    """One generation of an account's login."""
    return Login(
        Secret(f"sk-ant-oat01-test-{name}-{generation}"),
        Secret(f"sk-ant-ort01-test-{name}-{generation}"),
        expires_at,
        identity=Identity(f"account-{name}", "organization", f"{name}@example.test", "max"),
        imported_from=imported_from,
    )


@define(eq=False)
class Rotation:
    """What the vendor knows of every account's grant."""

    generations: dict[str, int] = field(factory=dict)
    """The newest generation committed, by account; 1 unless told otherwise."""
    calls: list[tuple[str, float]] = field(factory=list)
    """Account and trio's clock of every exchange."""
    before: float = 1.0
    """Seconds until the commit."""
    after: float = 1.0
    """Seconds from the commit to the answer."""
    faults: deque[Exception] = field(factory=deque)
    """What the next exchanges come to, instead of a commit."""
    lose: Exception | None = None
    """What the next exchange comes to, after the commit."""

    def renewal(self, name: str) -> Renewal:
        """How this account's logins are renewed."""

        async def renew(held: Login) -> Login:
            self.calls.append((name, trio.current_time()))
            await trio.sleep(self.before)
            if self.faults:
                raise self.faults.popleft()
            generation = self.generations.get(name, 1)
            if held.refresh != login(name, generation).refresh:
                msg = "vendor:443 refused to renew the login (invalid_grant)."
                raise ReauthRequired(msg)
            self.generations[name] = generation + 1
            await trio.sleep(self.after)
            if self.lose is not None:
                failure, self.lose = self.lose, None
                raise failure
            return evolve(
                login(name, generation + 1), expires_at=now() + LIFETIME, imported_from=held.imported_from
            )

        return Renewal("client-test", renew)

    def newest(self, name: str) -> Login:
        """The tokens that work now."""
        return login(name, self.generations.get(name, 1))
