"""Whose a ChatGPT login is, as its tokens say.

The tokens are JSON Web Tokens of the vendor's. Their claims are read, not verified: the vendor does that at
every call, and here they only tell accounts apart.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from shunt.accounts.credential import Identity, Login
from shunt.wire import json

_AUTH: Final = "https://api.openai.com/auth"
_PROFILE: Final = "https://api.openai.com/profile"
_LONGEST: Final = 16 * 1024
_ID: Final = re.compile(r"[!-~]{1,200}")


def identity_of(*tokens: str) -> Identity:
    """Who these tokens belong to; the first that says a thing counts. Empty where none says it.

    The account is the ChatGPT account (or workspace) that limits are kept for: a person may have several.
    """
    claims = [_claims(token) for token in tokens]
    return Identity(
        account_id=_first(claims, _AUTH, "chatgpt_account_id"),
        email=_first(claims, "", "email") or _first(claims, _PROFILE, "email"),
        plan=_first(claims, _AUTH, "chatgpt_plan_type"),
    )


def identities_of(answer: Mapping[str, Any]) -> tuple[Identity, ...]:
    """Who the access token and who the identity token of an answer belong to: it should be one account."""
    tokens = (answer.get(name) for name in ("access_token", "id_token"))
    return tuple(identity_of(token) for token in tokens if isinstance(token, str))


def expiry_of(token: str) -> float | None:
    """Epoch seconds at which a token ends; None when it does not say."""
    found = _claims(token).get("exp")
    return (
        float(found)
        if isinstance(found, (int, float)) and not isinstance(found, bool) and found > 0
        else None
    )


def account_of(login: Login) -> str:
    """The id to send with a login's token; empty when neither the login nor its tokens say."""
    known = login.identity.account_id
    if not known:
        tokens = [login.id_token, login.access]
        known = identity_of(*(token.reveal() for token in tokens if token is not None)).account_id
    return known if _ID.fullmatch(known) else ""


def _claims(token: str) -> Mapping[str, Any]:
    pieces = token.split(".")
    if len(pieces) != 3 or len(token) > _LONGEST:
        return {}
    try:
        payload = base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4))
    except (binascii.Error, ValueError):
        return {}
    claims = json.value(payload)
    return claims if isinstance(claims, dict) else {}


def _first(claims: list[Mapping[str, Any]], section: str, name: str) -> str:
    for found in claims:
        facts = found.get(section) if section else found
        value = facts.get(name) if isinstance(facts, dict) else None
        if isinstance(value, str) and 0 < len(value) <= 320:
            return value
    return ""
