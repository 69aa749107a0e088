"""Whose a ChatGPT login is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.credential import Identity
from shunt.accounts.secret import Secret
from shunt.providers.codex_login import account_of, expiry_of, identity_of
from tests.providers.requests import LOGIN

AUTH = "https://api.openai.com/auth"


def token(**claims: Any) -> str:
    def piece(document: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    return f"{piece({'alg': 'none'})}.{piece(claims)}.c2ln"


def test_the_account_is_the_one_that_limits_are_kept_for() -> None:
    """With the plan and, for people, the address."""
    said = token(
        email="a@example.test", **{AUTH: {"chatgpt_account_id": "acct-1", "chatgpt_plan_type": "plus"}}
    )
    assert identity_of(said) == Identity("acct-1", "", "a@example.test", "plus")


def test_the_first_token_that_says_a_thing_counts() -> None:
    """The access token holds no address, the other may lack the account."""
    access = token(**{AUTH: {"chatgpt_account_id": "acct-1"}})
    profile = token(**{"https://api.openai.com/profile": {"email": "b@example.test"}})
    assert identity_of(access, profile) == Identity("acct-1", "", "b@example.test", "")


@pytest.mark.parametrize(
    "said", ["", "x", "a.b", "a.!!!.c", token().replace(".", "_"), "a." + "A" * 20_000 + ".c"]
)
def test_what_is_no_token_says_nothing(said: str) -> None:
    """It may still work: the vendor decides."""
    assert identity_of(said) == Identity()
    assert expiry_of(said) is None


def test_when_a_token_ends() -> None:
    """As it says itself."""
    assert expiry_of(token(exp=1_800_000_000)) == 1_800_000_000
    assert expiry_of(token(exp=True)) is None


def test_the_id_to_send() -> None:
    """What was stored counts, then what the tokens say; never what a header may not hold."""
    said = Secret(token(**{AUTH: {"chatgpt_account_id": "acct-2"}}))
    assert account_of(evolve(LOGIN, identity=Identity("acct-1"), id_token=said)) == "acct-1"
    assert account_of(evolve(LOGIN, id_token=said)) == "acct-2"
    assert account_of(evolve(LOGIN, access=said)) == "acct-2"
    assert account_of(evolve(LOGIN, identity=Identity("a\nb"))) == ""
    assert account_of(LOGIN) == ""


@given(st.text(max_size=60))
def test_any_text_is_survived(said: str) -> None:
    """Tokens are a stranger's words."""
    assert identity_of(said, f"a.{said}.c") is not None
