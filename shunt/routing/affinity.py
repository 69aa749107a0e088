"""Which conversation a request belongs to, and which account that conversation is on.

A conversation is recognised by the session id its client sends, else by how it opens; always
together with the client's name, so that two people never share one.

Ids are not trusted blindly: some clients send one constant id for everything, which would pile all
work on one account. But one id with several openings is normal, too: Claude Code's subagents, title
requests, web searches and the turns after `/compact` all carry their session's id, each with a first
text of its own, and belong on one account. So an id stands for its first eight openings; those after
keep the id's company no longer and are conversations of their own. A long session with many subagents
loses nothing by that: its main conversation is among the first and stays where it is, and a subagent
shares no messages with its siblings. A constant id gathers eight conversations and then spreads.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from attrs import frozen

from shunt.inference.inbound import Outline
from shunt.wire.headers import Headers, text

SESSION_HEADERS: Final = (
    b"x-claude-code-session-id",
    b"x-conversation-id",
    b"x-session-id",
    b"session_id",
    b"session-id",
    b"x-session-affinity",
)
"""Headers that name a session, the first one present counts."""
_BATCH: Final = re.compile(r"/v1/messages/batches/([^/]+)")
MOST_BINDINGS: Final = 10_000
MOST_IDS: Final = 4_096
"""Ids whose openings are remembered."""
MOST_OPENINGS: Final = 8
"""Openings that one id may stand for."""


def conversation_key(
    headers: Headers, outline: Outline, client: str, shared: Callable[[str, bytes], bool]
) -> str:
    """The key of the conversation a request belongs to; empty when nothing tells.

    `shared(id, opening)` tells whether the id has been seen with too many other openings to say
    anything about this one (see Sharing). `client` is the name of the caller's key.
    """
    session = next(filter(None, (text(headers, name) for name in SESSION_HEADERS)), outline.session)
    named = _digest(client, b"session", session.encode("utf-8", "surrogatepass")) if session else ""
    if named and not shared(named, outline.opening):
        return named
    if outline.fingerprint:
        return _digest(client, b"opening", outline.fingerprint)
    return named


def batch_key(client: str, path: str) -> str:
    """The same for a batch of messages, which only the account has that made it; empty for a path without one."""
    found = _BATCH.match(path)
    return _digest(client, b"batch", found[1].encode("utf-8", "surrogatepass")) if found else ""


def _digest(client: str, kind: bytes, value: bytes) -> str:
    return sha256(b"\0".join((client.encode(), kind, value))).hexdigest()[:32]


class Sharing:
    """Remembers with which openings an id was seen, to tell sessions from constant ids. Bounded."""

    def __init__(self, most_ids: int = MOST_IDS, most_openings: int = MOST_OPENINGS) -> None:
        self._most_ids = most_ids
        self._most_openings = most_openings
        self._openings: OrderedDict[str, tuple[bytes, ...]] = OrderedDict()

    def __call__(self, session: str, opening: bytes) -> bool:
        """Note the pair; True when this opening came after the id had its fill of others."""
        if not opening:
            return False
        seen = self._openings.pop(session, ())
        known = opening[:8] in seen
        if not known and len(seen) < self._most_openings:
            seen, known = (*seen, opening[:8]), True
        self._openings[session] = seen
        if len(self._openings) > self._most_ids:
            self._openings.popitem(last=False)
        return not known


@frozen
class Binding:
    """One conversation and the account it is on. Saved through cattrs."""

    conversation: str
    account: str
    hard: bool
    """It refers to state that only this account holds."""
    used_at: float
    """Epoch seconds of its last request."""


class Affinity:
    """Conversations and their accounts: a table with a sliding lifetime, least recently used goes first.

    This is the one mutable structure beside the pool's state: copying 10,000 entries for every
    request would be felt. AccountPool alone owns it; plain data goes in and out (`entries`,
    `restore`).
    """

    def __init__(self, ttl: float, most: int = MOST_BINDINGS) -> None:
        """`ttl` is in seconds since a conversation's last request."""
        self.ttl = ttl
        self._most = most
        self._bindings: OrderedDict[str, Binding] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bindings)

    def bound(self, conversation: str, now: float) -> tuple[str, bool]:
        """(account, hard) of a conversation, whose lifetime begins anew; empty when there is none."""
        binding = self._bindings.pop(conversation, None)
        if binding is None or now - binding.used_at > self.ttl:
            return "", False
        self._bindings[conversation] = Binding(conversation, binding.account, binding.hard, now)
        return binding.account, binding.hard

    def bind(self, conversation: str, account: str, now: float, *, hard: bool = False) -> None:
        """Put a conversation on an account. Hard stays hard until it moves to another account."""
        older = self._bindings.pop(conversation, None)
        hard = hard or (older is not None and older.hard and older.account == account)
        self._bindings[conversation] = Binding(conversation, account, hard, now)
        if len(self._bindings) > self._most:
            self._bindings.popitem(last=False)

    def keep_only(self, accounts: Iterable[str]) -> None:
        """Forget conversations on accounts that are no more."""
        names = frozenset(accounts)
        for binding in self.entries():
            if binding.account not in names:
                del self._bindings[binding.conversation]

    def expire(self, now: float) -> None:
        """Forget what has not been used for too long. Cheap: the oldest are first."""
        while self._bindings:
            oldest = next(iter(self._bindings.values()))
            if now - oldest.used_at <= self.ttl:
                return
            del self._bindings[oldest.conversation]

    def entries(self) -> tuple[Binding, ...]:
        """All bindings as plain data, least recently used first."""
        return tuple(self._bindings.values())

    def restore(self, bindings: Iterable[Binding]) -> None:
        """Replace everything by saved bindings."""
        kept = tuple(bindings)[-self._most :]
        self._bindings = OrderedDict((binding.conversation, binding) for binding in kept)
