"""What a request can say of itself."""

from __future__ import annotations

from shunt.inference.request import GenerateRequest


def test_what_is_left_out_is_told_in_the_clients_words() -> None:
    """Each name once; those of the client's own fields are its words already, whatever they are."""
    request = GenerateRequest("m", words={"stop": "stop_sequences"})
    assert request.left_out(("stop", "top_k", "stop"), ("stop", "x_new", "top_k")) == (
        "stop_sequences",
        "top_k",
        "stop",
        "x_new",
    )


def test_hints_are_not_told() -> None:
    """What nobody misses is no loss."""
    request = GenerateRequest("m", native={"a": 1, "b": 2}, hints=frozenset({"b", "c"}))
    assert list(request.unsaid()) == ["a"]
