"""Both files change together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.cli.enrolment import Enrolment, same
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation
from shunt.errors import ConfigError, StoreError
from shunt.store.config import ConfigFile
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
