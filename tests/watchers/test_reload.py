"""Edits of config.toml and of the credentials while shunt runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.config.types import AccountConfig, Config, RoutingConfig
from shunt.errors import ConfigError, CredentialsUnreadable
from shunt.watchers import reload
from shunt.watchers.bell import Bell
from tests.watchers.stand_ins import Bench, bench, login, start

BETTER = Config(routing=RoutingConfig(strategy="priority"))
BAD = ConfigError("config.toml:3: routing.strategy: no strategy is named maximum", "config.toml:9: more")


@asynccontextmanager
async def watching(desk: Bench, folder: Path, bell: Bell | None = None) -> AsyncIterator[None]:
    """A running watcher that has seen the files as they are."""
    async with trio.open_nursery() as nursery:
        health = start(nursery, reload.watch(desk.parts(folder, reload=bell or Bell())), desk)
        await trio.sleep(3)
        desk.applied.clear()
        desk.notices.clear()
        desk.reads = desk.custody.loads = 0
        yield
        assert health.conditions["reload"].failures == 0
        nursery.cancel_scope.cancel()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with both files."""
    (tmp_path / "config.toml").write_text("# mine\n")
    (tmp_path / "credentials.json").write_text("{}")
    return tmp_path


def edit(folder: Path, name: str = "config.toml") -> None:
    path = folder / name
    path.write_text(path.read_text() + "#")


async def test_a_good_edit_is_applied_within_seconds(folder: Path, autojump_clock: MockClock) -> None:
    """Once."""
    desk = bench("a")
    async with watching(desk, folder):
        desk.edited = BETTER
        edit(folder)
        await trio.sleep(3)
        assert desk.applied == [BETTER]
        await trio.sleep(100)
    assert desk.applied == [BETTER]
    assert desk.notices == []


async def test_an_edit_that_says_nothing_new_is_not_applied(folder: Path, autojump_clock: MockClock) -> None:
    """A comment, a touch: nobody is disturbed."""
    desk = bench("a")
    async with watching(desk, folder):
        edit(folder)
        await trio.sleep(10)
        assert desk.reads == 1
    assert desk.applied == []


async def test_a_bad_edit_keeps_the_old_configuration(folder: Path, autojump_clock: MockClock) -> None:
    """It is told once, with every problem; the repaired file is taken."""
    desk = bench("a")
    before = desk.config
    async with watching(desk, folder):
        desk.trouble = BAD
        edit(folder)
        await trio.sleep(100)
        edit(folder)
        await trio.sleep(100)
        assert desk.config is before
        assert desk.told() == [("config rejected", "")]
        assert "no strategy is named maximum; config.toml:9: more" in desk.notices[0].text
        desk.trouble, desk.edited = None, BETTER
        edit(folder)
        await trio.sleep(5)
    assert desk.applied == [BETTER]


async def test_the_same_mistake_after_a_repair_is_told_again(folder: Path, autojump_clock: MockClock) -> None:
    """It is another edit."""
    desk = bench("a")
    async with watching(desk, folder):
        for trouble in (BAD, None, BAD):
            desk.trouble = trouble
            edit(folder)
            await trio.sleep(5)
    assert len(desk.notices) == 2


async def test_a_configuration_that_cannot_be_applied_is_rejected(
    folder: Path, autojump_clock: MockClock
) -> None:
    """An account whose provider needs an address, say."""
    desk = bench("a")

    async def refuse(config: Config) -> None:
        await trio.lowlevel.checkpoint()
        raise ConfigError("account b needs an upstream_url")

    async with trio.open_nursery() as nursery:
        start(nursery, reload.watch(desk.parts(folder, apply=refuse)), desk)
        await trio.sleep(3)
        desk.edited = BETTER
        edit(folder)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert "needs an upstream_url" in desk.notices[0].text


@pytest.mark.parametrize("lose", [Path.unlink, lambda path: path.rename(path.with_name("moved"))])
async def test_a_file_that_is_gone_changes_nothing(
    lose: Callable[[Path], object], folder: Path, autojump_clock: MockClock
) -> None:
    """A slip must not drop every account; it is told, and the file may come back."""
    desk = bench("a")
    async with watching(desk, folder):
        lose(folder / "config.toml")
        await trio.sleep(10)
        assert desk.reads == 0
        assert "is gone" in desk.notices[0].text
        desk.edited = BETTER
        (folder / "config.toml").write_text("[routing]\n")
        await trio.sleep(10)
    assert desk.applied == [BETTER]


async def test_starting_without_a_file_is_no_problem(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The first `add-account` writes one, and it is taken."""
    desk = bench("a")
    async with watching(desk, tmp_path):
        await trio.sleep(10)
        assert desk.notices == []
        desk.edited = BETTER
        (tmp_path / "config.toml").write_text("[routing]\n")
        await trio.sleep(5)
    assert desk.applied == [BETTER]


async def test_an_editor_in_the_middle_of_writing_is_waited_for(
    folder: Path, autojump_clock: MockClock
) -> None:
    """Some empty the file first: it is read only when it stays as it is."""
    desk = bench("a")
    async with watching(desk, folder):
        for size in range(20):
            (folder / "config.toml").write_text("x" * size)
            await trio.sleep(0.2)
        assert desk.reads == 0
        await trio.sleep(3)
    assert desk.reads == 1


async def test_an_edit_made_during_start_is_not_missed(folder: Path, autojump_clock: MockClock) -> None:
    """What was read at start is compared with what is there now."""
    desk = bench("a", edited=BETTER)
    async with trio.open_nursery() as nursery:
        start(nursery, reload.watch(desk.parts(folder)), desk)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert desk.applied == [BETTER]


async def test_reading_can_be_asked_for(folder: Path, autojump_clock: MockClock) -> None:
    """At once, and also when the file did not change: a variable of the environment's files may have."""
    desk, bell = bench("a"), Bell()
    async with watching(desk, folder, bell):
        desk.edited = BETTER
        bell.ring()
        await trio.sleep(0.5)
    assert desk.applied == [BETTER]


async def test_credentials_of_a_command_are_taken(folder: Path, autojump_clock: MockClock) -> None:
    """Custody looks at its file; a configuration is applied again only if an account is of another kind now."""
    desk = bench("a")
    desk.config = evolve(
        desk.config, accounts=(AccountConfig("a", "anthropic"), AccountConfig("b", "anthropic"))
    )
    async with watching(desk, folder):
        edit(folder, "credentials.json")
        await trio.sleep(10)
        assert desk.custody.loads == 1
        assert desk.applied == []
        desk.custody.on_load = lambda: desk.custody.held.update(b=login())
        edit(folder, "credentials.json")
        await trio.sleep(10)
    assert desk.custody.loads == 2
    assert desk.applied == [desk.config]


async def test_unreadable_credentials_are_told_and_change_nothing(
    folder: Path, autojump_clock: MockClock
) -> None:
    """What is in memory stays in use."""
    desk = bench("a")
    async with watching(desk, folder):
        desk.custody.error = CredentialsUnreadable("credentials.json cannot be used: not JSON")
        edit(folder, "credentials.json")
        await trio.sleep(100)
    assert desk.custody.loads == 1
    assert ["not JSON" in notice.text for notice in desk.notices] == [True]
