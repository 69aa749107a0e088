"""Server certificates of every quality, for loopback only. Made once; they guard nothing."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent / "tls"
AUTHORITY = HERE / "authority.pem"
"""The certificate authority that signed all but `self_signed`; valid for a century."""

Quality = Literal["good", "expired", "wrong_name", "self_signed"]


def server_tls(quality: Quality) -> ssl.SSLContext:
    """Return a server's context with a certificate of that quality for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / f"{quality}.pem")
    return context


def client_tls() -> ssl.SSLContext:
    """Return a client's context that trusts the test authority and nobody else."""
    return ssl.create_default_context(cafile=str(AUTHORITY))
