"""The certificate that the server shows, read anew when its files change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import define, field

from shunt.errors import ConfigError

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks at the files."""

Stamp = tuple[tuple[int, int, int], ...]


@define(eq=False)
class Certificate:
    """Certificate and key of one server. Reading them blocks for milliseconds."""

    _now: Callable[[], float]
    """Seconds of any clock that does not jump back."""
    _files: tuple[Path, ...] = ()
    _context: ssl.SSLContext | None = None
    _stamp: Stamp = ()
    _looked: float = field(default=float("-inf"))

    def configure(self, certificate: Path | None, key: Path | None) -> None:
        """Use these files from now on; None is no TLS. Raises ConfigError, changing nothing."""
        if certificate is None:
            self._files, self._context = (), None
            return
        files = (certificate,) if key is None else (certificate, key)
        self._context = _loaded(files)
        self._files, self._stamp = files, _stamp(files)

    def current(self) -> ssl.SSLContext | None:
        """What to show now; None without TLS. New files that cannot be used leave the old ones in force."""
        if self._files and self._now() - self._looked >= LOOK_EVERY:
            self._looked = self._now()
            self._look()
        return self._context

    def _look(self) -> None:
        try:
            stamp = _stamp(self._files)
            if stamp != self._stamp:
                self._stamp = stamp
                self._context = _loaded(self._files)
                log.info("the certificate %s was read anew", self._files[0])
        except (ConfigError, OSError) as error:
            log.warning("The old certificate stays in use. %s", error)


def _stamp(files: tuple[Path, ...]) -> Stamp:
    found = [file.stat() for file in files]
    return tuple((status.st_ino, status.st_mtime_ns, status.st_size) for status in found)


def _loaded(files: tuple[Path, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a passphrase would be asked for on the terminal of a server: an empty one fails instead.
        context.load_cert_chain(files[0], files[-1], password=str)
    except ssl.SSLError as error:
        reason = (error.reason or "").replace("_", " ").lower()
        cure = {
            "key values mismatch": "the key does not belong to the certificate",
            "no start line": "it holds no certificate, or no key, in PEM form",
        }.get(reason, reason or "it cannot be read; is the key protected by a passphrase?")
        names = " and ".join(str(file) for file in files)
        raise ConfigError(f"server.tls_cert, server.tls_key ({names}): {cure}") from error
    except OSError as error:
        name = error.filename or next((file for file in files if not file.is_file()), files[0])
        raise ConfigError(
            f"server.tls_cert, server.tls_key: cannot read {name}: {(error.strerror or '').lower()}"
        ) from error
    return context
