"""`shunt config`."""

from __future__ import annotations

import tomllib

import pytest

from tests.cli.desk import Desk

FULL = """
[server]
port = 8099
remote_key = "canary-remote-key-0123456789"

[routing]
hold_silent = "90s"

[[accounts]]
name = "main"
provider = "anthropic"
api_key = "sk-test-canary-0123"
proxy = "http://me:canary@proxy.example:3128"
headers = { "x-team" = "canary" }

[[accounts]]
name = "env"
provider = "anthropic"
api_key_env = "MY_KEY"

[[clients]]
name = "laptop"
key_sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

[models]
"claude-opus-*" = { openai = "gpt-5.5" }
"""


def test_path_is_one_line_for_a_shell(desk: Desk) -> None:
    """`$EDITOR $(shunt config path)` works, whether the file is there or not."""
    assert desk.run("config", "path").stdout == f"{desk.config}\n"
    assert desk.run("config", "path", "--config", "/elsewhere/c.toml").stdout == "/elsewhere/c.toml\n"
    assert desk.document("config", "path")["credentials_file"] == str(desk.credentials)


@pytest.mark.parametrize(
    "args",
    [
        ("--home", "{}", "config", "path"),
        ("config", "path", "--home", "{}"),
        ("--home", "/no", "config", "path", "--home", "{}"),
    ],
)
def test_home_may_stand_before_or_after_the_command(desk: Desk, args: tuple[str, ...]) -> None:
    """Global options work in both places; the nearer one counts."""
    other = str(desk.root / "other")
    result = desk.run(*(arg.format(other) for arg in args))
    assert result.stdout == f"{other}/config.toml\n"


def test_show_prints_what_is_in_force_and_no_secret(desk: Desk) -> None:
    """Defaults, file and environment together, as valid TOML; secrets are masked, names of headers stay."""
    desk.write_config(FULL)
    result = desk.run("config", "show", environ={"SHUNT_ROUTING_STRATEGY": "reaper"})
    shown = tomllib.loads(result.stdout)
    assert shown["server"]["port"] == desk.port
    assert shown["server"]["remote_key"] == "***"
    assert shown["server"]["max_body_mb"] == 64
    assert shown["routing"]["hold_silent"] == "90s"
    main, env = shown["accounts"]
    assert main["api_key"] == "***"
    assert main["headers"] == {"x-team": "***"}
    assert main["proxy"] == "http://***@proxy.example:3128"
    assert (env["api_key"], env["api_key_env"]) == ("", "MY_KEY")
    assert "aaaa" not in result.stdout
    assert shown["models"] == {"claude-opus-*": {"openai": "gpt-5.5"}}
    assert 'strategy = "reaper"  # from SHUNT_ROUTING_STRATEGY' in result.stdout


def test_show_as_a_document(desk: Desk) -> None:
    """`--json` says the same, and where each override comes from."""
    desk.write_config(FULL)
    document = desk.document("config", "show", environ={"SHUNT_ROUTING_STRATEGY": "reaper"})
    assert document["config"]["routing"]["strategy"] == "reaper"
    assert document["config"]["accounts"][0]["api_key"] == "***"
    assert document["overridden"] == {
        "routing.strategy": "SHUNT_ROUTING_STRATEGY",
        "server.port": "SHUNT_PORT",
    }


def test_no_file_is_all_defaults(desk: Desk) -> None:
    """A missing config.toml is fine and said."""
    assert "not there" in desk.run("config", "show").stdout
    result = desk.run("config", "check")
    assert result.exit_code == 0
    assert "0 accounts" in result.stdout


def test_check_accepts_what_is_right(desk: Desk) -> None:
    """A sound file is one line and exit code 0."""
    desk.write_config(FULL)
    result = desk.run("config", "check")
    assert result.exit_code == 0
    assert "fine: 2 accounts" in result.stdout
    assert desk.document("config", "check")["ok"] is True


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nprot = 1\n", ["config.toml:2", "prot", '"port"']),
        ("[server\n", ["config.toml:1"]),
        ('[[accounts]]\nname = "a"\nprovider = "antropic"\n', ["config.toml:3", '"anthropic"']),
        ('[server]\nhost = "0.0.0.0"\n', ["server.host", "without a key"]),
        ('[server]\nremote_key = "canary"\n', ["remote_key", "at least"]),
    ],
)
def test_check_names_every_problem(desk: Desk, text: str, words: list[str]) -> None:
    """File, line, key and cure; exit code 1; also as a document."""
    desk.write_config(text)
    result = desk.run("config", "check")
    assert result.exit_code == 1
    for word in words:
        assert word in result.stderr
    document = desk.document("config", "check")
    assert document["ok"] is False
    assert len(document["problems"]) == 1


def test_check_of_a_file_that_cannot_be_read_is_a_problem(desk: Desk) -> None:
    """Also then `--json` prints its object."""
    desk.config.mkdir(parents=True)
    document = desk.document("config", "check")
    assert document["ok"] is False
    assert str(desk.config) in document["problems"][0]


def test_check_warns_of_secrets_that_others_can_read(desk: Desk) -> None:
    """A key in a readable file is a warning with its cure."""
    desk.write_config(FULL)
    desk.config.chmod(0o644)
    result = desk.run("config", "check")
    assert result.exit_code == 0
    assert "chmod 600" in result.stderr


def test_check_lists_what_has_no_meaning_here(desk: Desk) -> None:
    """Keys of the first program of this name are listed as ignored."""
    desk.write_config("[server]\nport = 8099\ncontrol_port = 19081\n")
    document = desk.document("config", "check")
    assert document["ok"] is True
    assert any("control_port" in key for key in document["ignored"])
