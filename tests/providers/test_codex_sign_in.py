"""What OpenAI expects of a login."""

from __future__ import annotations

from shunt.config.types import EndpointsConfig
from shunt.providers.codex_sign_in import SIGN_IN


def test_every_address_can_be_moved() -> None:
    """The page, the device code's three addresses and the revocation."""
    moved = EndpointsConfig(
        openai_authorize_url="http://127.0.0.1:1/a",
        openai_device_url="http://127.0.0.1:2",
        openai_token_url="http://127.0.0.1:3/oauth/token",
    )
    device = SIGN_IN.device
    assert device is not None
    assert SIGN_IN.authorize(moved) == "http://127.0.0.1:1/a"
    assert SIGN_IN.revoke(moved) == "http://127.0.0.1:3/oauth/revoke"
    assert SIGN_IN.revoke(EndpointsConfig(openai_revoke_url="http://127.0.0.1:4/r")) == "http://127.0.0.1:4/r"
    assert device.start(moved) == "http://127.0.0.1:2/api/accounts/deviceauth/usercode"
    assert device.poll(moved) == "http://127.0.0.1:2/api/accounts/deviceauth/token"
    assert device.page(moved) == "http://127.0.0.1:2/codex/device"
    assert device.redirect(moved) == "http://127.0.0.1:2/deviceauth/callback"
