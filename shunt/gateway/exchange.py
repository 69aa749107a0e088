"""One request's way: choose an account, try it, deliver or fail over, wait when all are spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import trio
from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential, Login
from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AttemptNote
from shunt.custody import Custody
from shunt.errors import AllCooling, CredentialError, InvalidRequest, RefreshFailed, ShuntError
from shunt.gateway.attempt import Attempt, Attempts, Body
from shunt.gateway.echoes import unechoed
from shunt.gateway.hold import WaitingRoom, worth_waiting
from shunt.gateway.lifetime import Lifetime
from shunt.gateway.measure import Measure
from shunt.gateway.offers import Offers, list_call, read_list, shelf_of
from shunt.gateway.refusals import Situation, give_up, in_full
from shunt.gateway.trace import Phase, Trace
from shunt.gateway.wording import Wording, refuses_model, refuses_reasoning
from shunt.inference.content import Part
from shunt.inference.inbound import Inbound, Operation
from shunt.models.mapping import Mappings
from shunt.pool import AccountPool
from shunt.protocols.base import Tap
from shunt.providers import provider_named
from shunt.routing.last_resort import last_resort
from shunt.routing.next_step import Progress, Step, next_step, pause_before
from shunt.routing.view import Choice, Demand

SPENT = frozenset({Verdict.LIMITED, Verdict.THROTTLED})
"""Verdicts after which waiting for the account makes sense."""

MOST_ANEW = 3
"""Rounds through the accounts on the word of others' success, for a request that may be held."""
RENEWAL_PAUSE = 30.0
"""Seconds to leave an account alone whose login could not be renewed just now."""


@frozen
class Means:
    """What every exchange works with. One object for the program's life."""

    pool: AccountPool
    custody: Custody
    attempts: Attempts
    room: WaitingRoom
    wait: Callable[[], float]
    """Seconds a request may be held when the caller does not say."""
    now: Callable[[], float]
    jitter: Callable[[], float]
    mappings: Callable[[], Mappings] = dict
    """The `[models]` table in force."""
    measure: Callable[[], Measure] = Measure
    """How much of an answer is held in memory."""
    strict: Callable[[], bool] = field(default=lambda: False)
    """Whether nothing of a request may be left out on the way into another protocol."""
    offers: Offers = field()
    """What upstreams are known to offer."""

    @offers.default
    def _nothing_known(self) -> Offers:
        return Offers(self.now)


@define(eq=False)
class Exchange:
    """One request on its way. `run` once; the notes are read when the request is recorded."""

    means: Means
    inbound: Inbound
    lifetime: Lifetime
    families: Mapping[str, str]
    """Account name → model family, of the accounts that can carry this call."""
    notes: list[AttemptNote] = field(factory=list)
    account: str = ""
    """The account tried last."""
    trace: Trace = field(factory=Trace)
    held: bool = False
    """Whether the request is standing in the waiting room now."""
    _tried: frozenset[str] = frozenset()
    _failures: list[Attempt] = field(factory=list)
    _progress: Progress = Progress()
    _newly_bound: bool = False
    _anew: int = 0
    """How often all accounts were tried anew because one was found to serve others."""
    _called: bool = False
    """The waiting room has just let this request go."""
    _unsayable: InvalidRequest | None = None
    """Why the request could not be put into the words of an account that was chosen."""
    _looked_up: bool = False
    """The account's list of models was asked, because it had none of the name it was given."""
    _bare: bool = False
    """The reasoning of earlier turns has been left out."""
    continued: list[Tap] = field(factory=list)
    """What read the answers along that a paused turn went on in."""
    wording: Wording = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.wording = Wording(self.inbound, self.means.mappings(), self.means.offers.names)

    async def run(self) -> Attempt:
        """Return the attempt whose answer goes to the client.

        Raises ShuntError with the words for the client when there is none.
        """
        while True:
            demand = self._demand()
            choice = self.means.pool.choose(demand, self._tried)
            if choice.account is None:
                choice = self._last_resort(demand, choice)
            self.trace.decided(choice, self.means.pool.state, self.families, self.means.now())
            if choice.account is None:
                await self._wait_or_give_up(demand)
            elif self._has_to_queue(choice.account):
                await self._stand_in_line(demand)
            else:
                attempt = await self._try(choice.account, choice)
                if attempt is not None:
                    return attempt

    def would_choose(self) -> str | None:
        """The account that would be asked now; nothing is noted."""
        return self.means.pool.consider(self._demand()).account

    def _has_to_queue(self, account: str) -> bool:
        """Whether others who could use the account were here before."""
        if self._called:
            self._called = False  # it is this request's turn now
            return False
        return self._until() > self.means.now() and self.means.room.must_queue(account)

    def _last_resort(self, demand: Demand, choice: Choice) -> Choice:
        name = last_resort(self.means.pool.view(), demand, choice, self._tried, self.means.now())
        return choice if name is None else evolve(choice, account=name, why="nobody else", borrowed=True)

    # ── one account ───────────────────────────────────────────────────────────────────────────

    async def _try(self, name: str, choice: Choice) -> Attempt | None:
        """Try one account until its answer is to be delivered (returned) or it is left (None)."""
        self.account = name
        self._bind(name, choice, served=False)
        with self.means.pool.lease(name) as lease:
            while True:
                credential = self.means.custody.credential(name)
                account = self.means.pool.accounts.get(name)
                if credential is None or account is None:
                    self._tried |= {name}
                    return None
                with self.means.room.trying(name):
                    try:
                        attempt = await self._attempt(account, credential)
                    except InvalidRequest as error:
                        self._unsayable = error
                        self._tried |= {name}
                        return None
                    step = next_step(attempt.outcome, self._progress_with(credential))
                    if step is not Step.REFRESH and self._tells(attempt):
                        self.means.pool.record(attempt.outcome)
                if step is Step.DELIVER and self._may_go_without_reasoning(attempt):
                    continue
                if step is Step.DELIVER and await self._may_be_named_otherwise(account, credential, attempt):
                    continue
                if step is Step.DELIVER and self._is_elsewhere(attempt):
                    self._tried |= {name}
                    self._failures.append(attempt)
                    return None
                if step is Step.DELIVER:
                    self._bind(name, choice, served=attempt.served)
                    self.lifetime.defer(lease.keep())
                    return attempt
                if not await self._again(step, name, credential, attempt):
                    return None

    def _is_elsewhere(self, attempt: Attempt) -> bool:
        """Whether a batch is asked for that this account has not made: one of the others may have."""
        return (
            self.inbound.operation is Operation.BATCHES
            and self.inbound.outline.chained
            and attempt.status == 404
        )

    def _may_go_without_reasoning(self, attempt: Attempt) -> bool:
        """Whether the vendor refused the reasoning in the history, and it may be asked once more without."""
        if self._bare or attempt.status != 400:
            return False
        if not refuses_reasoning(attempt.status, text_of(attempt)):
            return False
        self._bare = self.wording.forget_reasoning()
        return self._bare

    async def _may_be_named_otherwise(
        self, account: Account, credential: Credential, attempt: Attempt
    ) -> bool:
        """Whether the upstream has no model of the name it was given, and lists the one that is meant."""
        if self._looked_up or attempt.rendition is None or attempt.status < 400:
            return False
        if not refuses_model(attempt.status, text_of(attempt)):
            return False
        offers, shelf = self.means.offers, shelf_of(account)
        self._looked_up = self.wording.refused = True
        if not offers.fresh(shelf):
            provider = provider_named(account.provider)
            call = list_call(self.inbound, provider.name)
            try:
                listing = await self.means.attempts.make(
                    account, provider, credential, call, self.lifetime, self.trace
                )
                offers.keep(shelf, await read_list(listing))
            except ShuntError:
                return False  # it has no list, or none for us
        named = self.wording.named(account, provider_named(account.provider))
        return named.model != attempt.rendition.inbound.outline.model

    def _tells(self, attempt: Attempt) -> bool:
        """Whether the outcome says something about the account's limits.

        Counting tokens and listing models succeed on a spent account, too.
        """
        return not attempt.served or self.inbound.operation is Operation.GENERATE

    async def _attempt(self, account: Account, credential: Credential) -> Attempt:
        rendition = await self.wording.for_account(account)
        if rendition.dropped and self.means.strict():
            raise InvalidRequest(in_full(account.name, rendition.dropped))
        provider = provider_named(account.provider)
        attempt = await self.means.attempts.make(
            account, provider, credential, rendition.inbound, self.lifetime, self.trace
        )
        attempt = unechoed(attempt, credential)
        if attempt.spoken:
            rendition = evolve(rendition, inbound=evolve(rendition.inbound, protocol=attempt.spoken))
        rendition = rendition.without(attempt.unsaid)
        attempt = evolve(attempt, rendition=rendition, metered=not account.subscription)
        outcome = attempt.outcome
        self.notes.append(AttemptNote(account.name, outcome.verdict, outcome.reason))
        return attempt

    async def go_on(self, account_name: str, parts: Sequence[Part]) -> Body | None:
        """The rest of a turn that its vendor paused after `parts`, from the same account; None if it gives none."""
        account = self.means.pool.accounts.get(account_name)
        credential = self.means.custody.credential(account_name)
        if account is None or credential is None:
            return None
        try:
            rendition = self.wording.resumed(account, parts)
        except InvalidRequest:
            return None
        provider = provider_named(account.provider)
        more = await self.means.attempts.make(
            account, provider, credential, rendition.inbound, self.lifetime, self.trace
        )
        self.notes.append(
            AttemptNote(account_name, more.outcome.verdict, f"paused turn: {more.outcome.reason}")
        )
        if not more.served or more.spoken or more.body is None:
            return None
        if more.body.tap is not None:
            self.continued.append(more.body.tap)
        return more.body

    async def _again(self, step: Step, name: str, credential: Credential, attempt: Attempt) -> bool:
        """Prepare another try of the same account; False leaves it."""
        if step is Step.REFRESH and isinstance(credential, Login):
            self._progress = self._progress.after_refresh(name)
            return await self._refresh(name, credential, attempt)
        self._failures.append(attempt)
        self._progress = self._progress.after(attempt.outcome, step)
        if step is Step.GIVE_UP:
            raise give_up(self._situation())
        await trio.sleep(pause_before(step, self._progress, self.means.jitter()))
        if step is Step.RETRY_HERE:
            return True
        self._tried |= {name}
        return False

    async def _refresh(self, name: str, credential: Login, attempt: Attempt) -> bool:
        try:
            await self.means.custody.refresh(name, credential.access)
        except CredentialError as error:
            # A refused refresh token is told to the pool by custody itself.
            if isinstance(error, RefreshFailed):
                wait = error.retry_after if error.retry_after is not None else RENEWAL_PAUSE
                until = self.means.now() + wait
                self.means.pool.record(evolve(attempt.outcome, until=until, reason=str(error)))
            self.notes.append(AttemptNote(name, Verdict.UNAUTHORIZED, str(error)))
            self._tried |= {name}
            return False
        return True

    def _progress_with(self, credential: Credential) -> Progress:
        refreshable = isinstance(credential, Login) and bool(credential.refresh)
        overloaded = self.means.pool.is_overloaded(self.account)
        if (refreshable, overloaded) == (self._progress.refreshable, self._progress.vendor_overloaded):
            return self._progress
        return evolve(self._progress, refreshable=refreshable, vendor_overloaded=overloaded)

    def _bind(self, name: str, choice: Choice, *, served: bool) -> None:
        """Keep the conversation where its prompt cache is (or is about to be)."""
        conversation = self.inbound.conversation
        if not conversation or self.inbound.wanted_account:
            return
        bound, _ = self.means.pool.bound(conversation)
        self._newly_bound = self._newly_bound or not bound
        if self._newly_bound or not choice.borrowed:
            self.means.pool.bind(conversation, name, hard=served and self.inbound.outline.chained)

    # ── waiting ───────────────────────────────────────────────────────────────────────────────

    async def _wait_or_give_up(self, demand: Demand) -> None:
        if self._unsayable is not None and not self._failures:
            raise self._unsayable  # perhaps another account could say it, but none is left
        until = self._until()
        failed_otherwise = self._failures and not any(
            failure.outcome.verdict in SPENT for failure in self._failures
        )
        whole = self.means.pool.consider(demand)  # without what this request has tried
        if whole.account is not None and not failed_otherwise and self._may_try_anew(until):
            # Another request was served meanwhile: what this one was told is no longer true.
            self._tried = frozenset()
            await trio.sleep(self.means.jitter())
            return
        if failed_otherwise or self.means.room.full or not worth_waiting(whole, until, self.means.now()):
            raise give_up(self._situation())
        await self._stand_in_line(demand)

    def _may_try_anew(self, until: float) -> bool:
        self._anew += 1
        return self._anew <= MOST_ANEW and self.means.now() < until

    async def _stand_in_line(self, demand: Demand) -> None:
        self.held = True
        self.trace.mark(Phase.QUEUED, self.means.now())
        try:
            await self.means.room.wait(demand, self.inbound.conversation, self._until())
        except AllCooling:
            now = self._situation()
            if now.whole.account is not None:
                raise
            # In the words of whoever asks now: accounts that were paused meanwhile come back at no time.
            raise give_up(now) from None
        finally:
            self.held = False
        self._called = True
        self._tried = frozenset()
        self._failures.clear()
        self._progress = Progress()

    def _until(self) -> float:
        """Epoch seconds until which this request may be held."""
        wait = self.inbound.wait
        return self.inbound.arrived_at + (self.means.wait() if wait is None else wait)

    def _situation(self) -> Situation:
        view = self.means.pool.view()
        return Situation(
            whole=self.means.pool.consider(self._demand()),
            view=view,
            inbound=self.inbound,
            carriers=frozenset(self.families),
            failures=tuple(self._failures),
            now=self.means.now(),
        )

    def _demand(self) -> Demand:
        bound, hard = self.means.pool.bound(self.inbound.conversation)
        return Demand(
            model=self.inbound.wanted_model,
            families=self.families,
            pools=self.inbound.pools,
            logins=self.inbound.logins,
            wanted=self.inbound.wanted_account,
            bound=bound,
            bound_hard=hard and self.inbound.outline.chained,
        )


def text_of(attempt: Attempt) -> bytes:
    """What has come of an answer's body."""
    return b"".join(attempt.body.head) if attempt.body is not None else b""
