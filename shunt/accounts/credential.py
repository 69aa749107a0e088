"""What proves to a vendor that a request may be made."""

from __future__ import annotations

from attrs import field, frozen

from shunt.accounts.secret import Secret


@frozen
class ApiKey:
    """A long-lived key of the vendor's developer platform."""

    key: Secret = field(repr=False)


@frozen
class Identity:
    """Who a login belongs to. Two logins are the same account when vendor ids match, never by e-mail."""

    account_id: str = ""
    """The vendor's id of the person's account."""
    organization_id: str = ""
    """The vendor's id of the organisation or workspace the login acts for."""
    email: str = ""
    """For display only."""
    plan: str = ""
    """Subscription type in the vendor's words (max, pro, plus …), for display only."""

    def contradicts(self, other: Identity) -> bool:
        """True when both name an id and the ids differ: these are different accounts."""
        return any(
            mine and theirs and mine != theirs
            for mine, theirs in (
                (self.account_id, other.account_id),
                (self.organization_id, other.organization_id),
            )
        )


@frozen
class Login:
    """A subscription login: a short-lived access token and the single-use token that renews it."""

    access: Secret = field(repr=False)
    refresh: Secret = field(repr=False)
    """Empty when the login cannot be renewed (a long-lived setup token)."""
    expires_at: float | None
    """Epoch seconds at which the access token ends, as the vendor said; the server's word wins."""
    scopes: tuple[str, ...] = ()
    identity: Identity = Identity()
    id_token: Secret | None = field(default=None, repr=False)
    imported_from: str = ""
    """Path of the file of another program that shares this grant; empty when shunt owns it alone."""
    spent: tuple[str, ...] = ()
    """Fingerprints of the refresh tokens that shunt exchanged for this one, the latest last; of shared grants
    only. The other program's file may still hold one of them: then it holds a login that is dead."""


Credential = ApiKey | Login
