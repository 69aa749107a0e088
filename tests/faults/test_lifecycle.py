"""The process itself: signals, kills, short resources, clocks that jump, configurations that break."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from tests.e2e.program import document
from tests.fakes import anthropic
from tests.fakes.client import raw_client, request
from tests.faults.house import MESSAGES, House, ends_in_error, own_house, write_private
from tests.faults.stage import counting, message


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A shunt of the test's own, configured and not yet started."""
    with own_house(tmp_path) as house:
        yield house


async def streaming(house: House, mark: str, count: int, then: object = None) -> list[bytes]:
    """Open that many streams, let `then` happen, and read them to their ends."""
    bodies: list[bytes] = []
    begun = trio.Event()
    open_streams = 0

    async def stream() -> None:
        nonlocal open_streams
        async with raw_client(house.port) as client:
            await client.send(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
            incoming = await client.begin()
            await incoming.piece()
            open_streams += 1
            if open_streams == count:
                begun.set()
            bodies.append((await incoming.rest()).body)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(stream)
            await begun.wait()
            if callable(then):
                then()
    return bodies


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_shunt(own: House, number: signal.Signals) -> None:
    """At once, with status 0."""
    own.start()
    assert own.process is not None
    own.process.send_signal(number)
    assert own.process.wait(20) == 0


def test_a_signal_lets_streams_end_and_then_tells_them(own: House) -> None:
    """A hundred streams: each ends with the error event of its protocol, and the status is 0."""
    own.start()
    assert own.process is not None
    with own.playing(lambda _: counting(10_000)) as mark:
        bodies = trio.run(streaming, own, mark, 100, own.process.terminate)
    assert all(ends_in_error(MESSAGES, body) for body in bodies)
    assert own.process is not None
    assert own.process.wait(30) == 0


def test_a_signal_does_not_wait_for_a_client_that_does_not_read(own: House) -> None:
    """It gets its time like the others, and not more."""
    own.start()
    with own.playing(anthropic.events_answer([b": " + b"x" * 50_000_000 + b"\n\n"])) as mark:
        stuck = socket.create_connection(("127.0.0.1", own.port))
        stuck.sendall(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
        time.sleep(0.5)
        assert own.process is not None
        own.process.terminate()
        assert own.process.wait(25) == 0
        stuck.close()


def test_a_second_signal_ends_at_once(own: House) -> None:
    """Without waiting for streams; the status says so."""
    own.configure(server={"drain_seconds": 60, "request_timeout_secs": 60})
    own.start()

    def twice() -> None:
        assert own.process is not None
        own.process.terminate()
        time.sleep(0.6)
        own.process.terminate()

    async def cut() -> None:
        try:
            await streaming(own, mark, 3, twice)
        except* (OSError, trio.BrokenResourceError):
            pass

    with own.playing(lambda _: counting(10_000)) as mark:
        trio.run(cut)
    assert own.process is not None
    assert own.process.wait(20) == 130


def test_a_kill_leaves_nothing_that_hinders_the_next_start(own: House) -> None:
    """SIGKILL in the middle of streams: the credentials are whole, and a new start serves at once."""
    own.log_in()
    own.start()
    before = (own.home / "credentials.json").read_bytes()

    async def cut() -> None:
        try:
            await streaming(own, mark, 20, own.process and own.process.kill)
        except* (OSError, trio.BrokenResourceError):
            pass

    with own.playing(lambda _: counting(10_000)) as mark:
        trio.run(cut)
    assert own.process is not None
    own.process.wait(10)
    assert (own.home / "credentials.json").read_bytes() == before
    own.start()
    assert trio.run(own.ask).status == 200
    deadline = time.monotonic() + 10
    while strays := [name for name in own.names() if "tmp" in name]:  # a save may be on its way just now
        assert time.monotonic() < deadline, strays
        time.sleep(0.1)


def test_a_shunt_that_stood_still(own: House) -> None:
    """SIGSTOP for longer than a clock may jump, then SIGCONT: it notices, and serves at once."""
    own.start()
    assert trio.run(own.ask).status == 200
    assert own.process is not None
    own.process.send_signal(signal.SIGSTOP)
    time.sleep(17)
    own.process.send_signal(signal.SIGCONT)
    assert trio.run(own.ask).status == 200
    deadline = time.monotonic() + 20
    while "clocks parted" not in own.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_few_descriptors(own: House) -> None:
    """With 160 of them and 300 connections, those that fit are served, and later ones again."""
    own.start("prlimit", "--nofile=160:160")
    held: list[socket.socket] = []
    for _ in range(300):
        one = socket.create_connection(("127.0.0.1", own.port), timeout=20)
        held.append(one)
    time.sleep(1)
    for one in held:
        one.close()
    own.await_health()
    assert trio.run(own.ask).status == 200
    assert len(own.log.read_text().splitlines()) < 60


def test_little_memory(own: House) -> None:
    """A request that does not fit into memory fails alone; the process goes on serving."""
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is missing")
    own.expected.append("MemoryError")
    own.start("prlimit", f"--as={1200 * 1024 * 1024}")

    async def press() -> None:
        async def one() -> None:
            with suppress(Exception), trio.move_on_after(30):  # whatever becomes of it
                async with raw_client(own.port) as client:
                    large = message("x" * 60 * 1024 * 1024)
                    await client.send(request(b"POST", b"/v1/chat/completions", (), large))
                    await client.response()

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(one)

    trio.run(press)
    own.await_health()
    assert trio.run(own.ask).status == 200


def run(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`shunt run` that ends by itself."""
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-m", "shunt", "run", "--home", str(home), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(root), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_and_a_second_instance(own: House) -> None:
    """One line that says who holds it, and a status that is not 0; the first one goes on."""
    own.start()
    done = run(own.home, "--port", str(own.port))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(own.process.pid) in done.stderr if own.process else False
    other = own.folder / "other"
    other.mkdir()
    taken = run(other, "--port", str(own.port))
    assert taken.returncode == 1
    assert "in use" in taken.stderr
    assert own.healthy()


BAD_CONFIGS: dict[str, tuple[bytes, str]] = {
    "164-not-toml": (b"[server\n", "config.toml"),
    "164-nul": (b'[server]\nhost = "a\0b"\n', "config.toml"),
    "164-latin1": (b'[server]\nhost = "\xe9"\n', "config.toml"),
    "165-typo": (b"[server]\nprot = 80\n", "port"),
    "165-section": (b"[sever]\nport = 8080\n", "server"),
    "166-twice": (
        (
            b'[[accounts]]\nname="a"\nprovider="openai"\napi_key="sk-test-1"\n'
            b'[[accounts]]\nname="A"\nprovider="openai"\napi_key="sk-test-2"\n'
        ),
        "name",
    ),
    "166-newline": (b'[[accounts]]\nname="a\\nb"\nprovider="openai"\n', "name"),
    "166-path": (b'[[accounts]]\nname="../x"\nprovider="openai"\n', "name"),
    "166-long": (b'[[accounts]]\nname="%s"\nprovider="openai"\n' % (b"a" * 300), "name"),
    "167-port-text": (b'[server]\nport = "8082"\n', "port"),
    "167-port-high": (b"[server]\nport = 70000\n", "port"),
    "167-negative": (b"[server]\nrequest_timeout_secs = -1\n", "request_timeout_secs"),
    "167-inf": (b"[server]\nmax_body_mb = inf\n", "max_body_mb"),
    "168-wildcard": (b'[server]\nhost = "0.0.0.0"\n', "key"),
    "168-v6-wildcard": (b'[server]\nhost = "::"\n', "key"),
    "168-empty-key": (b'[server]\nhost = "0.0.0.0"\nremote_key = ""\n', "key"),
    "168-short-key": (b'[server]\nhost = "0.0.0.0"\nremote_key = "abc"\n', "key"),
    "169-plain-http": (
        b'[[accounts]]\nname="a"\nprovider="anthropic"\nupstream_url="http://api.example.com"\napi_key="sk-test"\n',
        "https",
    ),
    "169-password": (
        b'[[accounts]]\nname="a"\nprovider="anthropic"\nupstream_url="https://u:p@example.com"\napi_key="sk-test"\n',
        "user name",
    ),
    "169-metadata": (
        b'[[accounts]]\nname="a"\nprovider="openai-compatible"\nupstream_url="http://169.254.169.254"\n',
        "link-local",
    ),
    "169-fragment": (
        b'[[accounts]]\nname="a"\nprovider="openai-compatible"\nupstream_url="https://example.com/#x"\n',
        "fragment",
    ),
}


@pytest.mark.parametrize("case", list(BAD_CONFIGS))
def test_bad_configurations_are_refused(tmp_path: Path, case: str) -> None:
    """One line that names the place and the cure; no traceback, no half start."""
    text, word = BAD_CONFIGS[case]
    (tmp_path / "config.toml").write_bytes(text)
    done = run(tmp_path, "--port", "1", SHUNT_LOG_LEVEL="")
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    assert word in done.stderr, done.stderr


def test_a_bad_edit_keeps_the_old_configuration(own: House) -> None:
    """Broken, emptied to half and deleted while it runs: what was in force stays; the stream goes on."""
    own.start()
    path = own.home / "config.toml"
    good = path.read_text()
    for bad in ("[server\n", good[: len(good) // 2] + '\nname = "', "x = 1\n"):
        write_private(path, bad)
        time.sleep(1.2)
        assert trio.run(own.ask).status == 200
    path.unlink()
    time.sleep(1.2)
    assert trio.run(own.ask).status == 200
    write_private(path, good)
    time.sleep(1.2)
    assert trio.run(own.ask).status == 200


def test_nothing_is_read_from_the_working_directory(tmp_path: Path) -> None:
    """A config.toml or .env in a repository means nothing."""
    home, here = tmp_path / "home", tmp_path / "repository"
    home.mkdir()
    here.mkdir()
    (here / "config.toml").write_text("[server\n")
    (here / ".env").write_text("SHUNT_HOST=0.0.0.0\n")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "shunt", "config", "check"],
        cwd=here,
        env={"PATH": os.environ["PATH"], "SHUNT_HOME": str(home), "HOME": str(home), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "config.toml:1" not in done.stdout + done.stderr


BAD_STATES = [b"", b"{", b"null", b"[]", b"\0" * 100, b'{"version": 99}', b'{"accounts": 5}', b"\xff\xfe"]


@pytest.mark.parametrize("data", BAD_STATES, ids=range(len(BAD_STATES)))
def test_a_broken_state_file_is_set_aside(own: House, data: bytes) -> None:
    """It starts with an empty state, says so, and keeps what it could not read."""
    path = own.home / "state.json"
    write_private(path, "")
    path.write_bytes(data)
    own.start()
    assert trio.run(own.ask).status == 200
    assert own.stop() == 0


@pytest.mark.parametrize("kind", ["directory", "fifo", "missing-parent"])
def test_odd_files_in_the_state_s_place(own: House, kind: str) -> None:
    """No hang and no traceback: it starts without a state, or says what is in the way."""
    path = own.home / "state.json"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    own.start(wait=False)
    assert own.process is not None
    deadline = time.monotonic() + 20
    while not own.healthy() and own.process.poll() is None:
        assert time.monotonic() < deadline, "it hangs"
        time.sleep(0.1)
    assert "Traceback" not in (own.folder / "output.txt").read_text()


def test_a_log_that_cannot_be_written(own: House) -> None:
    """Full, deleted or in a folder without rights: requests do not notice."""
    own.start()
    own.log.unlink()
    assert trio.run(own.ask).status == 200
    shutil.rmtree(own.log.parent)
    assert trio.run(own.ask).status == 200
    assert own.stop() == 0


def test_private_files_under_any_umask(own: House) -> None:
    """umask 0: everything it creates is still private."""
    own.start("sh", "-c", 'umask 0; exec "$@"', "sh")
    assert trio.run(own.ask).status == 200
    assert own.stop() == 0
    for path in own.home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("offset", ["+3d", "-3d", "@1970-01-02 00:00:00", "@2106-02-07 06:28:15"])
def test_a_clock_that_is_wrong(own: House, offset: str) -> None:
    """Days ahead or behind, in 1970 or 2106: it starts, and the vendor's word about tokens counts."""
    faketime = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if faketime is None:
        pytest.skip("libfaketime is missing")
    own.log_in()
    own.start("env", f"LD_PRELOAD={faketime}", f"FAKETIME={offset}", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    assert trio.run(own.ask).status == 200
    assert own.stop() == 0


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "nonsense", ":"])
def test_another_time_zone_changes_nothing(own: House, zone: str) -> None:
    """Times are kept as seconds since 1970; a zone only colours what people see."""
    own.start("env", f"TZ={zone}")
    assert trio.run(own.ask).status == 200
    status = trio.run(own.get, "/status")
    assert abs(status["started_ms"] / 1000 - time.time()) < 60
    assert own.stop() == 0


def test_nobody_else_may_look(own: House) -> None:
    """Another user of the machine reads no file, no memory and no environment of it."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to become somebody else")
    own.log_in()
    own.start()
    assert own.process is not None
    pid = own.process.pid
    own.folder.chmod(0o755)
    for path in (
        own.home / "credentials.json",
        own.home / "config.toml",
        own.log,
        Path(f"/proc/{pid}/environ"),
    ):
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--clear-groups", "cat", str(path)],
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0, path


def test_environment_that_would_give_traffic_away(own: House) -> None:
    """SSLKEYLOGFILE, HTTPS_PROXY and the like change nothing."""
    keys = own.folder / "keys.txt"
    nobody = "http://127.0.0.1:1"
    environ = [
        f"SSLKEYLOGFILE={keys}",
        *(f"{name}={nobody}" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")),
    ]
    own.start("env", *environ, *(entry.lower() for entry in environ[1:]))
    assert trio.run(own.ask).status == 200
    assert not keys.exists()


def test_an_account_that_points_back_here(own: House) -> None:
    """An upstream that is this very shunt: an error that says so, and no loop that eats everything."""
    loop = {
        "name": "loop",
        "provider": "anthropic-compatible",
        "upstream_url": f"http://127.0.0.1:{own.port}",
    }
    sections = {
        "server": {"request_timeout_secs": 5},
        "routing": {"wait": "0s"},
        "prefetch": {"mode": "off"},
        "accounts": [{**loop, "api_key": "sk-test-loop"}],
    }
    write_private(own.home / "config.toml", document(sections))
    own.start()
    answer = trio.run(own.ask)
    assert answer.status >= 400
    assert json.loads(answer.body)["error"]["message"]
    assert own.healthy()
    own.send_signal(signal.SIGTERM)  # what it keeps open is connections to itself
    assert own.process is not None
    assert own.process.wait(20) == 0


def test_a_restart_loop_ends_in_a_careful_start(own: House) -> None:
    """Five kills in a row: the sixth start is up in a moment, serves without its extras, and says so; a good
    end brings them back."""
    took = []
    for _ in range(6):
        begun = time.monotonic()
        own.start()
        took.append(time.monotonic() - begun)
        assert own.process is not None
        if len(took) < 6:
            own.process.kill()
            own.process.wait()
    status = trio.run(own.get, "/status")
    assert "early end" in status["troubles"]["start"]
    assert "prefetch" not in {watcher["name"] for watcher in status["watchers"]}
    assert trio.run(own.ask).status == 200
    deadline = time.monotonic() + 20
    while trio.run(own.get, "/status")["history"] != {"requests_waiting": 0, "dropped": 0}:
        assert time.monotonic() < deadline, "what finished requests left piles up"
        time.sleep(0.05)
    assert own.stop() == 0
    own.start()
    assert "start" not in trio.run(own.get, "/status")["troubles"]
    assert min(took) < 5, took  # about a second, on a machine with nothing else to do


def test_what_goes_on_is_written_at_a_signal(own: House) -> None:
    """SIGUSR1 while a stream runs: a private file tells accounts, tasks and where they wait, and no secret or
    word of anybody's; nothing ends."""
    own.log_in()
    own.start()

    def ask() -> None:
        own.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 20
        while not list(own.home.rglob("situation.json")):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with own.playing(lambda _: counting(40)) as mark:
        bodies = trio.run(streaming, own, mark, 3, ask)
    assert all(b'"n19"' in body for body in bodies)
    (path,) = own.home.rglob("situation.json")
    text = path.read_text()
    told = json.loads(text)
    assert path.stat().st_mode & 0o777 == 0o600
    assert {account["name"] for account in told["status"]["accounts"]} == {"coral", "reef", "tide"}
    assert told["tasks_in_all"] >= 20
    assert all(task["name"] for task in told["tasks"])
    assert mark not in text
    assert not any(secret in text for secret in own.canaries.values())
    path.unlink()


def test_idle_it_hardly_wakes(own: House) -> None:
    """Ten seconds without a request, with logins to keep and files to watch: a few wake-ups a second, next to no
    computing and no memory. (Measured on a quiet machine: 6 a second and 0.1 % of a core.)"""
    own.configure(prefetch={"mode": "usage"})
    own.log_in()
    own.start()
    assert trio.run(own.ask).status == 200
    time.sleep(4)
    assert own.process is not None
    before, held = spent(own.process.pid), own.count().rss
    time.sleep(10)
    after, holds = spent(own.process.pid), own.count().rss
    assert after[0] - before[0] <= 200, "wake-ups"
    assert after[1] - before[1] <= 1.0, "seconds of a core"  # the count itself takes a part
    assert holds - held < 4


def spent(pid: int) -> tuple[int, float]:
    """How often the threads of a process have begun to wait, and the seconds it has computed."""
    waits = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        waits += int(status.read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return waits, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
