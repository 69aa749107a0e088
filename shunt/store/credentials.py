"""credentials.json: the logins and keys shunt was given.

The file is never overwritten unless it could be read, and every change is made to what is in the file
at that moment, under a lock that other processes respect: two shunts, or a shunt and a command, never
undo each other's work.

Decided 2026-11: a file that cannot be used stops the start; nothing is put in its place by itself, since a
login that came back from a copy may be spent. What shunt wrote last is kept a second time, as
`credentials.json.1`, so that the message can name the command that restores it.

The mark of a pending refresh lies in the account's own entry, so that one atomic write both stores a
new token and takes the mark away: there is no moment in which only one of the two is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Final

from attrs import define, evolve, field

from shunt.accounts.credential import Credential
from shunt.errors import CredentialsUnreadable, StoreError
from shunt.store.credential_format import (
    Document,
    Malformed,
    PendingRefresh,
    StoredCredential,
    decode,
    encode,
)
from shunt.store.files import read_private, remove_stray, tighten, write_private
from shunt.store.lock import PATIENCE, exclusive, writing
from shunt.store.sealing import Sealing

LIMIT: Final = 8 * 1024 * 1024
"""Bytes; thousands of accounts need less."""

Accounts = Mapping[str, StoredCredential]
"""Entries by account name."""


@define
class CredentialStore:
    """The one way to credentials.json. All methods block on the disk: call them from a thread."""

    path: Path
    patience: float = PATIENCE
    """Seconds to wait for another process."""
    sealing: Sealing = field(kw_only=True)
    """Whether its text is encrypted; it stays as it is unless something else is wanted."""
    _generation: int = field(default=0, init=False)

    @sealing.default
    def _as_it_is(self) -> Sealing:
        return Sealing(self.path)

    @property
    def backup(self) -> Path:
        """Where what was written last is kept a second time."""
        return self.path.with_name(f"{self.path.name}.1")

    def load(self) -> dict[str, StoredCredential]:
        """Every stored credential by account name; empty when there is no file yet.

        Raises:
            CredentialsUnreadable: the file exists but cannot be read or trusted; it is left as it is.
        """
        return dict(self._read()[0].accounts)

    def update(self, change: Callable[[Accounts], Accounts]) -> dict[str, StoredCredential]:
        """Replace the stored credentials by what `change` makes of them; durable once this returns.

        `change` is given what is in the file now, whoever wrote it, and must not call the store.

        Raises:
            CredentialsUnreadable: the file cannot be read or trusted; it is left as it is.
            StoreError: it could not be written; what was in it still is.
        """
        with writing(self.path, self.patience):
            before, _ = self._read()
            after = dict(change(before.accounts))
            if after != before.accounts:
                self._write(after, before)
            return after

    def put(self, name: str, credential: Credential) -> None:
        """Store one account's credential. A pending refresh of it thereby has its end. Raises as `update`."""
        self.update(lambda accounts: {**accounts, name: StoredCredential(credential)})

    def remove(self, name: str) -> bool:
        """Forget one account's credential, in the kept generation too; whether there was one. Raises as `update`."""
        accounts = self.load()
        if name not in accounts:
            return False
        self.update(lambda now: {other: stored for other, stored in now.items() if other != name})
        with writing(self.path, self.patience):
            text = self._read()[1]
            if text is not None:
                write_private(self.backup, text)
        return True

    def mark_pending(self, name: str, fingerprint: str, at: float) -> None:
        """Record, durably, that a refresh token is about to be spent. Raises as `update`.

        Args:
            name: The account; nothing happens when it has no credential any more.
            fingerprint: `Secret.fingerprint()` of the refresh token.
            at: Epoch seconds.
        """
        self._set_pending(name, PendingRefresh(fingerprint, at))

    def clear_pending(self, name: str) -> None:
        """Record that the token was not spent after all (the endpoint was never reached). Raises as `update`."""
        self._set_pending(name, None)

    def pending(self) -> dict[str, PendingRefresh]:
        """Refreshes that were begun and never ended, by account name. Raises as `load`.

        At start each means: the last process ended in between, and the stored refresh token may be spent.
        """
        return {name: stored.pending for name, stored in self.load().items() if stored.pending is not None}

    def refreshing(self, name: str, /) -> AbstractContextManager[None]:
        """Keep other processes from renewing this account's login; they find the new one when they come to it.

        Entering blocks for `patience` at most, and raises StoreError when another process is still at it.
        """
        digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]  # names are no file names
        refusal = f"another shunt has been renewing the login of {name} for {self.patience:g} s"
        return exclusive(self.path.with_name(f".{self.path.name}.{digest}.lock"), refusal, self.patience)

    def sweep(self) -> tuple[str, ...]:
        """Tidy up at start: left-overs of interrupted writes, access of other users. What was done, for people."""
        if not self.path.parent.is_dir():
            return ()
        with writing(self.path, self.patience):
            strays = remove_stray(self.path) + remove_stray(self.backup)
        done = [said for path in (self.path, self.backup) if (said := tighten(path)) is not None]
        if strays:
            done.append(f"removed {strays} left-over of interrupted writes beside {self.path}")
        return tuple(done)

    def settle(self) -> None:
        """Give the file the form that is wanted: sealed, or plain. Raises as `update`."""
        with writing(self.path, self.patience):
            document, text = self._read()
            if text is not None and not self.sealing.settled:
                self._write(document.accounts, document)

    def _set_pending(self, name: str, pending: PendingRefresh | None) -> None:
        def change(accounts: Accounts) -> Accounts:
            if name not in accounts:
                return accounts
            return {**accounts, name: evolve(accounts[name], pending=pending)}

        self.update(change)

    def _read(self) -> tuple[Document, bytes | None]:
        try:
            text = read_private(self.path, limit=LIMIT)
            document = Document() if text is None else decode(self.sealing.opened(text))
        except StoreError as error:
            raise CredentialsUnreadable(f"{error}. Nothing was changed.") from error
        except Malformed as error:
            raise CredentialsUnreadable(self._cure(error)) from error
        # A restored backup has a lower number; the next write is still the newest.
        self._generation = max(self._generation, document.generation)
        return document, text

    def _write(self, accounts: Accounts, before: Document) -> None:
        text = self.sealing.closed(encode(accounts, self._generation + 1, before))
        write_private(self.path, text)
        self._generation += 1
        with suppress(StoreError):  # the copy must not stand in the way of a new token
            write_private(self.backup, text)

    def _cure(self, error: Malformed) -> str:
        said = f"{self.path} cannot be used: {error}. Nothing was changed. Correct it by hand"
        try:
            text = read_private(self.backup, limit=LIMIT)
            kept = decode(self.sealing.opened(text)) if text is not None else None
        except (StoreError, Malformed):
            kept = None
        if kept is None:
            return f"{said}, or move it away (without it, accounts need `shunt add-account` again)."
        here, broken = quote(str(self.path)), quote(f"{self.path}.broken")
        return (
            f"{said}, or go back to what shunt wrote last ({len(kept.accounts)} accounts): "
            f"mv {here} {broken} && cp -p {quote(str(self.backup))} {here}"
        )
