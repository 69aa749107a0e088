"""Keeping credentials.json sealed with a key in the system's keychain.

The file stays where and what it is (one writer, locks, atomic writes, a second copy), but its text is
encrypted in the format of age with a key that only the keychain has: macOS's, the Secret Service of a Linux
desktop, or Windows' Credential Manager, through the library `keyring`.

Decided 2026-11: one key in the keychain and not every login. Windows' takes no value as long as a login,
none of them changes several values at once, and each access may ask the person; a rotated token must not
depend on any of that. The key is read once per run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from attrs import define, field

from shunt.errors import StoreError

if TYPE_CHECKING:
    import pyrage

T = TypeVar("T")

SERVICE: Final = "shunt"
PATIENCE: Final = 20.0
"""Seconds for the keychain; it may ask the person for consent or a password."""
MARK: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"


def _age() -> Any:
    """pyrage, once it is needed: few logins are sealed, and it takes a MiB of a server that runs for months."""
    return importlib.import_module("pyrage")


class Keychain(Protocol):
    """A place for short secrets. Both methods block, and raise StoreError."""

    def get(self, name: str, /) -> str | None:
        """What is kept under a name."""

    def put(self, name: str, value: str, /) -> None:
        """Keep it."""


class SystemKeychain:
    """The one of this machine and user."""

    def get(self, name: str, /) -> str | None:
        """What is kept under a name. Raises StoreError."""
        kept = within(lambda: _keyring().get_password(SERVICE, name))
        return kept if isinstance(kept, str) else None

    def put(self, name: str, value: str, /) -> None:
        """Keep it. Raises StoreError."""
        within(lambda: _keyring().set_password(SERVICE, name, value))


@define
class Sealing:
    """How the text of one file is kept."""

    path: Path
    keychain: Keychain = field(factory=SystemKeychain, repr=False)
    wanted: bool | None = None
    """Whether the file is to be sealed; None leaves it as it is."""
    sealed: bool = False
    """Whether it was when it was last read or written."""
    trouble: str = ""
    """Why it is not sealed although that is wanted, in words for people."""
    _key: pyrage.x25519.Identity | None = field(default=None, repr=False)

    @property
    def settled(self) -> bool:
        """Whether the file is kept as it is to be."""
        return self.wanted is None or self.wanted is self.sealed

    def opened(self, text: bytes) -> bytes:
        """The plain text. Raises StoreError while the keychain does not give the key."""
        self.sealed = text.startswith(MARK)
        if not self.sealed:
            return text
        if self._key is None:
            self._key = self._kept()
        if self._key is None:
            raise StoreError(f"{self.path} is sealed with a key that the keychain does not have any more")
        age = _age()
        try:
            plain: bytes = age.decrypt(text, [self._key])
        except age.DecryptError as error:
            raise StoreError(f"{self.path} is sealed with another key than the keychain has") from error
        return plain

    def closed(self, text: bytes) -> bytes:
        """The text as it is to be written; plain, with a trouble, where the keychain does not take a key."""
        if self.wanted is None and not self.sealed:
            return text
        if self.wanted is False:
            self.sealed, self.trouble = False, ""
            return text
        try:
            key = self._key or self._kept() or self._made()
        except StoreError as error:
            if self.sealed:
                raise
            self.trouble = f"{error}; logins are kept in {self.path}, readable by you alone"
            return text
        self._key, self.sealed, self.trouble = key, True, ""
        sealed: bytes = _age().encrypt(text, [key.to_public()], armored=True)
        return sealed

    def _kept(self) -> pyrage.x25519.Identity | None:
        kept = self.keychain.get(self._name)
        if not kept:
            return None
        age = _age()
        try:
            key: pyrage.x25519.Identity = age.x25519.Identity.from_str(kept)
        except age.IdentityError as error:
            raise StoreError("what the keychain has for shunt is no key") from error
        return key

    def _made(self) -> pyrage.x25519.Identity:
        key: pyrage.x25519.Identity = _age().x25519.Identity.generate()
        self.keychain.put(self._name, str(key))
        # Some keychains take everything and keep nothing: what only they would have is not trusted to them.
        if self.keychain.get(self._name) != str(key):
            raise StoreError("the keychain did not keep the key")
        return key

    @property
    def _name(self) -> str:
        """Of the item in the keychain: each file has its own, so that two shunts never swap keys."""
        return f"credentials {sha256(str(self.path).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def within(work: Callable[[], T], patience: float = PATIENCE) -> T:
    """Ask the keychain, for so many seconds at most. Raises StoreError for whatever it answers instead."""
    answers: Queue[tuple[T | None, Exception | None]] = Queue()

    def ask() -> None:
        try:
            answers.put((work(), None))
        except Exception as error:  # noqa: BLE001 - backends raise errors of many libraries
            answers.put((None, error))

    Thread(target=ask, name="keychain", daemon=True).start()
    try:
        found, error = answers.get(timeout=patience)
    except Empty:
        raise StoreError(
            f"the system's keychain did not answer within {patience:g} s; is it locked?"
        ) from None
    if isinstance(error, StoreError):
        raise error
    if error is not None:
        raise StoreError(f"the system's keychain cannot be used ({type(error).__name__})") from error
    return found  # type: ignore[return-value]  # None only where `work` returns it


def _keyring() -> Any:
    try:
        return importlib.import_module("keyring")
    except ImportError as error:
        raise StoreError("the keychain needs the extra: install shunt[keychain]") from error
