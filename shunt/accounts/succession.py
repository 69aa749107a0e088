"""When one login takes the place of another of the same account."""

from __future__ import annotations

from attrs import evolve

from shunt.accounts.credential import Credential, Identity, Login


def same_secrets(one: Credential | None, other: Credential | None) -> bool:
    """Whether both hold the same tokens or key; what else is known of a login may differ."""
    if isinstance(one, Login) and isinstance(other, Login):
        return (one.access, one.refresh) == (other.access, other.refresh)
    return one == other


def supersedes(found: Login, held: Login) -> bool:
    """Whether a login found elsewhere is a later one of the same grant's owner.

    A file that another program has emptied (an expiry of zero) or restored from a backup never wins,
    and neither does anybody else's login.
    """
    return (
        bool(found.access)
        and found.access != held.access
        and not held.identity.contradicts(found.identity)
        and (found.expires_at or 0.0) > (held.expires_at or 0.0)
    )


def inherit(found: Login, held: Login) -> Login:
    """Return `found` with what only `held` knew: who it belongs to, and where it was imported from."""
    return evolve(
        found,
        identity=completed(held.identity, found.identity),
        imported_from=held.imported_from or found.imported_from,
    )


def completed(known: Identity, told: Identity) -> Identity:
    """Return a known identity with what is newly told; ids that are known stay."""
    return Identity(
        account_id=known.account_id or told.account_id,
        organization_id=known.organization_id or told.organization_id,
        email=told.email or known.email,
        plan=told.plan or known.plan,
    )
