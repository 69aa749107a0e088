"""Priority: the owner's order."""

from __future__ import annotations

from shunt.routing.strategies.base import Contender, Scene
from shunt.routing.strategies.priority import PRIORITY
from shunt.routing.view import Tuning
from tests.fakes.pools import T0, account, known


def test_the_order_is_the_owners_alone() -> None:
    """The number decides, for API keys as for plans; use does not."""
    key = account("key", priority=-1, subscription=False)
    plan = account("plan", priority=2)
    assert PRIORITY.tier(key, known("key"), T0) < PRIORITY.tier(plan, known("plan"), T0)
    assert PRIORITY.best_tier([plan, key]) == -1
    assert PRIORITY.best_tier([]) == 0
    assert PRIORITY.score(Contender(plan, known("plan"), ""), Scene(T0, Tuning(), 0, 1)) == ()
