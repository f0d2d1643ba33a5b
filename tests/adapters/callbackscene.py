"""A callback on the real broker: its teller and its lane, and what the ledger says of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.breaker import Breaker
from connectors.http import make_http
from crossdock.adapters.consumers import CALLBACKS_CONSUMER, feed_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.ledger import Ledgers
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.topology import Topology
from crossdock.adapters.watch import NatsBacklogs, NatsWatch
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.retry import Retry
from crossdock.kernel.stream import EVENTS, Record
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.callbacks import Teller
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from crossdock.worker import Part
from journal import entry
from journal.entry import SUBJECT, Entry, pack
from tests.realservers import clean
from tests.smallproject import FILES, TILLS, project

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "callback-tills"
QUICK = Retry(age=60.0, first=0.01, most=0.02)
SHORT = Retry(age=1.0, first=0.01, most=0.02)


def content(root: Path, port: int, scheme: str = "http") -> Project:
    told = f"{{url: {scheme}://127.0.0.1:{port}/hooks, secret: {SECRET}, networks: [127.0.0.0/8]}}"
    return project(root, {TILLS: f"{FILES[TILLS]}callback: {told}\n"})


def delivered(raw: int) -> Entry:
    told: dict[str, Any] = {"partner": "stores", "source": "tills", "id": f"s-{raw}", "origin": "/till/1"}
    return Entry(1_000, entry.DELIVER, entry.DELIVERED, **told, type="inventory.sold", raw=raw, seq=raw, route="stock")


class Site:
    """The teller and the lane of a callback on a broker; both end and begin again as the test says."""

    def __init__(self, client: Any, topology: Topology, loaded: Project, streams: NatsLog, retry: Retry) -> None:
        self.client = client
        self.project = loaded
        self.streams = streams
        self.topology = topology
        self._route = replace(loaded.routes[NAME], retry=retry)
        self._consumer = feed_consumer(0, 1, [self._route])
        self._recorder = Recorder(streams)
        self._metrics = Metrics()
        self._running: list[asyncio.Task[None]] = []
        self.watch = NatsWatch(client, topology)

    async def record(self, *lines: Entry) -> None:
        await self.streams.append(Record(SUBJECT, pack(lines), f"{lines[0].raw}"))

    async def start(self) -> None:
        inbox = await NatsInbox(self.client, EVENTS, self._consumer.name).start()
        connector = make_http(replace(self.project.connectors[NAME], timeout=0.3))
        gate = Gate(Breaker(1, 30, clock=lambda: 0.0), 0, 10)
        attempts = Attempts(self._route, connector, gate, self.streams, self._recorder, self._metrics, "rev")
        lane = Lane(self._route, attempts, NatsBacklogs(self.client, self.topology))
        feed = Feed(inbox, await inbox.position(), [lane], self._recorder, self._consumer.name, "rev")
        parts: list[Part] = [feed, lane, Teller(self.project, self._open, self.streams, self._metrics)]
        self._running = [asyncio.create_task(part.run()) for part in parts]

    async def prepare(self) -> None:
        """Make sure of the consumers, as a worker does."""
        await self.watch.prepare({0: [self._route]})
        await self.watch.carry([self._route], {})
        await self.watch.tell(True)

    async def end(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def row(self) -> dict[str, Any]:
        """Return the callback's line in the ledger, which must be balanced."""
        ledger = await Ledgers(self.client, lambda: self.project, {}).deep()
        assert ledger.balanced, ledger.unexplained
        rows: list[dict[str, Any]] = [row for row in ledger.routes if row["route"] == NAME]
        return rows[0] if rows else {}

    async def becomes(self, **columns: int) -> None:
        """Wait until the ledger says this of the callback."""
        async with asyncio.timeout(15):
            while not columns.items() <= (await self.row()).items():  # noqa: ASYNC110  only the broker knows
                await asyncio.sleep(0.1)

    async def _open(self) -> NatsInbox:
        return await NatsInbox(self.client, CALLBACKS_CONSUMER.stream, CALLBACKS_CONSUMER.name).start()


@asynccontextmanager
async def site(url: str, loaded: Project, retry: Retry = QUICK) -> AsyncIterator[Site]:
    async with clean(url) as (client, topology):
        acks = Acks(client)
        await acks.start()
        made = Site(client, topology, loaded, NatsLog(acks), retry)
        await made.prepare()
        try:
            await made.start()
            yield made
        finally:
            await made.end()
            await acks.close()
