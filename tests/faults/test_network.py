"""Networks that fail: between namespaces of the kernel, with real links that go down. Needs root."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trio
from attrs import define

from tests.fakes.client import RawResponse, request
from tests.fakes.upstream import Answer, End, Framing
from tests.faults.house import MESSAGES, House, ends_in_error, own_house
from tests.faults.stage import Stage, counting, message

ACCOUNT = ((b"x-shunt-account", b"coral"),)


@define
class Link:
    """A cable between this machine and another one."""

    name: str
    far: str
    """Address of the other machine."""

    def up(self) -> None:
        """Plug it in."""
        ip("link", "set", self.name, "up")

    def down(self) -> None:
        """Pull it: what is sent vanishes, and nobody says so."""
        ip("-n", self.name, "link", "set", "far", "down")


def ip(*arguments: str) -> None:
    """Run ip(8)."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr}")


@pytest.fixture
def link() -> Iterator[Link]:
    """Another machine, as far as the kernel is concerned."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and ip(8), to lay a cable")
    name, third = f"sh{secrets.token_hex(4)}", secrets.randbelow(250)
    try:
        ip("netns", "add", name)
    except OSError as error:
        pytest.skip(f"no network namespaces here: {error}")
    try:
        ip("link", "add", name, "type", "veth", "peer", "name", "far", "netns", name)
        ip("addr", "add", f"10.77.{third}.1/24", "dev", name)
        ip("link", "set", name, "up")
        ip("-n", name, "addr", "add", f"10.77.{third}.2/24", "dev", "far")
        ip("-n", name, "link", "set", "far", "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield Link(name, f"10.77.{third}.2")
    except OSError as error:
        pytest.skip(f"no cable can be laid here: {error}")
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)


@pytest.fixture
def far(link: Link, tmp_path: Path) -> Iterator[House]:
    """A shunt here, whose vendor is there."""
    with own_house(tmp_path, Stage(host=link.far, namespace=link.name)) as house:
        yield house


def test_a_black_hole(far: House, link: Link) -> None:
    """The link is pulled in mid-stream: the stream is told of the silence, and new requests are refused."""
    far.start()

    async def play() -> None:
        with far.playing(lambda _: counting(10_000)) as mark:
            answers: list[bytes] = []

            async def stream() -> None:
                answers.append((await far.ask(mark=mark, stream=True, within=60)).body)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream)
                await trio.sleep(1.5)
                link.down()
            assert ends_in_error(MESSAGES, answers[0])
        refused = await far.ask()
        assert refused.status in (502, 504)

    trio.run(play)
    assert far.healthy()


def test_a_link_that_goes_down_and_up(far: House, link: Link) -> None:
    """Two seconds without a link do not end a stream; after a long time new requests work at once."""
    far.start()

    async def play() -> None:
        with far.playing(lambda _: counting(60)) as mark:
            answers: list[bytes] = []

            async def stream() -> None:
                answers.append((await far.ask(mark=mark, stream=True, within=60)).body)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream)
                await trio.sleep(1.5)
                ip("-n", link.name, "link", "set", "far", "down")
                await trio.sleep(1.0)
                ip("-n", link.name, "link", "set", "far", "up")
            assert b'"n50"' in answers[0]  # every event came
        ip("-n", link.name, "link", "set", "far", "down")
        await trio.sleep(6)
        ip("-n", link.name, "link", "set", "far", "up")
        begun = time.monotonic()
        while (await far.ask(headers=ACCOUNT)).status != 200:
            assert time.monotonic() - begun < 20
            for name in ("coral", "reef"):
                await far.send_post(f"/accounts/{name}/clear")
            await trio.sleep(0.2)

    trio.run(play)


def test_no_route_and_no_answer(far: House, link: Link) -> None:
    """Nobody at the address, or no way there: 502 within the limit for connecting; nobody is benched."""
    far.start()
    link.down()
    begun = time.monotonic()
    answer = trio.run(far.ask)
    assert answer.status in (502, 504)
    assert time.monotonic() - begun < 30
    ip("link", "set", link.name, "down")
    assert trio.run(far.ask).status in (502, 504)


def test_large_packets_vanish(far: House, link: Link) -> None:
    """A link on the way takes less than both ends believe, and says nothing of it: small requests are served, and a
    large one ends with the time-out for writing, in words; small ones go on beside it."""
    far.start()
    ip("-n", link.name, "link", "set", "far", "mtu", "600")
    net = link.far.rpartition(".")[0] + ".0/24"
    ip("-n", link.name, "route", "replace", net, "dev", "far", "src", link.far, "advmss", "1460")
    ip("link", "set", link.name, "gso_max_segs", "1")  # else the kernel hands over more than a packet at once
    statuses: list[int] = []

    async def small() -> None:
        while True:
            statuses.append((await far.ask()).status)
            await trio.sleep(0.2)

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(small)
            answer = await far.ask(body=message("x" * 8 * 1024 * 1024), within=90)
            nursery.cancel_scope.cancel()
        assert answer.status == 504, answer.body[:300]
        assert b"stopped taking the request" in answer.body
        assert set(statuses) == {200}
        assert len(statuses) > 3

    trio.run(play)


def test_a_start_without_network(far: House, link: Link) -> None:
    """It serves, says what is wrong, and works as soon as the network does."""
    ip("-n", link.name, "link", "set", "far", "down")
    far.start()
    assert trio.run(far.ask).status in (502, 504)
    ip("-n", link.name, "link", "set", "far", "up")
    begun = time.monotonic()
    while trio.run(far.ask).status != 200:
        assert time.monotonic() - begun < 30
        far.clear()


@pytest.mark.timeout(240)
def test_clients_that_vanish_are_noticed(link: Link, tmp_path: Path) -> None:
    """The link to three clients is pulled: one that is being sent to, one whose vendor says nothing yet, and one that
    has its answer. All are gone after two minutes, with what was done for them at the vendor."""
    near = link.far.rpartition(".")[0] + ".1"
    key = "sk-canary-remote-0123456789"
    with own_house(tmp_path) as house, ExitStack() as clients:
        house.configure(server={"host": "0.0.0.0", "remote_key": key, "request_timeout_secs": 600})
        house.start()
        with (
            house.playing(lambda _: counting(100_000)) as busy,
            house.playing(Answer(200, (), (End.NEVER,), Framing.RAW)) as silent,
        ):
            heads = [asking(near, house.port, key, mark) for mark in (busy, silent)]
            heads.append(asking(near, house.port, key, ""))
            for head in heads:
                clients.enter_context(visitor(link, near, house.port, head))
            wait_for(lambda: all(house.stage.arrived(mark) for mark in (busy, silent, "")))
            time.sleep(1)
            link.down()
            # What is sent to one fills the kernel's buffer; then the limit for clients that take nothing counts. The
            # kernel asks the others whether they are there.
            left = [house.stage.arrived(mark)[0].request for mark in (busy, silent)]
            wait_for(lambda: all(one.left_at is not None for one in left), 120)


def asking(host: str, port: int, key: str, mark: str) -> bytes:
    """A request for a stream, from another machine."""
    return request(
        b"POST",
        MESSAGES,
        ((b"x-api-key", key.encode()), (b"host", f"{host}:{port}".encode())),
        message(mark, stream=True),
    )


@contextmanager
def visitor(link: Link, host: str, port: int, sent: bytes) -> Iterator[None]:
    """A program on the other machine that connects, sends this, reads and says nothing more."""
    script = (
        "import socket,sys\n"
        "s=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
        "s.sendall(sys.stdin.buffer.read())\n"
        "while s.recv(65536): pass\n"
    )
    python = shutil.which("python3") or "python3"
    words = ["ip", "netns", "exec", link.name, python, "-c", script, host, str(port)]
    client = subprocess.Popen(words, stdin=subprocess.PIPE)
    assert client.stdin is not None
    client.stdin.write(sent)
    client.stdin.close()
    try:
        yield
    finally:
        client.kill()
        client.wait()


def wait_for(condition: Callable[[], bool], within: float = 30) -> None:
    """Poll until it is so."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_names_that_do_not_resolve(tmp_path: Path) -> None:
    """A name that nobody knows is told as such, within the limit for connecting."""
    ask_at("no-such-name.invalid", tmp_path)


def test_a_name_server_that_is_silent(tmp_path: Path) -> None:
    """More requests than there are threads for names wait for one that never comes: each is told so within the limit
    for connecting, and meanwhile an account at an address is served."""
    name = "vendor.example.test"
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.77\n")
    mounted = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(resolver))
    if shutil.which("unshare") is None or subprocess.run([*mounted, "true"], check=False).returncode:
        pytest.skip("needs root and unshare(1), to have a name server of its own")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.77", 53))
    with silent, own_house(tmp_path) as house:
        # Not so soon that the others could have ended before the one that is served meanwhile.
        house.configure(server={"connect_timeout_secs": 8, "request_timeout_secs": 3, "drain_seconds": 1})
        path = house.home / "config.toml"
        path.write_text(path.read_text().replace(house.stage.url, f"https://{name}", 1))
        house.start(*mounted)
        answers: list[RawResponse] = []

        async def unresolved() -> None:
            answers.append(await house.ask(headers=ACCOUNT, within=30))

        async def play() -> None:
            async with trio.open_nursery() as nursery:
                for _ in range(60):
                    nursery.start_soon(unresolved)
                await trio.sleep(0.5)
                assert (await house.ask(headers=((b"x-shunt-account", b"reef"),))).status == 200
                assert not answers

        trio.run(play)
        assert len(answers) == 60
        assert {answer.status for answer in answers} <= {502, 504}
        assert any(name.encode() in answer.body for answer in answers)
        assert silent.recv(512, socket.MSG_DONTWAIT), "it was never asked"
        assert house.healthy()


def test_one_broken_family(tmp_path: Path) -> None:
    """The vendor's name has two addresses and only one answers: it is found at once."""
    ask_at("localhost", tmp_path)


def ask_at(host: str, folder: Path) -> None:
    """Ask a vendor by this name; only localhost is one."""
    with own_house(folder) as house:
        text = (house.home / "config.toml").read_text()
        port = house.stage.port if host == "localhost" else 443
        scheme = "http" if host == "localhost" else "https"
        (house.home / "config.toml").write_text(text.replace(house.stage.url, f"{scheme}://{host}:{port}"))
        house.start()
        begun = time.monotonic()
        answer = trio.run(house.ask)
        assert time.monotonic() - begun < 30
        assert answer.status == (200 if host == "localhost" else 502), answer.body
        assert host == "localhost" or host.encode() in answer.body
