"""`[[clients]]` of the configuration: who may call, and what each may use."""

from __future__ import annotations

from attrs import field, frozen

from shunt.config import guarded, names, values
from shunt.config.values import key


@frozen
class ClientConfig:
    """`[[clients]]`: who may call, when not only this machine's user."""

    name: str = field(metadata=key(values.text(names.name, kind="a name"), "What you call it; unique."))
    key_sha256: str = field(
        repr=False, metadata=key(guarded.digest(), "SHA-256 of its key, in hexadecimal digits.")
    )
    pools: tuple[str, ...] = field(
        default=("default",),
        metadata=key(
            values.words(names.name, kind="a list of at least one pool", least=1), "Pools it may use."
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=key(
            values.words(values.glob, kind="a list of model names or patterns"),
            "Models it may ask for; empty means all.",
        ),
    )
    daily_requests: int = field(
        default=0, metadata=key(values.whole(0, 1_000_000_000), "Requests a UTC day; 0 means no limit.")
    )
    daily_tokens: int = field(
        default=0,
        metadata=key(
            values.whole(0, 1_000_000_000_000),
            "Tokens a UTC day, without those read from a prompt cache; 0 means no limit.",
        ),
    )
    daily_usd: float = field(
        default=0.0,
        metadata=key(values.number(0, 1_000_000), "Dollars at API prices a UTC day; 0 means no limit."),
    )
    owner_device: bool = field(
        default=False,
        metadata=key(
            values.flag(),
            "Whether it is a device of yours. Only those use your subscription logins; all others reach "
            "API-key accounts only.",
        ),
    )
    admin: bool = field(
        default=False,
        metadata=key(values.flag(), "Whether its key also opens the control routes from other machines."),
    )
