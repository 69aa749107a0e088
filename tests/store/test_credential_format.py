from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.store.credential_format import (
    VERSION,
    Document,
    Malformed,
    PendingRefresh,
    StoredCredential,
    decode,
    encode,
)

LOGIN = Login(
    access=Secret("sk-ant-oat01-test"),
    refresh=Secret("sk-ant-ort01-test"),
    expires_at=1_800_000_000.5,
    scopes=("user:inference", "user:profile"),
    identity=Identity("account-1", "org-1", "u@example.test", "max"),
    id_token=Secret("id-test"),
    imported_from="/home/u/.claude/.credentials.json",
)
BARE = Login(access=Secret("sk-ant-oat01-bare"), refresh=Secret(""), expires_at=None)


def text(**accounts: Any) -> bytes:
    return json.dumps({"version": VERSION, "accounts": accounts}).encode()


@pytest.mark.parametrize(
    "stored",
    [
        StoredCredential(LOGIN),
        StoredCredential(LOGIN, PendingRefresh("0123456789ab", 1_700_000_000.25)),
        StoredCredential(BARE),
        StoredCredential(ApiKey(Secret("sk-ant-test"))),
    ],
)
def test_what_is_written_is_read(stored: StoredCredential) -> None:
    """Every kind of credential survives the file, and no field of it is lost."""
    written = encode({"main": stored}, 7, Document())
    document = decode(written)
    assert (document.accounts, document.generation) == ({"main": stored}, 7)
    assert json.loads(written)["version"] == VERSION


def test_files_of_the_first_shunt_are_read() -> None:
    """Its tagged and untagged logins and its keys arrive, with times in milliseconds."""
    old = {
        "accounts": {
            "main": {
                "type": "oauth",
                "access_token": "at",
                "refresh_token": "rt",
                "expires_at": 1_800_000_000_000,
                "email": "u@example.test",
                "id_token": None,
            },
            "older": {"access_token": "at2", "refresh_token": "rt2", "expires_at": 0},
            "key": {"type": "apikey", "key": "k"},
        }
    }
    document = decode(json.dumps(old).encode())
    assert document.generation == 0
    assert document.accounts == {
        "main": StoredCredential(
            Login(Secret("at"), Secret("rt"), 1_800_000_000.0, identity=Identity(email="u@example.test"))
        ),
        "older": StoredCredential(Login(Secret("at2"), Secret("rt2"), 0.0)),
        "key": StoredCredential(ApiKey(Secret("k"))),
    }


def test_fields_of_a_later_version_survive() -> None:
    """An entry that does not change keeps what we do not understand of it."""
    before = decode(
        text(a={"type": "apikey", "key": "k", "colour": "red"}, b={"type": "apikey", "key": "k2"})
    )
    changed = {**before.accounts, "b": StoredCredential(ApiKey(Secret("k3")))}
    entries = json.loads(encode(changed, 1, before))["accounts"]
    assert entries == {
        "a": {"type": "apikey", "key": "k", "colour": "red"},
        "b": {"type": "apikey", "key": "k3"},
    }


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b"\x00\x00", "line 1"),
        (b'{"accounts": {"a": \xff}}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b"[]", "accounts"),
        (b"null", "accounts"),
        (b"{}", "accounts"),
        (b'{"accounts": []}', "accounts"),
        (b'{"accounts": {"a": 1' + b"0" * 5000 + b"}}", "too long"),
        (b'{"accounts": {"a": NaN}}', "NaN"),
        (b'{"accounts": {"a": {}, "a": {}}}', "twice"),
        (b'{"version": "2", "accounts": {}}', "whole numbers"),
        (b'{"version": true, "accounts": {}}', "whole numbers"),
        (b'{"version": 3, "accounts": {}}', "newer shunt"),
        (b'{"generation": -1, "accounts": {}}', "whole numbers"),
        (text(a=1), 'account "a": must be a table'),
        (text(a={"type": "cookie"}), 'account "a": must be a table with "type"'),
        (text(a={"type": "apikey"}), "is missing"),
        (text(a={"type": "apikey", "key": 5}), "must be text"),
        (text(a={"type": "apikey", "key": "hunter2\n"}), "visible ASCII"),
        (text(a={"access_token": "hunter2 é"}), "visible ASCII"),
        (text(a={"refresh_token": "hunter2"}), "is missing"),
        (text(a={"access_token": "hunter2", "expires_at": "soon"}), "must be a number"),
        (b'{"accounts": {"a": {"access_token": "hunter2", "expires_at": 1e999}}}', "must be a number"),
        (text(a={"access_token": "hunter2", "scopes": "x"}), "list of texts"),
        (text(a={"access_token": "hunter2", "email": 1}), "must be text"),
        (text(a={"access_token": "hunter2", "pending": {"at": 1}}), "is missing"),
        (text(a={"access_token": "hunter2", "pending": 1}), 'account "a"'),
    ],
)
def test_what_is_malformed_is_refused(broken: bytes, said: str) -> None:
    """One bad entry refuses the whole file, says where, and shows no value."""
    with pytest.raises(Malformed, match=said) as caught:
        decode(broken)
    assert "hunter2" not in str(caught.value)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_document_or_malformed(content: bytes) -> None:
    """Nothing on the disk makes reading fail in another way."""
    try:
        assert isinstance(decode(content), Document)
    except Malformed as error:
        assert str(error)  # noqa: PT017 - both ends are fine, a third is not


def test_a_cut_file_is_never_taken_for_a_whole_one() -> None:
    """A file cut at any byte is malformed, not smaller."""
    whole = encode({"a": StoredCredential(LOGIN), "b": StoredCredential(BARE)}, 3, Document()).rstrip()
    for length in range(len(whole)):
        with pytest.raises(Malformed):
            decode(whole[:length])


TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12).map(Secret)
LOGINS = st.builds(
    Login,
    access=TOKENS,
    refresh=TOKENS | st.just(Secret("")),
    expires_at=st.none() | st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000),
    scopes=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    identity=st.builds(Identity, *([st.text(max_size=5)] * 4)),
    id_token=st.none() | TOKENS,
    imported_from=st.text(max_size=5),
)


@given(st.dictionaries(st.text(max_size=8), LOGINS | st.builds(ApiKey, TOKENS), max_size=4))
def test_any_credentials_survive_the_file(credentials: dict[str, Login | ApiKey]) -> None:
    """Names and values of any script come back as they went in."""
    accounts = {name: StoredCredential(credential) for name, credential in credentials.items()}
    assert decode(encode(accounts, 1, Document())).accounts == accounts
