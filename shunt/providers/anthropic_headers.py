"""How Anthropic's dialect wants to be told who is asking."""

from __future__ import annotations

import re
from typing import Final

from shunt.accounts.credential import ApiKey, Credential
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError
from shunt.wire.headers import Headers, get, with_tokens, without, without_token

OAUTH_BETA: Final = b"oauth-2025-04-20"
"""The one beta that a login's bearer token requires."""
_BETA: Final = b"anthropic-beta"
_VERSION: Final = (b"anthropic-version", b"2023-06-01")
"""Added where a client leaves it out, because the vendor refuses calls without any."""
_AUTH: Final = frozenset({b"authorization", b"x-api-key"})
_PRINTABLE: Final = re.compile(r"[!-~]+")


def authenticate(headers: Headers, credential: Credential) -> Headers:
    """Put the credential in, as exactly one header. Raises CredentialError if it cannot be written.

    An API key travels as `x-api-key`: every server of this dialect reads it, while some take a bearer
    token for a login. The beta of logins comes and goes with them, whatever the client itself uses.
    An empty key (a local server that asks for none) leaves auth to the account's own headers.
    """
    if get(headers, _VERSION[0]) is None:
        headers = (*headers, _VERSION)
    if isinstance(credential, ApiKey):
        headers = without_token(headers, _BETA, OAUTH_BETA)
        if not credential.key:
            return headers
        return (*without(headers, _AUTH), (b"x-api-key", _written(credential.key)))
    headers = with_tokens(without(headers, _AUTH), _BETA, (OAUTH_BETA,))
    return (*headers, (b"authorization", b"Bearer " + _written(credential.access)))


def _written(secret: Secret) -> bytes:
    value = secret.reveal()
    if not _PRINTABLE.fullmatch(value):
        raise CredentialError(
            "The credential holds blanks or characters that no header may hold; add the account again."
        )
    return value.encode("ascii")
