"""The worker as a process of its own. Called by `crossdock.supervisor.roles`."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crossdock.adapters import faststream
from crossdock.adapters.consumers import CALLBACKS_CONSUMER
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.pollmarks import NatsMarks
from crossdock.adapters.valkey import ValkeySeen
from crossdock.adapters.watch import NatsWatch
from crossdock.callbackroutes import callbacks, tell_closed
from crossdock.inforce import Content
from crossdock.pipeline.callbacks import Teller
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from crossdock.supervisor.base import Base, base
from crossdock.supervisor.lanes import Lanes
from crossdock.supervisor.outside import Outward
from crossdock.supervisor.priority import MOVES, give_way
from crossdock.supervisor.ready import announce
from crossdock.supervisor.tables import Tables
from crossdock.worker import Worker

if TYPE_CHECKING:
    from crossdock.supervisor.polling import Polling


class _Seat:
    """What one seat does, made once, and changed with the content."""

    def __init__(self, here: Base, seat: int, seats: int, seen: ValkeySeen) -> None:
        self._recorder = recorder = Recorder(here.streams)
        self.tables, self.lanes = Tables(here), Lanes(here, recorder, seat, seats)
        parking, tracer = self.tables.parking, here.tracer
        self.processor = Processor(here.project, seen, here.streams, recorder, here.metrics, parking, tracer)
        self._here = here
        self._watch = NatsWatch(here.client, here.topology, seat, seats)
        self._teller = _teller(here)
        self._polling: Polling | None = None
        tellers = [self._teller] if seat == 0 else []
        self.worker = Worker(seat, seats, self.lanes, self._watch, here.metrics, tellers)

    async def start(self) -> None:
        """Begin with the content in force."""
        content = self._here.content
        await self.tables.open(content.project, self.worker.processes)
        await self._tell(content)
        await self.worker.start(content)
        await self._poll(content)
        await self.tables.tidy(self.worker.processes)

    async def change(self, content: Content) -> None:
        """Go over step by step, from the end of the way to its beginning: what comes finds the next step ready."""
        await self.tables.open(content.project, self.worker.processes)
        await self.worker.change(content)
        await self._tell(content)
        self.processor.use(content.project)
        await self._poll(content)
        await self.tables.tidy(self.worker.processes)

    def state(self) -> Mapping[str, Any]:
        """Return the state of the lanes by route and of the polls by source."""
        return {"lanes": self.worker.state(), "polls": self._polling.state() if self._polling else {}}

    async def stop_polls(self) -> None:
        """Take nothing more in."""
        if self._polling:
            await self._polling.close()

    async def close(self) -> None:
        """Let go of databases and targets."""
        await self.tables.close()
        await self.lanes.close()

    async def _poll(self, content: Content) -> None:
        polled = any(source.poll for source in content.project.sources.values())
        if self.worker.processes and (polled or self._polling):
            if self._polling is None:
                from crossdock.supervisor.polling import Polling  # noqa: PLC0415  with parts of the gateway

                here = self._here
                marks, outside = NatsMarks(here.client), Outward(here.client)
                self._polling = Polling(outside, marks, here.streams, self._recorder, here.metrics, here.tracer)
            await self._polling.use(content.project)

    async def _tell(self, content: Content) -> None:
        if self.worker.processes:
            await self._watch.tell(bool(callbacks(content.project.sources.values())))
            self._teller.use(content.project)


async def worker(env: Mapping[str, str]) -> None:
    """Process and deliver."""
    seat, seats = map(int, env.get("CROSSDOCK_SEAT", "0/1").split("/"))
    states: dict[str, Callable[[], Mapping[str, Any]]] = {}
    async with base(f"worker-{seat}", env, lambda: states["seat"]() if states else {}) as here:
        seen = ValkeySeen(env["CROSSDOCK_DEDUPE_URL"])
        made = _Seat(here, seat, seats, seen)
        states["seat"] = made.state
        app = faststream.make_app(
            env["CROSSDOCK_NATS_URL"],
            made.processor.run if made.worker.processes else None,
            made.worker.follow_pauses,
            made.start,
            made.worker.stop,
        )
        app.after_startup(lambda: announce(env))
        over = asyncio.Event()  # FastStream's own `run` looks ten times a second whether it is to end
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        await app.start()
        give_way(MOVES)
        others = [f"worker-{other}" for other in range(1, seats)] if seat == 0 else []
        following = asyncio.create_task(here.following.run(made.change, others))
        await over.wait()
        following.cancel()
        await asyncio.wait([following])
        await made.stop_polls()
        await app.stop()
        await made.close()
        await seen.close()


def _teller(here: Base) -> Teller:
    tell_closed(here.project.sources.values())

    async def open_() -> NatsInbox:
        return await NatsInbox(here.client, CALLBACKS_CONSUMER.stream, CALLBACKS_CONSUMER.name).start()

    return Teller(here.project, open_, here.streams, here.metrics)
