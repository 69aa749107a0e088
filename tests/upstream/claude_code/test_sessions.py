"""The table of conversations."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from shunt.upstream.claude_code.sessions import Session, Sessions

ONE = Session("k", "id-1", "local", "opus", "d", 2, 1.0, 1.0)


def test_a_conversation_is_found_at_its_account() -> None:
    """And at no other."""
    table = Sessions(5)
    assert table.keep(ONE) == ()
    assert table.get("local", "k") == ONE
    assert table.get("other", "k") is None


def test_a_new_session_takes_the_place_of_the_former() -> None:
    """The former is handed back, so that its file can go; the same session is not."""
    table = Sessions(5)
    table.keep(ONE)
    assert table.keep(evolve(ONE, turns=4)) == ()
    assert table.keep(evolve(ONE, id="id-2")) == (evolve(ONE, turns=4),)
    assert len(table) == 1


def test_the_table_is_bounded() -> None:
    """The least recently used goes first."""
    table = Sessions(2)
    table.keep(evolve(ONE, key="a", id="a"))
    table.keep(evolve(ONE, key="b", id="b"))
    assert [session.key for session in table.keep(evolve(ONE, key="c", id="c"))] == ["a"]
    assert [session.key for session in table.all()] == ["b", "c"]


def test_old_ones_expire() -> None:
    """By their last use."""
    table = Sessions(5)
    table.keep(ONE)
    table.keep(evolve(ONE, key="new", id="id-2", used_at=100.0))
    assert table.expire(50.0) == (ONE,)
    assert [session.key for session in table.all()] == ["new"]


def test_a_file_holds_it_all() -> None:
    """What is dumped is loaded; rows that make no sense are left out."""
    table, again = Sessions(5), Sessions(5)
    table.keep(ONE)
    again.load(table.dump())
    assert again.all() == (ONE,)
    nonsense: list[Any] = [b"", b"[]", b'{"sessions": 5}', b'{"sessions": [{"key": 1}, 7]}']
    for data in nonsense:
        again.load(data)
    assert again.all() == (ONE,)


def test_forgetting_is_exact() -> None:
    """A session that has been replaced is not forgotten in its former shape."""
    table = Sessions(5)
    table.keep(evolve(ONE, turns=4))
    table.forget(ONE)
    assert len(table) == 1
    table.forget(evolve(ONE, turns=4))
    assert len(table) == 0
