"""What a move costs: the tokens whose cache stayed behind."""

from __future__ import annotations

from shunt.inference.usage import Usage
from shunt.routing.moves import SHORT_LIFE, Move, Moves, caches_unasked
from tests.fakes.pools import T0
from tests.fakes.records import record

BIG = Usage(input=500, cache_write_5m=50_000)


def note(moves: Moves, conversation: str, account: str, usage: Usage, at: float = T0) -> Move:
    return moves.note(conversation, account, usage, at, automatic=False)


def test_a_conversation_that_stays_costs_nothing_more() -> None:
    """However often it asks."""
    moves = Moves()
    for number in range(3):
        assert note(moves, "c", "a", BIG, T0 + number) == Move()


def test_a_move_bills_what_could_have_been_read_again() -> None:
    """The smaller of both prompts, less what was read from a cache after all."""
    moves = Moves()
    note(moves, "c", "a", BIG, T0)
    assert note(moves, "c", "b", Usage(input=60_000, cache_read=500), T0 + 10) == Move("a", 49_500)
    assert note(moves, "c", "a", Usage(input=1, cache_read=60_000), T0 + 20) == Move("b", 0)


def test_a_cache_that_would_be_gone_anyway_costs_nothing() -> None:
    """Five minutes, or an hour where the longer one was written; small prompts are never cached."""
    moves = Moves()
    note(moves, "c", "a", BIG, T0)
    assert note(moves, "c", "b", BIG, T0 + SHORT_LIFE) == Move("a", 0)
    note(moves, "d", "a", Usage(cache_write_1h=50_000), T0)
    assert note(moves, "d", "b", BIG, T0 + SHORT_LIFE).rebilled == 50_000
    note(moves, "e", "a", Usage(cache_write_5m=1000), T0)
    assert note(moves, "e", "b", Usage(input=1000), T0) == Move("a", 0)


def test_what_was_never_cached_is_not_lost() -> None:
    """Anthropic caches what is marked; OpenAI caches whole prompts by itself."""
    plain = Usage(input=50_000)
    for protocol, lost in (("anthropic-messages", 0), ("openai-chat", 50_000), ("openai-responses", 50_000)):
        moves, automatic = Moves(), caches_unasked(protocol)
        moves.note("c", "a", plain, T0, automatic=automatic)
        assert moves.note("c", "b", plain, T0 + 1, automatic=automatic) == Move("a", lost)


def test_what_has_no_conversation_or_no_answer_does_not_move() -> None:
    """Nor does it disturb what is known."""
    moves = Moves()
    note(moves, "c", "a", BIG, T0)
    assert (
        note(moves, "", "b", BIG, T0) == note(moves, "c", "", BIG, T0) == note(moves, "c", "b", Usage(), T0)
    )
    assert note(moves, "c", "b", BIG, T0).source == "a"


def test_it_is_bounded_and_survives_a_restart() -> None:
    """The longest unused conversation goes first; records bring back what was known."""
    moves = Moves(most=2)
    moves.restore([record(1, conversation=name, usage=BIG) for name in ("c", "d", "e")])
    assert note(moves, "c", "b", BIG, T0 + 3) == Move()
    assert note(moves, "e", "b", BIG, T0 + 3).source == "a"
