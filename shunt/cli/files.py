"""The files a command works on, and the way to the server that runs on them."""

from __future__ import annotations

from attrs import evolve, frozen

from shunt.cli.control import Control, reach
from shunt.cli.invocation import Invocation
from shunt.cli.terminal import note
from shunt.config.types import Config, ServerConfig
from shunt.errors import ConfigError, ShuntError
from shunt.providers import PROVIDERS
from shunt.store.config import ConfigFile
from shunt.store.credentials import CredentialStore
from shunt.store.locations import Locations, beside, locate
from shunt.store.lock import holder
from shunt.store.sealing import Sealing


@frozen
class Files:
    """Everything on disk that belongs to one shunt."""

    call: Invocation
    places: Locations

    @property
    def config_file(self) -> ConfigFile:
        """config.toml."""
        return ConfigFile(self.places.config_file, known_providers())

    @property
    def credentials(self) -> CredentialStore:
        """credentials.json."""
        path = self.places.credentials_file
        return CredentialStore(path, sealing=Sealing(path, wanted=self._sealed()))

    def _sealed(self) -> bool | None:
        """Whether it is to be sealed; a bad configuration leaves it as it is."""
        try:
            return self.config().credentials.store == "keychain"
        except ShuntError:
            return None

    def config(self) -> Config:
        """Read the configuration as the server would. Raises ConfigError or StoreError."""
        return self.config_file.load(self.call.environ)

    def control(self, url: str | None = None) -> Control:
        """Find the server to talk to.

        A bad configuration does not stand in the way: a running server keeps the one it had.
        """
        try:
            server = self.config().server
        except ConfigError as error:
            note(f"config.toml has {len(error.problems)} problem(s); `shunt config check` lists them.")
            server = ServerConfig()
        if server.tls_cert:
            server = evolve(server, tls_cert=str(beside(self.places.config_file, server.tls_cert)))
        owner = holder(self.places.state_dir)
        return reach(server, self.call.environ, url, port=owner[1] if owner else None)


def open_files(call: Invocation) -> Files:
    """Find the files of this call; nothing is read or created yet. Raises StoreError."""
    return Files(call, locate(call.environ, home=call.home, config=call.config))


def known_providers() -> tuple[str, ...]:
    """Names an account's `provider` may have."""
    return tuple(provider.name for provider in PROVIDERS)
