from __future__ import annotations

import pytest

from shunt.config.overrides import VARIABLES, Override, item_variable, merged, overrides, secret_files, token
from shunt.config.types import LISTS, TABLES, keys_of


def test_every_key_of_every_section_has_a_variable() -> None:
    """SHUNT_<SECTION>_<KEY> exists for each key of each section that is written once."""
    for section, kind in TABLES.items():
        for key in keys_of(kind):
            assert VARIABLES[f"SHUNT_{section.upper()}_{key.upper()}"] == (section, key)


@pytest.mark.parametrize(
    ("variable", "text", "override"),
    [
        ("SHUNT_SERVER_PORT", "9000", ("server", "port", 9000)),
        ("SHUNT_PORT", "9000", ("server", "port", 9000)),
        ("SHUNT_HOST", "::1", ("server", "host", "::1")),
        ("SHUNT_SERVER_ALLOWED_HOSTS", "a,b", ("server", "allowed_hosts", ["a", "b"])),
        ("SHUNT_ROUTING_WAIT", "30s", ("routing", "wait", "30s")),
        ("SHUNT_ROUTING_PIN_SPILLS", "yes", ("routing", "pin_spills", True)),
        ("SHUNT_ANTHROPIC_URL", "http://127.0.0.1:1", ("endpoints", "anthropic_url", "http://127.0.0.1:1")),
        (
            "SHUNT_ENDPOINTS_OPENAI_TOKEN_URL",
            "http://127.0.0.1:1",
            ("endpoints", "openai_token_url", "http://127.0.0.1:1"),
        ),
        ("SHUNT_HISTORY_KEEP_DAYS", "7", ("history", "keep_days", 7)),
    ],
)
def test_a_variable_sets_its_key(variable: str, text: str, override: tuple[str, str, object]) -> None:
    """Long and short names set the value as TOML would hold it."""
    section, key, value = override
    assert overrides({variable: text}) == ((Override(variable, section, key, value),), ())


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"SHUNT_PORT": ""},
        {"SHUNT_HOME": "/srv/x", "SHUNT_CMD": "python -m shunt"},
        {"SHUNT_UPSTREAM_URL": "https://example.com", "SHUNT_NO_TELEMETRY": "1"},
        {"PORT": "1", "shunt_port": "1"},
        {"SHUNT_SERVER_REMOTE_KEY_FILE": "/run/secrets/key"},
    ],
)
def test_what_is_not_ours_is_left_alone(environ: dict[str, str]) -> None:
    """Empty variables, and ones that name no section, change nothing and are no error."""
    assert overrides(environ) == ((), ())


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"SHUNT_SERVER_PROT": "1"},
            'SHUNT_SERVER_PROT: sets no key of [server]; did you mean "SHUNT_SERVER_PORT"?',
        ),
        (
            {"SHUNT_CLIENTS_LAPTOP_KEY": "x"},
            (
                "SHUNT_CLIENTS_LAPTOP_KEY: names no key of [[clients]]; the form is SHUNT_CLIENTS_NAME_KEY "
                f"({', '.join(key for key in keys_of(LISTS['clients']) if key != 'name')})"
            ),
        ),
        ({"SHUNT_MODELS_X": "y"}, "SHUNT_MODELS_X: [models] is set in config.toml only"),
        (
            {"SHUNT_ROUTING_PIN_SPILLS": "maybe"},
            'SHUNT_ROUTING_PIN_SPILLS: [routing] pin_spills: must be true or false, not "maybe"',
        ),
        (
            {"SHUNT_PORT": "1", "SHUNT_SERVER_PORT": "2"},
            "SHUNT_SERVER_PORT: contradicts SHUNT_PORT; set only one of them",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(environ: dict[str, str], problem: str) -> None:
    """A slip in a variable's name or value is an error that names the variable, never silence."""
    assert overrides(environ)[1] == (problem,)


def test_two_names_may_agree() -> None:
    """A long and a short name with one value are no contradiction."""
    found, problems = overrides({"SHUNT_PORT": "9000", "SHUNT_SERVER_PORT": "9000"})
    assert not problems
    assert [each.value for each in found] == [9000]


def test_secrets_may_come_from_files() -> None:
    """…_FILE exists for secrets, and only for them."""
    assert secret_files({"SHUNT_SERVER_REMOTE_KEY_FILE": "/run/k", "SHUNT_SERVER_PORT_FILE": "/run/p"}) == {
        "SHUNT_SERVER_REMOTE_KEY": "/run/k"
    }
    assert overrides({"SHUNT_SERVER_PORT_FILE": "/run/p"})[1]


@pytest.mark.parametrize(
    ("variable", "text", "override"),
    [
        ("SHUNT_ACCOUNTS_WORK_PROVIDER", "openai", ("accounts", "provider", "openai", "WORK")),
        ("SHUNT_ACCOUNTS_MY_WORK_API_KEY_ENV", "KEY", ("accounts", "api_key_env", "KEY", "MY_WORK")),
        ("SHUNT_ACCOUNTS_WORK_API_KEY", "sk-test", ("accounts", "api_key", "sk-test", "WORK")),
        ("SHUNT_ACCOUNTS_WORK_PRIORITY", "3", ("accounts", "priority", 3, "WORK")),
        (
            "SHUNT_ACCOUNTS_WORK_HEADERS",
            "X-A: 1\nX-B: a:b",
            ("accounts", "headers", {"X-A": "1", "X-B": "a:b"}, "WORK"),
        ),
        ("SHUNT_CLIENTS_LAPTOP_POOLS", "a, b", ("clients", "pools", ["a", "b"], "LAPTOP")),
    ],
)
def test_a_variable_sets_a_key_of_one_item(
    variable: str, text: str, override: tuple[str, str, object, str]
) -> None:
    """SHUNT_ACCOUNTS_<NAME>_<KEY>: the longest key that fits is meant, the rest is the name."""
    section, key, value, item = override
    assert overrides({variable: text}) == ((Override(variable, section, key, value, item),), ())
    assert item_variable(section, item, key) == variable


def test_every_key_of_an_item_has_a_variable() -> None:
    """Nothing but the name itself needs a file."""
    for section, kind in LISTS.items():
        for key in keys_of(kind).keys() - {"name"}:
            variable = item_variable(section, "some one", key)
            found, problems = overrides({variable: "1"})
            assert problems or [(each.item, each.key) for each in found] == [("SOME_ONE", key)]


def test_items_are_changed_or_made() -> None:
    """An account that the file has is found whatever its spelling; another one is made, with that name."""
    document = {"accounts": [{"name": "my.work", "provider": "anthropic"}], "server": {"port": 1}}
    found, _ = overrides(
        {
            "SHUNT_ACCOUNTS_MY_WORK_PRIORITY": "1",
            "SHUNT_ACCOUNTS_MY_HOME_PROVIDER": "openai",
            "SHUNT_PORT": "2",
        }
    )
    assert merged(document, found) == {
        "accounts": [
            {"name": "my.work", "provider": "anthropic", "priority": 1},
            {"name": "my-home", "provider": "openai"},
        ],
        "server": {"port": 2},
    }
    assert document["server"] == {"port": 1}
    assert merged({"accounts": 1, "server": 2}, found) == {"accounts": 1, "server": 2}
    assert token("my-home") == "MY_HOME"


def test_secrets_of_items_may_come_from_files() -> None:
    """A container's mounted secrets: …_FILE for what must not be seen, and for nothing else."""
    environ = {"SHUNT_ACCOUNTS_WORK_API_KEY_FILE": "/run/k", "SHUNT_CLIENTS_LAPTOP_KEY_SHA256_FILE": "/run/h"}
    assert secret_files(environ) == {
        "SHUNT_ACCOUNTS_WORK_API_KEY": "/run/k",
        "SHUNT_CLIENTS_LAPTOP_KEY_SHA256": "/run/h",
    }
    assert overrides(environ) == ((), ())
    assert secret_files({"SHUNT_ACCOUNTS_WORK_PROVIDER_FILE": "/run/p"}) == {}
