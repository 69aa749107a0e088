"""What routing looks at, and what it answers: frozen on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import final, overload

from attrs import frozen

from shunt.accounts.account import Account
from shunt.accounts.state import PoolState


@frozen
class Tuning:
    """The numbers of `[routing]` that strategies read."""

    strategy: str = "maximus"
    expiry_soon: float = 1800.0
    """Seconds."""
    ramp: float = 300.0
    """Seconds over which an account that just came back is used gently."""
    pin_spills: bool = False


@frozen
class View:
    """One consistent picture of the pool; a request never sees half a change."""

    accounts: Mapping[str, Account]
    state: PoolState
    tuning: Tuning


@frozen
class Demand:
    """What one request needs from an account."""

    model: str
    families: Mapping[str, str]
    """Account name → model family its per-model limits are kept by. Only accounts that can carry
    the call at all (protocol, route, credential kind) are in it."""
    pools: frozenset[str] | None = None
    """Pools the caller may use; None means all."""
    logins: bool = True
    """Whether the caller may use subscription logins."""
    wanted: str = ""
    """The account named by `x-shunt-account`."""
    bound: str = ""
    """The account this conversation is on."""
    bound_hard: bool = False
    """The request refers to state only `bound` holds: it or nothing."""


class Refusal(StrEnum):
    """Why an account is no candidate."""

    CANNOT_CARRY = "cannot carry this call"
    OTHER_POOL = "belongs to a pool this client may not use"
    NOT_THEIRS = "is its owner's own login, and this client's key is not marked as a device of the owner"
    MODEL_NOT_ALLOWED = "model is not on its list"
    NO_CREDENTIAL = "has no credential"
    REAUTH_REQUIRED = "needs a new login"
    PAUSED = "is paused"
    COOLING = "is cooling"
    WINDOW_SPENT = "has a spent window"
    BUSY = "is at its concurrency limit"
    TRIED = "was already tried for this request"
    NOT_CHOSEN = "another account was asked for"


@frozen
class Candidate:
    """One account as this decision saw it."""

    account: str
    refusal: Refusal | None = None
    detail: str = ""
    """The fact behind a refusal (`5h window rejected, seen 12 s ago in a header`)."""
    back_at: float | None = None
    """Epoch seconds at which a passing refusal ends."""
    score: tuple[float, ...] = ()
    """The strategy's sort key, greatest first: minus the tier, then its own figures. Empty for those
    refused, and where the strategy was not asked."""


@final
class Candidates(Sequence[Candidate]):
    """Every account once, worked out when first looked at.

    Most decisions are never asked for their reasons, and stating them for 50 accounts costs more than
    deciding. What they are worked out from is frozen, so when that happens makes no difference.
    """

    __slots__ = ("_build", "_built")

    def __init__(self, build: Callable[[], Sequence[Candidate]]) -> None:
        self._build = build
        self._built: tuple[Candidate, ...] | None = None

    def _all(self) -> tuple[Candidate, ...]:
        if self._built is None:
            self._built = tuple(self._build())
        return self._built

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, index: int | slice) -> Candidate | tuple[Candidate, ...]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return self._all() == tuple(other) if isinstance(other, (tuple, Candidates)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


@frozen
class Choice:
    """A routing decision and its reasons."""

    account: str | None
    why: str
    """`asked for`, `pinned`, `sticky`, `strategy maximus`, or what stood in the way."""
    candidates: Sequence[Candidate]
    """Every account exactly once, in the order of the configuration."""
    retry_at: float | None = None
    """With no account: when the first passing refusal ends, in epoch seconds; None if none will."""
    borrowed: bool = False
    """The conversation is bound elsewhere and keeps that binding."""
    by_strategy: bool = False
    """The strategy decided (no header, pin or binding did), so the carousel moves on."""
