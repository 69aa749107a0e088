"""ChatGPT logins of a simulated issuer, and Codex, which keeps one in its file."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

from attrs import define, field

from tests.e2e.program import JSON, Program
from tests.fakes import openai_responses as vendor
from tests.fakes.client import RawResponse, ask
from tests.fakes.issuer import Family, Issuer, Tokens
from tests.fakes.upstream import Answer, Request

TOKEN_PATH = "/oauth/token"
HELLO = vendor.message_item("hello")


@define(eq=False)
class ChatGptFamily(Family):
    """A grant whose access tokens say whose they are and when they end."""

    begun: float = field(factory=time.time)

    def at(self, generation: int) -> Tokens:
        """Return the tokens of a generation."""
        claims = {
            "https://api.openai.com/auth": {"chatgpt_account_id": self.account, "chatgpt_plan_type": "plus"},
            "exp": int(self.begun) + 86_400 * generation,
            "n": generation,
        }
        parts = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in ({"alg": "none"}, claims)
        )
        return Tokens(b".".join((*parts, b"c2ln")).decode(), f"rt-test-{self.name}-{generation}")


@define(eq=False)
class ChatGpt:
    """The vendor: its token endpoint, and its model for whoever has a good token."""

    issuer: Issuer = field(factory=Issuer)

    def grant(self, name: str) -> ChatGptFamily:
        """Let a person log in."""
        family = self.issuer.families[name] = ChatGptFamily(name, f"acct-{name}")
        return family

    def __call__(self, request: Request, n: int) -> Answer:
        """Answer a call."""
        if request.path == TOKEN_PATH:
            return self.issuer(request, n)
        return self.issuer.protect(lambda *_: vendor.stream(HELLO))(request, n)


def environment(url: str, codex_home: Path) -> dict[str, str]:
    """Where shunt finds the simulated vendor and Codex."""
    return {
        "SHUNT_CHATGPT_URL": url,
        "SHUNT_OPENAI_TOKEN_URL": url + TOKEN_PATH,
        "CODEX_HOME": str(codex_home),
    }


def auth_document(family: ChatGptFamily, **fields: Any) -> str:
    """What Codex writes into auth.json."""
    tokens = {
        "id_token": family.tokens.access,
        "access_token": family.tokens.access,
        "refresh_token": family.tokens.refresh,
        "account_id": family.account,
    }
    whole = {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": None,
        "tokens": tokens,
        "last_refresh": "2026-01-01T00:00:00Z",
    }
    return json.dumps({**whole, **fields}, indent=2)


async def imported(shunt: Program, name: str = "main") -> None:
    """Import what Codex has, and start."""
    shunt.configure([])
    done = await shunt.cli("add-account", name, "--provider", "codex", "--import")
    assert done.returncode == 0, done.stderr
    await shunt.start()


async def turn(shunt: Program, text: str = "hi") -> RawResponse:
    """One turn of Codex through shunt."""
    body = {"model": "gpt-5.5-codex", "stream": True, "store": False, "instructions": "x", "input": text}
    return await ask(shunt.port, b"POST", b"/v1/responses", JSON, json.dumps(body).encode())
