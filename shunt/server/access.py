"""Who may call: keys, and what happens to wrong ones."""

from __future__ import annotations

import hmac
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from secrets import token_bytes
from typing import Final

import trio
from attrs import define, field, frozen

from shunt.accounts.allowance import Allowance
from shunt.config.addresses import is_loopback
from shunt.config.clients import ClientConfig
from shunt.config.types import Config
from shunt.errors import Kind, NotAllowed, NotAuthenticated
from shunt.server.errors import TurnedAway
from shunt.server.passes import Passes
from shunt.server.routes import Surface
from shunt.server.sessions import Sessions, session_token
from shunt.server.tally import Refusal
from shunt.wire.headers import Headers, get, get_all

log = logging.getLogger(__name__)

MINUTE: Final = 60.0
PAGE: Final = b"x-shunt-page"
"""Header that our own page sends; a form or an image of another page cannot."""
ADDRESSES: Final = 1024
"""Addresses remembered; the longest unseen goes first."""


@frozen
class Caller:
    """Who is calling."""

    name: str = ""
    """Name of the client key; empty for the machine's own user."""
    pools: frozenset[str] | None = None
    """Pools it may use; None means all."""
    admin: bool = False
    logins: bool = True
    """Whether it may use subscription logins: they are for the person who owns them."""
    models: tuple[str, ...] = ()
    """Patterns of the models it may ask for; empty means all."""
    allowance: Allowance = Allowance()
    account: str = ""
    """The one account its requests use; empty leaves the choice to routing."""
    key: bytes = field(default=b"", repr=False, eq=False)
    """Digest of the key that was shown; empty when none was asked for."""


OWNER: Final = Caller(admin=True)
"""Somebody on this machine, without a key."""
LOGGED_IN: Final = Caller(admin=True, key=b"session")
"""A browser that traded a one-time code for a session."""


@frozen
class Visit:
    """What access depends on, of one request."""

    surface: Surface
    headers: Headers
    local: bool
    """The caller is on this machine."""
    peer: str
    """Address of the other end of the connection."""
    method: str = "GET"


NO_KEY: Final = nullcontext()
"""The stay of a request that needed no key: nothing can be withdrawn."""


class Withdrawn(NotAuthenticated):
    """The key of a running request was taken out of the configuration."""

    def __init__(self) -> None:
        super().__init__("The key of this request has been withdrawn; its owner makes a new one.")


@define
class _Guesses:
    """Wrong keys of one address."""

    count: int = 0
    since: float = 0.0
    closed_until: float = 0.0


class Access:
    """Knows the keys of the current configuration."""

    def __init__(self, config: Config, now: Callable[[], float]) -> None:
        """`now` gives seconds of any clock that does not jump back."""
        self._now = now
        self._guesses: OrderedDict[str, _Guesses] = OrderedDict()
        self._unreported = 0
        self._reported = float("-inf")
        self.sessions = Sessions(now)
        self.passes = Passes(token_bytes)
        self.proof = ""
        """What only this machine's user can read: shown to get a pass where callers need keys."""
        self._keys: tuple[tuple[bytes, Caller], ...] = ()
        self._staying: dict[trio.CancelScope, Caller] = {}
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Take the keys of a configuration.

        Requests that are running keep what they were given, but those whose key is gone are ended.
        When any key changed, browsers have to log in again: whoever lost a key loses its sessions.
        """
        callers = [_caller(client) for client in config.clients]
        if config.server.remote_key:
            digest = sha256(config.server.remote_key.reveal().encode()).digest()
            callers.append(Caller(admin=True, key=digest))
        keys = tuple((caller.key, caller) for caller in callers)
        changed, self._keys = keys != self._keys, keys
        if changed:
            self.sessions.end_all()
        self._most_guesses = config.limits.wrong_keys_per_minute
        known = {caller.key for caller in callers} | (set() if changed else {LOGGED_IN.key})
        for scope, caller in tuple(self._staying.items()):
            if caller.key and caller.key not in known and not self.passes.has(caller.key):
                scope.cancel()

    def stay(self, caller: Caller) -> AbstractContextManager[None]:
        """Run a request inside. Raises Withdrawn when its key has been taken back meanwhile."""
        return self._stay(caller) if caller.key else NO_KEY

    @contextmanager
    def _stay(self, caller: Caller) -> Iterator[None]:
        with trio.CancelScope() as scope:
            self._staying[scope] = caller
            try:
                yield
            finally:
                del self._staying[scope]
        if scope.cancelled_caught:
            raise Withdrawn

    @property
    def keyed(self) -> bool:
        """Whether callers need a key."""
        return bool(self._keys)

    def is_owner(self, proof: str) -> bool:
        """Whether somebody on this machine has shown that the files of shunt are theirs."""
        return bool(self.proof) and hmac.compare_digest(proof.encode(), self.proof.encode())

    def running(self, caller: Caller) -> int:
        """Requests that run now with the same key; 0 for callers without one."""
        return sum(other.key == caller.key for other in self._staying.values()) if caller.key else 0

    def admit(self, visit: Visit) -> Caller:
        """The caller of a request. Raises NotAuthenticated, NotAllowed or TurnedAway."""
        if visit.surface is Surface.OPEN:
            return Caller()
        if visit.surface is Surface.CONTROL and visit.local:
            return OWNER
        passed = self.passes.find(presented_keys(visit.headers)) if visit.local and self.passes.any else None
        if passed is not None and visit.surface is Surface.PROXY:
            return Caller(account=passed[1].account, key=passed[0])
        if not self._keys and visit.local:
            return OWNER
        caller = self._recognise(visit)
        if visit.surface is Surface.CONTROL and not caller.admin:
            raise NotAllowed(
                f'The key of client "{caller.name}" does not open the control routes (admin = true does).'
            )
        return caller

    def _recognise(self, visit: Visit) -> Caller:
        if not self._keys:
            raise NotAuthenticated(
                "Callers from other machines need a key, and none is set: `shunt client add NAME` makes one."
            )
        presented = presented_keys(visit.headers)
        if not presented and self._has_session(visit):
            return LOGGED_IN
        if not presented:
            raise NotAuthenticated(
                "shunt asks for a key here: send it as x-api-key or as Authorization: Bearer. "
                "Its owner makes one with `shunt client add NAME`."
            )
        # From loopback a right key always counts: all callers of a tunnel come from there, and one
        # of them must not be able to lock the owner out. From elsewhere none is looked at any more.
        closed = self._is_closed(visit.peer)
        caller = None if closed and not is_loopback(visit.peer) else self._match(presented)
        if caller is None:
            self._note_wrong(visit.peer)
            if closed:
                raise TurnedAway(
                    "Too many wrong keys; wait a minute.",
                    429,
                    kind=Kind.RATE_LIMITED,
                    retry_after=MINUTE,
                    refusal=Refusal.GUESSES,
                )
            raise NotAuthenticated("The key is not one that this shunt knows.")
        return caller

    def _has_session(self, visit: Visit) -> bool:
        """Whether a logged-in page of ours asks for a control route. Raises NotAllowed for other pages."""
        token = session_token(visit.headers)
        if visit.surface is not Surface.CONTROL or not token or not self.sessions.admits(token):
            return False
        # SameSite keeps the cookie from other sites; these two keep out whatever else a browser might do.
        # That the Origin is our own has been seen to already (origin.py).
        ours = get(visit.headers, PAGE) is not None and get(visit.headers, b"origin") is not None
        if visit.method not in ("GET", "HEAD") and not ours:
            raise NotAllowed(f"A page that changes something has to send {PAGE.decode()} and its Origin.")
        return True

    def _match(self, presented: tuple[bytes, ...]) -> Caller | None:
        """Compare with every key, in the same time whatever the result."""
        found: Caller | None = None
        for key in presented:
            digest = sha256(key).digest()
            for known, caller in self._keys:
                if hmac.compare_digest(digest, known) and found is None:
                    found = caller
        return found

    def _is_closed(self, peer: str) -> bool:
        guesses = self._guesses.get(peer)
        return guesses is not None and guesses.closed_until > self._now()

    def _note_wrong(self, peer: str) -> None:
        now = self._now()
        guesses = self._guesses.setdefault(peer, _Guesses())
        self._guesses.move_to_end(peer)
        while len(self._guesses) > ADDRESSES:
            self._guesses.popitem(last=False)
        if now - guesses.since > MINUTE:
            guesses.count, guesses.since = 0, now
        guesses.count += 1
        if guesses.count >= self._most_guesses and guesses.closed_until <= now:
            guesses.closed_until = now + MINUTE
        self._unreported += 1
        if now - self._reported >= MINUTE:
            log.warning("%d requests came with a wrong key, the last from %s", self._unreported, peer)
            self._unreported, self._reported = 0, now


def _caller(client: ClientConfig) -> Caller:
    return Caller(
        name=client.name,
        pools=frozenset(client.pools),
        admin=client.admin,
        logins=client.owner_device,
        models=client.models,
        allowance=Allowance(client.daily_requests, client.daily_tokens, client.daily_usd),
        key=bytes.fromhex(client.key_sha256),
    )


def presented_keys(headers: Headers) -> tuple[bytes, ...]:
    """Every credential of a request that could be a key of ours.

    Claude Code sends both headers when both of its variables are set, and one of them may hold the
    vendor's login, so either may be the right one.
    """
    keys = list(get_all(headers, b"x-api-key"))
    for value in get_all(headers, b"authorization"):
        scheme, _, token = value.partition(b" ")
        if scheme.lower() == b"bearer":
            keys.append(token.strip())
    return tuple(key for key in keys if key)
