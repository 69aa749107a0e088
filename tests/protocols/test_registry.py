"""The list of protocols."""

from __future__ import annotations

import pytest

from shunt.protocols import PROTOCOLS, protocol_named
from shunt.protocols.base import Protocol


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_protocols_are_found_by_name(protocol: Protocol) -> None:
    """A protocol is looked up by the name that requests carry."""
    assert protocol_named(protocol.name) is protocol


def test_an_unknown_protocol_is_a_mistake_of_ours() -> None:
    """Names come from our own tables, so a wrong one is loud."""
    with pytest.raises(KeyError):
        protocol_named("smoke-signals")
