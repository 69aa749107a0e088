"""Shunt on a network, with TLS: other machines come through it, with a key and the right name."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import anthropic as sdk
import httpx2 as httpx
import pytest
import trio
import trustme

from tests.e2e.agents import CUE, MODELS, RESULT, SUM, account
from tests.e2e.claude_code import claude
from tests.e2e.npm import headless
from tests.e2e.program import Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.upstream import scripted_upstream

__all__ = ["claude"]


@pytest.fixture(scope="module")
def address() -> str:
    """An address of this machine that is not loopback: nothing leaves the machine all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; the kernel picks the address it would use
        except OSError:
            pytest.skip("this machine has no address but loopback")
        found: str = probe.getsockname()[0]
        return found


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certificate(folder: Path, authority: trustme.CA, address: str) -> None:
    """Certificate and key as an owner would put them beside config.toml."""
    made = authority.issue_cert(address)
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    (folder / "key.pem").write_bytes(made.private_key_pem.bytes())
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())


async def started(shunt: Program, authority: trustme.CA, address: str) -> str:
    """Start shunt on a network address; the key of a client."""
    certificate(shunt.home, authority, address)
    added = await shunt.cli("client", "add", "laptop", "--key-only")
    assert added.returncode == 0, added.stderr
    await shunt.start()
    return added.stdout.decode().strip()


def on_network(shunt: Program, address: str) -> dict[str, object]:
    return {"port": shunt.port, "host": "0.0.0.0", "tls_cert": "cert.pem", "tls_key": "key.pem"}


@pytest.fixture
async def shunt(tmp_path: Path, address: str) -> AsyncIterator[Program]:
    async with (
        scripted_upstream(lambda *_: anthropic.plain("words")) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("a")], server=on_network(shunt, address))
        yield shunt


async def test_tls_a_key_and_nothing_else(shunt: Program, authority: trustme.CA, address: str) -> None:
    """The vendor's SDK through TLS; without a key, without trust or in the clear nobody gets in."""
    key = await started(shunt, authority, address)
    url = f"https://{address}:{shunt.port}"
    trusted = ssl.create_default_context(cafile=str(shunt.home / "ca.pem"))
    async with httpx.AsyncClient(verify=trusted, trust_env=False) as http:
        client = sdk.AsyncAnthropic(base_url=url, api_key=key, http_client=http, max_retries=0)
        said = await client.messages.create(
            model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
        assert said.content[0].text == "words"  # type: ignore[union-attr]
        assert (await http.get(f"{url}/v1/models")).status_code == 401
        assert (await http.get(f"{url}/status", headers={"x-api-key": key})).status_code == 403
    async with httpx.AsyncClient(trust_env=False) as stranger:
        with pytest.raises(httpx.ConnectError):
            await stranger.get(f"{url}/health")
        clear = await stranger.get(f"http://{address}:{shunt.port}/health")
        assert clear.status_code == 400
        assert "https://" in clear.json()["error"]["message"]
        # This machine itself goes on as before.
        assert (await stranger.get(f"http://127.0.0.1:{shunt.port}/health")).status_code == 200


async def test_a_renewed_certificate_needs_no_restart(
    shunt: Program, authority: trustme.CA, address: str
) -> None:
    """New connections see it within seconds."""
    await started(shunt, authority, address)
    first = await shown(address, shunt.port)
    certificate(shunt.home, authority, address)
    with trio.fail_after(30):
        while await shown(address, shunt.port) == first:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.2)


async def shown(address: str, port: int) -> bytes | None:
    """The certificate that the server shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = await trio.open_ssl_over_tcp_stream(address, port, ssl_context=context, https_compatible=True)
    async with stream:
        await stream.do_handshake()
        found: bytes | None = stream.getpeercert(binary_form=True)
        return found


async def test_a_certificate_that_cannot_be_used(shunt: Program, authority: trustme.CA, address: str) -> None:
    """One line that names it, and no start."""
    certificate(shunt.home, authority, address)
    await shunt.cli("client", "add", "laptop")
    (shunt.home / "key.pem").write_bytes(authority.issue_cert("other.test").private_key_pem.bytes())
    done = await shunt.cli("run")
    assert done.returncode == 1
    assert b"does not belong to the certificate" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.clients
@pytest.mark.timeout(180)
async def test_the_real_claude_code(
    claude: Path, tmp_path: Path, authority: trustme.CA, address: str
) -> None:
    """On another machine: connected by one command there, through TLS."""
    model = MODELS["anthropic"]("Bash", {"command": SUM, "description": "add"})
    async with scripted_upstream(model) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([account("anthropic", up.url)], server=on_network(shunt, address))
        key = await started(shunt, authority, address)
        home = tmp_path / "laptop"
        home.mkdir()
        shunt.extra = {"HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude")}
        url = f"https://{address}:{shunt.port}"
        done = await shunt.cli("connect", "claude", "--yes", "--url", url, "--key-stdin", stdin=key.encode())
        assert done.returncode == 0, done.stderr
        environ = {
            "NODE_EXTRA_CA_CERTS": str(shunt.home / "ca.pem"),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "NO_PROXY": address,
        }
        told = await headless([str(claude), "-p", CUE], home, environ)
        assert told.status == 0, (told.out, told.err)
        assert RESULT in told.out
        written = json.loads((home / ".claude" / "settings.json").read_text())
        assert written["env"]["ANTHROPIC_BASE_URL"] == url
        if os.name == "posix":
            assert (home / ".claude" / "settings.json").stat().st_mode & 0o077 == 0
