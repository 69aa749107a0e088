"""How OpenAI's dialect wants to be told who is asking."""

from __future__ import annotations

import re
from typing import Final

from shunt.accounts.credential import ApiKey, Credential
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError
from shunt.wire.headers import Headers, without

_AUTH: Final = frozenset(
    {
        b"authorization",
        # They name a part of the client's own account.
        b"openai-organization",
        b"openai-project",
        b"chatgpt-account-id",
    }
)
_OTHERS: Final = (b"anthropic-", b"x-claude-")
"""Beginnings of headers that mean something to another vendor only, and say what the client is doing."""
_PRINTABLE: Final = re.compile(r"[!-~]+")


def authenticate(headers: Headers, credential: Credential) -> Headers:
    """Put the credential in, as a bearer token. Raises CredentialError if it cannot be written.

    An empty key (a local server that asks for none) leaves auth to the account's own headers.
    """
    kept = tuple(pair for pair in headers if not pair[0].lower().startswith(_OTHERS))
    secret = credential.key if isinstance(credential, ApiKey) else credential.access
    if not secret:
        return kept
    return (*without(kept, _AUTH), (b"authorization", b"Bearer " + written(secret)))


def written(secret: Secret) -> bytes:
    """A secret as it stands in a header."""
    value = secret.reveal()
    if not _PRINTABLE.fullmatch(value):
        raise CredentialError(
            "The credential holds blanks or characters that no header may hold; add the account again."
        )
    return value.encode("ascii")
