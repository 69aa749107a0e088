"""Both files change together or not at all."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event, Thread

import pytest
from attrs import evolve

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.cli.enrolment import Enrolment, same
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation
from shunt.errors import ConfigError, StoreError
from shunt.store.config import ConfigFile
from shunt.store.credentials import CredentialStore
from tests.cli.desk import T0, never

OLD, NEW = ApiKey(Secret("sk-test-old-000")), ApiKey(Secret("sk-test-new-000"))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(Invocation({"SHUNT_HOME": str(tmp_path)}, lambda: T0, never))


@pytest.mark.parametrize("error", [StoreError("disk full"), ConfigError("config.toml:1: wrong")])
@pytest.mark.parametrize("before", [None, OLD])
def test_a_config_that_cannot_be_written_takes_the_credential_back(
    files: Files, monkeypatch: pytest.MonkeyPatch, error: Exception, before: ApiKey | None
) -> None:
    """After a failure credentials.json holds what it held before, and the failure is told."""
    if before is not None:
        files.credentials.put("x", before)

    def fail(_file: ConfigFile, _account: object) -> None:
        raise error

    monkeypatch.setattr(ConfigFile, "add_account", fail)
    with pytest.raises(type(error)):
        Enrolment(files).add({"name": "x", "provider": "anthropic"}, NEW)
    stored = files.credentials.load()
    assert {name: entry.credential for name, entry in stored.items()} == (
        {} if before is None else {"x": before}
    )


def test_a_credential_that_cannot_be_written_leaves_config_alone(files: Files) -> None:
    """The configuration is not touched before the credential is safe."""
    files.places.credentials_file.mkdir(parents=True)
    with pytest.raises(StoreError):
        Enrolment(files).add({"name": "x", "provider": "anthropic"}, NEW)
    assert not files.places.config_file.exists()


def login(account: str = "", organization: str = "", refresh: str = "") -> Login:
    return Login(
        Secret("a"),
        Secret(refresh),
        None,
        identity=Identity(account, organization, email="same@example.test"),
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (login("a", "o"), login("a", "o"), True),
        (login("a", "o"), login("a", ""), True),
        (login("a", "o"), login("a", "p"), False),
        (login("a", "o"), login("b", "o"), False),
        (login(), login(), False),
        (login(refresh="r"), login(refresh="r"), True),
        (login(refresh="r"), login(refresh="s"), False),
        (OLD, OLD, True),
        (OLD, NEW, False),
        (OLD, login("a"), False),
    ],
)
def test_accounts_are_told_apart_by_the_vendors_ids(one: Login, other: Login, expected: bool) -> None:
    """Ids and tokens decide; an e-mail address never does."""
    assert same(one, other) is expected
    assert same(other, one) is expected


@pytest.mark.parametrize("removed", [False, True])
def test_a_renewal_under_way_is_waited_for(
    files: Files, monkeypatch: pytest.MonkeyPatch, *, removed: bool
) -> None:
    """What a running server writes at its end does not undo what a person does meanwhile."""
    login = Login(Secret("canary-a"), Secret("canary-r"), T0)
    files.credentials.put("x", login)
    files.config_file.add_account({"name": "x", "provider": "anthropic"})
    held, asked, refreshing = Event(), Event(), CredentialStore.refreshing

    def server() -> None:
        store = files.credentials
        with refreshing(store, "x"):
            held.set()
            assert asked.wait(20)
            store.put("x", evolve(login, access=Secret("canary-renewed")))

    def watched(store: CredentialStore, name: str, /) -> AbstractContextManager[None]:
        asked.set()
        return refreshing(store, name)

    renewal = Thread(target=server)
    renewal.start()
    assert held.wait(20)
    monkeypatch.setattr(CredentialStore, "refreshing", watched)
    if removed:
        Enrolment(files).remove("x")
    else:
        Enrolment(files).replace("x", evolve(login, access=Secret("canary-person")))
    renewal.join()
    stored = files.credentials.load()
    assert removed is ("x" not in stored)
    if not removed:
        assert getattr(stored["x"].credential, "access", None) == Secret("canary-person")
