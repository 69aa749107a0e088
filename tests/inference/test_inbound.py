"""A client's request as it came in."""

from __future__ import annotations

from attrs import evolve

from shunt.inference.inbound import Inbound, Operation, Outline


def test_the_owners_model_comes_before_the_clients() -> None:
    """The client's own name stays known beside it."""
    inbound = Inbound(
        id="req_1",
        protocol="openai-chat",
        operation=Operation.GENERATE,
        method="POST",
        path="/v1/chat/completions",
        query=b"",
        headers=(),
        body=b"",
        outline=Outline(model="asked"),
        arrived_at=0.0,
    )
    assert inbound.wanted_model == "asked"
    assert (evolve(inbound, model="put").wanted_model, inbound.outline.model) == ("put", "asked")
