"""Fetching a release, and believing nothing before its size and checksum are right."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any, Final

from shunt.desktop.feed import File, safe
from shunt.errors import UpdateError

SILENCE: Final = 30.0
"""Seconds a server may say nothing."""
FEED_LIMIT: Final = 1024 * 1024
_CHUNK: Final = 256 * 1024


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but to no place where somebody on the way could change the answer."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not safe(newurl):
            raise UpdateError(f"{req.full_url} leads to an unprotected address, {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def feed(address: str) -> bytes:
    """The text of a release feed. Raises UpdateError."""
    with _opened(address) as answer:
        text: bytes = _read(answer, address, FEED_LIMIT + 1)
    if len(text) > FEED_LIMIT:
        raise UpdateError(f"{address} is too large to be a release feed")
    return text


def fetch(file: File, target: Path) -> None:
    """Fetch one file of a release to `target`, which exists afterwards only if it is the right one.

    Raises UpdateError: unreachable, or not of the announced size and checksum.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with _opened(file.url) as answer, target.open("wb") as out:
            while data := _read(answer, file.url, _CHUNK):
                size += len(data)
                digest.update(data)
                if size > file.size:
                    break
                out.write(data)
        _verify(file, size, digest.hexdigest())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise UpdateError(f"cannot write {target}: {error.strerror}") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _verify(file: File, size: int, sha256: str) -> None:
    if size != file.size:
        which = "more" if size > file.size else "fewer"
        raise UpdateError(f"{file.name} has {which} bytes than announced; it was not kept")
    if sha256 != file.sha256:
        raise UpdateError(f"{file.name} is not what the feed announced (checksum); it was not kept")


def _opened(address: str) -> Any:
    if not safe(address):
        raise UpdateError(f"{address} is not protected: a release feed has to be at an https address")
    opener = urllib.request.build_opener(_SafeRedirects)
    opener.addheaders = [("User-Agent", "shunt"), ("Accept-Encoding", "identity")]
    try:
        return opener.open(address, timeout=SILENCE)
    except urllib.error.HTTPError as error:
        error.close()
        raise UpdateError(f"{address} answered {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UpdateError(f"cannot reach {address}: {reason}") from None


def _read(answer: Any, address: str, limit: int) -> bytes:
    try:
        data: bytes = answer.read(limit)
    except (OSError, http.client.HTTPException) as error:
        raise UpdateError(f"{address} broke off: {error}") from None
    return data
