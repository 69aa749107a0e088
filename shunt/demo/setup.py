"""The stage of `shunt run --demo`: a vendor at a loopback port, and a home folder that ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from attrs import frozen

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.demo import http1
from shunt.demo.login import SimulatedLogin
from shunt.demo.quota import WEEK, Quota
from shunt.demo.story import Story
from shunt.demo.vendor import LIFETIME, TOKEN_PATH, SimulatedAccount, Vendor
from shunt.store.credential_format import StoredCredential
from shunt.store.credentials import CredentialStore
from shunt.store.locations import locate

ANSWERS = 3
"""How many answers fill an account's short window."""
PERIOD = 40.0
"""Seconds of the short window: long enough for all three accounts to run dry before the first resets."""
WEEKLY = {"coral": 0.41, "reef": 0.17, "lagoon": 0.66}
"""The accounts, and the share of the seven-day window that each has behind it."""

CONFIG = "# The demo's own configuration. It is thrown away with the demo.\n" + "".join(
    f'\n[[accounts]]\nname = "{name}"\nprovider = "anthropic"\n' for name in WEEKLY
)


@frozen
class Demo:
    """What `shunt run` needs to know of an open demo."""

    environment: Mapping[str, str]
    """Goes over the user's own environment: where the files and the vendor's addresses are."""
    vendor: Vendor

    async def tell(self, base_url: str, write: Callable[[str], None]) -> None:
        """Play the guided minute against a shunt that listens at `base_url`; `write` takes lines.

        Returns when the story is over, also when shunt stops in the middle. Raises nothing.
        """
        await Story(base_url, self.vendor, write).tell()


@asynccontextmanager
async def open_demo(nursery: trio.Nursery, now: Callable[[], float]) -> AsyncIterator[Demo]:
    """Open the stage; leaving the context takes it down and removes its files.

    Args:
        nursery: The vendor's tasks run in it, so that an exception from the body comes through as it is.
            It must outlive the server, since running streams end at the vendor.
        now: Epoch seconds.
    """
    began = now()
    vendor = Vendor(now, {name: _account(name, began) for name in WEEKLY})
    # Removal must not fail the demo where a system still holds one of the files open.
    with TemporaryDirectory(prefix="shunt-demo-", ignore_cleanup_errors=True) as folder:
        await trio.to_thread.run_sync(_furnish, folder, vendor, began)
        async with http1.listening(nursery, vendor.answer) as base_url:
            environment = {
                "SHUNT_HOME": folder,
                "SHUNT_ANTHROPIC_URL": base_url,
                "SHUNT_ANTHROPIC_TOKEN_URL": base_url + TOKEN_PATH,
            }
            yield Demo(environment, vendor)


def _account(name: str, now: float) -> SimulatedAccount:
    """An account that nobody has used yet."""
    quota = Quota(answers=ANSWERS, period=PERIOD, weekly=WEEKLY[name], week_ends=now + WEEK / 2)
    return SimulatedAccount(SimulatedLogin(name), quota)


def _furnish(folder: str, vendor: Vendor, now: float) -> None:
    """Write the files that a user with these accounts would have."""
    places = locate({}, home=folder)
    Path(places.config_file).write_text(CONFIG, encoding="utf-8")
    stored = {name: StoredCredential(_credential(it.login, now)) for name, it in vendor.accounts.items()}
    CredentialStore(places.credentials_file).update(lambda _: stored)


def _credential(login: SimulatedLogin, now: float) -> Login:
    """What shunt keeps of a login."""
    return Login(
        access=Secret(login.access),
        refresh=Secret(login.refresh),
        expires_at=now + LIFETIME,
        scopes=("user:inference", "user:profile"),
        identity=Identity(
            account_id=f"demo-{login.account}", email=f"{login.account}@example.com", plan="demo"
        ),
    )
