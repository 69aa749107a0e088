"""What a vendor repeats of the key it was sent, taken out of its errors.

Clients have keys of their own, or none; ours is not for them. Only errors are looked at: an answer passes byte for byte.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from shunt.accounts.credential import ApiKey, Credential
from shunt.gateway.attempt import Attempt

SHORTEST: Final = 12
"""Characters below which a key is a word that may stand anywhere; servers at home take such keys."""
HIDDEN: Final = "[hidden]"


def unechoed(attempt: Attempt, credential: Credential) -> Attempt:
    """The attempt without the secret that its request carried, where it failed and the vendor repeats it."""
    if attempt.served:
        return attempt
    secret = (credential.key if isinstance(credential, ApiKey) else credential.access).reveal()
    if len(secret) < SHORTEST:
        return attempt
    sent, hidden = secret.encode(), HIDDEN.encode()
    outcome, body = attempt.outcome, attempt.body
    if body is not None and body.source is None:
        body = evolve(body, head=(b"".join(body.head).replace(sent, hidden),))
    return evolve(
        attempt,
        body=body,
        headers=tuple((name, value) for name, value in attempt.headers if sent not in value),
        outcome=evolve(
            outcome,
            reason=outcome.reason.replace(secret, HIDDEN),
            message=outcome.message.replace(secret, HIDDEN),
        ),
    )
