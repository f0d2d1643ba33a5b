"""Console, operations API and the journal's projection as a process. Called by `crossdock.supervisor.roles`."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from console.api import create_app
from console.desk import Desk
from console.identity import make_access
from console.pages.attach import add_pages, running
from crossdock.adapters import asyncapi, reports
from crossdock.adapters.audit import NatsAudit, make_stream
from crossdock.adapters.backfills import NatsBackfills
from crossdock.adapters.keys import NatsKeys
from crossdock.adapters.ledger import Ledgers
from crossdock.adapters.letters import NatsLetters, lags
from crossdock.adapters.parked import NatsNotes
from crossdock.adapters.past import past
from crossdock.adapters.projector import Projector
from crossdock.adapters.records import NatsRecords
from crossdock.adapters.sends import NatsSends
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.stored import stored
from crossdock.adapters.topology import ACCESS, APPROVALS, PLANS, PROBLEMS, SESSIONS, UNREADABLE
from crossdock.adapters.watch import NatsWatch
from crossdock.inforce import Content
from crossdock.kernel.accesssettings import Tls
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.backfiller import Backfiller
from crossdock.pipeline.replayer import Replayer
from crossdock.pipeline.retraced import retraced
from crossdock.pipeline.unreadable import Unreadable
from crossdock.project import Project
from crossdock.supervisor import alerting, drifting
from crossdock.supervisor.applying import Applying
from crossdock.supervisor.base import Base, base
from crossdock.supervisor.examining import Examining
from crossdock.supervisor.http import serve
from crossdock.supervisor.lasting import lasting
from crossdock.supervisor.priority import TELLS, give_way
from crossdock.supervisor.rehearsing import Rehearsing
from crossdock.supervisor.trials import Trials
from crossdock.supervisor.truths import truths
from dlq.approvals import Approvals
from dlq.audit import Audit
from dlq.plans import Plans
from dlq.problems import Marks


async def ops(env: Mapping[str, str]) -> None:
    """Serve operators, and keep the journal's projection."""
    async with base("ops", env, dict) as here:
        keys, heard, journal = NatsKeys(here.client), reports.Reports(), SqlJournal(env["CROSSDOCK_JOURNAL_URL"])
        await keys.start()
        await make_stream(here.client, here.settings.nats.replicas)
        await heard.listen(here.client)
        ledgers = Ledgers(here.client, lambda: desk.project, here.topology.retention)
        desk = _desk(here, env, _Stores(journal, keys, ledgers), heard)
        journal.processes.pairs.use(desk.project.rules)

        async def change(content: Content) -> None:
            desk.project = content.project
            journal.processes.pairs.use(content.project.rules)

        people, sessions = NatsRecords(here.client, ACCESS), NatsRecords(here.client, SESSIONS)
        app = create_app(desk, make_access(env["CROSSDOCK_OPS_TOKEN"], people, sessions, here.settings.console))
        add_pages(app)
        give_way(TELLS)  # late, for a quick start; before the threads of the projection, which take it over
        following = asyncio.create_task(here.following.run(change))
        projector = Projector(here.client, journal, here.settings.retention.journal, desk.unreadable, ledgers.hear)
        beside = partial(drifting.run, here, desk.drifts, heard, lambda: desk.project)
        works = (projector.run, ledgers.run, partial(truths, here, desk), beside)
        projecting = [asyncio.create_task(lasting(act)) for act in works]
        desk.backfiller.begin()
        desk.replayer.begin()
        watching = asyncio.create_task(desk.alerts.run())
        console, root = here.settings.console, Path(env["CROSSDOCK_PROJECT"])
        tls = Tls(str(root / console.tls.cert), str(root / console.tls.key)) if console.tls.cert else None
        async with running():
            await serve(app, console.host, int(env["CROSSDOCK_CONSOLE_PORT"]), env, tls=tls)
        for task in projecting:
            task.cancel()
        watching.cancel()
        await desk.backfiller.close()
        await desk.replayer.close()
        await asyncio.wait([watching])
        following.cancel()
        await keys.close()


class _Stores(NamedTuple):
    """What the process keeps for as long as it lives."""

    journal: SqlJournal
    keys: NatsKeys
    ledgers: Ledgers


def _desk(here: Base, env: Mapping[str, str], stores: _Stores, heard: reports.Reports) -> Desk:
    journal, keys, ledgers = stores
    trials = Trials(here.contents, env)
    desk = Desk(
        project=here.project,
        journal=journal,
        keys=keys,
        last_uses=lambda: _last_uses(env["CROSSDOCK_DEDUPE_URL"]),
        letters=NatsLetters(here.client),
        streams=retraced(here.streams, here.tracer),
        stored=partial(stored, here.client),
        past=partial(past, here.client),
        ledger=ledgers.now,
        prove=ledgers.deep,
        last_ledger=lambda: ledgers.latest,
        unreadable=Unreadable(NatsRecords(here.client, UNREADABLE), here.metrics.unreadable),
        lags=lambda: lags(here.client, desk.project),
        states=heard.states,
        polls=heard.polls,
        pause=NatsWatch(here.client, here.topology).pause,
        metrics=heard.metrics,
        asyncapi=lambda: asyncapi.document(desk.project),
        office=Applying(here.contents, env, here.metrics, heard.contents),
        backfiller=_backfiller(here, lambda: desk.project),
        audit=Audit(NatsAudit(here.client)),
        marks=Marks(NatsRecords(here.client, PROBLEMS)),
        alerts=alerting.watch(here, journal, lambda: desk),
        drifts=drifting.make(here, lambda: desk.project),
        processes=journal.processes,
        conformance=journal.processes.pairs,
        rehearse=Rehearsing(trials, lambda: desk.project),
        replayer=_replayer(here, journal, lambda: desk.project),
        unpark=NatsNotes(here.client).drop,
        examiner=Examining(trials, lambda: desk.project),
        approvals=Approvals(NatsRecords(here.client, APPROVALS)),
        second_person=here.settings.console.second_person,
        trace_url=here.settings.telemetry.traces.trace_url,
    )
    return desk


def _backfiller(here: Base, project: Callable[[], Project]) -> Backfiller:
    backfills = NatsBackfills(here.client)
    return Backfiller(backfills, backfills, retraced(here.streams, here.tracer), project)


def _replayer(here: Base, journal: SqlJournal, project: Callable[[], Project]) -> Replayer:
    plans, letters = Plans(NatsRecords(here.client, PLANS)), NatsLetters(here.client)
    sends = NatsSends(here.client, project)
    acts = Acts(journal.known, journal.position, sends)
    return Replayer(plans, letters, acts, retraced(here.streams, here.tracer), sends, project)


async def _last_uses(url: str) -> Mapping[str, int]:
    from crossdock.adapters.uses import ValkeyUses  # noqa: PLC0415  6 MiB for a list that is seldom asked for

    uses = ValkeyUses(url)
    try:
        return await uses.last()
    finally:
        await uses.close()
