"""ChatGPT logins: how OpenAI lets a person allow one, in a browser or with a device code.

Addresses, scopes and shapes are those of the Codex CLI, whose public client id is used. Its browser login
may return to one port only, and a device code has to be allowed in the security settings of ChatGPT.
"""

from __future__ import annotations

from typing import Final

from shunt.config.types import EndpointsConfig
from shunt.providers.sign_in import DeviceCode, SignIn, beside


def _authorize(endpoints: EndpointsConfig) -> str:
    return endpoints.openai_authorize_url


def _revoke(endpoints: EndpointsConfig) -> str:
    return endpoints.openai_revoke_url or beside(endpoints.openai_token_url, "revoke")


def _start(endpoints: EndpointsConfig) -> str:
    return f"{endpoints.openai_device_url}/api/accounts/deviceauth/usercode"


def _poll(endpoints: EndpointsConfig) -> str:
    return f"{endpoints.openai_device_url}/api/accounts/deviceauth/token"


def _page(endpoints: EndpointsConfig) -> str:
    return f"{endpoints.openai_device_url}/codex/device"


def _redirect(endpoints: EndpointsConfig) -> str:
    return f"{endpoints.openai_device_url}/deviceauth/callback"


SIGN_IN: Final = SignIn(
    authorize=_authorize,
    revoke=_revoke,
    scopes=("openid", "profile", "email", "offline_access"),
    callback_path="/auth/callback",
    callback_port=1455,
    extra={"id_token_add_organizations": "true", "codex_cli_simplified_flow": "true", "originator": "shunt"},
    revoke_encoding="json",
    device=DeviceCode(_start, _poll, _page, _redirect),
)
