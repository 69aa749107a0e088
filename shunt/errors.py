"""Every error shunt raises on purpose.

    ShuntError
    ├── ConfigError            config.toml or the environment says something impossible
    ├── StoreError             a file of ours cannot be read or written
    │   ├── CredentialsUnreadable   credentials.json exists but cannot be trusted: never overwrite it
    │   └── StoreLocked             another shunt owns this state folder
    ├── RequestError           the caller's request cannot be served as it stands
    │   ├── InvalidRequest          400
    │   ├── NotAuthenticated        401
    │   ├── NotAllowed              403
    │   ├── NotFound                404
    │   ├── BodyTooLarge            413
    │   └── NotOffered              501
    ├── RoutingError           no account can take the request now
    │   ├── NoAccounts              none configured, or none that could ever serve it
    │   ├── AccountUnavailable      the one that was asked for (header or pin) cannot serve
    │   └── AllCooling              all are spent; `retry_at` says when the first is back
    │       └── AllowanceSpent           a client's key has used up its day
    ├── UpstreamError          the vendor's side of the wire failed
    │   ├── UpstreamUnreachable     no connection: refused, DNS, TLS, connect time-out
    │   ├── UpstreamTimeout         silence before the first byte, or in the middle
    │   ├── UpstreamBroke           the connection broke or spoke garbage
    │   └── UpstreamUnexpected      a well-formed answer of the wrong kind (redirect, HTML, empty)
    ├── CredentialError        the account's login cannot be used
    │   ├── ReauthRequired          the vendor refused the refresh token: a person has to log in
    │   ├── RefreshFailed           a passing failure of the token endpoint: try again later
    │   └── LoginFailed             a person's login did not come about; nothing was stored
    ├── ServiceError           the system's service manager refused or is not there
    └── UpdateError            the program cannot be replaced by another version

Messages are written for people: what happened, and what to do. They never hold a secret.
`kind` says what the failure is to a client; each protocol turns it into its own words.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What a failure means to the client, independent of protocol."""

    INVALID_REQUEST = "invalid_request"
    CONTEXT_OVERFLOW = "context_overflow"
    AUTHENTICATION = "authentication"
    BILLING = "billing"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    NOT_OFFERED = "not_offered"
    UPSTREAM = "upstream"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"


class ShuntError(Exception):
    """Base of all; `str(error)` is one line for people."""

    kind: ClassVar[Kind] = Kind.INTERNAL


class ConfigError(ShuntError):
    """One or more problems in the configuration, each a full line (file, line, key, cure)."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StoreError(ShuntError):
    """A file of ours cannot be read or written."""


class CredentialsUnreadable(StoreError):
    """credentials.json exists but is malformed or unreadable. It is left as it is."""


class StoreLocked(StoreError):
    """Another process owns the state folder."""


class RequestError(ShuntError):
    """The caller's request cannot be served as it stands."""

    kind: ClassVar[Kind] = Kind.INVALID_REQUEST


class InvalidRequest(RequestError):
    """The body or a header makes no sense."""

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        """A machine-readable code, where the caller's protocol knows one for this."""
        self.param = param
        """The field it is about."""


class NotAuthenticated(RequestError):
    """No key, or a wrong one."""

    kind: ClassVar[Kind] = Kind.AUTHENTICATION


class NotAllowed(RequestError):
    """A valid caller asks for what it may not have."""

    kind: ClassVar[Kind] = Kind.PERMISSION


class NotFound(RequestError):
    """No such route, account or model."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BodyTooLarge(RequestError):
    """The body exceeds `server.max_body_mb`."""

    kind: ClassVar[Kind] = Kind.TOO_LARGE


class NotOffered(RequestError):
    """A call that exists at the vendor but that no account here can carry."""

    kind: ClassVar[Kind] = Kind.NOT_OFFERED


class RoutingError(ShuntError):
    """No account can take the request now."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class NoAccounts(RoutingError):
    """None configured, or none that could ever serve this request."""


class AccountUnavailable(RoutingError):
    """The account named by header or pin cannot serve."""


class AllCooling(RoutingError):
    """Every account that could serve is spent."""

    kind: ClassVar[Kind] = Kind.RATE_LIMITED

    def __init__(self, message: str, retry_at: float | None) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        """Epoch seconds at which the first account is expected back, if known."""


class AllowanceSpent(AllCooling):
    """A client's key has used up what it may in a day; `retry_at` is when the next one begins."""


class UpstreamError(ShuntError):
    """The vendor's side of the wire failed."""

    kind: ClassVar[Kind] = Kind.UPSTREAM


class UpstreamUnreachable(UpstreamError):
    """No connection could be made. The request was not sent."""


class UpstreamTimeout(UpstreamError):
    """The vendor stayed silent longer than `server.request_timeout_secs`."""

    kind: ClassVar[Kind] = Kind.TIMEOUT


class UpstreamBroke(UpstreamError):
    """The connection broke, or what came was not HTTP."""


class UpstreamUnexpected(UpstreamError):
    """A well-formed answer of the wrong kind."""


class CredentialError(ShuntError):
    """The account's login cannot be used."""

    kind: ClassVar[Kind] = Kind.AUTHENTICATION

    def fresh(self) -> CredentialError:
        """Return an equal error: one object raised in many tasks would collect all their tracebacks."""
        return type(self)(str(self))


class ReauthRequired(CredentialError):
    """The vendor refused the refresh token; only a person can log in again."""


class RefreshFailed(CredentialError):
    """A passing failure of the token endpoint."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, message: str, *, retry_after: float | None = None, answer_lost: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds the endpoint asks to be left alone, if it said so."""
        self.answer_lost = answer_lost
        """The request was sent and no usable answer came: the refresh token may have been used up."""

    def fresh(self) -> RefreshFailed:
        """Return an equal error."""
        return RefreshFailed(str(self), retry_after=self.retry_after, answer_lost=self.answer_lost)


class LoginFailed(CredentialError):
    """A login by a person did not come about: declined, expired, or not the answer it should be."""


class ServiceError(ShuntError):
    """The system's service manager refused or is not there; the text names the cure."""


class UpdateError(ShuntError):
    """The program cannot be replaced; the one that was there is untouched or back in its place."""
