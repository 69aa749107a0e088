from __future__ import annotations

from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.config.keys import configured_keys, missing_variables
from shunt.config.types import AccountConfig, Config

CONFIG = Config(
    accounts=(
        AccountConfig("written", "anthropic", api_key=Secret("sk-test-written")),
        AccountConfig("pointed", "anthropic", api_key_env="A_KEY"),
        AccountConfig("login", "anthropic"),
    )
)


def test_keys_come_from_the_file_and_from_named_variables() -> None:
    """A key written down and a key in the environment both count; an account without one has none."""
    keys = configured_keys(CONFIG, {"A_KEY": " sk-test-pointed\n", "ANTHROPIC_API_KEY": "sk-test-other"})
    assert keys == {
        "written": ApiKey(Secret("sk-test-written")),
        "pointed": ApiKey(Secret("sk-test-pointed")),
    }
    assert missing_variables(CONFIG, {"A_KEY": "x"}) == {}


def test_a_variable_that_is_not_set_is_named() -> None:
    """An empty or missing variable gives no key, and the owner is told which one it is."""
    assert "pointed" not in configured_keys(CONFIG, {"A_KEY": " "})
    assert missing_variables(CONFIG, {}) == {"pointed": "A_KEY"}
