from __future__ import annotations

import gzip
import json

from attrs import evolve

from shunt.gateway.wording import Wording
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
