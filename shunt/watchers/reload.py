"""Takes over what people change on disk while shunt runs.

That is config.toml, and credentials that a command stored. A bad edit changes nothing.
"""

from __future__ import annotations

import logging
from typing import Final

import trio
from attrs import define, field

from shunt.errors import ShuntError, StoreError
from shunt.watchers.health import Report
from shunt.watchers.notices import Category, Notice
from shunt.watchers.parts import Parts
from shunt.watchers.stamp import Stamp, stamp_of
from shunt.watchers.supervisor import Watcher
from shunt.watchers.worker import Worker

log = logging.getLogger(__name__)

NAME: Final = "reload"
LIMIT: Final = 60.0
LOOK_EVERY: Final = 2.0
"""Seconds."""
SETTLE: Final = 0.3
"""Seconds config.toml must stay as it is before it is read: some editors empty it first."""

Stamps = tuple[Stamp | None, Stamp | None]
"""Of config.toml and credentials.json."""


@define
class Reloader:
    """Reads the files when they changed. At first that is always so: no edit made during start is missed."""

    parts: Parts
    worker: Worker
    config_seen: Stamp | None = None
    """The version last read, good or bad."""
    credentials_seen: Stamp | None = None
    _complaints: dict[str, str] = field(factory=dict, init=False)
    """What was said to be wrong with each file and still is."""

    async def run(self, report: Report) -> None:
        """Look every two seconds, or when asked."""
        while True:
            report.idle(self.parts.now() + LOOK_EVERY)
            asked = await self.parts.reload.within(LOOK_EVERY)
            config, credentials = await self.stamps()
            if credentials != self.credentials_seen:
                report.working()
                await self.take_credentials(credentials)
            if asked or config != self.config_seen:
                report.working()
                await self.take_config(config)

    async def stamps(self) -> Stamps:
        """Look at the files without reading them. Raises OSError."""
        config, credentials = self.parts.config_path, self.parts.credentials_path
        return await self.worker(lambda: (stamp_of(config), stamp_of(credentials)))

    async def take_credentials(self, found: Stamp | None) -> None:
        """Have custody look at its file, and use accounts that now have another kind of credential."""
        before = self.kinds()
        try:
            await self.parts.custody.load()
            if self.kinds() != before:
                await self.parts.apply(self.parts.config())
        except StoreError as error:
            self.complain("credentials", f"The credentials in memory stay in use. {error}")
        else:
            self._complaints.pop("credentials", None)
        self.credentials_seen = found

    def kinds(self) -> dict[str, type]:
        """What kind of credential each configured account has."""
        names = (account.name for account in self.parts.config().accounts)
        return {name: type(self.parts.custody.credential(name)) for name in names}

    async def take_config(self, found: Stamp | None) -> None:
        """Read config.toml once it stays still, and apply it if it is good and says something new."""
        while True:
            await trio.sleep(SETTLE)
            again, _ = await self.stamps()
            if again == found:
                break
            found = again
        try:
            if found is None:
                # Not "everything at its default": a slip would drop every account.
                raise StoreError(f"{self.parts.config_path} is gone.")
            config = await self.worker(self.parts.load_config)
            if config != self.parts.config():
                await self.parts.apply(config)
                log.info("%s was read anew", self.parts.config_path)
        except ShuntError as error:
            self.complain("config", f"The configuration stays as it was. {error}")
        else:
            self._complaints.pop("config", None)
        self.config_seen = found

    def complain(self, what: str, complaint: str) -> None:
        """Say once what is wrong."""
        if self._complaints.get(what) == complaint:
            return
        self._complaints[what] = complaint
        self.parts.notify(Notice(Category.CONFIG_REJECTED, "", complaint.replace("\n", "; ")))


def watch(parts: Parts) -> Watcher:
    """Return the watcher of files that people change."""
    return Watcher(NAME, Reloader(parts, parts.worker()).run, LIMIT)
