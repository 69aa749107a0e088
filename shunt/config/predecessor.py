"""Reading the config.toml of the Rust program of the same name.

What has a meaning here is moved to its place; what has none is listed, once, as ignored. A file counts
as the predecessor's when it holds a key that only the predecessor had, so that a slip in a file of
ours is still an error. Its provider names differ: `openai` was a ChatGPT login, `openai-api` the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from shunt.config.locate import Path

_MOVED: Final = {
    "routing_strategy": ("routing", "strategy"),
    "sticky_ttl_minutes": ("routing", "sticky_ttl_minutes"),
    "expiry_soon_minutes": ("routing", "expiry_soon_minutes"),
}
"""Keys of its [server] that have another home here."""

_SERVER_ONLY: Final = frozenset(
    {
        "burst_rpm_limit",
        "control_port",
        "custom_domain",
        "fallback_model",
        "health_check_enabled",
        "health_check_interval_secs",
        "health_check_timeout_secs",
        "instance_name",
        "rate_limit_rpm",
        "relay_url",
        "telemetry",
        "telemetry_token",
        "telemetry_url",
        "trust_proxy_headers",
        # It never used this one itself, and a host that logins are sent to is not adopted silently.
        "upstream_url",
    }
)
_ACCOUNT_ONLY: Final = frozenset({"plan_type"})
_ACCOUNT_IGNORED: Final = _ACCOUNT_ONLY | {"model"}
"""`model` alone marks nothing: here it is a slip for `models`."""

_MODEL_MAPPING: Final = "model_mapping"
_MAPPED_FAMILIES: Final = ("openai", "codex")
"""It renamed models for every vendor but Anthropic."""

_PROVIDERS: Final = {"openai-api": "openai", "google": "gemini", "local": "ollama"}
_OLLAMA_CLOUD: Final = {"provider": "openai-compatible", "upstream_url": "https://api.ollama.com/v1"}


@frozen
class Translation:
    """A document in our own terms."""

    document: dict[str, Any]
    ignored: tuple[str, ...] = ()
    moved: Mapping[Path, Path] = {}
    """Where a key stands in the text, by its path in `document`."""


def translate(document: dict[str, Any]) -> Translation:
    """Put the predecessor's keys in their places here; a document of our own comes back as it is."""
    if not _is_predecessors(document):
        return Translation(document)
    ignored: list[str] = []
    moved: dict[Path, Path] = {}
    result = dict(document)
    if isinstance(document.get("server"), dict):
        _move_server(result, ignored, moved)
    if isinstance(document.get("accounts"), list):
        result["accounts"] = [_account(item, ignored) for item in document["accounts"]]
    if isinstance(document.get(_MODEL_MAPPING), dict):
        _move_mapping(result, moved)
    return Translation(result, tuple(dict.fromkeys(ignored)), moved)


def _is_predecessors(document: Mapping[str, Any]) -> bool:
    server, accounts = document.get("server"), document.get("accounts")
    return (
        _MODEL_MAPPING in document
        or (isinstance(server, dict) and not (_SERVER_ONLY | _MOVED.keys()).isdisjoint(server))
        or (
            isinstance(accounts, list)
            and any(isinstance(item, dict) and not _ACCOUNT_ONLY.isdisjoint(item) for item in accounts)
        )
    )


def _move_server(result: dict[str, Any], ignored: list[str], moved: dict[Path, Path]) -> None:
    server: dict[str, Any] = {}
    routing = result.get("routing", {})
    for key, value in result["server"].items():
        if key in _SERVER_ONLY:
            ignored.append(f"[server] {key}")
        elif key not in _MOVED:
            server[key] = value
        elif isinstance(routing, dict):
            section, name = _MOVED[key]
            if name in routing:
                ignored.append(f"[server] {key} ([{section}] {name} is set)")
                continue
            routing = {**routing, name: value}
            moved[section, name] = ("server", key)
    result["server"] = server
    if routing:
        result["routing"] = routing


def _account(item: Any, ignored: list[str]) -> Any:
    if not isinstance(item, dict):
        return item
    ignored.extend(f"[[accounts]] {key}" for key in item if key in _ACCOUNT_IGNORED)
    account = {key: value for key, value in item.items() if key not in _ACCOUNT_IGNORED}
    keyless = not account.get("api_key") and not account.get("api_key_env")
    written = account.setdefault("provider", "anthropic")
    if written == "openai" and keyless:
        account["provider"] = "codex"
    elif written == "ollama":
        account = {**_OLLAMA_CLOUD, **account, "provider": _OLLAMA_CLOUD["provider"]}
        if keyless:
            account["api_key_env"] = "OLLAMA_API_KEY"
    elif isinstance(written, str):
        account["provider"] = _PROVIDERS.get(written, written)
    return account


def _move_mapping(result: dict[str, Any], moved: dict[Path, Path]) -> None:
    own = result.get("models", {})
    mapping = result.pop(_MODEL_MAPPING)
    if not isinstance(own, dict):
        return
    models = dict(own)
    for asked, served in mapping.items():
        if asked not in models:
            models[asked] = dict.fromkeys(_MAPPED_FAMILIES, served)
            moved["models", asked] = (_MODEL_MAPPING, asked)
    result["models"] = models
