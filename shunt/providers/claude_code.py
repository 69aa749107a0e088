"""The vendor's own program on this machine, with its own login."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.config.types import EndpointsConfig
from shunt.inference.inbound import Inbound
from shunt.limits.headers import parse_anthropic
from shunt.models.families import family_of
from shunt.providers import anthropic_answers
from shunt.providers.anthropic_headers import authenticate
from shunt.providers.base import Answer, Provider, Route
from shunt.wire.headers import get

LOCAL: Final = "local://claude-code"
"""Stands where others have an address; an `upstream_url` is where the program finds its vendor."""
BUSY: Final = b"x-shunt-busy"
"""Header of answers by our own queue in front of the program."""


def _default_url(_: EndpointsConfig) -> str:
    return LOCAL


def classify(account: Account, inbound: Inbound, answer: Answer, now: float) -> Outcome:
    """As of the vendor's own answers; a full queue says nothing about the account."""
    outcome = anthropic_answers.classify(account, inbound, answer, now)
    if get(answer.headers, BUSY) is not None:
        return evolve(outcome, verdict=Verdict.BUSY, reason="all of its processes are busy")
    return outcome


PROVIDER: Final = Provider(
    name="claude-code",
    title="Claude Code on this machine",
    family="anthropic",
    maker="anthropic",
    protocol="anthropic-messages",
    default_url=_default_url,
    key_env="",
    routes=(Route("POST", "/v1/messages"),),
    authenticate=authenticate,
    classify=classify,
    parse_limits=parse_anthropic,
    model_family=family_of,
    key_optional=True,
    own_login=True,
)
