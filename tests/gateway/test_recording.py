from __future__ import annotations

import logging

import pytest
from attrs import evolve

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import RequestRecord
from shunt.gateway.attempt import Attempt, Body
from shunt.gateway.progress import Progress
from shunt.gateway.recording import Recording
from shunt.gateway.trace import Phase
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.inference.usage import Usage
from shunt.models.prices import PRICES
from shunt.protocols import protocol_named
from shunt.routing.moves import Moves
from tests.fakes import anthropic

INBOUND = Inbound(
    id="req_7",
    protocol="anthropic-messages",
    operation=Operation.GENERATE,
    method="POST",
    path="/v1/messages",
    query=b"",
    headers=((b"authorization", b"Bearer sk-test-secret"),),
    body=b"the user's own words",
    outline=Outline(model="claude-opus-5-5"),
    arrived_at=100.0,
)


def attempt(verdict: Verdict) -> Attempt:
    tap = protocol_named("anthropic-messages").stream_tap()
    for piece in (*anthropic.opening_events(), *anthropic.closing_events()):
        tap.feed(piece)
    return Attempt(Outcome("a", verdict, 0.0, 200), 200, (), Body((), None, tap, is_stream=True))


def recorded(
    status: int | None, verdict: Verdict | None, progress: Progress, operation: Operation = Operation.GENERATE
) -> RequestRecord:
    kept: list[RequestRecord] = []
    recording = Recording(evolve(INBOUND, operation=operation), lambda: 103.5, kept.append, progress=progress)
    recording.attempt = attempt(verdict) if verdict is not None else None
    if status is not None:
        recording.answered(status)
    recording.close()
    assert len(kept) == 1
    return kept[0]


@pytest.mark.parametrize(
    ("status", "verdict", "progress", "outcome", "account"),
    [
        (200, Verdict.SERVED, Progress(complete=True), "served", "a"),
        (200, Verdict.SERVED, Progress(), "client_gone", "a"),
        (200, Verdict.SERVED, Progress(broke="reset"), "cut", "a"),
        (400, Verdict.REFUSED, Progress(complete=True), "refused", ""),
        (503, None, Progress(), "failed", ""),
        (None, None, Progress(), "client_gone", ""),
    ],
)
def test_every_end_has_its_word(
    status: int | None, verdict: Verdict | None, progress: Progress, outcome: str, account: str
) -> None:
    """Whatever ended a request, its one record says so."""
    record = recorded(status, verdict, progress)
    assert (record.outcome, record.account) == (outcome, account)
    assert record.status == (status or 499)
    assert record.duration_ms == 3500


def test_tokens_count_whether_or_not_the_client_stayed() -> None:
    """What passed is accounted for, also when nobody read it to the end."""
    assert (recorded(200, Verdict.SERVED, Progress())).usage.output == 5


@pytest.mark.parametrize(("status", "complete", "outcome"), [(200, True, "served"), (404, True, "failed")])
def test_what_we_answer_ourselves_is_no_failure(status: int, complete: bool, outcome: str) -> None:
    """Lists of models and estimates are of no account; an error all the same is one."""
    record = recorded(status, None, Progress(complete=complete))
    assert (record.outcome, record.account) == (outcome, "")


def test_price_reason_and_move_are_in_the_record() -> None:
    """Told once, so that every view shows the same."""
    moves = Moves()
    before = Usage(cache_write_5m=50_000)
    moves.note("c", "b", before, 103.0, automatic=False)
    kept: list[RequestRecord] = []
    recording = Recording(evolve(INBOUND, conversation="c"), lambda: 103.5, kept.append, moves=moves)
    tap = protocol_named("anthropic-messages").stream_tap()
    for piece in (*anthropic.opening_events(input_tokens=60_000), *anthropic.closing_events()):
        tap.feed(piece)
    body = Body((), None, tap, is_stream=True)
    recording.attempt = Attempt(Outcome("a", Verdict.SERVED, 0.0, 200), 200, (), body, metered=True)
    recording.trace.why = "strategy maximus"
    recording.progress.complete = True
    recording.answered(200)
    recording.close()
    (record,) = kept
    assert (record.why, record.metered) == ("strategy maximus", True)
    assert record.cost_usd == PRICES.cost_usd(record.served_model, record.usage) > 0
    assert (record.moved_from, record.rebilled) == ("b", 50_000)
    assert [phase for phase, _, _ in recording.trace.marks] == [Phase.FIRST_BYTE, Phase.DONE]


def test_counting_tokens_is_no_usage() -> None:
    """The number that a count answers is not what was used."""
    record = recorded(200, Verdict.SERVED, Progress(complete=True), Operation.COUNT_TOKENS)
    assert record.usage.prompt == 0


def test_the_log_line_holds_neither_words_nor_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """One canonical line per request: account, outcome, numbers; never content."""
    caplog.set_level(logging.INFO)
    recorded(200, Verdict.SERVED, Progress(complete=True))
    fields = vars(caplog.records[-1])["fields"]
    assert (fields["account"], fields["outcome"], fields["output"]) == ("a", "served", 5)
    assert "secret" not in str(fields)
    assert "own words" not in str(fields)
