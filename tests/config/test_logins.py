"""`[logins]`: what takes the place of a vendor's own."""

from __future__ import annotations

import pytest

from shunt.config.logins import LoginOverrides, LoginsConfig
from shunt.config.misread import Misread
from shunt.config.types import keys_of
from shunt.providers import provider_named


def test_nothing_configured_leaves_the_vendors_own() -> None:
    """The public client ids, scopes and redirects."""
    assert LoginsConfig().anthropic == LoginsConfig().openai == LoginOverrides()
    kind = provider_named("anthropic").login
    assert kind is not None
    assert kind.configured(LoginsConfig()) == kind


def test_a_gateway_may_have_a_client_of_its_own() -> None:
    """Each vendor's are set apart, and used for renewals as well as for logins."""
    logins = LoginsConfig(
        anthropic_client_id="mine",
        anthropic_scopes=("a", "b"),
        anthropic_redirect="https://g.test/code",
        openai_client_id="yours",
    )
    claude, chatgpt = (provider_named(name).login for name in ("anthropic", "codex"))
    assert claude is not None
    assert chatgpt is not None
    claude, chatgpt = claude.configured(logins), chatgpt.configured(logins)
    assert (claude.client_id, chatgpt.client_id) == ("mine", "yours")
    assert claude.sign_in is not None
    assert claude.sign_in.scopes == ("a", "b")
    assert claude.sign_in.pasted_redirect == "https://g.test/code"
    assert chatgpt.sign_in is not None
    assert "openid" in chatgpt.sign_in.scopes


@pytest.mark.parametrize("written", ["a b", "a\n", "ä", "x" * 201])
def test_a_client_id_is_one_word(written: str) -> None:
    """Anything else was not meant as one."""
    with pytest.raises(Misread):
        keys_of(LoginsConfig)["anthropic_client_id"].reader.read(written)
