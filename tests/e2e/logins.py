"""Logins of other programs in a scratch home."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from tests.e2e.program import Program


def claude_login(shunt: Program, access: str, refresh: str) -> None:
    """Write the file in which Claude Code keeps its login."""
    folder = shunt.user / ".claude"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    login = {
        "accessToken": access,
        "refreshToken": refresh,
        "expiresAt": int((time.time() + 3600) * 1000),
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
    path = folder / ".credentials.json"
    path.write_text(json.dumps({"claudeAiOauth": login}))
    path.chmod(0o600)


def codex_login(shunt: Program, account_id: str) -> None:
    """Write the file in which Codex keeps a ChatGPT login; its tokens are signed by nobody."""
    claims = {"chatgpt_account_id": account_id, "chatgpt_plan_type": "pro"}
    token = _unsigned(
        {"exp": int(time.time() + 3600), "email": "u@example.test", "https://api.openai.com/auth": claims}
    )
    tokens = {"id_token": token, "access_token": token, "refresh_token": "rt-test", "account_id": account_id}
    folder = shunt.user / ".codex"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "auth.json"
    path.write_text(
        json.dumps({"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2026-01-01T00:00:00Z"})
    )
    path.chmod(0o600)


def _unsigned(claims: dict[str, Any]) -> str:
    pieces = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(piece).encode()).rstrip(b"=").decode() for piece in pieces)
    return ".".join((*encoded, "c2ln"))
