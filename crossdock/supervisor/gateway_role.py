"""The gateway as a process of its own. Called by `crossdock.supervisor.roles`."""

import threading
from collections.abc import Mapping

from crossdock.adapters.keys import NatsKeys
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder
from crossdock.supervisor.base import base, within
from crossdock.supervisor.door import inherited
from crossdock.supervisor.http import serve
from gateway.app import create_app
from gateway.ingest import Ingest
from journal.entry import Entry
from journal.store import Journeys

GRACE = 10.0


async def gateway(env: Mapping[str, str]) -> None:
    """Serve partners."""
    seat, _, seats = env.get("CROSSDOCK_SEAT", "0/1").partition("/")
    async with base("gateway" if seats == "1" else f"gateway-{seat}", env, dict) as here:
        keys = NatsKeys(here.client)
        await keys.start()
        recorder = Recorder(here.streams)
        body = here.settings.gateway.body
        raw = GroupCommit(here.streams)
        ingest = Ingest(here.project, keys, raw, recorder, here.metrics, body)
        journal = _Journal(env["CROSSDOCK_JOURNAL_URL"])
        app = create_app(here.project, ingest, journal, lambda: here.client.is_connected)
        host, port = here.settings.gateway.host, int(env["CROSSDOCK_GATEWAY_PORT"])
        await serve(app, host, port, env, ingest, inherited(env))
        await within(GRACE, raw.close())
        await within(GRACE, recorder.close())
        await keys.close()


class _Journal:
    """See `journal.store.Journeys`; opened by the first look-up: a gateway that only takes events in saves 17 MiB."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: Journeys | None = None
        self._lock = threading.Lock()

    def find(self, text: str, partner: str = "", limit: int = 1000) -> list[Entry]:
        return self._open().find(text, partner, limit)

    def _open(self) -> Journeys:
        from crossdock.adapters.sql import SqlJournal  # noqa: PLC0415

        with self._lock:
            if self._opened is None:
                self._opened = SqlJournal(self._url)
            return self._opened
