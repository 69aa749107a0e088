"""Following the login of another program: whose it is, and when it is to be believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.credential import Credential, Identity, Login
from shunt.errors import StoreError
from shunt.watchers import auth_sync
from shunt.watchers.auth_sync import files_behind, heirs
from shunt.watchers.health import Doing
from tests.watchers.stand_ins import Bench, bench, login, start

ANN = Identity(account_id="ann", organization_id="org")
ANN_ELSEWHERE = Identity(account_id="ann", organization_id="other")
BOB = Identity(account_id="bob", organization_id="org")
UNKNOWN = Identity()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The file of the other program."""
    path = tmp_path / ".credentials.json"
    path.write_text("1")
    return path


def shared(source: Path, *names: str, identity: Identity = ANN) -> Bench:
    """A bench whose accounts were imported from `source`, in which there is a newer login now."""
    desk = bench(*names)
    for name in names:
        desk.custody.held[name] = login(f"sk-test-{name}", imported_from=str(source), identity=identity)
    desk.found = login("sk-test-newer", imported_from=str(source), identity=identity)
    return desk


def rewrite(source: Path, text: str | None) -> None:
    """What the other program does to its file; None removes it."""
    source.unlink() if text is None else source.write_text(text)


async def watch(desk: Bench, seconds: float = 10) -> None:
    async with trio.open_nursery() as nursery:
        health = start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(seconds)
        assert health.conditions["auth-sync"].failures == 0
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("found", "held", "expected"),
    [
        (ANN, {"a": ANN}, ("a",)),
        (ANN, {"a": BOB}, ()),
        (ANN_ELSEWHERE, {"a": ANN}, ()),
        (UNKNOWN, {"a": ANN}, ("a",)),
        (ANN, {"a": UNKNOWN}, ("a",)),
        (ANN, {"a": ANN, "b": BOB}, ("a",)),
        (ANN, {"a": ANN, "b": UNKNOWN}, ("a",)),
        (ANN, {"a": BOB, "b": UNKNOWN}, ()),
        (UNKNOWN, {"a": UNKNOWN, "b": UNKNOWN}, ()),
        (Identity(account_id="ann"), {"a": ANN}, ("a",)),
    ],
    ids=[
        "the same",
        "somebody else's",
        "the same person, another organisation",
        "nameless, one account",
        "named, one nameless account",
        "one of two",
        "one of two, the other nameless",
        "one of them perhaps",
        "nameless, two accounts",
        "organisation not named",
    ],
)
def test_whose_a_login_is(found: Identity, held: Mapping[str, Identity], expected: tuple[str, ...]) -> None:
    """Two accounts never become one: where it cannot be told, it is nobody's."""
    assert heirs(found, held) == expected


async def test_what_was_renewed_while_shunt_was_away_is_adopted_at_start(
    source: Path, autojump_clock: MockClock
) -> None:
    """Without waiting for another change of the file; and it is read once."""
    desk = shared(source, "a")
    await watch(desk, 100)
    assert desk.custody.adopted == [("a", "sk-test-newer")]
    assert desk.reads == 1


async def test_a_change_is_adopted_when_it_has_settled(source: Path, autojump_clock: MockClock) -> None:
    """Within a few seconds, but not while the other program may still be writing its second file."""
    desk = shared(source, "a")
    async with trio.open_nursery() as nursery:
        start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(11)
        for step in range(3):  # three rewrites, one each second
            desk.found = login(f"sk-test-newer-{step}", imported_from=str(source), identity=ANN)
            rewrite(source, "x" * (10 + step))
            desk.ring()
            await trio.sleep(1)
        reads = desk.reads
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert reads == 1
    assert desk.custody.adopted == [("a", "sk-test-newer"), ("a", "sk-test-newer-2")]


@pytest.mark.parametrize(
    "found",
    [
        None,
        login("sk-test-newer", imported_from="/elsewhere", identity=ANN),
        login("sk-test-newer", identity=BOB),
    ],
    ids=["nothing there", "from another file", "somebody else's"],
)
async def test_what_is_not_this_login_is_left_alone(
    found: Credential | None, source: Path, autojump_clock: MockClock
) -> None:
    """The login held here stays in use."""
    desk = shared(source, "a")
    desk.found = found
    await watch(desk)
    assert desk.custody.adopted == []


async def test_a_half_written_file_is_read_again(source: Path, autojump_clock: MockClock) -> None:
    """A fifth of a second later, up to five times."""
    desk = shared(source, "a")
    whole = desk.found
    attempts: list[float] = []

    def read(path: str) -> Credential | None:
        attempts.append(trio.current_time())
        if len(attempts) < 4:
            raise StoreError("not JSON yet")
        return whole

    async with trio.open_nursery() as nursery:
        start(nursery, auth_sync.watch(desk.parts(read_login=read)), desk)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert [after - attempts[0] for after in attempts] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert desk.custody.adopted == [("a", "sk-test-newer")]


async def test_a_file_that_stays_broken_is_given_up_until_it_changes(
    source: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once; a login that the other program gave up (zeroed) is such a file."""
    desk = shared(source, "a")
    desk.trouble = StoreError("holds a login that Claude Code has given up")
    with caplog.at_level("INFO"):
        await watch(desk, 290)
    assert desk.reads == 5
    assert caplog.text.count("has given up") == 1
    assert desk.custody.adopted == []


async def test_what_cannot_be_stored_is_tried_again(source: Path, autojump_clock: MockClock) -> None:
    """A disk that refuses shows in health; the newer login is not forgotten over it."""
    desk = shared(source, "a")
    desk.custody.error = StoreError("credentials.json: no space left")
    async with trio.open_nursery() as nursery:
        health = start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(2.5)
        assert health.conditions["auth-sync"].state is Doing.FAILED
        desk.custody.error = None
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert desk.custody.adopted == [("a", "sk-test-newer")]


async def test_files_that_are_none_are_not_looked_at(autojump_clock: MockClock) -> None:
    """Logins of shunt's own, and those from a keychain, which would ask the person each time."""
    desk = bench("own", "keychain")
    desk.custody.held["keychain"] = login(imported_from="the keychain item 'Claude Code-credentials'")
    await watch(desk, 100)
    assert desk.reads == 0


async def test_a_file_that_vanishes_and_comes_back_is_followed(
    source: Path, autojump_clock: MockClock
) -> None:
    """Logging out removes it, logging in writes it anew."""
    desk = shared(source, "a")
    async with trio.open_nursery() as nursery:
        start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(11)
        rewrite(source, None)
        desk.ring()
        await trio.sleep(10)
        desk.found = login("sk-test-again", imported_from=str(source), identity=ANN)
        rewrite(source, "again")
        desk.ring()
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert desk.custody.adopted[-1] == ("a", "sk-test-again")
    held = desk.custody.held["a"]
    assert isinstance(held, Login)
    assert held.access.reveal() == "sk-test-again"


async def test_what_nobody_tells_of_is_found_all_the_same(source: Path, autojump_clock: MockClock) -> None:
    """Every five minutes: network file systems and containers tell of no changes."""
    desk = shared(source, "a")
    async with trio.open_nursery() as nursery:
        start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(100)
        desk.found = login("sk-test-silent", imported_from=str(source), identity=ANN)
        rewrite(source, "silently")
        await trio.sleep(100)
        assert desk.custody.adopted == [("a", "sk-test-newer")]
        await trio.sleep(110)
        nursery.cancel_scope.cancel()
    assert desk.custody.adopted[1:] == [("a", "sk-test-silent")]


async def test_a_system_that_cannot_listen_is_asked_often(source: Path, autojump_clock: MockClock) -> None:
    """Without watches left, files are looked at every few seconds."""
    desk = shared(source, "a")
    desk.deafness = OSError(28, "no space left on device")
    async with trio.open_nursery() as nursery:
        health = start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(20)
        desk.found = login("sk-test-silent", imported_from=str(source), identity=ANN)
        rewrite(source, "silently")
        await trio.sleep(25)
        assert health.conditions["auth-sync"].failures == 0
        nursery.cancel_scope.cancel()
    assert desk.custody.adopted[1:] == [("a", "sk-test-silent")]


async def test_accounts_that_come_later_are_followed_too(tmp_path: Path, autojump_clock: MockClock) -> None:
    """An import while shunt runs begins to be followed within seconds; of a link, both ends."""
    desk = bench("a")
    real, link = tmp_path / "real" / "auth.json", tmp_path / "auth.json"
    real.parent.mkdir()
    real.write_text("1")
    link.symlink_to(real)
    async with trio.open_nursery() as nursery:
        start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(30)
        assert desk.listened == []
        desk.custody.held["a"] = login("sk-test-a", imported_from=str(link), identity=ANN)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert desk.listened == [{link, real}]
    assert desk.reads == 1


async def test_a_spent_login_is_replaced_in_its_file(source: Path, autojump_clock: MockClock) -> None:
    """What custody could not write back when it renewed is written later; a spent login is never adopted."""
    desk = shared(source, "a")
    before = login("sk-test-before", imported_from=str(source), identity=ANN)
    spent = (before.refresh.fingerprint(),)
    desk.custody.held["a"] = login("sk-test-a", imported_from=str(source), identity=ANN, spent=spent)
    desk.found = before
    await watch(desk)
    assert (desk.custody.given_back, desk.custody.adopted) == (["a"], [])


async def test_what_cannot_be_written_back_is_tried_again(source: Path, autojump_clock: MockClock) -> None:
    """At the next look at everything; it is no failure of the watcher."""
    desk = shared(source, "a")
    before = login("sk-test-before", imported_from=str(source), identity=ANN)
    spent = (before.refresh.fingerprint(),)
    desk.custody.held["a"] = login("sk-test-a", imported_from=str(source), identity=ANN, spent=spent)
    desk.found, desk.custody.error = before, StoreError("another shunt is at it")
    async with trio.open_nursery() as nursery:
        health = start(nursery, auth_sync.watch(desk.parts()), desk)
        await trio.sleep(100)
        assert desk.custody.given_back == []
        desk.custody.error = None
        await trio.sleep(250)
        assert health.conditions["auth-sync"].failures == 0
        nursery.cancel_scope.cancel()
    assert desk.custody.given_back == ["a"]


def test_what_cannot_be_listened_to_is_left_out(tmp_path: Path) -> None:
    """A folder that is gone, or a circle of links."""
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    there = tmp_path / "auth.json"
    assert files_behind([str(there), str(tmp_path / "gone" / "x"), str(circle)]) <= {there, circle}
