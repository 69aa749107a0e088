"""Asking a vendor how much of an account is spent: the free usage endpoint, or a one-token probe."""

from __future__ import annotations

import logging
from typing import Final
from uuid import uuid4

import trio
from attrs import evolve

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential
from shunt.errors import ShuntError, UpstreamTimeout
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.limits.windows import Source
from shunt.providers import provider_named
from shunt.providers.base import Probe, Provider
from shunt.providers.build import build_call
from shunt.watchers.parts import Parts
from shunt.wire.headers import Headers

log = logging.getLogger(__name__)

ANSWER: Final = 64 * 1024
"""Bytes of a probe's answer that are read, so that its connection can be kept."""
ANSWER_WITHIN: Final = 10.0
"""Seconds."""


async def ask_usage(parts: Parts, name: str) -> bool:
    """Learn an account's windows from the free usage endpoint; whether anything was learnt.

    False also for accounts that have no such endpoint, and while the endpoint wants its peace. A
    failure says nothing about the account: it is logged and nothing else.
    """
    account, credential = parts.pool.accounts.get(name), parts.custody.credential(name)
    if account is None or credential is None:
        return False
    try:
        windows = await parts.fetch_usage(account, provider_named(account.provider), credential)
    except ShuntError as error:
        log.info("the usage of %s could not be asked for: %s", name, error)
        return False
    parts.pool.learned(name, windows)
    return bool(windows)


async def probe(parts: Parts, name: str) -> bool:
    """Learn an account's windows from a request for one token; whether anything was learnt.

    Like `ask_usage`, without consequences for the account when it fails.
    """
    account, credential = parts.pool.accounts.get(name), parts.custody.credential(name)
    if account is None or credential is None:
        return False
    provider = provider_named(account.provider)
    if provider.probe is None:
        return False
    try:
        headers = await _send(parts, account, provider, credential, provider.probe)
    except ShuntError as error:
        log.info("the probe of %s failed: %s", name, error)
        return False
    windows = provider.parse_limits(headers, parts.now())
    parts.pool.learned(name, (evolve(window, source=Source.PROBE) for window in windows))
    return bool(windows)


async def _send(
    parts: Parts, account: Account, provider: Provider, credential: Credential, small: Probe
) -> Headers:
    inbound = Inbound(
        id=f"req_probe_{uuid4().hex[:12]}",
        protocol=provider.protocol,
        operation=Operation.GENERATE,
        method="POST",
        path=small.path,
        query=b"",
        headers=small.headers,
        body=small.body,
        outline=Outline(),
        arrived_at=parts.now(),
    )
    with trio.move_on_after(ANSWER_WITHIN):
        reply = await parts.send(build_call(account, provider, credential, inbound))
        await reply.read(ANSWER, ANSWER_WITHIN)
        return reply.headers
    msg = f"no answer within {ANSWER_WITHIN:g} s"
    raise UpstreamTimeout(msg)
