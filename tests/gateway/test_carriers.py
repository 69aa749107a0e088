from __future__ import annotations

import pytest
from attrs import evolve

from shunt.accounts.account import Account
from shunt.gateway.carriers import Carriers
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.routing.view import Tuning
from tests.gateway.rooms import account, pool_of


def at() -> float:
    return 1_800_000_000.0


def message_at() -> Inbound:
    return Inbound(
        id="req_1",
        protocol="anthropic-messages",
        operation=Operation.GENERATE,
        method="POST",
        path="/v1/messages",
        query=b"",
        headers=(),
        body=b"{}",
        outline=Outline(model="claude-sonnet-5-5"),
        arrived_at=at(),
    )


def test_only_accounts_of_the_protocol_and_route_carry_a_call() -> None:
    """An answer may come from any account, in other words if need be; batches need a key, counts a native one."""
    login = evolve(account("login"), subscription=True)
    carriers = Carriers(pool_of(account("key"), login, now=at))
    asked = evolve(message_at(), path="/v1/messages")
    assert carriers.for_call(asked) == {"key": "sonnet", "login": "sonnet"}
    chat = evolve(asked, protocol="openai-chat", path="/v1/chat/completions")
    assert carriers.for_call(chat) == {"key": "sonnet", "login": "sonnet"}
    compact = evolve(
        asked, protocol="openai-responses", operation=Operation.COMPACT, path="/v1/responses/compact"
    )
    assert carriers.for_call(compact) == {}
    batch = evolve(asked, operation=Operation.BATCHES, path="/v1/messages/batches")
    assert set(carriers.for_call(batch)) == {"key"}


def test_a_new_configuration_is_noticed() -> None:
    """What was worked out for the old accounts is not answered for the new ones."""
    pool = pool_of(account("a"), now=at)
    carriers = Carriers(pool)
    assert set(carriers.for_call(message_at())) == {"a"}
    pool.reconfigure([account("b")], Tuning(), 3600)
    assert set(carriers.for_call(message_at())) == {"b"}


def test_a_client_that_names_a_new_model_each_time_costs_no_memory() -> None:
    """Model names come from clients: what is remembered of them is bounded."""
    carriers = Carriers(pool_of(account("a"), now=at))
    for number in range(1000):
        outline = evolve(message_at().outline, model=f"m{number}")
        carriers.for_call(evolve(message_at(), outline=outline))
    assert len(carriers._known) <= 256


def of(provider: str, models: tuple[str, ...] = (), pool: str = "default") -> Account:
    return evolve(account(provider), provider=provider, models=models, pool=pool)


@pytest.mark.parametrize(
    ("accounts", "model", "carrying"),
    [
        ([of("anthropic"), of("openai")], "gpt-5.5", {"openai"}),
        ([of("openai"), of("anthropic")], "claude-sonnet-5-5", {"anthropic"}),
        ([of("codex"), of("anthropic")], "opus", {"anthropic"}),
        ([of("anthropic"), of("openai")], "nobody-knows-1", {"anthropic", "openai"}),
        ([of("anthropic"), of("openai-compatible")], "gpt-5.5", {"openai-compatible"}),
        ([of("anthropic-compatible"), of("openai")], "gpt-5.5", {"anthropic-compatible", "openai"}),
        ([of("anthropic"), of("claude-code")], "gpt-5.5", {"anthropic", "claude-code"}),
        ([of("anthropic", models=("gpt-*",)), of("openai")], "gpt-5.5", {"anthropic", "openai"}),
        ([of("anthropic"), of("openai", pool="other")], "gpt-5.5", {"anthropic", "openai"}),
    ],
)
def test_a_model_goes_to_its_makers_accounts(accounts: list[Account], model: str, carrying: set[str]) -> None:
    """Where there are any that this caller may use; else, and where the owner lists it, as before."""
    carriers = Carriers(pool_of(*accounts, now=at))
    asked = evolve(message_at(), outline=Outline(model=model), pools=frozenset({"default"}))
    assert set(carriers.for_call(asked)) == carrying


def test_a_mapping_makes_a_model_another_vendors_own() -> None:
    """What counts is the name that would go out."""
    mappings = {"claude-*": {"openai": "gpt-5.5"}}
    carriers = Carriers(pool_of(of("anthropic"), of("openai"), now=at), lambda: mappings)
    asked = evolve(message_at(), outline=Outline(model="claude-sonnet-5-5"))
    assert set(carriers.for_call(asked)) == {"anthropic", "openai"}


def test_a_named_account_is_asked_all_the_same() -> None:
    """By header or by a pin: its own refusal is the answer then."""
    pool = pool_of(of("anthropic"), of("openai"), now=at)
    carriers = Carriers(pool)
    asked = evolve(message_at(), outline=Outline(model="gpt-5.5"))
    assert set(carriers.for_call(evolve(asked, wanted_account="anthropic"))) == {"anthropic", "openai"}
    assert set(carriers.for_call(asked)) == {"openai"}
    pool.pin("anthropic")
    assert set(carriers.for_call(asked)) == {"anthropic", "openai"}
