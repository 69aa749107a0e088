from __future__ import annotations

import json
from typing import Any

from attrs import evolve

from shunt.accounts.account import Account
from shunt.inference.inbound import Inbound, Operation, Outline
from tests.fakes import anthropic
from tests.gateway.rooms import account
from tests.gateway.stages import Stage, message, read, stage

NAMES = ("claude-opus-5-5", "claude-haiku-5-5")


def asking(protocol: str = "anthropic-messages", **fields: Any) -> Inbound:
    inbound = evolve(
        message(), method="GET", path="/v1/models", operation=Operation.PASS, body=b"", outline=Outline()
    )
    return evolve(inbound, protocol=protocol, **fields)


async def listed(s: Stage, inbound: Inbound, name: str = "") -> tuple[int, Any]:
    async with s.asking(message(wanted_account="nobody")) as (_, lifetime):
        answered = await read(await s.gateway.models(inbound, lifetime, name))
        return answered.status, json.loads(answered.body)


async def test_a_claude_client_gets_the_vendors_entries() -> None:
    """The list of the vendor is passed on entry by entry, in the shape its clients page through."""
    async with stage([anthropic.models(*NAMES)], "a") as s:
        status, document = await listed(s, asking())
        assert status == 200
        assert [entry["id"] for entry in document["data"]] == list(NAMES)
        assert all(entry["type"] == "model" for entry in document["data"])
        assert (document["has_more"], document["first_id"], document["last_id"]) == (False, *NAMES)


async def test_an_openai_client_gets_the_same_models_in_its_own_shape() -> None:
    """Without anthropic-version the entries are OpenAI's, with the context size where it is known."""
    async with stage([anthropic.models(*NAMES)], "a") as s:
        _, document = await listed(s, asking("openai-chat"))
        assert document["object"] == "list"
        assert [entry["object"] for entry in document["data"]] == ["model", "model"]
        assert all(isinstance(entry["created"], int) for entry in document["data"])


async def test_each_vendor_is_asked_once() -> None:
    """Two accounts of one vendor see one list, and it is remembered for a while."""
    async with stage([anthropic.models(*NAMES)], "a", "b") as s:
        await listed(s, asking())
        await listed(s, asking())
        assert len(s.up.requests) == 1


async def test_what_no_account_may_serve_is_not_offered() -> None:
    """An allow-list of the owner narrows the list."""

    def haiku_only(name: str, url: str) -> Account:
        return account(name, url, models=("claude-haiku-*",))

    async with stage([anthropic.models(*NAMES)], "a", build=haiku_only) as s:
        _, document = await listed(s, asking())
        assert [entry["id"] for entry in document["data"]] == ["claude-haiku-5-5"]


async def test_one_model_is_found_or_a_404() -> None:
    """GET /v1/models/{id} answers from the same list."""
    async with stage([anthropic.models(*NAMES)], "a") as s:
        assert (await listed(s, asking(), NAMES[0]))[1]["id"] == NAMES[0]
        status, document = await listed(s, asking(), "gpt-9")
        assert (status, document["error"]["type"]) == (404, "not_found_error")


async def test_a_vendor_that_cannot_be_asked_is_known_well_enough() -> None:
    """When the vendor's list fails, the known models of that vendor are listed."""
    async with stage(lambda *_: anthropic.server_error(), "a") as s:
        status, document = await listed(s, asking())
        assert status == 200
        assert document["data"]


async def test_of_a_server_that_cannot_be_asked_its_owner_s_names_are_known() -> None:
    """The names on the account's own list; with none of them the vendor's error is told, and nothing is made up."""
    for models, names, wanted in (
        (("qwen3-coder", "llama-*"), ["qwen3-coder"], 200),
        ((), [], 502),
    ):

        def server(name: str, url: str, models: tuple[str, ...] = models) -> Account:
            return evolve(account(name, url, models=models), provider="openai-compatible")

        async with stage(lambda *_: anthropic.server_error(), "a", build=server) as s:
            status, document = await listed(s, asking("openai-chat"))
            assert (status, [entry["id"] for entry in document.get("data", [])]) == (wanted, names)


async def test_a_local_program_is_asked_nothing() -> None:
    """It has no list of its own; what its vendor offers is known."""

    def local(name: str, url: str) -> Account:
        return evolve(account(name, url), provider="claude-code")

    async with stage([], "a", build=local) as s:
        status, document = await listed(s, asking())
        assert status == 200
        assert "claude-opus-5-5" in [entry["id"] for entry in document["data"]]
        assert s.up.requests == []


async def test_without_accounts_the_cure_is_told() -> None:
    """An empty pool has no models, and says how to add an account."""
    async with stage([]) as s:
        status, document = await listed(s, asking())
        assert status == 503
        assert "add-account" in document["error"]["message"]


async def test_sizes_are_told_where_they_are_known() -> None:
    """In each protocol's own field, beside whatever the vendor said itself."""
    async with stage([anthropic.models(*NAMES)], "a") as s:
        _, claude = await listed(s, asking())
        _, chat = await listed(s, asking("openai-chat"))
    assert claude["data"][0]["max_input_tokens"] == chat["data"][0]["context_length"] == 1_000_000
    assert claude["data"][0]["max_tokens"] == 128_000


async def test_codex_finds_the_models_where_it_looks() -> None:
    """It tells its version and reads `models`, in the ChatGPT backend's own entries."""
    entry = {"slug": "gpt-5.5", "display_name": "GPT-5.5", "context_window": 272_000}
    models = anthropic.json_answer({"models": [entry]})

    def backend(name: str, url: str) -> Account:
        return evolve(account(name, url), provider="codex")

    async with stage([models], "a", build=backend) as s:
        _, document = await listed(s, asking("openai-responses", query=b"client_version=0.169.0"))
        assert s.up.requests[0].target.endswith(b"?client_version=0.169.0")
        (told,) = document["models"]
        assert (told["slug"], told["id"], told["context_length"]) == ("gpt-5.5", "gpt-5.5", 272_000)
        _, plain = await listed(s, asking("openai-chat"))
        assert "models" not in plain
        assert plain["data"][0]["id"] == "gpt-5.5"
