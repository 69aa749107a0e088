"""Logins of other programs in a scratch home."""

from __future__ import annotations

import json
import time

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
