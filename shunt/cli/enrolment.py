"""Bringing an account into both files, or out of both, so that a failure leaves neither half done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from shunt.accounts.credential import ApiKey, Credential, Login
from shunt.cli.exits import Failed
from shunt.cli.files import Files
from shunt.cli.terminal import clean, word
from shunt.config.types import AccountConfig
from shunt.errors import ShuntError
from shunt.store.credential_format import StoredCredential


@frozen
class Enrolment:
    """The accounts of one shunt, as both files have them."""

    files: Files

    def add(self, entry: Mapping[str, Any], credential: Credential | None) -> None:
        """Write a new account.

        The credential goes first: an account without one would be picked up by a running server and
        reported as broken; a credential without an account is inert.

        Args:
            entry: the keys of its `[[accounts]]`.
            credential: what goes to credentials.json; None when its key is elsewhere.

        Raises:
            ShuntError: nothing was changed.
        """
        name = str(entry["name"])
        before = self._stored().get(name)
        self._keep(name, None if credential is None else StoredCredential(credential))
        try:
            self.files.config_file.add_account(entry)
        except ShuntError:
            self._keep(name, before)
            raise

    def replace(self, name: str, credential: Credential) -> None:
        """Give an account that exists another credential. Raises ShuntError; nothing was changed then.

        A running server may be renewing the old login at this moment. It is waited for: what it writes
        afterwards would undo this.
        """
        store = self.files.credentials
        with store.refreshing(name):
            store.put(name, credential)

    def remove(self, name: str) -> bool:
        """Take an account out of both files; whether its secret was in credentials.json.

        config.toml goes first: what remains after a failure is a credential that nothing uses, and a
        second call removes it. Raises ShuntError.
        """
        self.files.config_file.remove_account(name)
        store = self.files.credentials
        with store.refreshing(name):
            return store.remove(name)

    def twin_of(self, name: str, credential: Credential, accounts: Mapping[str, AccountConfig]) -> str:
        """Name of another account with the same login or key; empty when there is none."""
        for other, stored in self._stored().items():
            if other != name and other in accounts and same(stored.credential, credential):
                return other
        if isinstance(credential, ApiKey):
            return next(
                (n for n, each in accounts.items() if n != name and each.api_key == credential.key), ""
            )
        return ""

    def check_replacement(self, account: AccountConfig, credential: Credential) -> None:
        """Refuse to put another person's login into an account, a login in a key's place, or a key in a login's.

        Raises:
            Failed: with what to do instead.
        """
        shown = clean(account.name)
        if isinstance(credential, ApiKey):
            self.check_lives_on_key(account)
            return
        stored = self.check_lives_on_login(account)
        if not isinstance(stored, Login) or not isinstance(credential, Login):
            return
        if stored.identity.contradicts(credential.identity):
            raise Failed(
                f"The account {shown} belongs to {_who(stored, 'another login')}, and this login to "
                f"{_who(credential, 'somebody else')}. Add it under another name, or first `shunt remove-account {word(account.name)}`."
            )

    def check_lives_on_login(self, account: AccountConfig) -> Credential | None:
        """Refuse a login in a key's place: what is stored for the account, or Failed with what to do instead."""
        entry = self._stored().get(account.name)
        stored = entry.credential if entry else None
        if account.api_key or account.api_key_env or isinstance(stored, ApiKey):
            raise Failed(
                f"The account {clean(account.name)} uses an API key. Add the login under another name."
            )
        return stored

    def check_lives_on_key(self, account: AccountConfig) -> None:
        """Refuse to store a key that would not be used, or that takes a login's place: Failed with what to do instead."""
        shown, entry = clean(account.name), self._stored().get(account.name)
        if account.api_key_env:
            raise Failed(
                f"The key of {shown} is in the variable {account.api_key_env}: change it where `shunt run` is started."
            )
        if account.api_key:
            raise Failed(
                f"The key of {shown} is its api_key in {self.files.places.config_file}: change it there."
            )
        if entry is not None and isinstance(entry.credential, Login):
            raise Failed(
                f"The account {shown} lives on a login; `shunt add-account {word(account.name)} --login` makes it "
                "anew. Add the key under another name."
            )

    def _stored(self) -> dict[str, StoredCredential]:
        return self.files.credentials.load()

    def _keep(self, name: str, entry: StoredCredential | None) -> None:
        def changed(accounts: Mapping[str, StoredCredential]) -> Mapping[str, StoredCredential]:
            others = {other: each for other, each in accounts.items() if other != name}
            return others if entry is None else {**others, name: entry}

        if entry is not None or name in self._stored():
            self.files.credentials.update(changed)


def _who(login: Login, otherwise: str) -> str:
    """Whose a login is, for people; the workspace too, where one e-mail has several."""
    who = login.identity
    workspace = who.organization_id or who.account_id
    named = clean(who.email) or otherwise
    return f"{named} ({clean(workspace)[:13]}…)" if workspace else named


def same(one: Credential, other: Credential) -> bool:
    """Whether two credentials are one account at the vendor."""
    if isinstance(one, Login) and isinstance(other, Login):
        if one.refresh and one.refresh == other.refresh:
            return True
        mine, theirs = one.identity, other.identity
        return bool(mine.account_id) and mine.account_id == theirs.account_id and not mine.contradicts(theirs)
    return isinstance(one, ApiKey) and isinstance(other, ApiKey) and one.key == other.key
