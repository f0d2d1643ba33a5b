"""The worker as a process of its own. Called by `crossdock.supervisor.roles`."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from typing import Any

from crossdock.adapters import faststream
from crossdock.adapters.consumers import CALLBACKS_CONSUMER, feed_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.valkey import ValkeySeen
from crossdock.adapters.watch import NatsWatch
from crossdock.callbackroutes import callbacks, tell_closed
from crossdock.pipeline.callbacks import Teller
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from crossdock.supervisor.base import Base, base
from crossdock.supervisor.lanes import Lanes
from crossdock.supervisor.priority import MOVES, give_way
from crossdock.supervisor.ready import announce
from crossdock.worker import Worker, share


async def worker(env: Mapping[str, str]) -> None:
    """Process and deliver."""
    seat, seats = map(int, env.get("CROSSDOCK_SEAT", "0/1").split("/"))
    states: dict[str, Callable[[], Mapping[str, Any]]] = {}
    async with base(f"worker-{seat}", env, lambda: states["lanes"]() if states else {}) as here:
        feeds = {
            number: feed_consumer(number, seats, routes)
            for number in range(seats)
            if (routes := share(here.project, number, seats))
        }
        tellers = _tellers(here) if seat == 0 else []
        watch = NatsWatch(here.client, here.topology, list(feeds.values()), feeds.get(seat), tells=bool(tellers))
        recorder = Recorder(here.streams)
        lanes = Lanes(here, recorder)
        crew = Worker(
            here.project, seat, seats, lambda routes: lanes.open(feeds[seat], routes), watch, here.metrics, tellers
        )
        states["lanes"] = crew.state
        seen = ValkeySeen(env["CROSSDOCK_DEDUPE_URL"])
        processor = Processor(here.project, seen, here.streams, recorder, here.metrics)
        app = faststream.make_app(
            env["CROSSDOCK_NATS_URL"],
            processor.run if crew.processes else None,
            crew.follow_pauses,
            crew.start,
            crew.stop,
        )
        app.after_startup(lambda: announce(env))
        over = asyncio.Event()  # FastStream's own `run` looks ten times a second whether it is to end
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        await app.start()
        give_way(MOVES)
        await over.wait()
        await app.stop()
        await lanes.close()
        await seen.close()


def _tellers(here: Base) -> list[Teller]:
    sources = here.project.sources.values()
    tell_closed(sources)

    async def open_() -> NatsInbox:
        return await NatsInbox(here.client, CALLBACKS_CONSUMER.stream, CALLBACKS_CONSUMER.name).start()

    return [Teller(here.project, open_, here.streams, here.metrics)] if callbacks(sources) else []
