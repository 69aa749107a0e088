"""What Anthropic says of a login."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.accounts.credential import Identity
from shunt.config.types import EndpointsConfig
from shunt.providers.anthropic_sign_in import SIGN_IN, read_profile


@pytest.mark.parametrize(
    ("account", "organization", "plan"),
    [
        ({"has_claude_max": True}, {"organization_type": "claude_max"}, "max"),
        ({"has_claude_pro": True}, {}, "pro"),
        ({}, {"organization_type": "claude_team"}, "team"),
        ({"has_claude_max": "yes"}, {"organization_type": "something_new"}, ""),
    ],
)
def test_a_profile_says_whose_login_it_is(
    account: dict[str, Any], organization: dict[str, Any], plan: str
) -> None:
    """Ids, e-mail and plan; a plan that is not known stays empty."""
    found = read_profile(
        {
            "account": {"uuid": "a-1", "email": "u@example.test", **account},
            "organization": {"uuid": "o-1", **organization},
        }
    )
    assert found == Identity("a-1", "o-1", "u@example.test", plan)


@pytest.mark.parametrize(
    "document", [{}, {"account": 7, "organization": []}, {"account": {"uuid": 7, "email": "x" * 999}}]
)
def test_a_profile_of_another_shape_says_nothing(document: dict[str, Any]) -> None:
    """What cannot be read is left out."""
    assert read_profile(document) == Identity()


def test_every_address_can_be_moved() -> None:
    """Revocation goes along with the token endpoint unless it is named itself."""
    moved = EndpointsConfig(
        anthropic_url="http://127.0.0.1:1",
        anthropic_token_url="http://127.0.0.1:2/v1/oauth/token",
        anthropic_authorize_url="http://127.0.0.1:3/a",
    )
    assert SIGN_IN.authorize(moved) == "http://127.0.0.1:3/a"
    assert SIGN_IN.revoke(moved) == "http://127.0.0.1:2/v1/oauth/revoke"
    assert (
        SIGN_IN.revoke(EndpointsConfig(anthropic_revoke_url="http://127.0.0.1:4/r")) == "http://127.0.0.1:4/r"
    )
    assert SIGN_IN.profile is not None
    assert SIGN_IN.profile(moved) == "http://127.0.0.1:1/api/oauth/profile"
