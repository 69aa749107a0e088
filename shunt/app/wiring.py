"""Handing each room the parts it works with."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from shunt import __version__
from shunt.accounts.state import RequestRecord
from shunt.app.memory import Tidying
from shunt.app.sight import Sight
from shunt.gateway.attempt import Attempts
from shunt.gateway.carriers import Carriers
from shunt.gateway.exchange import Means
from shunt.gateway.gateway import Gateway
from shunt.gateway.hold import WaitingRoom
from shunt.gateway.listing import Listing
from shunt.gateway.measure import MIB, Measure
from shunt.server.greeting import findings
from shunt.server.parts import ServerParts
from shunt.store import snapshots
from shunt.store.foreign_logins import login_at
from shunt.store.history import History
from shunt.store.history_search import Archive
from shunt.upstream.claude_code.driver import Driver
from shunt.upstream.client import Upstream
from shunt.upstream.dispatch import Dispatch
from shunt.upstream.usage import UsageEndpoint
from shunt.watchers.health import Health
from shunt.watchers.notices import Notifier
from shunt.watchers.parts import Parts
from shunt.watchers.records import Records

if TYPE_CHECKING:
    from shunt.app.program import Program


def gateway(program: Program, upstream: Upstream, local: Driver, records: Records, sight: Sight) -> Gateway:
    """What answers requests."""
    room = WaitingRoom(
        program.pool,
        limit=lambda: program.config.routing.max_waiting,
        now=time.time,
        jitter=random.random,
    )
    means = Means(
        pool=program.pool,
        custody=program.custody,
        attempts=Attempts(Dispatch(upstream, local), time.time),
        room=room,
        wait=lambda: program.config.routing.wait,
        now=time.time,
        jitter=random.random,
        mappings=lambda: program.config.models,
        measure=lambda: _measure(program),
        strict=lambda: program.config.translation.strict,
    )

    def keep(record: RequestRecord) -> None:
        program.pool.finished(record)
        records.offer(record)

    gateway = Gateway(
        means=means,
        carriers=Carriers(program.pool, lambda: program.config.models),
        keep=keep,
        listing=Listing(means),
        hold_silent=lambda: program.config.routing.hold_silent,
        answers_probes=lambda: program.config.routing.answer_probes,
        keepalive_every=lambda: program.config.routing.keepalive_every,
        observer=sight.observatory,
    )
    gateway.moves.restore(program.pool.state.recent)
    sight.observatory.active = lambda: gateway.active
    return gateway


def _measure(program: Program) -> Measure:
    limits = program.config.limits
    return Measure(event=limits.event_mb * MIB, answer=limits.answer_mb * MIB)


def server_parts(
    program: Program, gateway: Gateway, local: Driver, health: Health, records: Records, sight: Sight
) -> ServerParts:
    """What the handlers work with."""
    return ServerParts(
        gateway=gateway,
        pool=program.pool,
        access=program.access,
        config=lambda: program.config,
        health=health,
        waiting=lambda: len(gateway.means.room),
        reload=program.read_again,
        local=local,
        now=time.time,
        version=__version__,
        started_at=time.time(),
        observatory=sight.observatory,
        archive=Archive(program.locations.history_file),
        records=lambda: (len(records), records.dropped),
        forecasts=sight.windows.forecasts,
        log_lines=sight.lines.newest,
        dumped=sight.dumps.find,
        troubles=lambda: program.troubles(records),
        keeping=program.keeping,
        findings=lambda: findings(program.options.environ),
    )


def watcher_parts(
    program: Program, upstream: Upstream, records: Records, history: History | None, sight: Sight
) -> Parts:
    """What the watchers work with."""

    def insert(batch: Sequence[RequestRecord]) -> None:
        if history is not None:
            history.insert(batch, explain=sight.observatory.explanation)
        else:
            for record in batch:  # lets go of the states that its decisions were made from
                sight.observatory.explanation(record.id)

    return Parts(
        pool=program.pool,
        custody=program.custody,
        send=upstream.send,
        drop_idle=upstream.drop_idle,
        close_old=upstream.close_old,
        tidy=Tidying(sight.observatory),
        fetch_usage=UsageEndpoint(upstream, time.time).fetch,
        read_login=partial(login_at, program.options.environ),
        save_state=partial(snapshots.save, program.locations.state_file),
        insert_records=insert,
        insert_samples=(lambda samples: history.insert((), samples)) if history else lambda _: None,
        sample=lambda: sight.windows.observe(program.pool.state),
        vitals=sight.vitals,
        failed=sight.failed,
        dump_failures=sight.dump,
        prune_history=history.prune if history else lambda *_: None,
        records=records,
        config=lambda: program.config,
        config_path=program.locations.config_file,
        credentials_path=program.locations.credentials_file,
        load_config=program.load_config,
        apply=program.apply,
        reload=program.reload,
        notify=Notifier(
            program.announcer.offer, now=time.time, muted=lambda: program.config.notify.muted
        ).notify,
        now=time.time,
        jitter=random.random,
    )
