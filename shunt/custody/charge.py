"""One account in custody, and the renewal that is on its way for it."""

from __future__ import annotations

import trio
from attrs import define, field

from shunt.accounts.credential import Credential
from shunt.accounts.pace import Pace
from shunt.errors import CredentialError


@define(eq=False)
class Flight:
    """One renewal on its way, and everybody who waits for it."""

    done: trio.Event = field(factory=trio.Event)
    error: CredentialError | None = None


@define(eq=False)
class Charge:
    """One account in custody."""

    name: str
    credential: Credential | None = None
    """What is stored for it, or newer."""
    lock: trio.Lock = field(factory=trio.Lock)
    """Held by whoever is about to replace the credential."""
    flight: Flight | None = None
    refused: str = ""
    """Why only a person can renew it, in words for people."""
    hopeful_at: float | None = None
    """When it may be tried again all the same, on trio's clock: the refresh token itself was never refused."""
    lost_at: float | None = None
    """Epoch seconds of a renewal whose answer never came: the refresh token may be spent."""
    pace: Pace = Pace()
    """On trio's clock."""
