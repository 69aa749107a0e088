from __future__ import annotations

from attrs import evolve

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
