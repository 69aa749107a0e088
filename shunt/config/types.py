"""The configuration, as frozen types. Field names are the keys of config.toml.

Each field that is a key carries its reader and its reference text as metadata, so that reading,
messages and `reference.py` cannot disagree; docstrings of fields would be lost at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import field, frozen

from shunt.accounts.secret import Secret
from shunt.config import guarded, names, values
from shunt.config.addresses import listen_host
from shunt.config.claude_code import ClaudeCodeConfig
from shunt.config.clients import ClientConfig
from shunt.config.limits import LimitsConfig
from shunt.config.logins import CredentialsConfig, LoginsConfig
from shunt.config.notices import NotifyConfig
from shunt.config.values import Key, key

NO_SECRET = Secret("")

STRATEGIES: Final = ("maximus", "reaper", "cushion", "carousel", "priority")
STRATEGY_ALIASES: Final = {
    "earliest-expiry": "reaper",
    "most-available": "cushion",
    "round-robin": "carousel",
}
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
FAMILIES: Final = ("anthropic", "openai", "codex")
"""Provider families that `[models]` maps to."""


@frozen
class ServerConfig:
    """`[server]`: the one port everything is served on, and its limits."""

    host: str = field(
        default="127.0.0.1",
        metadata=key(
            values.text(listen_host, kind="an address"),
            "Address to listen on. Others than loopback need a key.",
        ),
    )
    port: int = field(default=8082, metadata=key(values.whole(1, 65535), "Port for everything."))
    log_level: str = field(
        default="info",
        metadata=key(
            values.choice(LOG_LEVELS, {"warn": "warning", "trace": "debug"}, noun="log level"),
            "How much is logged. Message content and secrets never are.",
        ),
    )
    remote_key: Secret = field(
        default=NO_SECRET,
        repr=False,
        metadata=key(
            guarded.caller_key(), "One key that every caller has to send; [[clients]] is the better way."
        ),
    )
    request_timeout_secs: float = field(
        default=600.0,
        metadata=key(
            values.seconds(0.1),
            "Seconds an upstream may stay silent. Not a limit on a whole stream.",
        ),
    )
    connect_timeout_secs: float = field(
        default=10.0, metadata=key(values.seconds(0.1), "Seconds a connection to an upstream may take.")
    )
    max_body_mb: float = field(
        default=64.0, metadata=key(values.number(0.001, 4096), "Largest request body, in MiB.")
    )
    drain_seconds: float = field(
        default=30.0,
        metadata=key(values.seconds(), "Seconds that running streams get to finish at shutdown."),
    )
    tls_cert: str = field(
        default="",
        metadata=key(
            values.text(kind="a path"),
            "Certificate (PEM, with its chain) for callers from other machines; read anew when it changes. "
            "Callers on this machine may go on without.",
        ),
    )
    tls_key: str = field(
        default="",
        metadata=key(values.text(kind="a path"), "Its key; empty when it stands in the certificate's file."),
    )
    allowed_hosts: tuple[str, ...] = field(
        default=(),
        metadata=key(
            values.words(listen_host, kind="a list of host names"),
            "Host names accepted in requests besides the loopback names and `host`.",
        ),
    )


@frozen
class RoutingConfig:
    """`[routing]`: which account, how long to stay with it, how long to wait."""

    strategy: str = field(
        default="maximus",
        metadata=key(
            values.choice(STRATEGIES, STRATEGY_ALIASES, noun="strategy"),
            "How an account is chosen for a conversation that has none yet.",
        ),
    )
    sticky_ttl_minutes: float = field(
        default=60.0,
        metadata=key(
            values.number(0, 100_000),
            "Minutes a conversation stays with its account, counted from its last request.",
        ),
    )
    expiry_soon_minutes: float = field(
        default=30.0,
        metadata=key(
            values.number(0, 100_000), "Minutes before its reset in which reaper spends a window first."
        ),
    )
    wait: float = field(
        default=5 * 3600.0,
        metadata=key(
            values.duration(),
            'How long a request may be held when every account is cooling; "0s" never holds.',
        ),
    )
    max_waiting: int = field(
        default=64, metadata=key(values.whole(0, 100_000), "Requests that may be held at once.")
    )
    hold_silent: float | None = field(
        default=None,
        metadata=key(
            values.duration(word="auto"),
            "How long a held stream stays unanswered before shunt commits to 200 and sends keep-alives; "
            "auto is as late as its client bears.",
        ),
    )
    keepalive_every: float = field(
        default=15.0, metadata=key(values.duration(1), "Time between the keep-alives of a held stream.")
    )
    answer_probes: bool = field(
        default=False,
        metadata=key(
            values.flag(),
            "Whether Claude Code's question for its quota, a request for one token, is answered from what is known.",
        ),
    )
    pin_spills: bool = field(
        default=False,
        metadata=key(values.flag(), "Whether other accounts may serve when the pinned one cannot."),
    )


@frozen
class PrefetchConfig:
    """`[prefetch]`: how an idle account's windows are learnt."""

    mode: str = field(
        default="usage",
        metadata=key(
            values.choice(("usage", "probe", "off"), {}, noun="mode"),
            "usage asks the vendor's free usage endpoint, rarely; probe sends a one-token request; off asks nothing.",
        ),
    )
    daily_probe_budget: int = field(
        default=24, metadata=key(values.whole(0, 100_000), "Probes per account and day at most.")
    )


@frozen
class AccountConfig:
    """`[[accounts]]`: one account. Without a key of its own it needs a login (`shunt add-account`)."""

    name: str = field(metadata=key(values.text(names.name, kind="a name"), "What you call it; unique."))
    provider: str = field(metadata=key(values.text(kind="a provider's name"), "Whose account it is."))
    upstream_url: str = field(
        default="",
        metadata=key(
            guarded.service_address(optional=True),
            "Where its calls go, if not to the vendor. Its credential goes nowhere else.",
        ),
    )
    api_key: Secret = field(
        default=NO_SECRET, repr=False, metadata=key(guarded.upstream_key(), "Its key. api_key_env is safer.")
    )
    api_key_env: str = field(
        default="", metadata=key(guarded.variable(), "Environment variable that holds its key.")
    )
    priority: int = field(
        default=0,
        metadata=key(values.whole(-1_000_000, 1_000_000), "Lower goes first under strategy priority."),
    )
    pool: str = field(
        default="default",
        metadata=key(
            values.text(names.name, kind="a name"), "Group it belongs to; clients may be limited to groups."
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=key(
            values.words(values.glob, kind="a list of model names or patterns"),
            "Models it may serve; empty means all that the provider has.",
        ),
    )
    headers: Mapping[str, str] = field(
        factory=dict,
        repr=False,
        metadata=key(guarded.header_table(), "Extra headers sent with each of its calls."),
    )
    proxy: str = field(
        default="", repr=False, metadata=key(guarded.proxy_address(), "Outbound proxy for its calls.")
    )
    max_concurrent: int = field(
        default=0, metadata=key(values.whole(0, 100_000), "Requests in flight at once; 0 means no limit.")
    )
    config_dir: str = field(
        default="",
        metadata=key(
            values.text(kind="a folder"),
            "For claude-code: the folder in which Claude Code keeps this account's login, if not its own.",
        ),
    )


@frozen
class EndpointsConfig:
    """`[endpoints]`: where the vendors are. Corporate gateways and tests move them."""

    anthropic_url: str = field(
        default="https://api.anthropic.com",
        metadata=key(guarded.service_address(optional=False), "Anthropic's API, without /v1."),
    )
    openai_url: str = field(
        default="https://api.openai.com/v1",
        metadata=key(guarded.service_address(optional=False), "OpenAI's API, with /v1."),
    )
    chatgpt_url: str = field(
        default="https://chatgpt.com/backend-api/codex",
        metadata=key(guarded.service_address(optional=False), "Where ChatGPT logins send Codex calls."),
    )
    anthropic_token_url: str = field(
        default="https://platform.claude.com/v1/oauth/token",
        metadata=key(guarded.service_address(optional=False), "Where Claude logins are renewed."),
    )
    openai_token_url: str = field(
        default="https://auth.openai.com/oauth/token",
        metadata=key(guarded.service_address(optional=False), "Where ChatGPT logins are renewed."),
    )
    anthropic_authorize_url: str = field(
        default="https://claude.ai/oauth/authorize",
        metadata=key(
            guarded.service_address(optional=False), "The page on which a person allows a Claude login."
        ),
    )
    openai_authorize_url: str = field(
        default="https://auth.openai.com/oauth/authorize",
        metadata=key(
            guarded.service_address(optional=False), "The page on which a person allows a ChatGPT login."
        ),
    )
    openai_device_url: str = field(
        default="https://auth.openai.com",
        metadata=key(
            guarded.service_address(optional=False), "Where ChatGPT logins by device code are asked for."
        ),
    )
    anthropic_revoke_url: str = field(
        default="",
        metadata=key(
            guarded.service_address(optional=True),
            "Where Claude logins are ended; empty means beside anthropic_token_url.",
        ),
    )
    openai_revoke_url: str = field(
        default="",
        metadata=key(
            guarded.service_address(optional=True),
            "Where ChatGPT logins are ended; empty means beside openai_token_url.",
        ),
    )


@frozen
class TranslationConfig:
    """`[translation]`: what happens where client and account speak different protocols."""

    strict: bool = field(
        default=False,
        metadata=key(
            values.flag(),
            "Whether a request is refused that an account's protocol cannot say in full; "
            "else what is left out is named in x-shunt-dropped.",
        ),
    )


@frozen
class HistoryConfig:
    """`[history]`: how much of the past is kept."""

    keep_days: int = field(default=90, metadata=key(values.whole(1, 36_500), "Days a request is remembered."))
    max_mb: int = field(default=256, metadata=key(values.whole(1, 1_000_000), "Size of the history, in MiB."))


@frozen
class UpdateConfig:
    """`[update]`: where newer versions are announced. Nobody is asked unless you call `shunt update`."""

    feed: str = field(
        default="",
        metadata=key(
            guarded.service_address(optional=True),
            "Address of the release feed, a JSON file; empty means that `shunt update` is off.",
        ),
    )
    patience_minutes: float = field(
        default=10.0,
        metadata=key(
            values.number(0, 1440),
            "Minutes the running version waits for a moment without a running answer before it gives way.",
        ),
    )


@frozen
class Config:
    """The whole of config.toml after environment overrides."""

    server: ServerConfig = ServerConfig()
    routing: RoutingConfig = RoutingConfig()
    prefetch: PrefetchConfig = PrefetchConfig()
    accounts: tuple[AccountConfig, ...] = ()
    models: Mapping[str, Mapping[str, str]] = field(factory=dict)
    """Client's model name (glob) → provider family → model name."""
    clients: tuple[ClientConfig, ...] = ()
    endpoints: EndpointsConfig = EndpointsConfig()
    translation: TranslationConfig = TranslationConfig()
    history: HistoryConfig = HistoryConfig()
    update: UpdateConfig = UpdateConfig()
    notify: NotifyConfig = NotifyConfig()
    limits: LimitsConfig = LimitsConfig()
    logins: LoginsConfig = LoginsConfig()
    credentials: CredentialsConfig = CredentialsConfig()
    claude_code: ClaudeCodeConfig = ClaudeCodeConfig()
    ignored: tuple[str, ...] = ()
    """Keys of the Rust program of the same name that mean nothing here; listed once at start."""


TABLES: Final[Mapping[str, type[Any]]] = {
    "server": ServerConfig,
    "routing": RoutingConfig,
    "prefetch": PrefetchConfig,
    "endpoints": EndpointsConfig,
    "translation": TranslationConfig,
    "history": HistoryConfig,
    "update": UpdateConfig,
    "notify": NotifyConfig,
    "limits": LimitsConfig,
    "logins": LoginsConfig,
    "credentials": CredentialsConfig,
    "claude_code": ClaudeCodeConfig,
}
"""Sections written once, `[server]`."""

LISTS: Final[Mapping[str, type[Any]]] = {"accounts": AccountConfig, "clients": ClientConfig}
"""Sections written once per item, `[[accounts]]`."""

MODELS: Final = "models"
"""The section whose keys are the user's own."""

SECTIONS: Final = (*TABLES, *LISTS, MODELS)


def keys_of(section: type[Any]) -> dict[str, Key]:
    """The keys of a section, in the order of the reference."""
    return {attribute.name: attribute.metadata["key"] for attribute in attrs.fields(section)}
