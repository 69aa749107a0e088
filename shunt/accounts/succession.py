"""When one login takes the place of another of the same account."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from shunt.accounts.credential import Credential, Identity, Login

REMEMBERED: Final = 8
"""Spent refresh tokens remembered per shared login."""


def same_secrets(one: Credential | None, other: Credential | None) -> bool:
    """Whether both hold the same tokens or key; what else is known of a login may differ."""
    if isinstance(one, Login) and isinstance(other, Login):
        return (one.access, one.refresh) == (other.access, other.refresh)
    return one == other


def supersedes(found: Login, held: Login) -> bool:
    """Whether a login found elsewhere is a later one of the same grant's owner.

    A file that another program has emptied (an expiry of zero) or restored from a backup never wins,
    and neither does anybody else's login, or one whose refresh token was spent by us.
    """
    return (
        bool(found.access)
        and found.access != held.access
        and not held.identity.contradicts(found.identity)
        and not is_spent(found, held)
        and (found.expires_at or 0.0) > (held.expires_at or 0.0)
    )


def inherit(found: Login, held: Login) -> Login:
    """Return `found` with what only `held` knew: who it belongs to, and where it was imported from."""
    return evolve(
        found,
        identity=completed(held.identity, found.identity),
        imported_from=held.imported_from or found.imported_from,
        spent=held.spent,
    )


def is_spent(found: Login, held: Login) -> bool:
    """Whether a login found elsewhere is one that shunt has exchanged for what it holds now."""
    return found.refresh.fingerprint() in held.spent


def succeeding(new: Login, old: Login) -> Login:
    """Return a renewed login that remembers, if the grant is shared, what it was exchanged for."""
    if not old.imported_from or new.refresh == old.refresh:
        return new
    return evolve(new, spent=(*old.spent, old.refresh.fingerprint())[-REMEMBERED:])


def completed(known: Identity, told: Identity) -> Identity:
    """Return a known identity with what is newly told; ids that are known stay."""
    return Identity(
        account_id=known.account_id or told.account_id,
        organization_id=known.organization_id or told.organization_id,
        email=told.email or known.email,
        plan=told.plan or known.plan,
    )
