"""A vendor at which a person allows a login: page, code with PKCE, device code, profile, revocation.

    authority = Authority()
    async with scripted_upstream(authority) as up:
        environ |= authority.environ(up.url)

Codes work once; showing one again ends what it was exchanged for, as vendors do. Renewals are the issuer's.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import define, field, frozen

from tests.fakes.anthropic import json_answer
from tests.fakes.issuer import ORGANIZATION, TOKEN_PATH, Issuer, refusal
from tests.fakes.upstream import Answer, Request

CHATGPT_CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
SHOWN_AT = "https://platform.claude.com/oauth/code/callback"
"""The redirect with which the code is shown to be copied."""


@frozen
class Asked:
    """What a code was given for."""

    challenge: str
    redirect: str
    client: str


@define(eq=False)
class Authority:
    """Everything a login needs; give it to a script."""

    issuer: Issuer = field(factory=Issuer)
    person: str = "fresh"
    """Name of the next grant; its account's id follows from it."""
    codes: dict[str, Asked] = field(factory=dict)
    used: dict[str, str] = field(factory=dict)
    """Code → name of the grant it was exchanged for."""
    verifiers: list[str] = field(factory=list)
    device_answers: deque[Answer] = field(factory=deque)
    """Answers to the next polls; afterwards the code counts as typed."""
    polls: list[float] = field(factory=list)
    """Trio's clock at each poll."""
    revoked: list[dict[str, Any]] = field(factory=list)
    revocation: Callable[[], Answer] = field(default=lambda: json_answer({}))
    workspace: str = ""
    """Account id of a ChatGPT login; empty makes one of the person's name."""

    def environ(self, url: str) -> dict[str, str]:
        """Move both vendors here."""
        return {
            "SHUNT_ANTHROPIC_URL": url,
            "SHUNT_CHATGPT_URL": f"{url}/backend-api/codex",
            "SHUNT_ANTHROPIC_TOKEN_URL": f"{url}{TOKEN_PATH}",
            "SHUNT_OPENAI_TOKEN_URL": f"{url}/oauth/token",
            "SHUNT_ANTHROPIC_AUTHORIZE_URL": f"{url}/oauth/authorize",
            "SHUNT_OPENAI_AUTHORIZE_URL": f"{url}/oauth/authorize",
            "SHUNT_OPENAI_DEVICE_URL": url,
        }

    @property
    def secrets(self) -> list[str]:
        """Everything that must not be seen anywhere."""
        tokens = [
            token
            for family in self.issuer.families.values()
            for generation in range(1, family.generation + 1)
            for token in (family.at(generation).access, family.at(generation).refresh)
        ]
        return [*self.codes, *self.verifiers, *tokens]

    def __call__(self, request: Request, n: int) -> Answer:
        """Answer one request."""
        path = urlsplit(request.target.decode()).path
        table: dict[str, Callable[[Request], Answer]] = {
            "/oauth/authorize": self.page,
            "/oauth/decide": self.decide,
            "/api/oauth/profile": self.profile,
            "/v1/oauth/revoke": self.revoke,
            "/oauth/revoke": self.revoke,
            "/api/accounts/deviceauth/usercode": self.usercode,
            "/api/accounts/deviceauth/token": self.poll,
        }
        if path in (TOKEN_PATH, "/oauth/token"):
            fields = fields_of(request)
            if fields.get("grant_type") == "authorization_code":
                return self.exchange(fields)
            return self.issuer(request, n)
        return table[path](request) if path in table else Answer(404)

    def page(self, request: Request) -> Answer:
        """The page on which a person allows or declines."""
        query = dict(parse_qsl(urlsplit(request.target.decode()).query))
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert len(query["state"]) >= 43
        links = "".join(
            f"<a id={verb} href='/oauth/decide?{html.escape(urlencode({**query, 'verdict': verb}))}'>{verb}</a> "
            for verb in ("allow", "decline")
        )
        return web_page(f"<h1>Allow shunt?</h1>{links}")

    def allowed(self, query: dict[str, str]) -> str:
        """Give a code, as if the person had clicked."""
        code = f"code-canary-{len(self.codes) + 1}-{query['state'][:6]}"
        self.codes[code] = Asked(query["code_challenge"], query["redirect_uri"], query["client_id"])
        return code

    def decide(self, request: Request) -> Answer:
        """The person has clicked."""
        query = dict(parse_qsl(urlsplit(request.target.decode()).query))
        if query["verdict"] == "decline":
            told = {"error": "access_denied", "error_description": "<b>no</b>", "state": query["state"]}
        else:
            code = self.allowed(query)
            if query["redirect_uri"] == SHOWN_AT:
                return web_page(f"<pre id=code>{code}#{html.escape(query['state'])}</pre>")
            told = {"code": code, "state": query["state"]}
        return Answer(302, ((b"Location", f"{query['redirect_uri']}?{urlencode(told)}".encode()),))

    def exchange(self, fields: dict[str, Any]) -> Answer:
        """Exchange a code for a login."""
        code, verifier = fields.get("code", ""), fields.get("code_verifier", "")
        if code in self.used:
            self.issuer.revoke(self.used[code])
            return refusal()
        asked = self.codes.get(code)
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if asked is None or (asked.challenge, asked.redirect, asked.client) != (
            digest,
            fields.get("redirect_uri"),
            fields.get("client_id"),
        ):
            return refusal()
        self.verifiers.append(verifier)
        name = f"{self.person}-{len(self.issuer.families) + 1}"
        tokens = self.issuer.grant(name, self.account)
        self.used[code] = name
        document = {"access_token": tokens.access, "refresh_token": tokens.refresh, "expires_in": 28_800}
        if asked.client == CHATGPT_CLIENT:
            document["id_token"] = self.id_token()
        else:
            document["scope"] = "user:inference user:profile"
            document["account"] = {"uuid": self.account, "email_address": f"{self.person}@example.test"}
            document["organization"] = {"uuid": ORGANIZATION, "name": "test"}
        return json_answer(document)

    @property
    def account(self) -> str:
        """Id of the person's account."""
        return (
            self.workspace
            or f"11111111-aaaa-bbbb-cccc-{int(hashlib.sha256(self.person.encode()).hexdigest()[:9], 16):012d}"
        )

    def id_token(self) -> str:
        """A JSON Web Token as OpenAI's."""
        claims = {
            "email": f"{self.person}@example.test",
            "https://api.openai.com/auth": {"chatgpt_account_id": self.account, "chatgpt_plan_type": "plus"},
        }
        parts = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in ({"alg": "none"}, claims)
        )
        return b".".join((*parts, b"c2ln")).decode()

    def profile(self, request: Request) -> Answer:
        """Whose a Claude login is."""
        if not self.issuer.accepts(request.key):
            return json_answer({"error": {"type": "authentication_error"}}, 401)
        return json_answer(
            {
                "account": {
                    "uuid": self.account,
                    "email": f"{self.person}@example.test",
                    "has_claude_max": True,
                },
                "organization": {"uuid": ORGANIZATION, "organization_type": "claude_max"},
            }
        )

    def usercode(self, request: Request) -> Answer:
        """Begin a login by device code."""
        assert fields_of(request)["client_id"] == CHATGPT_CLIENT
        return json_answer({"device_auth_id": "device-canary-1", "user_code": "ABCD-1234", "interval": "1"})

    def poll(self, request: Request) -> Answer:
        """Whether the code has been typed."""
        self.polls.append(request.arrived)
        fields = fields_of(request)
        assert (fields["device_auth_id"], fields["user_code"]) == ("device-canary-1", "ABCD-1234")
        if self.device_answers:
            return self.device_answers.popleft()
        verifier = "verifier-canary-made-by-the-vendor-for-a-device-code"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        code = f"code-canary-device-{len(self.codes) + 1}"
        self.codes[code] = Asked(challenge, self.device_redirect(request), CHATGPT_CLIENT)
        return json_answer(
            {
                "authorization_code": code,
                "code_verifier": verifier,
                "code_challenge": challenge,
            }
        )

    @staticmethod
    def device_redirect(request: Request) -> str:
        """The redirect named in the exchange of a device code."""
        return f"http://{(request.get(b'host') or b'').decode()}/deviceauth/callback"

    def revoke(self, request: Request) -> Answer:
        """End a grant."""
        answer = self.revocation()
        fields = fields_of(request)
        self.revoked.append({**fields, "path": request.path})
        if answer.status == 200:
            for family in self.issuer.families.values():
                if fields["token"] in (family.tokens.refresh, family.tokens.access):
                    family.revoked = True
        return answer


def fields_of(request: Request) -> dict[str, Any]:
    """The fields of a form or of JSON."""
    if (request.get(b"content-type") or b"").startswith(b"application/json"):
        found: dict[str, Any] = json.loads(request.body)
        return found
    return dict(parse_qsl(request.body.decode()))


def web_page(body: str) -> Answer:
    """A page for a browser."""
    return Answer(
        200, ((b"Content-Type", b"text/html; charset=utf-8"),), (f"<!doctype html>{body}".encode(),)
    )
