"""An account as configured: identity and wishes, nothing that changes while requests run."""

from __future__ import annotations

from fnmatch import fnmatchcase

from attrs import frozen

from shunt.wire.headers import Headers


@frozen
class Account:
    """One of the owner's accounts or API keys."""

    name: str
    provider: str
    """Name of a record in `providers.PROVIDERS`."""
    base_url: str
    """Where calls go, without a trailing slash; the credential is bound to this origin."""
    subscription: bool
    """True for a login with usage windows, False for a metered API key."""
    pool: str = "default"
    priority: int = 0
    """Lower goes first under the `priority` strategy."""
    models: tuple[str, ...] = ()
    """Globs of models it may serve; empty means all."""
    max_concurrent: int = 0
    """Requests in flight at once; 0 means no limit."""
    headers: Headers = ()
    """Extra headers sent with every call of this account."""
    config_dir: str = ""
    """Folder of a local program that holds this account's login; empty for its usual one."""
    proxy: str = ""
    """Outbound http(s) or socks5 proxy URL."""

    def serves(self, model: str) -> bool:
        """Whether the allow-list lets this account serve `model`."""
        return not self.models or any(fnmatchcase(model, glob) for glob in self.models)
