"""What to do with a request after an answer: a table on the verdict, and a few facts about the way so far.

What the answer means for the *account* is `accounts.effects`; both read the same Outcome.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from shunt.accounts.outcomes import Outcome, Verdict

MOST_FAILURES: Final = 3
"""Tries that may end broken, unreachable or silent before a request is given up."""


class Step(StrEnum):
    """What happens next to a request."""

    DELIVER = "deliver"
    """The answer goes to the client."""
    REFRESH = "refresh"
    """Renew the login and try the same account again."""
    RETRY_HERE = "retry here"
    """Pause shortly and try the same account again."""
    ELSEWHERE = "elsewhere"
    """Try another account, if there is one."""
    GIVE_UP = "give up"
    """Try no more: the client gets the most useful of the errors so far."""


@frozen
class Progress:
    """What one request has been through before the answer at hand."""

    failures: int = 0
    """Tries that ended broken, unreachable or silent."""
    refreshed: frozenset[str] = frozenset()
    """Accounts whose login was renewed for this request."""
    retried_here: frozenset[str] = frozenset()
    """Accounts tried again after an overload answer."""
    content_sent: bool = False
    """Content of an answer has reached the client: nothing may be repeated."""
    refreshable: bool = False
    """The account at hand has a login that can be renewed."""
    vendor_overloaded: bool = False
    """Most of the vendor's accounts are overloaded: pauses are longer."""

    def after(self, outcome: Outcome, step: Step) -> Progress:
        """The way so far, with this answer and the step taken on it added."""
        progress = self
        if outcome.verdict in FAILED:
            progress = evolve(progress, failures=self.failures + 1)
        if step is Step.RETRY_HERE:
            progress = evolve(progress, retried_here=self.retried_here | {outcome.account})
        if step is Step.REFRESH:
            progress = progress.after_refresh(outcome.account)
        return progress

    def after_refresh(self, account: str) -> Progress:
        """The login of `account` was renewed (or that was tried) for this request."""
        return evolve(self, refreshed=self.refreshed | {account})

    def with_refreshable(self, *, refreshable: bool) -> Progress:
        """The same way, for an account whose login can or cannot be renewed."""
        return evolve(self, refreshable=refreshable)


FAILED: Final = frozenset({Verdict.BROKEN, Verdict.UNREACHABLE, Verdict.TIMED_OUT})

STEPS: Final = {
    Verdict.SERVED: Step.DELIVER,
    Verdict.REFUSED: Step.DELIVER,
    Verdict.CUT: Step.DELIVER,
    Verdict.UNAUTHORIZED: Step.REFRESH,
    Verdict.OVERLOADED: Step.RETRY_HERE,
    Verdict.LIMITED: Step.ELSEWHERE,
    Verdict.THROTTLED: Step.ELSEWHERE,
    Verdict.BUSY: Step.ELSEWHERE,
    Verdict.FORBIDDEN: Step.ELSEWHERE,
    Verdict.BROKEN: Step.ELSEWHERE,
    Verdict.UNREACHABLE: Step.ELSEWHERE,
    Verdict.TIMED_OUT: Step.ELSEWHERE,
}
"""The step on each verdict, when nothing speaks against it."""

_PAUSES: Final = {Step.RETRY_HERE: (0.5, 1.5), Step.ELSEWHERE: (0.0, 0.0)}
"""Least and most seconds before a step. Another account is asked at once: the client is waiting."""
_PAUSES_TOGETHER: Final = {Step.RETRY_HERE: (2.0, 6.0), Step.ELSEWHERE: (1.0, 3.0)}
"""The same while a whole vendor is overloaded; going elsewhere only moves the crowd then."""
_BETWEEN_FAILURES: Final = (0.1, 0.4)
"""Seconds before another account after a second failure in a row: the network may be at fault."""


def next_step(outcome: Outcome, progress: Progress) -> Step:
    """The step after `outcome`. `progress` does not contain this outcome yet."""
    step = STEPS[outcome.verdict]
    if progress.content_sent:
        # The relay ends the client's stream with an error; a replay would append a second answer.
        return Step.DELIVER
    if step is Step.REFRESH and (not progress.refreshable or outcome.account in progress.refreshed):
        return Step.ELSEWHERE
    if step is Step.RETRY_HERE and outcome.account in progress.retried_here:
        return Step.ELSEWHERE
    if outcome.verdict in FAILED and progress.failures + 1 >= MOST_FAILURES:
        return Step.GIVE_UP
    return step


def pause_before(step: Step, progress: Progress, jitter: float) -> float:
    """Seconds to wait before taking `step`; `jitter` is from 0 to 1."""
    least, most = (_PAUSES_TOGETHER if progress.vendor_overloaded else _PAUSES).get(step, (0.0, 0.0))
    if step is Step.ELSEWHERE and progress.failures > 1:
        least, most = max(least, _BETWEEN_FAILURES[0]), max(most, _BETWEEN_FAILURES[1])
    return least + (most - least) * min(max(jitter, 0.0), 1.0)
