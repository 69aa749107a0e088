"""The certificate that the server shows."""

from __future__ import annotations

import os
import shutil
import ssl
from pathlib import Path

import pytest
import trustme

from shunt.errors import ConfigError
from shunt.server.certificate import LOOK_EVERY, Certificate


class Clock:
    """Seconds that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def write(folder: Path, name: str, authority: trustme.CA, *, key: bool = True) -> Path:
    """A certificate file; with its key in it, if `key`."""
    made = authority.issue_cert("127.0.0.1")
    file = folder / name
    chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
    file.write_bytes(chain + (made.private_key_pem.bytes() if key else b""))
    (folder / f"{name}.key").write_bytes(made.private_key_pem.bytes())
    return file


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_one_file_or_two(tmp_path: Path, authority: trustme.CA) -> None:
    """The key may stand beside the certificate or in its file; without both there is no TLS."""
    certificate = Certificate(Clock())
    assert certificate.current() is None
    certificate.configure(write(tmp_path, "both.pem", authority), None)
    context = certificate.current()
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2, "what is older is broken"
    file = write(tmp_path, "cert.pem", authority, key=False)
    certificate.configure(file, tmp_path / "cert.pem.key")
    assert certificate.current() is not None
    certificate.configure(None, None)
    assert certificate.current() is None


def test_a_renewed_certificate_is_taken_up(tmp_path: Path, authority: trustme.CA) -> None:
    """Without a restart, and a broken one is not."""
    clock = Clock()
    certificate = Certificate(clock)
    file = write(tmp_path, "both.pem", authority)
    certificate.configure(file, None)
    first = certificate.current()
    shutil.copy(write(tmp_path, "new.pem", authority), file)
    os.utime(file, ns=(1, 1))
    assert certificate.current() is first, "it is not looked for at every connection"
    clock.now += LOOK_EVERY
    second = certificate.current()
    assert second is not first
    file.write_bytes(b"half written")
    clock.now += LOOK_EVERY
    assert certificate.current() is second
    file.unlink()
    clock.now += LOOK_EVERY
    assert certificate.current() is second


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"]
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, content: bytes, authority: trustme.CA) -> None:
    """At the start, and what was in force stays."""
    certificate = Certificate(Clock())
    certificate.configure(write(tmp_path, "both.pem", authority), None)
    file = tmp_path / "bad.pem"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.pem"):
        certificate.configure(file, None)
    with pytest.raises(ConfigError, match=r"none\.pem"):
        certificate.configure(tmp_path / "none.pem", None)
    assert certificate.current() is not None


def test_a_key_of_another_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    """Said in words, not in OpenSSL's."""
    file = write(tmp_path, "cert.pem", authority, key=False)
    write(tmp_path, "other.pem", authority)
    with pytest.raises(ConfigError, match="does not belong"):
        Certificate(Clock()).configure(file, tmp_path / "other.pem.key")
