"""A vendor that repeats the key it was sent tells it to us alone."""

from __future__ import annotations

import pytest

from tests.fakes import anthropic
from tests.fakes.upstream import Answer, Request
from tests.gateway.stages import stage


def key_of(request: Request) -> bytes:
    return next(value for name, value in request.headers if name.lower() == b"x-api-key")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 529, 302, 200])
async def test_an_echoed_key_reaches_nobody(status: int) -> None:
    """Neither in the vendor's words, passed on or quoted, nor in its headers; the rest stays."""
    sent: list[bytes] = []

    def echo(request: Request, _: int) -> Answer:
        sent.append(key_of(request))
        document = anthropic.error_document("invalid_request_error", f"bad key {sent[-1].decode()} tail")
        headers = ((b"request-id", sent[-1]), (b"anthropic-x", b"kept"))
        return anthropic.json_answer(document, status, headers)

    async with stage(echo, "an-account") as s:
        answered = await s.ask()
        assert len(sent[0]) >= 12
        assert sent[0] not in answered.body
        assert all(sent[0] not in value for _, value in answered.delivery.headers)
        assert b"bad key [hidden] tail" in answered.body
        assert answered.json["error"]["message"]
        assert sent[0].decode() not in repr(s.records[0])


async def test_an_answer_passes_untouched() -> None:
    """A model may say what it likes."""

    def echo(request: Request, _: int) -> Answer:
        return anthropic.plain(key_of(request).decode())

    async with stage(echo, "an-account") as s:
        answered = await s.ask()
        assert key_of(s.up.requests[0]) in answered.body
