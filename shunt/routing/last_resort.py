"""When every account is out: may one be asked all the same?

A cooldown after a 5xx or a failed connection is a guess, made to prefer healthier accounts. Where
there is no other account it would only turn a hiccup that the client's own retry mends into a wait.
So one request at a time may go to such an account. What a vendor asked for (a window's reset, a
retry-after) is never guessed away.

A key that its vendor refuses is no better in five minutes. Where there are only such keys, their vendor is asked
each time: its owner hears why, at once, and the moment that it is good again counts.
"""

from __future__ import annotations

from typing import Final

from shunt.accounts.outcomes import Verdict
from shunt.limits.windows import ALL_MODELS
from shunt.routing.view import Choice, Demand, Refusal, View

GUESSED: Final = frozenset({Verdict.BROKEN, Verdict.UNREACHABLE, Verdict.TIMED_OUT, Verdict.OVERLOADED})
"""Causes of cooldowns that rest on no word of the vendor."""


def last_resort(view: View, demand: Demand, choice: Choice, tried: frozenset[str], now: float) -> str | None:
    """The account to ask although it cools; None when waiting is right. `choice` named no account."""
    best: tuple[float, str] | None = None
    refused: list[str] = []
    others = False
    for candidate in choice.candidates:
        name = candidate.account
        if candidate.refusal is Refusal.BUSY:
            return None  # a healthy account will be free soon
        if candidate.refusal is not Refusal.COOLING or name in tried:
            others = others or candidate.refusal in (Refusal.WINDOW_SPENT, Refusal.COOLING)
            continue
        state = view.state.accounts[name]
        scopes = (ALL_MODELS, demand.families.get(name, ALL_MODELS))
        running = [state.cooldowns[scope] for scope in scopes if scope in state.cooldowns]
        causes = {cooldown.cause for cooldown in running if cooldown.until > now}
        if causes == {Verdict.UNAUTHORIZED} and not view.accounts[name].subscription:
            refused.append(name)
            continue
        others = True
        if causes <= GUESSED and state.in_flight == 0:
            ends = candidate.back_at if candidate.back_at is not None else now
            best = min(best, (ends, name)) if best is not None else (ends, name)
    if best is not None:
        return best[1]
    return refused[0] if refused and not others else None
