"""The client's own name for a model in an answer that passes."""

from __future__ import annotations

import json

import pytest

from shunt.gateway.renaming import Renaming

RENAMING = Renaming("gpt-5.5-high", "gpt-5.5")


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (
            b'data: {"id":"x","model":"gpt-5.5","choices":[]}\n\n',
            b'data: {"id":"x","model":"gpt-5.5-high","choices":[]}\n\n',
        ),
        (b'{ "model" : "gpt-5.5-2026-04-01" }', b'{ "model" : "gpt-5.5-high" }'),
        (b'{"model":"another"}', b'{"model":"another"}'),
        (b'{"text":"\\"model\\":\\"gpt-5.5\\""}', b'{"text":"\\"model\\":\\"gpt-5.5\\""}'),
        (b": a comment\n\n", b": a comment\n\n"),
        (b"", b""),
    ],
)
def test_only_the_models_name_changes(whole: bytes, expected: bytes) -> None:
    """What was sent and what the answer calls it become what the client said; text that quotes it does not."""
    assert RENAMING.of(whole, "gpt-5.5-2026-04-01") == expected


def test_odd_names_are_still_json() -> None:
    """A name with quotation marks is written as JSON writes it."""
    named = Renaming('a "b"', "m").of(b'{"model":"m"}', "")
    assert json.loads(named) == {"model": 'a "b"'}
