"""What is known about the accounts right now: frozen, replaced whole, saved through cattrs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from shunt.accounts.allowance import UsedToday
from shunt.accounts.outcomes import Verdict
from shunt.inference.usage import Usage
from shunt.limits.cooldown import LONGEST
from shunt.limits.windows import Window


class Custody(StrEnum):
    """What custody says of an account's credential."""

    PRESENT = "present"
    MISSING = "missing"
    REAUTH_REQUIRED = "reauth_required"


class Status(StrEnum):
    """The one word shown for an account."""

    AVAILABLE = "available"
    COOLING = "cooling"
    DISABLED = "disabled"
    REAUTH_REQUIRED = "reauth_required"


@frozen
class Cooldown:
    """A time during which an account, or one model family of it, is left alone."""

    until: float
    """Epoch seconds."""
    since: float
    """Epoch seconds at which this cooldown (not its extension) began."""
    reason: str
    """Verdict and deciding fact, for people."""
    cause: Verdict | None = None
    """What kind of answer brought it about."""
    windows: tuple[str, ...] = ()
    """Names of the rejected windows behind it; newer facts that none is rejected end it."""
    longest: float = LONGEST
    """Seconds it may last from any moment on, so that a clock set back cannot stretch it."""


@frozen(slots=False)
class AccountState:
    """Everything that changes about one account."""

    name: str
    custody: Custody = Custody.MISSING
    paused: bool = False
    windows: Mapping[str, Window] = field(factory=dict)
    """By window name."""
    cooldowns: Mapping[str, Cooldown] = field(factory=dict)
    """By model family; ALL_MODELS for the whole account."""
    throttles: int = 0
    """429s without window facts in a row, for the doubling pause."""
    breaks: int = 0
    """5xx and connection failures in a row, for the doubling pause."""
    last_used: float | None = None
    last_success: float | None = None
    cooled_until: float | None = None
    """When the most recent cooldown ended; a fresh return is used gently for a while."""
    in_flight: int = 0
    """Requests running now; not saved."""
    usage: Usage = Usage()
    """All tokens since the account was added."""
    email: str = ""
    plan: str = ""


ERRORS: Final = ("refused", "failed", "cut")
"""Outcomes of a request that are errors to its client."""


@frozen
class AttemptNote:
    """Why one account was tried and left."""

    account: str
    verdict: str
    reason: str


@frozen
class RequestRecord:
    """What one finished request came to. Exactly one per request."""

    id: str
    at: float
    """Epoch seconds of arrival."""
    client: str
    conversation: str
    account: str
    """The account that served it last; empty when none did."""
    attempts: tuple[AttemptNote, ...]
    protocol_in: str
    protocol_out: str
    model: str
    """As the client asked."""
    served_model: str
    """As the vendor's answer named it; empty when unknown."""
    status: int
    """Status the client saw, 499 when it left before any."""
    outcome: str
    """`served`, `refused`, `client_gone`, `cut`, `failed`."""
    usage: Usage = Usage()
    first_byte_ms: int | None = None
    """From arrival to the first byte sent to the client."""
    duration_ms: int = 0
    streamed: bool = False
    operation: str = "generate"
    why: str = ""
    """Why this account: `sticky`, `strategy maximus`, `pinned`, …; or why none."""
    cost_usd: float = 0.0
    """What the tokens cost at API prices, in US dollars."""
    metered: bool = False
    """The account pays per token: the price was really paid, not saved."""
    moved_from: str = ""
    """The account that the conversation was on before, when it moved."""
    rebilled: int = 0
    """Input tokens paid for again because the prompt cache stayed behind at `moved_from`."""

    @property
    def is_error(self) -> bool:
        """Whether the client got an error, or half an answer. One that left by itself got neither."""
        return self.outcome in ERRORS


@frozen(slots=False)
class DayTotals:
    """Tokens and their price at API rates, of one UTC day."""

    input: int = 0
    """Fresh input tokens, without those read from or written to a prompt cache."""
    output: int = 0
    cost_usd: float = 0.0
    requests: int = 0
    cache_read: int = 0
    cache_write: int = 0
    rebilled: int = 0
    """Input tokens paid for again because a conversation moved."""
    metered_usd: float = 0.0
    """The part of the price that was really paid: that of accounts that pay per token."""


@frozen(slots=False)
class PoolState:
    """The whole pool at one instant."""

    accounts: Mapping[str, AccountState] = field(factory=dict)
    pinned: str | None = None
    strategy: str | None = None
    """Runtime override of `routing.strategy`."""
    model: str | None = None
    """Model that is served whatever clients ask for; None leaves it to them."""
    last_used: str | None = None
    carousel: int = 0
    """Requests chosen so far, for the round-robin strategy."""
    overloads: Mapping[str, tuple[tuple[str, float], ...]] = field(factory=dict)
    """Per provider: (account, epoch seconds) of recent overload answers."""
    recent: tuple[RequestRecord, ...] = ()
    """The last requests, oldest first; bounded."""
    days: Mapping[str, DayTotals] = field(factory=dict)
    """Per UTC day `YYYY-MM-DD`; bounded."""
    total: DayTotals = DayTotals()
    clients: Mapping[str, UsedToday] = field(factory=dict)
    """By name of a client's key: what it has used today."""
