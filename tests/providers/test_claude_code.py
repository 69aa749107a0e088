"""The vendor's own program as a provider."""

from __future__ import annotations

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Verdict
from shunt.config.types import AccountConfig, EndpointsConfig
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.providers.accounts import account_from
from shunt.providers.base import Answer
from shunt.providers.claude_code import BUSY, LOCAL, PROVIDER, classify

ACCOUNT = Account("local", "claude-code", LOCAL, subscription=True)
INBOUND = Inbound(
    "req_1",
    "anthropic-messages",
    Operation.GENERATE,
    "POST",
    "/v1/messages",
    b"",
    (),
    b"",
    Outline("opus"),
    0.0,
)
OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'


def test_a_full_queue_blames_nobody() -> None:
    """Another account may serve; this one is not benched."""
    ours = classify(ACCOUNT, INBOUND, Answer(529, ((BUSY, b"queue"),), OVERLOADED), 0.0)
    theirs = classify(ACCOUNT, INBOUND, Answer(529, (), OVERLOADED), 0.0)
    assert (ours.verdict, theirs.verdict) == (Verdict.BUSY, Verdict.OVERLOADED)


def test_its_login_counts_as_a_subscription() -> None:
    """Unless a key is configured: then it is metered."""
    own = account_from(AccountConfig("a", "claude-code"), EndpointsConfig(), subscription=False)
    keyed = account_from(
        AccountConfig("a", "claude-code", api_key_env="KEY"), EndpointsConfig(), subscription=False
    )
    assert (own.subscription, keyed.subscription, own.base_url) == (True, False, LOCAL)


def test_only_answers_are_asked_of_it() -> None:
    """Tokens are counted elsewhere."""
    assert PROVIDER.carries("POST", "/v1/messages", api_key=False)
    assert not PROVIDER.carries("POST", "/v1/messages/count_tokens", api_key=False)
