from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from attrs import evolve

from shunt.gateway.wording import Wording, refuses_model
from shunt.inference.inbound import Operation
from tests.gateway.rooms import account
from tests.gateway.stages import message


async def test_the_same_protocol_passes_byte_for_byte() -> None:
    """Where nothing has to be said differently, the very bytes go on."""
    inbound = message()
    rendition = await Wording(inbound, {}).for_account(account("a"))
    assert rendition.inbound is inbound
    assert (rendition.ask, rendition.dropped) == (None, ())


async def test_a_mapped_model_is_spliced_in() -> None:
    """Only the model's name changes; numbers, order and spelling of the rest stay."""
    inbound = evolve(message(), body=b'{ "temperature":1.0, "model":"claude-sonnet-5-5","messages":[] }')
    mappings = {"claude-sonnet-*": {"anthropic": "claude-haiku-5-5"}}
    rendition = await Wording(inbound, mappings).for_account(account("a"))
    assert rendition.inbound.body == b'{ "temperature":1.0, "model":"claude-haiku-5-5","messages":[] }'
    assert rendition.inbound.outline.model == "claude-haiku-5-5"


async def test_a_mapped_model_in_a_compressed_body_is_spliced_in_too() -> None:
    """The body is unfolded for that, and no longer called compressed."""
    plain = message()
    inbound = evolve(
        plain, body=gzip.compress(plain.body), headers=(*plain.headers, (b"Content-Encoding", b"gzip"))
    )
    mappings = {"*": {"anthropic": "claude-haiku-5-5"}}
    rendition = await Wording(inbound, mappings).for_account(account("a"))
    assert json.loads(rendition.inbound.body)["model"] == "claude-haiku-5-5"
    assert all(name.lower() != b"content-encoding" for name, _ in rendition.inbound.headers)


async def test_side_calls_are_never_reworded() -> None:
    """Lists, files and batches pass as they are, whatever the mapping says."""
    inbound = message(operation=Operation.BATCHES, path="/v1/messages/batches")
    rendition = await Wording(inbound, {"*": {"anthropic": "x"}}).for_account(account("a"))
    assert rendition.inbound is inbound


async def test_a_session_in_a_header_keeps_the_vendors_cache_and_session() -> None:
    """What a client says of its session only in headers still reaches another vendor, as its cache key."""
    inbound = evolve(message(), headers=((b"X-Session-Id", b"ses_1"),))
    codex = evolve(account("x"), provider="codex")
    rendition = await Wording(inbound, {}).for_account(codex)
    assert json.loads(rendition.inbound.body)["prompt_cache_key"] == "ses_1"
    assert rendition.inbound.outline.session == "ses_1"


async def test_a_conversation_without_a_session_gets_one_that_lasts() -> None:
    """Later turns of a conversation are the same session to the vendor; another conversation is another."""
    codex = evolve(account("x"), provider="codex")
    inbound = message("hi")
    keys = [
        json.loads((await Wording(each, {}).for_account(codex)).inbound.body)["prompt_cache_key"]
        for each in (inbound, evolve(inbound, id="req_other"), message("bye"))
    ]
    assert keys[0] == keys[1] != keys[2]


async def test_effort_and_speed_in_a_name_go_where_the_vendor_reads_them() -> None:
    """In the client's own protocol they are put into its body, in another into the translation."""
    body = json.dumps({**json.loads(message().body), "model": "claude-opus-5-5-high-fast"}).encode()
    inbound = evolve(
        message(), body=body, outline=evolve(message().outline, model="claude-opus-5-5-high-fast")
    )
    own = json.loads((await Wording(inbound, {}).for_account(account("a"))).inbound.body)
    assert (own["model"], own["output_config"], own["speed"]) == (
        "claude-opus-5-5",
        {"effort": "high"},
        "fast",
    )
    assert own["messages"] == json.loads(body)["messages"]
    codex = evolve(account("x"), provider="codex")

    async def sent(pattern: str, target: str) -> Any:
        rendition = await Wording(inbound, {pattern: {"codex": target}}).for_account(codex)
        return json.loads(rendition.inbound.body)

    other = await sent("claude-opus-5-5", "gpt-5.5")
    assert (other["model"], other["reasoning"]["effort"], other["service_tier"]) == (
        "gpt-5.5",
        "high",
        "priority",
    )
    whole = await sent("claude-opus-5-5-*", "gpt-5.5(low)")
    assert (whole["model"], whole["reasoning"]["effort"]) == ("gpt-5.5", "low")
    assert "service_tier" not in whole


async def test_a_model_the_owner_has_set_goes_out_in_place_of_any() -> None:
    """The client's body keeps all else, and its own name for the model stays known."""
    inbound = evolve(message(), model="claude-haiku-5-5")
    rendition = await Wording(inbound, {}).for_account(account("a"))
    assert json.loads(rendition.inbound.body)["model"] == "claude-haiku-5-5"
    assert inbound.outline.model == "claude-sonnet-5-5"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b'{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}', True),
        (
            404,
            b'{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","code":"model_not_found"}}',
            True,
        ),
        (404, b'{"error":{"message":"model \\"llama3\\" not found, try pulling it first"}}', True),
        (400, b'{"error":{"message":"foo/bar is not a valid model ID","code":400}}', True),
        (
            400,
            b'{"detail":"The \'gpt-9\' model is not supported when using Codex with a ChatGPT account."}',
            True,
        ),
        (400, b'{"error":{"message":"messages: too many"}}', False),
        (404, b'{"error":{"message":"no such path"}}', False),
        (500, b'{"error":{"message":"model not found"}}', False),
    ],
)
def test_a_model_that_an_upstream_does_not_have(status: int, body: bytes, expected: bool) -> None:
    """In the words of vendors, gateways and local servers."""
    assert refuses_model(status, body) is expected


async def test_betas_in_a_body_travel_as_a_header() -> None:
    """Beside those that the client's own header names."""
    body = json.dumps({**json.loads(message().body), "betas": ["x-2026", "y-2026"]}).encode()
    inbound = evolve(message(), body=body, headers=((b"anthropic-beta", b"y-2026,z-2026"),))
    rendition = await Wording(inbound, {}).for_account(account("a"))
    assert "betas" not in json.loads(rendition.inbound.body)
    assert rendition.inbound.headers == ((b"anthropic-beta", b"y-2026,z-2026,x-2026"),)


@pytest.mark.parametrize("spelling", [b'"betas" : []', b'"betas":[]'])
async def test_betas_are_found_however_they_are_written(spelling: bytes) -> None:
    """And taken out, since no vendor takes the field in a body."""
    inbound = evolve(message(), body=message().body.replace(b"{", b"{" + spelling + b",", 1))
    rendition = await Wording(inbound, {}).for_account(account("a"))
    assert "betas" not in json.loads(rendition.inbound.body)


async def test_a_body_that_speaks_of_betas_keeps_its_bytes() -> None:
    """A value of that name is none of ours."""
    inbound = evolve(message(), body=message().body.replace(b"{", b'{ "metadata":{"user_id":"betas"},', 1))
    rendition = await Wording(inbound, {}).for_account(account("a"))
    assert rendition.inbound.body == inbound.body


async def test_speed_in_a_name_needs_its_beta() -> None:
    """The vendor takes the field only from clients that name it."""
    body = json.dumps({**json.loads(message().body), "model": "claude-opus-5-5-fast"}).encode()
    inbound = evolve(message(), body=body, outline=evolve(message().outline, model="claude-opus-5-5-fast"))
    rendition = await Wording(inbound, {}).for_account(account("a"))
    assert dict(rendition.inbound.headers)[b"anthropic-beta"].startswith(b"fast-mode-")
