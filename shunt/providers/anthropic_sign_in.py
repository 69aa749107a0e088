"""Claude logins: how Anthropic lets a person allow one, and whose it is.

Addresses, scopes and shapes are those of Claude Code, whose public client id is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.accounts.credential import Identity
from shunt.config.types import EndpointsConfig
from shunt.providers.sign_in import SignIn, beside

SCOPES: Final = (
    "user:inference",
    "user:profile",
    "user:file_upload",
    "user:mcp_servers",
    "user:sessions:claude_code",
)
PLANS: Final = ("max", "pro", "team", "enterprise")


def _authorize(endpoints: EndpointsConfig) -> str:
    return endpoints.anthropic_authorize_url


def _revoke(endpoints: EndpointsConfig) -> str:
    return endpoints.anthropic_revoke_url or beside(endpoints.anthropic_token_url, "revoke")


def _profile(endpoints: EndpointsConfig) -> str:
    return f"{endpoints.anthropic_url}/api/oauth/profile"


def read_profile(document: Mapping[str, Any]) -> Identity:
    """Whose login it is, by the answer of the profile endpoint: `{account: {…}, organization: {…}}`."""
    account, organization = document.get("account"), document.get("organization")
    kind = _text(organization, "organization_type").removeprefix("claude_")
    plan = kind if kind in PLANS else next((name for name in PLANS if _is(account, f"has_claude_{name}")), "")
    return Identity(
        account_id=_text(account, "uuid"),
        organization_id=_text(organization, "uuid"),
        email=_text(account, "email") or _text(account, "email_address"),
        plan=plan,
    )


def _text(table: object, name: str) -> str:
    value = table.get(name) if isinstance(table, dict) else None
    return value if isinstance(value, str) and len(value) <= 320 else ""


def _is(table: object, name: str) -> bool:
    return isinstance(table, dict) and table.get(name) is True


SIGN_IN: Final = SignIn(
    authorize=_authorize,
    revoke=_revoke,
    scopes=SCOPES,
    callback_path="/callback",
    pasted_redirect="https://platform.claude.com/oauth/code/callback",
    pasted_extra={"code": "true"},
    tells_state=True,
    profile=_profile,
    profile_headers={"anthropic-beta": "oauth-2025-04-20"},
    read_profile=read_profile,
)
