"""Console, operations API and the journal's projection as a process. Called by `crossdock.supervisor.roles`."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial

from console.api import create_app
from console.desk import Desk
from crossdock.adapters import asyncapi, reports
from crossdock.adapters.audit import NatsAudit, make_stream
from crossdock.adapters.backfills import NatsBackfills
from crossdock.adapters.keys import NatsKeys
from crossdock.adapters.ledger import read_ledger
from crossdock.adapters.letters import NatsLetters, lags
from crossdock.adapters.parked import NatsNotes
from crossdock.adapters.past import past
from crossdock.adapters.projector import Projector
from crossdock.adapters.records import NatsRecords
from crossdock.adapters.sends import NatsSends
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.stored import stored
from crossdock.adapters.topology import PLANS, PROBLEMS
from crossdock.adapters.watch import NatsWatch
from crossdock.inforce import Content
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.backfiller import Backfiller
from crossdock.pipeline.replayer import Replayer
from crossdock.project import Project
from crossdock.supervisor.applying import Applying
from crossdock.supervisor.base import Base, base
from crossdock.supervisor.http import serve
from crossdock.supervisor.priority import TELLS, give_way
from crossdock.supervisor.rehearsing import Rehearsing
from dlq.audit import Audit
from dlq.plans import Plans
from dlq.problems import Marks

RETENTION_MARGIN = 60.0


async def ops(env: Mapping[str, str]) -> None:
    """Serve operators, and keep the journal's projection."""
    async with base("ops", env, dict) as here:
        keys, heard, journal = NatsKeys(here.client), reports.Reports(), SqlJournal(env["CROSSDOCK_JOURNAL_URL"])
        await keys.start()
        await make_stream(here.client, here.settings.nats.replicas)
        await heard.listen(here.client)
        desk = _desk(here, env, journal, keys, heard)

        async def change(content: Content) -> None:
            desk.project = content.project

        app = create_app(desk, env["CROSSDOCK_OPS_TOKEN"])
        give_way(TELLS)  # late, for a quick start; before the threads of the projection, which take it over
        following = asyncio.create_task(here.following.run(change))
        projecting = asyncio.create_task(Projector(here.client, journal, here.settings.retention.journal).run())
        desk.backfiller.begin()
        desk.replayer.begin()
        await serve(app, here.settings.console.host, int(env["CROSSDOCK_CONSOLE_PORT"]), env)
        projecting.cancel()
        await desk.backfiller.close()
        await desk.replayer.close()
        following.cancel()
        await keys.close()


def _desk(here: Base, env: Mapping[str, str], journal: SqlJournal, keys: NatsKeys, heard: reports.Reports) -> Desk:
    desk = Desk(
        project=here.project,
        journal=journal,
        keys=keys,
        last_uses=lambda: _last_uses(env["CROSSDOCK_DEDUPE_URL"]),
        letters=NatsLetters(here.client),
        streams=here.streams,
        stored=partial(stored, here.client),
        past=partial(past, here.client),
        ledger=lambda: read_ledger(here.client, desk.project, _kept_since(here)),
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
        rehearse=Rehearsing(here.contents, env, lambda: desk.project),
        replayer=_replayer(here, journal, lambda: desk.project),
        unpark=NatsNotes(here.client).drop,
    )
    return desk


def _backfiller(here: Base, project: Callable[[], Project]) -> Backfiller:
    backfills = NatsBackfills(here.client)
    return Backfiller(backfills, backfills, here.streams, project)


def _replayer(here: Base, journal: SqlJournal, project: Callable[[], Project]) -> Replayer:
    plans, letters = Plans(NatsRecords(here.client, PLANS)), NatsLetters(here.client)
    sends = NatsSends(here.client, project)
    acts = Acts(journal.known, journal.position, sends.recorded)
    return Replayer(plans, letters, acts, here.streams, sends)


def _kept_since(here: Base) -> int:
    """Return since when (Unix milliseconds) RAW must be whole, with a margin for what is just being removed."""
    return int((time.time() - here.settings.retention.raw + RETENTION_MARGIN) * 1000)


async def _last_uses(url: str) -> Mapping[str, int]:
    from crossdock.adapters.uses import ValkeyUses  # noqa: PLC0415  6 MiB for a list that is seldom asked for

    uses = ValkeyUses(url)
    try:
        return await uses.last()
    finally:
        await uses.close()
