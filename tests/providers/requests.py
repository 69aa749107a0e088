"""Requests and accounts for the tests of this room."""

from __future__ import annotations

from typing import Any

from shunt.accounts.account import Account
from shunt.accounts.credential import ApiKey, Login
from shunt.accounts.secret import Secret
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.wire.headers import Headers

KEY = ApiKey(Secret("sk-test-key"))
LOGIN = Login(access=Secret("sk-test-access"), refresh=Secret("sk-test-refresh"), expires_at=None)
T0 = 1_800_000_000.0


def account(**changes: Any) -> Account:
    fields: dict[str, Any] = {
        "name": "main",
        "provider": "anthropic",
        "base_url": "https://api.anthropic.com",
        "subscription": False,
    }
    return Account(**fields | changes)


def inbound(**changes: Any) -> Inbound:
    fields: dict[str, Any] = {
        "id": "req_1",
        "protocol": "anthropic-messages",
        "operation": Operation.GENERATE,
        "method": "POST",
        "path": "/v1/messages",
        "query": b"",
        "headers": ((b"anthropic-version", b"2023-06-01"),),
        "body": b'{ "model":"claude-opus-5-5" }',
        "outline": Outline(model="claude-opus-5-5"),
        "arrived_at": T0,
    }
    return Inbound(**fields | changes)


def lookup(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]
