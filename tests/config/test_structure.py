from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.secret import Secret
from shunt.config.clients import ClientConfig
from shunt.config.structure import parse, read_toml, with_overrides
from shunt.config.types import (
    AccountConfig,
    Config,
    EndpointsConfig,
    PrefetchConfig,
    RoutingConfig,
    ServerConfig,
)
from shunt.errors import ConfigError

PROVIDERS = ("anthropic", "anthropic-compatible", "openai-compatible")

FULL = """\
[server]
host = "::1"
port = 9000
log_level = "warn"
remote_key = "let-me-in-1234"
request_timeout_secs = 20
connect_timeout_secs = 3
max_body_mb = 1
drain_seconds = "1m"
allowed_hosts = ["shunt.lan"]

[routing]
strategy = "round-robin"
sticky_ttl_minutes = 5
expiry_soon_minutes = 1.5
wait = "0s"
max_waiting = 2
hold_silent = "auto"
keepalive_every = 5
pin_spills = true

[prefetch]
mode = "off"

[[accounts]]
name = "main"
provider = "anthropic"
upstream_url = "http://127.0.0.1:4000/"
api_key = "sk-test-main"
priority = -1
pool = "work"
models = ["claude-*"]
headers = { x-team = "blue" }
proxy = "socks5://u:p@127.0.0.1:1080"
max_concurrent = 3

[[accounts]]
name = "login"
provider = "anthropic"

[[clients]]
name = "laptop"
key_sha256 = "AB00000000000000000000000000000000000000000000000000000000000000"
pools = ["work", "default"]
admin = true

[models]
"claude-opus-*" = { openai = "gpt-5.5" }

[endpoints]
anthropic_url = "http://127.0.0.1:4000"
"""


def config(text: str, environ: Mapping[str, str] | None = None) -> Config:
    return parse(text, source="config.toml", environ=environ or {}, known_providers=PROVIDERS)


def problems(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config(text, environ)
    return list(caught.value.problems)


def test_a_full_file() -> None:
    """Every documented key arrives in its field."""
    assert config(FULL) == Config(
        server=ServerConfig(
            host="::1",
            port=9000,
            log_level="warning",
            remote_key=Secret("let-me-in-1234"),
            request_timeout_secs=20.0,
            connect_timeout_secs=3.0,
            max_body_mb=1.0,
            drain_seconds=60.0,
            allowed_hosts=("shunt.lan",),
        ),
        routing=RoutingConfig(
            strategy="carousel",
            sticky_ttl_minutes=5.0,
            expiry_soon_minutes=1.5,
            wait=0.0,
            max_waiting=2,
            hold_silent=None,
            keepalive_every=5.0,
            pin_spills=True,
        ),
        prefetch=PrefetchConfig(mode="off"),
        accounts=(
            AccountConfig(
                name="main",
                provider="anthropic",
                upstream_url="http://127.0.0.1:4000",
                api_key=Secret("sk-test-main"),
                priority=-1,
                pool="work",
                models=("claude-*",),
                headers={"x-team": "blue"},
                proxy="socks5://u:p@127.0.0.1:1080",
                max_concurrent=3,
            ),
            AccountConfig(name="login", provider="anthropic"),
        ),
        models={"claude-opus-*": {"openai": "gpt-5.5"}},
        clients=(
            ClientConfig(name="laptop", key_sha256="ab" + "0" * 62, pools=("work", "default"), admin=True),
        ),
        endpoints=EndpointsConfig(anthropic_url="http://127.0.0.1:4000"),
    )


@pytest.mark.parametrize("text", ["", "\ufeff", "# nothing\r\n", "[server]\n", "accounts = []\n"])
def test_an_empty_file_is_the_defaults(text: str) -> None:
    """Nothing has to be configured; byte order marks and Windows line ends are no matter."""
    assert config(text) == Config()


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    """One start shows everything that is wrong, each with its line, key and cure."""
    text = """\
[server]
port = "8082"
[routing]
strategy = "maximal"
[[accounts]]
name = "a"
provider = "antropic"
priorty = 1
[[accounts]]
name = "A"
provider = "anthropic"
api_key = "sk-hunter2"
api_key_env = "KEY"
[rooting]
x = 1
"""
    assert problems(text, {"SHUNT_SERVER_PROT": "1"}) == [
        'SHUNT_SERVER_PROT: sets no key of [server]; did you mean "SHUNT_SERVER_PORT"?',
        'config.toml:2: [server] port: must be a whole number from 1 to 65535, not "8082"',
        (
            'config.toml:4: [routing] strategy: unknown strategy "maximal"; did you mean "maximus"? '
            "(one of maximus, reaper, cushion, carousel, priority)"
        ),
        (
            'config.toml:7: [[accounts]] "a" provider: unknown provider "antropic"; did you mean "anthropic"? '
            "(one of anthropic, anthropic-compatible, openai-compatible)"
        ),
        'config.toml:8: [[accounts]] "a" priorty: unknown key; did you mean "priority"?',
        'config.toml:10: [[accounts]] "A" name: "A" is taken by number 1, "a"; names must differ in more than case',
        'config.toml:13: [[accounts]] "A" api_key_env: stands beside api_key; keep only one of the two',
        'config.toml:14: [rooting]: unknown section; did you mean "routing"?',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nport = 1\n[server\n", "config.toml:3:8: "),
        ("a = [1,\n2,", "config.toml:2:3: "),
        ("a = 1\na = 2\n", "config.toml:2:6: "),
        ("a = \x00", "config.toml:1:5: "),
        ("a = " + "[" * 5000, "config.toml: lists or tables are nested too deeply"),
        ("a = " + "9" * 5000, "config.toml: "),
    ],
)
def test_broken_toml(text: str, said: str) -> None:
    """What is not TOML is one line with file, line, column and reason."""
    (line,) = problems(text)
    assert line.startswith(said)
    assert "(at " not in line


@given(st.text(max_size=40))
def test_any_text_is_a_configuration_or_a_config_error(text: str) -> None:
    """No text makes reading fail in another way, and every complaint names the file."""
    try:
        config(text)
    except ConfigError as error:
        told = error.problems
    else:
        return
    assert all(line.startswith("config.toml") for line in told)


def test_the_environment_wins() -> None:
    """A variable overrides the file; what it sets is checked like the file, under the variable's name."""
    assert config("[server]\nport = 9000\n", {"SHUNT_PORT": "9001"}).server.port == 9001
    assert config("", {"SHUNT_ROUTING_WAIT": "30s"}).routing.wait == 30.0
    assert config("", {"SHUNT_SERVER_REMOTE_KEY": "let-me-in-1234"}).server.remote_key == Secret(
        "let-me-in-1234"
    )
    assert problems("[server]\nport = 9000\n", {"SHUNT_SERVER_PORT": "0"}) == [
        "SHUNT_SERVER_PORT: [server] port: must be a whole number from 1 to 65535, not 0"
    ]
    assert problems("", {"SHUNT_ANTHROPIC_URL": "http://gateway.example"})[0].startswith(
        "SHUNT_ANTHROPIC_URL: "
    )


@pytest.mark.parametrize(
    "text",
    [
        '[server]\nremote_key = "hunter2"\n',
        '[server]\nremote_key = ["hunter2"]\n',
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\napi_key = "hunter2 "\n',
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\napi_key_env = "sk-hunter2"\n',
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\nheaders = { x = "hunter2\\n" }\n',
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\nproxy = "ftp://u:hunter2@x"\n',
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\nupstream_url = "https://u:hunter2@x"\n',
        '[[clients]]\nname = "a"\nkey_sha256 = "hunter2"\n',
        '[[accounts]]\nname = "a"\nprovider = "anthropic"\napi_kye = "hunter2"\n',
    ],
)
def test_no_problem_shows_a_secret(text: str) -> None:
    """A line about a key, header, proxy or address names the fault and keeps the value to itself."""
    assert not [line for line in problems(text) if "hunter2" in line]


def test_environment_secrets_stay_secret() -> None:
    """A bad key in a variable is refused without being shown."""
    (line,) = problems("", {"SHUNT_SERVER_REMOTE_KEY": "hunter2"})
    assert "hunter2" not in line


def test_two_accounts_may_share_a_key_and_need_none() -> None:
    """One key under two names is the user's business; an account without a key waits for its login."""
    text = "".join(f'[[accounts]]\nname = "{n}"\nprovider = "anthropic"\napi_key = "sk-test"\n' for n in "ab")
    assert len(config(text).accounts) == 2
    assert not config('[[accounts]]\nname = "c"\nprovider = "anthropic"\n').accounts[0].api_key


def test_what_cannot_be_ignored_is_not_listed() -> None:
    """A file of ours has nothing to list as ignored."""
    assert config(FULL).ignored == ()


def test_command_line_overrides() -> None:
    """Host, port and log level from the command line win and are checked by the same rules."""
    base = config("[server]\nport = 9000\n")
    assert with_overrides(base, host="[::1]", port=9001, log_level="DEBUG").server == ServerConfig(
        host="::1", port=9001, log_level="debug"
    )
    assert with_overrides(base) == base
    with pytest.raises(ConfigError) as caught:
        with_overrides(base, host="", port=0, log_level="loud")
    assert [line.partition(":")[0] for line in caught.value.problems] == ["--host", "--port", "--log-level"]


def test_read_toml_is_plain_toml() -> None:
    """The document comes back as written, for those who edit it."""
    assert read_toml("a = 1\n", "x") == {"a": 1}


def test_accounts_may_come_from_the_environment_alone() -> None:
    """No file is needed; what is missing is asked for by the variable's name."""
    whole = {"SHUNT_ACCOUNTS_WORK_PROVIDER": "openai", "SHUNT_ACCOUNTS_WORK_API_KEY": "sk-test-work"}
    (account,) = parse("", source="c", environ=whole, known_providers=["openai"]).accounts
    assert (account.name, account.provider, account.api_key.reveal()) == ("work", "openai", "sk-test-work")
    with pytest.raises(ConfigError) as caught:
        parse("", source="c", environ={"SHUNT_ACCOUNTS_WORK_PRIORITY": "1"}, known_providers=["openai"])
    assert caught.value.problems == (
        'SHUNT_ACCOUNTS_WORK_PROVIDER: [[accounts]] "work" provider: is missing',
    )
