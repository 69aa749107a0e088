from __future__ import annotations

import attrs
import pytest

from shunt.config.types import LISTS, SECTIONS, TABLES, AccountConfig, Config, ServerConfig, keys_of


def test_sections_are_the_fields_of_config() -> None:
    """A section of the file and a field of Config are one and the same."""
    assert set(SECTIONS) == {field.name for field in attrs.fields(Config)} - {"ignored"}


@pytest.mark.parametrize("kind", [*TABLES.values(), *LISTS.values()], ids=lambda kind: kind.__name__)
def test_defaults_pass_their_own_readers(kind: type[attrs.AttrsInstance]) -> None:
    """What shunt assumes is something a person could have written."""
    for attribute in attrs.fields(kind):
        key = keys_of(kind)[attribute.name]
        if isinstance(attribute.default, int | float | str) and not isinstance(attribute.default, bool):
            assert key.reader.read(attribute.default) == attribute.default


def test_secrets_are_not_shown() -> None:
    """Printing a configuration gives no key away."""
    account = AccountConfig(
        name="a", provider="anthropic", headers={"x": "canary"}, proxy="http://u:canary@127.0.0.1"
    )
    assert "canary" not in repr(account)
    assert "Secret" not in repr(ServerConfig())
