"""From a client's request to the call that goes out: the only place where a credential meets a URL.

The body is never touched. Of the client's headers everything goes on that speaks about the request, in
its order and spelling; what speaks about the client, its credentials or its way here stays behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from shunt.accounts.account import Account
from shunt.accounts.credential import ApiKey, Credential
from shunt.errors import InvalidRequest, NotFound, NotOffered
from shunt.inference.inbound import Inbound, Operation
from shunt.providers.base import Provider, UpstreamCall
from shunt.wire.headers import Headers, end_to_end, replaced, without

_FRAMING: Final = frozenset({b"content-length", b"host", b"expect"})
"""Written anew for the next hop."""
_CREDENTIALS: Final = frozenset(
    {b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie", b"cookie2"}
)
"""The client's keys open shunt, and nothing else."""
_TRACES: Final = frozenset(
    {
        b"origin",
        b"referer",
        b"forwarded",
        b"via",
        b"remote-addr",
        b"x-real-ip",
        b"x-client-ip",
        b"true-client-ip",
        b"cdn-loop",
    }
)
_TRACE_PREFIXES: Final = (b"x-shunt-", b"x-forwarded-", b"sec-", b"cf-", b"access-control-")
"""Of browsers, proxies and tunnels on the way here; some hold the client's address."""

_READ_ALONG: Final = frozenset({Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT})
"""Calls whose answers shunt has to read: an error as the first event, usage, where a stream broke."""

_BAD_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_TARGET: Final = re.compile(r"[^!-~]|[\\#]")
_BAD_PATH: Final = re.compile(r"//|/\.{1,2}(?:/|$)|%(?:2[ef5]|5c|[01][0-9a-f]|7f)", re.IGNORECASE)


def build_call(
    account: Account, provider: Provider, credential: Credential, inbound: Inbound
) -> UpstreamCall:
    """Turn a request into the call that `account` makes for it.

    Raises:
        NotFound: the call is not on the provider's allow-list.
        NotOffered: only API keys may make it, and this account is a login.
        InvalidRequest: path, query or a header could mean something else to the upstream.
        CredentialError: the credential cannot be written into a header.
    """
    route = provider.route_for(inbound.method, inbound.path)
    if route is None:
        raise NotFound(f"{provider.title} has no {inbound.method} {inbound.path} that shunt passes on.")
    if route.api_key_only and not isinstance(credential, ApiKey):
        raise NotOffered(f"{inbound.path} needs an account with an API key; {account.name} is a login.")
    origin, base = split_url(account.base_url)
    headers = _travelling(inbound)
    if provider.complete is not None:
        headers = provider.complete(account, inbound, headers)
    return UpstreamCall(
        account=account.name,
        method=inbound.method,
        origin=origin,
        target=_target(provider, base, inbound),
        headers=provider.authenticate(_with(headers, account.headers), credential),
        body=inbound.body,
        proxy=account.proxy,
    )


def split_url(url: str) -> tuple[str, str]:
    """(`scheme://host[:port]`, path without a trailing slash) of an account's base URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def is_field(name: bytes, value: bytes) -> bool:
    """Whether this may be written as a header line: no byte in it could end the line or the text."""
    return bool(_NAME.fullmatch(name)) and not _BAD_VALUE.search(value)


def _target(provider: Provider, base: str, inbound: Inbound) -> bytes:
    """Path and query as they go on the wire. Refuses what servers read in more than one way."""
    query = inbound.query.decode("latin-1")
    if not inbound.path.startswith("/") or _BAD_TARGET.search(inbound.path) or _BAD_PATH.search(inbound.path):
        raise InvalidRequest(
            "The path holds dots, slashes or characters that servers read in different ways."
        )
    if _BAD_TARGET.search(query):
        raise InvalidRequest("The query holds characters that must be percent-encoded.")
    path = provider.path_for(base, inbound.path).encode("ascii")
    return path + b"?" + inbound.query if inbound.query else path


def _travelling(inbound: Inbound) -> Headers:
    """The client's headers that go on to the upstream."""
    drop = _FRAMING | _CREDENTIALS | _TRACES
    headers = tuple(
        pair
        for pair in without(end_to_end(inbound.headers), drop)
        if not pair[0].lower().startswith(_TRACE_PREFIXES)
    )
    for name, value in headers:
        if not is_field(name, value):
            shown = name.decode("ascii", "backslashreplace")
            raise InvalidRequest(f"The header {shown!r} holds characters that no header may hold.")
    if inbound.operation in _READ_ALONG:
        # The client sits on the same machine: compression would only keep shunt from reading along.
        headers = replaced(headers, b"accept-encoding", b"identity")
    return headers


def _with(headers: Headers, extra: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Let an account's own headers replace the client's of the same name."""
    own = tuple(extra)
    return (*without(headers, (name.lower() for name, _ in own)), *own)
