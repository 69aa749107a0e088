from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config.predecessor import translate
from shunt.config.structure import parse, read_toml

RUST = """\
[server]
host = "127.0.0.1"
port = 8082
control_port = 19081
log_level = "info"
upstream_url = "https://api.anthropic.com"
sticky_ttl_minutes = 10
expiry_soon_minutes = 45
routing_strategy = "earliest-expiry"
request_timeout_secs = 600
rate_limit_rpm = 0
trust_proxy_headers = false
health_check_enabled = true
burst_rpm_limit = 10
telemetry = true
instance_name = "box"

[[accounts]]
name = "main"
plan_type = "max"
provider = "anthropic"

[[accounts]]
name = "gpt"
plan_type = "pro"
provider = "openai"
model = "gpt-5"

[[accounts]]
name = "old"

[model_mapping]
"claude-opus-4" = "gpt-5"
"""


def test_a_file_of_the_rust_program_loads() -> None:
    """What has a meaning here keeps it; what has none is listed once."""
    config = parse(RUST, source="c", environ={}, known_providers=("anthropic", "codex", "openai"))
    assert (config.server.port, config.routing.strategy) == (8082, "reaper")
    assert (config.routing.sticky_ttl_minutes, config.routing.expiry_soon_minutes) == (10.0, 45.0)
    assert [(account.name, account.provider) for account in config.accounts] == [
        ("main", "anthropic"),
        ("gpt", "codex"),
        ("old", "anthropic"),
    ]
    assert config.models == {"claude-opus-4": {"openai": "gpt-5", "codex": "gpt-5"}}
    assert config.ignored == (
        "[server] control_port",
        "[server] upstream_url",
        "[server] rate_limit_rpm",
        "[server] trust_proxy_headers",
        "[server] health_check_enabled",
        "[server] burst_rpm_limit",
        "[server] telemetry",
        "[server] instance_name",
        "[[accounts]] plan_type",
        "[[accounts]] model",
    )


def account(**keys: Any) -> Any:
    """One account of a file of the predecessor, translated."""
    return translate({"accounts": [{"name": "a", "plan_type": "pro", **keys}]}).document["accounts"][0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"provider": "openai"}, {"provider": "codex"}),
        ({"provider": "openai", "api_key": "k"}, {"provider": "openai", "api_key": "k"}),
        ({"provider": "codex"}, {"provider": "codex"}),
        ({"provider": "openai-api"}, {"provider": "openai"}),
        ({"provider": "google"}, {"provider": "gemini"}),
        ({"provider": "local"}, {"provider": "ollama"}),
        ({"provider": "groq"}, {"provider": "groq"}),
        (
            {"provider": "ollama"},
            {
                "provider": "openai-compatible",
                "upstream_url": "https://api.ollama.com/v1",
                "api_key_env": "OLLAMA_API_KEY",
            },
        ),
        (
            {"provider": "ollama", "upstream_url": "https://x.example", "api_key": "k"},
            {"provider": "openai-compatible", "upstream_url": "https://x.example", "api_key": "k"},
        ),
    ],
)
def test_its_provider_names(written: dict[str, str], meant: dict[str, str]) -> None:
    """A name that meant something else there is read as it was meant."""
    assert account(**written) == {"name": "a", **meant}


def test_our_own_section_wins() -> None:
    """Where both places are written, ours counts and the other is listed."""
    text = "[server]\nsticky_ttl_minutes = 10\n[routing]\nsticky_ttl_minutes = 20\n"
    translation = translate(read_toml(text, "c"))
    assert translation.document == {"server": {}, "routing": {"sticky_ttl_minutes": 20}}
    assert translation.ignored == ("[server] sticky_ttl_minutes ([routing] sticky_ttl_minutes is set)",)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"server": {"port": 1}, "accounts": [{"name": "a", "provider": "openai", "model": "x"}]},
        {"server": 1, "accounts": "x", "routing": []},
    ],
)
def test_files_of_our_own_are_left_alone(document: dict[str, Any]) -> None:
    """Without a key only the predecessor had, nothing is moved, renamed or forgiven."""
    translation = translate(document)
    assert translation.document is document
    assert (translation.ignored, dict(translation.moved)) == ((), {})


VALUES = st.recursive(
    st.one_of(st.integers(), st.text(max_size=3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["plan_type", "provider", "routing_strategy", "telemetry", "strategy"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["server", "routing", "accounts", "models", "model_mapping"]), VALUES))
def test_any_document_is_translated_without_harm(document: dict[str, Any]) -> None:
    """Sections of the wrong shape come through to be complained about; the original is not touched."""
    before = repr(document)
    translate(document)
    assert repr(document) == before
