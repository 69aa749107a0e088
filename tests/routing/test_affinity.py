"""Recognising conversations, and remembering where they are."""

from __future__ import annotations

import cattrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.inbound import Outline
from shunt.routing.affinity import SESSION_HEADERS, Affinity, Binding, Sharing, conversation_key
from shunt.wire.headers import Headers
from tests.fakes.pools import DAY, T0

TTL = 3600.0


def key(headers: Headers = (), client: str = "", shared: bool = False, **outline: str | bytes) -> str:
    return conversation_key(headers, Outline(**outline), client, lambda *_: shared)  # type: ignore[arg-type]


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SESSION_HEADERS)
def test_every_session_header_names_a_conversation(name: bytes) -> None:
    """Each header that clients use is read, in any case; equal ids are one conversation."""
    assert key(((name.upper(), b"s1"),)) == key(((name, b"s1"),)) != key(((name, b"s2"),)) != ""


def test_the_first_header_of_the_list_counts() -> None:
    """Claude Code's own header outranks a generic one, wherever it stands; empty ones are passed over."""
    both = ((b"x-session-id", b"other"), (b"x-claude-code-session-id", b"s1"))
    assert key(both) == key(((b"x-claude-code-session-id", b"s1"),))
    assert key(((b"x-claude-code-session-id", b" "), (b"x-session-id", b"s1"))) == key(
        ((b"x-session-id", b"s1"),)
    )


def test_headers_before_body_before_fingerprint() -> None:
    """A session in the body counts when no header names one, the opening when nothing does."""
    assert key(session="s1") == key(((b"x-session-id", b"s1"),), session="other")
    assert key(session="s1", fingerprint=b"f") == key(session="s1", fingerprint=b"g")
    assert key(fingerprint=b"f") != key(fingerprint=b"g")
    assert key() == ""


def test_clients_never_share_a_conversation() -> None:
    """The same id or opening from another client is another conversation."""
    assert key(client="laptop", session="s1") != key(client="desk", session="s1")
    assert key(client="laptop", fingerprint=b"f") != key(client="desk", fingerprint=b"f")


def test_keys_tell_nothing_and_are_short() -> None:
    """They are hashes of bounded length, whatever the id; an id that imitates an opening is none."""
    long = key(session="s" * 100_000)
    assert len(long) == 32
    assert "s" * 5 not in long
    assert key(session="f") != key(fingerprint=b"f")
    assert key(session="\ud800")  # half a surrogate pair, as JavaScript cuts them


def test_an_id_that_says_nothing_is_passed_over() -> None:
    """With an over-shared id the opening decides; without an opening the id is all there is."""
    assert key(session="constant", fingerprint=b"f", shared=True) == key(fingerprint=b"f")
    assert key(session="constant", shared=True) == key(session="constant")


# ── shared ids ────────────────────────────────────────────────────────────────────────────────────


def opening(number: int) -> bytes:
    return bytes([number]) * 32


def test_an_id_stands_for_its_first_openings() -> None:
    """Eight openings belong to an id for good; those after are on their own, every time."""
    sharing = Sharing()
    for _ in range(2):
        assert [sharing("id", opening(number)) for number in range(12)] == [False] * 8 + [True] * 4
    assert not sharing("other", opening(99))
    assert not sharing("id", b"")  # nothing to compare


def test_a_session_with_many_subagents_keeps_its_main_conversation() -> None:
    """The main conversation of a Claude Code session stays put while subagents come and go."""
    sharing = Sharing()
    header = ((b"x-claude-code-session-id", b"6f2c"),)

    def of(number: int) -> str:
        return conversation_key(
            header, Outline(opening=opening(number), fingerprint=opening(number)), "", sharing
        )

    main = of(0)
    subagents = [of(number) for number in range(1, 30)]
    assert of(0) == main
    assert subagents[:7] == [main] * 7
    assert len(set(subagents[7:])) == 22


def test_a_constant_id_does_not_collapse_onto_one_conversation() -> None:
    """Thirty conversations of a client with one id are at least twenty to us."""
    sharing = Sharing()
    keys = {
        conversation_key(
            (), Outline(session="default", opening=opening(n), fingerprint=opening(n)), "", sharing
        )
        for n in range(30)
    }
    assert len(keys) == 23


def test_what_is_remembered_of_ids_is_bounded() -> None:
    """The id that was not seen for longest is forgotten first."""
    sharing = Sharing(most_ids=2, most_openings=1)
    sharing("a", opening(1))
    sharing("b", opening(1))
    assert sharing("a", opening(2))
    sharing("c", opening(1))
    assert sharing("a", opening(2))
    assert not sharing("b", opening(2))


# ── bindings ──────────────────────────────────────────────────────────────────────────────────────


def test_a_binding_lives_from_its_last_use() -> None:
    """Each look renews it; after `ttl` without one it is gone."""
    affinity = Affinity(TTL)
    affinity.bind("c", "a", T0)
    assert affinity.bound("c", T0 + TTL) == ("a", False)
    assert affinity.bound("c", T0 + 2 * TTL) == ("a", False)
    assert affinity.bound("c", T0 + 3 * TTL + 1) == ("", False)
    assert affinity.bound("c", T0) == ("", False)
    assert affinity.bound("never", T0) == ("", False)


def test_a_clock_set_back_does_not_make_bindings_eternal() -> None:
    """Their next use dates them anew."""
    affinity = Affinity(TTL)
    affinity.bind("c", "a", T0)
    assert affinity.bound("c", T0 - 3 * DAY) == ("a", False)
    assert affinity.bound("c", T0 - 3 * DAY + TTL + 1) == ("", False)


def test_hard_stays_hard_on_the_same_account() -> None:
    """A plain request in between does not loosen it; a move to another account does."""
    affinity = Affinity(TTL)
    affinity.bind("c", "a", T0, hard=True)
    affinity.bind("c", "a", T0)
    assert affinity.bound("c", T0) == ("a", True)
    affinity.bind("c", "b", T0)
    assert affinity.bound("c", T0) == ("b", False)


def test_the_least_recently_used_goes_first() -> None:
    """The table is bounded, and a look counts as use."""
    affinity = Affinity(TTL, most=2)
    affinity.bind("c1", "a", T0)
    affinity.bind("c2", "a", T0)
    affinity.bound("c1", T0)
    affinity.bind("c3", "a", T0)
    assert [binding.conversation for binding in affinity.entries()] == ["c1", "c3"]
    assert len(affinity) == 2


def test_conversations_of_removed_accounts_are_forgotten() -> None:
    """A binding to an account that is no more is none."""
    affinity = Affinity(TTL)
    affinity.bind("c1", "a", T0)
    affinity.bind("c2", "b", T0)
    affinity.keep_only({"b"})
    assert [binding.conversation for binding in affinity.entries()] == ["c2"]


def test_expired_bindings_are_dropped_from_the_front() -> None:
    """What has not been used for too long goes, the rest stays."""
    affinity = Affinity(TTL)
    affinity.bind("old", "a", T0)
    affinity.bind("new", "a", T0 + 10)
    affinity.expire(T0 + TTL + 5)
    assert [binding.conversation for binding in affinity.entries()] == ["new"]
    affinity.expire(T0 + 9 * TTL)
    assert affinity.entries() == ()


def test_bindings_survive_as_plain_data() -> None:
    """Out, through JSON's types, and in again: same bindings, same order, still bounded."""
    affinity = Affinity(TTL)
    affinity.bind("c1", "a", T0, hard=True)
    affinity.bind("c2", "b", T0 + 1)
    saved = cattrs.unstructure(affinity.entries())
    again = Affinity(TTL)
    again.restore(cattrs.structure(saved, tuple[Binding, ...]))
    assert again.entries() == affinity.entries()
    small = Affinity(TTL, most=1)
    small.restore(affinity.entries())
    assert [binding.conversation for binding in small.entries()] == ["c2"]


@given(st.lists(st.tuples(st.sampled_from("cdefg"), st.sampled_from("ab"), st.floats(0, 2 * TTL))))
def test_a_conversation_is_always_where_it_was_bound_last(steps: list[tuple[str, str, float]]) -> None:
    """Whatever the order, a binding is the last one made, or gone; the table keeps its bound."""
    affinity, now = Affinity(TTL, most=3), T0
    last: dict[str, str] = {}
    for conversation, account, later in steps:
        now += later
        assert affinity.bound(conversation, now)[0] in ("", last.get(conversation))
        affinity.bind(conversation, account, now)
        last[conversation] = account
        assert affinity.bound(conversation, now)[0] == account
        assert len(affinity) <= 3
