"""Which account takes a request, and the reasons."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.eligibility import hindrance
from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AccountState, Cooldown, Custody
from shunt.limits.windows import Window
from shunt.routing.choose import choose, strategy_of
from shunt.routing.view import Choice, Demand, Refusal, Tuning, View
from tests.fakes.pools import DAY, HOUR, T0, demand, known, view, window

NONE: frozenset[str] = frozenset()


def pick(picture: View, *tried: str, family: str = "opus", **fields: Any) -> Choice:
    return choose(picture, demand(picture, family, **fields), frozenset(tried), T0)


def refusals(choice: Choice) -> dict[str, Refusal | None]:
    return {candidate.account: candidate.refusal for candidate in choice.candidates}


def cooling(
    name: str, seconds: float = 60, cause: Verdict = Verdict.THROTTLED, scope: str = ""
) -> AccountState:
    return known(name, cooldowns={scope: Cooldown(T0 + seconds, T0, f"{cause}: why", cause)})


def spent(name: str, seconds: float = HOUR, window_name: str = "5h") -> AccountState:
    return known(name, window(window_name, 1.0, seconds, rejected=True))


# ── who is a candidate ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "fields", "asked", "tried", "refusal", "back_at"),
    [
        (known("a"), {}, {}, (), None, None),
        (known("a"), {}, {"families": {"b": "opus"}}, (), Refusal.CANNOT_CARRY, None),
        (known("a"), {"pool": "work"}, {"pools": frozenset({"home"})}, (), Refusal.OTHER_POOL, None),
        (known("a"), {"subscription": True}, {"logins": False}, (), Refusal.NOT_THEIRS, None),
        (known("a"), {"subscription": False}, {"logins": False}, (), None, None),
        (known("a"), {"pool": "work"}, {"pools": frozenset({"work"})}, (), None, None),
        (known("a"), {"models": ("*haiku*",)}, {}, (), Refusal.MODEL_NOT_ALLOWED, None),
        (known("a"), {"models": ("*opus*",)}, {}, (), None, None),
        (known("a"), {"models": ("*opus*",)}, {"model": ""}, (), None, None),  # names no model
        (AccountState("a"), {}, {}, (), Refusal.NO_CREDENTIAL, None),
        (known("a", custody=Custody.REAUTH_REQUIRED), {}, {}, (), Refusal.REAUTH_REQUIRED, None),
        (known("a", paused=True), {}, {}, (), Refusal.PAUSED, None),
        (cooling("a", 60), {}, {}, (), Refusal.COOLING, T0 + 60),
        (cooling("a", 60, scope="opus"), {}, {}, (), Refusal.COOLING, T0 + 60),
        (cooling("a", 60, scope="haiku"), {}, {}, (), None, None),
        (cooling("a", -1), {}, {}, (), None, None),
        (spent("a"), {}, {}, (), Refusal.WINDOW_SPENT, T0 + HOUR),
        (spent("a", HOUR, "7d_opus"), {}, {}, (), Refusal.WINDOW_SPENT, T0 + HOUR),
        (spent("a", HOUR, "7d_sonnet"), {}, {}, (), None, None),
        (spent("a", HOUR, "overage"), {}, {}, (), None, None),
        (known("a", in_flight=2), {"max_concurrent": 2}, {}, (), Refusal.BUSY, None),
        (known("a", in_flight=1), {"max_concurrent": 2}, {}, (), None, None),
        (known("a", in_flight=99), {}, {}, (), None, None),
        (known("a"), {}, {}, ("a",), Refusal.TRIED, None),
        # Tried and cooling: it comes back, so waiting helps.
        (cooling("a", 60), {}, {}, ("a",), Refusal.COOLING, T0 + 60),
        # What takes a person to end is told before what passes.
        (
            known("a", paused=True, cooldowns={"": Cooldown(T0 + 60, T0, "x")}),
            {},
            {},
            (),
            Refusal.PAUSED,
            None,
        ),
    ],
)
def test_who_may_be_chosen(
    state: AccountState,
    fields: dict[str, Any],
    asked: dict[str, Any],
    tried: tuple[str, ...],
    refusal: Refusal | None,
    back_at: float | None,
) -> None:
    """Every refusal, its reason and its end; nobody refused is ever chosen."""
    choice = pick(view(state, accounts={"a": fields}), *tried, **asked)
    (candidate,) = choice.candidates
    assert (candidate.refusal, candidate.back_at) == (refusal, back_at)
    assert choice.account == (None if refusal else "a")
    assert choice.retry_at == back_at


def test_the_fact_behind_a_refusal_is_told() -> None:
    """People read why: the cooldown's cause, the window and its age, the number of requests."""
    choice = pick(
        view(cooling("a"), spent("b"), known("c", in_flight=1), "d", accounts={"c": {"max_concurrent": 1}}),
        model="claude-opus-9",
    )
    details = {candidate.account: candidate.detail for candidate in choice.candidates}
    assert details == {
        "a": "throttled: why",
        "b": "5h window rejected, seen 0 s ago (header)",
        "c": "1 requests running",
        "d": "",
    }


# ── asked for, pinned, bound ──────────────────────────────────────────────────────────────────────


def test_the_account_asked_for_or_nothing() -> None:
    """The header beats pin, binding and strategy, and never spills."""
    picture = view("a", "b", cooling("c"), pinned="a")
    assert pick(picture, wanted="b", bound="a").account == "b"
    refused = pick(picture, wanted="c")
    assert (refused.account, refused.retry_at) == (None, T0 + 60)
    assert refusals(refused) == {"a": Refusal.NOT_CHOSEN, "b": Refusal.NOT_CHOSEN, "c": Refusal.COOLING}
    unknown = pick(picture, wanted="nobody")
    assert (unknown.account, unknown.retry_at) == (None, None)
    assert "nobody" in unknown.why
    assert set(refusals(unknown).values()) == {Refusal.NOT_CHOSEN}


def test_a_pin_is_strict() -> None:
    """Loss of the pinned account is told, not covered up by another one."""
    assert pick(view("a", "b", pinned="b"), bound="a").account == "b"
    lost = pick(view("a", cooling("b"), pinned="b"))
    assert (lost.account, lost.why, lost.retry_at) == (None, "b (pinned) is cooling", T0 + 60)
    assert pick(view("a", "b", pinned="gone")).account is None


def test_a_pin_may_be_told_to_spill() -> None:
    """With `pin_spills` the others serve while the pinned one cannot."""
    spills = Tuning(pin_spills=True)
    assert pick(view("a", "b", pinned="b", tuning=spills), bound="a").why == "pinned"
    assert pick(view("a", cooling("b"), pinned="b", tuning=spills)).account == "a"
    assert pick(view("a", "b", pinned="gone", tuning=spills)).account == "a"


def test_a_hard_binding_is_never_moved() -> None:
    """What only one account holds is asked of that one, or of none."""
    assert pick(view("a", "b"), bound="b", bound_hard=True).account == "b"
    lost = pick(view("a", spent("b")), bound="b", bound_hard=True)
    assert (lost.account, lost.retry_at, refusals(lost)["a"]) == (None, T0 + HOUR, Refusal.NOT_CHOSEN)


def test_a_pin_and_a_hard_binding_that_differ_exclude_each_other() -> None:
    """Neither is broken silently; with spilling pins the binding wins."""
    picture = view("a", "b", pinned="a")
    torn = pick(picture, bound="b", bound_hard=True)
    assert (torn.account, torn.retry_at) == (None, None)
    assert "only on b" in torn.why
    assert pick(picture, bound="a", bound_hard=True).account == "a"
    spilling = evolve(picture, tuning=Tuning(pin_spills=True))
    assert pick(spilling, bound="b", bound_hard=True).account == "b"


# ── stickiness ────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_stays_where_it_is() -> None:
    """However much room others have."""
    full = known("a", window("5h", 0.99, 4 * HOUR), window("7d", 0.9, 5 * DAY))
    choice = pick(view(full, "b"), bound="a")
    assert (choice.account, choice.why, choice.borrowed, choice.by_strategy) == ("a", "sticky", False, False)


@pytest.mark.parametrize(
    ("state", "fields", "asked", "tried", "borrowed"),
    [
        (cooling("a", 60, Verdict.THROTTLED), {}, {}, (), True),
        (cooling("a", 60, Verdict.BROKEN), {}, {}, (), True),
        (cooling("a", 60, Verdict.OVERLOADED), {}, {}, (), True),
        (cooling("a", 60, Verdict.UNAUTHORIZED), {}, {}, (), True),
        (known("a", in_flight=1), {"max_concurrent": 1}, {}, (), True),
        (known("a"), {}, {}, ("a",), True),
        (known("a"), {"models": ("*haiku*",)}, {}, (), True),
        (known("a"), {}, {"families": {"b": "opus"}}, (), True),
        (cooling("a", 60, Verdict.LIMITED), {}, {}, (), False),
        (cooling("a", 60, Verdict.FORBIDDEN), {}, {}, (), False),
        (spent("a"), {}, {}, (), False),
        (known("a", custody=Custody.REAUTH_REQUIRED), {}, {}, (), False),
        (AccountState("a"), {}, {}, (), False),
        (known("a", paused=True), {}, {}, (), False),
    ],
)
def test_passing_trouble_borrows_and_lasting_trouble_moves(
    state: AccountState, fields: dict[str, Any], asked: dict[str, Any], tried: tuple[str, ...], borrowed: bool
) -> None:
    """A conversation comes back from passing trouble to its prompt cache; it leaves a dead account."""
    choice = pick(view(state, "b", accounts={"a": fields}), *tried, bound="a", **asked)
    assert (choice.account, choice.borrowed) == ("b", borrowed)


def test_a_conversation_on_a_removed_account_moves() -> None:
    """An account that is no more holds nobody."""
    choice = pick(view("a"), bound="gone")
    assert (choice.account, choice.borrowed) == ("a", False)


def test_stickiness_does_not_keep_anybody_on_what_costs_money() -> None:
    """Once a plan is free again, conversations leave the API key they had moved to."""
    keys = {"key": {"subscription": False}, "key2": {"subscription": False}}
    assert pick(view("key", spent("plan"), accounts=keys), bound="key").why == "sticky"
    assert pick(view("key2", "key", accounts=keys), bound="key").why == "sticky"
    back = pick(view("key", "plan", accounts=keys), bound="key")
    assert (back.account, back.borrowed, back.by_strategy) == ("plan", False, True)


# ── strategies ────────────────────────────────────────────────────────────────────────────────────


def test_the_owners_override_beats_the_configured_strategy() -> None:
    """A strategy set at run time counts; one that is not known (any more) is the default."""
    assert strategy_of(view("a", tuning=Tuning(strategy="reaper"))).name == "reaper"
    assert strategy_of(view("a", tuning=Tuning(strategy="reaper"), strategy="cushion")).name == "cushion"
    assert strategy_of(view("a", strategy="gone")).name == "maximus"


def test_the_best_score_wins_and_is_told() -> None:
    """The strategy decides, says so, and shows every score."""
    choice = pick(
        view(known("a", window("5h", 0.5, 5 * HOUR)), known("b", window("5h", 0.2, 5 * HOUR)), spent("c"))
    )
    assert (choice.account, choice.why, choice.by_strategy) == ("b", "strategy maximus", True)
    scores = {candidate.account: candidate.score for candidate in choice.candidates}
    assert scores["b"] > scores["a"] > scores["c"] == ()


@pytest.mark.parametrize("strategy", ["maximus", "reaper", "cushion", "priority", "carousel"])
def test_equals_go_in_the_order_of_the_configuration(strategy: str) -> None:
    """The first of equals, always the same one."""
    assert pick(view("b", "a", "c", tuning=Tuning(strategy=strategy))).account == "b"


@pytest.mark.parametrize("strategy", ["maximus", "reaper", "cushion", "carousel"])
def test_plans_before_keys(strategy: str) -> None:
    """What costs money per request comes after what is paid for, however full."""
    full = known("plan", window("5h", 0.99, 4 * HOUR))
    picture = view("key", full, accounts={"key": {"subscription": False}}, tuning=Tuning(strategy=strategy))
    assert pick(picture).account == "plan"
    assert pick(picture, "plan").account == "key"


def test_priority_mixes_plans_and_keys_as_it_is_told() -> None:
    """Under `priority` the owner's numbers count alone, and conversations go back up when they can."""
    accounts = {"key": {"subscription": False, "priority": 1}, "plan": {"priority": 2}}
    picture = view("plan", "key", accounts=accounts, tuning=Tuning(strategy="priority"))
    assert pick(picture).account == "key"
    assert pick(picture, bound="plan").account == "key"
    assert pick(picture, "key", bound="plan").why == "sticky"


def test_the_carousel_turns_among_plans_only() -> None:
    """Keys in between do not get a plan's turn, and a refused one passes it on."""
    fields = {"key": {"subscription": False}}
    chosen = [
        pick(
            view(
                "a",
                "key",
                "b",
                spent("c"),
                accounts=fields,
                carousel=turn,
                tuning=Tuning(strategy="carousel"),
            )
        ).account
        for turn in range(4)
    ]
    assert chosen == ["a", "b", "a", "b"]


def test_when_nobody_can_the_first_return_is_told() -> None:
    """The earliest end of what passes; what takes a person does not count."""
    choice = pick(
        view(cooling("a", 90), spent("b", 30), known("c", paused=True), known("d", custody=Custody.MISSING))
    )
    assert (choice.account, choice.retry_at, choice.by_strategy) == (None, T0 + 30, False)
    assert pick(view(known("a", paused=True))).retry_at is None
    assert pick(view()).account is None


# ── any pool at all ───────────────────────────────────────────────────────────────────────────────

WINDOWS = st.builds(
    window,
    st.sampled_from(["5h", "7d", "7d_opus", "7d_sonnet", "overage"]),
    st.none() | st.floats(0, 1.5),
    st.none() | st.floats(-HOUR, 7 * DAY),
    rejected=st.booleans(),
    in_use=st.booleans(),
)


def states(name: str) -> st.SearchStrategy[AccountState]:
    cooldowns = st.dictionaries(
        st.sampled_from(["", "opus", "haiku"]),
        st.builds(
            lambda ahead, cause: Cooldown(T0 + ahead, T0 - 60, "x", cause),
            st.floats(-60, DAY),
            st.sampled_from(Verdict),
        ),
        max_size=2,
    )

    def build(
        seen: list[Window], cooldowns: dict[str, Cooldown], custody: Custody, paused: bool, in_flight: int
    ) -> AccountState:
        return known(name, *seen, cooldowns=cooldowns, custody=custody, paused=paused, in_flight=in_flight)

    return st.builds(
        build,
        st.lists(WINDOWS, max_size=3),
        cooldowns,
        st.sampled_from([Custody.PRESENT, Custody.PRESENT, *Custody]),
        st.sampled_from([False, False, True]),
        st.integers(0, 3),
    )


NAMES = ("a", "b", "c", "d")
SOME_NAME = st.sampled_from(["", *NAMES, "gone"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[View, Demand, frozenset[str]]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    fields: dict[str, dict[str, Any]] = {
        name: {
            "subscription": draw(st.booleans()),
            "pool": draw(st.sampled_from(["default", "work"])),
            "priority": draw(st.integers(0, 2)),
            "max_concurrent": draw(st.integers(0, 2)),
            "models": draw(st.sampled_from([(), ("*opus*",), ("*haiku*",)])),
        }
        for name in names
    }
    strategy = draw(st.sampled_from(["maximus", "reaper", "cushion", "carousel", "priority"]))
    picture = view(
        *[draw(states(name)) for name in names],
        accounts=fields,
        tuning=Tuning(strategy=strategy, pin_spills=draw(st.booleans())),
        pinned=draw(st.none() | st.sampled_from([*NAMES, "gone"])),
        carousel=draw(st.integers(0, 9)),
    )
    asked = demand(
        picture,
        families={name: "opus" for name in names if draw(st.integers(0, 4))},
        pools=draw(st.none() | st.just(frozenset({"default"}))),
        wanted=draw(st.just("") | SOME_NAME),
        bound=draw(SOME_NAME),
        bound_hard=draw(st.booleans()),
    )
    return picture, asked, frozenset(draw(st.lists(st.sampled_from(NAMES), max_size=2)))


@given(cases())
def test_no_decision_breaks_its_promises(case: tuple[View, Demand, frozenset[str]]) -> None:
    """Each account once; nobody refused is chosen; restrictions hold; nobody free is left out."""
    picture, asked, tried = case
    choice = choose(picture, asked, tried, T0)
    assert [candidate.account for candidate in choice.candidates] == list(picture.accounts)
    free = [candidate.account for candidate in choice.candidates if candidate.refusal is None]
    if choice.account is None:
        assert free == []
    else:
        assert choice.account in free
        assert choice.account not in tried
        assert hindrance(picture.state.accounts[choice.account], "opus", T0) is None
        assert choice.retry_at is None
        if asked.wanted:
            assert choice.account == asked.wanted
        elif asked.bound_hard and asked.bound:
            assert choice.account == asked.bound
        if picture.state.pinned and not picture.tuning.pin_spills and not asked.wanted:
            assert choice.account == picture.state.pinned
    if choice.retry_at is not None:
        assert choice.retry_at > T0
    assert choose(picture, asked, tried, T0) == choice
