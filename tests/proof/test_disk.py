"""A running shunt whose disk fills up, and starts on files that are not what they should be."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from shunt.store.credentials import CredentialStore
from tests.e2e.logins import claude_login
from tests.e2e.program import key_account, program
from tests.fakes import anthropic
from tests.fakes.issuer import TOKEN_PATH, Issuer
from tests.fakes.upstream import by_path, scripted_upstream
from tests.proof.logins import login


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    with suppress(OSError), (place / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def make_room(place: Path) -> None:
    (place / "filler").unlink()


@pytest.mark.slow
async def test_a_disk_that_is_full(tmp_path: Path, small_disk: Path) -> None:
    """The renewed login is served from memory, `status` and the terminal say so, the old file is untouched;
    it is saved by itself as soon as the disk takes it."""
    issuer = Issuer()
    script = by_path({TOKEN_PATH: issuer}, issuer.protect(lambda *_: anthropic.plain("hello")))
    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        shunt.home.symlink_to(small_disk)
        tokens = issuer.grant("main")
        shunt.configure([])
        claude_login(shunt, tokens.access, tokens.refresh)
        done = await shunt.cli("add-account", "main", "--import")
        assert done.returncode == 0, done.stderr
        await shunt.start()
        path = shunt.home / "credentials.json"
        before = path.read_bytes()
        fill(small_disk)
        issuer.expire("main")
        assert (await shunt.message()).status == 200
        assert path.read_bytes() == before
        assert "no space left" in (await shunt.status())["troubles"]["login of main"]
        await shunt.printed("only in memory", within=30)
        assert (await shunt.message("again")).status == 200
        assert len(issuer.calls) == 1
        make_room(small_disk)
        with trio.fail_after(60):
            while issuer.families["main"].tokens.refresh not in path.read_text():  # noqa: ASYNC110 - a file
                await trio.sleep(0.2)
        assert "login of main" not in (await shunt.status())["troubles"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await shunt.stop() == 0
        assert "Traceback" not in shunt.output


def as_fifo(path: Path) -> None:
    os.mkfifo(path)


def as_link(path: Path) -> None:
    real = path.with_name("elsewhere.json")
    path.rename(real)
    path.symlink_to(real)


def as_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("devices cannot be made here")


def as_folder(path: Path) -> None:
    path.mkdir()


def as_everybodys(path: Path) -> None:
    path.chmod(0o666)


SHAPES: dict[str, tuple[Callable[[Path], None], bool, str]] = {
    "fifo": (as_fifo, True, "a FIFO"),
    "folder": (as_folder, True, "a folder"),
    "device": (as_device, True, "a device"),
    "link": (as_link, False, "a symbolic link"),
    "0666": (as_everybodys, False, "everybody"),
}


@pytest.mark.parametrize("shape", list(SHAPES))
async def test_what_is_no_private_file_stops_the_start(tmp_path: Path, shape: str) -> None:
    """At once, with its reason and without a traceback; nothing is changed."""
    make, instead, words = SHAPES[shape]
    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        path = shunt.home / "credentials.json"
        CredentialStore(path).put("main", login(1))
        if instead:
            path.unlink()
        make(path)
        before = path.lstat()
        done = await shunt.cli("run", "--port", str(shunt.port))
        assert (done.returncode, words in done.stderr.decode()) == (1, True), done.stderr
        assert b"credentials.json" in done.stderr
        assert b"Traceback" not in done.stderr
        now = path.lstat()
        assert (now.st_mode, now.st_ino, now.st_size) == (before.st_mode, before.st_ino, before.st_size)


async def test_what_others_could_read_is_closed_and_told(tmp_path: Path) -> None:
    """Open modes, a second name, a folder that is copied to other machines, and what a kill left behind."""
    async with (
        scripted_upstream(lambda *_: anthropic.plain("hello")) as up,
        program(tmp_path / "Dropbox", up.url) as shunt,
    ):
        shunt.folder.mkdir()
        shunt.configure([key_account("a")])
        path = shunt.home / "credentials.json"
        CredentialStore(path).put("main", login(1))
        path.chmod(0o644)
        os.link(path, tmp_path / "second")
        (shunt.home / ".credentials.json.0123456789abcdef.tmp").write_text("{}")
        await shunt.start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not list(shunt.home.glob(".credentials.json.*.tmp"))
        for words in ("it is 0600 now", "removed 1 left-over", "2 names", "copied to other machines"):
            assert words in shunt.output
