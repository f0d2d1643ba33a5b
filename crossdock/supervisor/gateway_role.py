"""The gateway as a process of its own. Called by `crossdock.supervisor.roles`."""

import asyncio
import threading
from collections.abc import Mapping, Sequence

from crossdock.adapters.keys import NatsKeys
from crossdock.adapters.refusals import Refusals
from crossdock.adapters.uses import ValkeyUses
from crossdock.adapters.valkeyanswers import ValkeyAnswers
from crossdock.adapters.valkeybuckets import ValkeyBuckets
from crossdock.inforce import Content
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder
from crossdock.supervisor.base import base, within
from crossdock.supervisor.door import inherited
from crossdock.supervisor.http import serve
from gateway.assembly import Gateway, Ground
from gateway.sources import tell_closed
from journal.entry import Entry
from journal.store import Journeys

GRACE = 10.0


async def gateway(env: Mapping[str, str]) -> None:
    """Serve partners."""
    seat, _, seats = env.get("CROSSDOCK_SEAT", "0/1").partition("/")
    name = "gateway" if seats == "1" else f"gateway-{seat}"
    async with base(name, env, dict, tests=True) as here:  # the catalog shows their events as examples
        tell_closed(here.project)
        keys, store = NatsKeys(here.client), env["CROSSDOCK_DEDUPE_URL"]
        uses, buckets, kept = ValkeyUses(store), ValkeyBuckets(store), ValkeyAnswers(store)
        ground = Ground(
            keys,
            GroupCommit(here.streams),
            Recorder(here.streams),
            _Journal(env["CROSSDOCK_JOURNAL_URL"]),
            uses,
            buckets,
            kept,
            here.metrics,
            lambda: here.client.is_connected,
            Refusals(here.client).tell,
            here.tracer,
        )
        made = Gateway(here.project, ground, here.settings.gateway.body)
        await keys.start()
        made.start()

        async def change(content: Content) -> None:
            made.use(content.project)

        # When what is behind it works by other content, it can take what comes by that.
        following = asyncio.create_task(here.following.run(change, ["worker-0"]))
        host, port = here.settings.gateway.host, int(env["CROSSDOCK_GATEWAY_PORT"])
        await serve(made.app, host, port, env, made, inherited(env), made.budget)
        following.cancel()
        await within(GRACE, made.close())
        await keys.close()
        for one in (uses, buckets, kept):
            await one.close()


class _Journal:
    """See `journal.store.Journeys`; opened by the first look-up: a gateway that only takes events in saves 17 MiB."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: Journeys | None = None
        self._lock = threading.Lock()

    def journey(self, partner: str, event_id: str, origin: str = "", limit: int = 1000) -> list[Entry]:
        return self._open().journey(partner, event_id, origin, limit)

    def accepted(self, partner: str, after: tuple[int, int], until: int, limit: int) -> list[Entry]:
        return self._open().accepted(partner, after, until, limit)

    def steps(self, raws: Sequence[int]) -> list[Entry]:
        return self._open().steps(raws)

    def _open(self) -> Journeys:
        from crossdock.adapters.sql import SqlJournal  # noqa: PLC0415

        with self._lock:
            if self._opened is None:
                self._opened = SqlJournal(self._url)
            return self._opened
