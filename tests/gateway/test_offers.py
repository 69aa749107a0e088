"""Lists of models: kept, asked for and read."""

from __future__ import annotations

import json

import pytest
import trio
from attrs import evolve

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import UpstreamUnexpected
from shunt.gateway.attempt import Attempt, Body
from shunt.gateway.offers import REMEMBERED, Offers, list_call, read_list, shelf_of
from shunt.wire.headers import get
from tests.gateway.rooms import account
from tests.gateway.stages import message


def answered(document: object, verdict: Verdict = Verdict.SERVED) -> Attempt:
    body = Body((json.dumps(document).encode(),), None, None)
    return Attempt(Outcome("a", verdict, 0.0), 200, (), body)


def test_a_list_is_fresh_for_five_minutes_and_known_for_longer() -> None:
    """Names from a stale list still say how the upstream spells a model."""
    now = [100.0]
    offers = Offers(lambda: now[0])
    here = account("a")
    assert (offers.fresh(shelf_of(here)), offers.names(here)) == (False, ())
    offers.keep(shelf_of(here), [{"id": "m"}])
    assert (offers.fresh(shelf_of(here)), offers.names(here)) == (True, ("m",))
    now[0] += REMEMBERED
    assert (offers.fresh(shelf_of(here)), offers.names(here)) == (False, ("m",))
    assert offers.names(evolve(here, base_url="http://127.0.0.1:1")) == ()


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"data": [{"id": "a"}, {"id": ""}, 3, {"id": "b"}]}, ["a", "b"]),
        ({"models": [{"slug": "gpt-5.5", "context_window": 9}]}, ["gpt-5.5"]),
        ({"models": [{"name": "llama3:latest"}]}, ["llama3:latest"]),
        ({"data": []}, []),
    ],
)
async def test_lists_come_in_several_shapes(document: object, names: list[str]) -> None:
    """Both vendors', the ChatGPT backend's, and those of servers that name models otherwise."""
    assert [entry["id"] for entry in await read_list(answered(document))] == names


@pytest.mark.parametrize("attempt", [answered({"error": "no"}), answered({"data": []}, Verdict.REFUSED)])
async def test_what_is_no_list_is_told(attempt: Attempt) -> None:
    """A refusal or another document is an error, not an empty list."""
    with pytest.raises(UpstreamUnexpected):
        await read_list(attempt)


async def test_each_upstream_is_asked_in_its_own_way() -> None:
    """A client's body and one vendor's headers do not travel to another's list."""
    await trio.lowlevel.checkpoint()
    asking = evolve(message(), query=b"beta=true")
    own, chat, codex = (list_call(asking, name) for name in ("anthropic", "ollama", "codex"))
    assert (own.method, own.path, own.query, own.body) == ("GET", "/v1/models", b"limit=1000", b"")
    assert get(own.headers, b"anthropic-version") is not None
    assert (chat.query, get(chat.headers, b"anthropic-version"), get(chat.headers, b"content-type")) == (
        b"",
        None,
        None,
    )
    assert codex.query.startswith(b"client_version=")
    assert list_call(evolve(asking, query=b"client_version=9"), "codex").query == b"client_version=9"
