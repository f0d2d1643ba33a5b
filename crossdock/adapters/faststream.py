"""The worker as a FastStream application: lifecycle, the batch subscription of the process step, control messages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from faststream import AckPolicy, Context, FastStream
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsBatchMessage

from crossdock.adapters.consumers import PROCESS
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.pull import BATCH, WAIT, as_batch, replacing_pull_subscribe
from crossdock.adapters.topology import CONTROL_SUBJECT, REDELIVERED
from crossdock.kernel.stream import RAW, Message

log = logging.getLogger(__name__)

Handler = Callable[[list[Message], Callable[[], Awaitable[None]]], Awaitable["asyncio.Future[None]"]]
STOP_WITHIN = 10.0


def make_app(
    url: str,
    process: Handler | None,
    control: Callable[[], Awaitable[None]],
    start: Callable[[], Awaitable[None]],
    stop: Callable[[], Awaitable[None]],
) -> FastStream:
    """Return the application; without `process` it only hears control messages.

    Acknowledgements are manual everywhere: FastStream's default policy ends a message whose handler failed.
    """
    broker = NatsBroker(
        url,
        name="worker",
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        graceful_timeout=15,
        logger=log,
        log_level=logging.DEBUG,
    )
    pulled: list[NatsInbox] = []  # there is one once the broker is connected
    under_way: set[asyncio.Future[None]] = set()
    app = FastStream(
        broker,
        on_startup=[start, partial(_own_pull, broker, pulled)],
        on_shutdown=[partial(_finish, pulled, under_way), stop],
        logger=None,
    )

    @broker.subscriber(CONTROL_SUBJECT, title="Control", description="A pause, a resume: look at the control bucket")
    async def on_control(_: dict[str, Any]) -> None:
        await control()

    if process is not None:
        _subscribe(broker, process, pulled, under_way)
    return app


async def _finish(pulled: list[NatsInbox], under_way: "set[asyncio.Future[None]]") -> None:
    """Take no more batches, and let those under way be acknowledged: what is not comes again at the next start."""
    for inbox in pulled:
        await inbox.close()
    if under_way:
        await asyncio.wait(under_way, timeout=STOP_WITHIN)


def _subscribe(
    broker: NatsBroker, process: Handler, pulled: list[NatsInbox], under_way: "set[asyncio.Future[None]]"
) -> None:
    @broker.subscriber(
        "raw.>",
        stream=JStream(RAW, declare=False),
        durable=PROCESS,
        pull_sub=PullSub(batch_size=BATCH, timeout=WAIT, batch=True),
        ack_policy=AckPolicy.MANUAL,
        parser=as_batch,
        decoder=_undecoded,
        title="Raw events",
        description="CloudEvents as partners sent them",
    )
    async def on_batch(_: list[Any], batch: Annotated[NatsBatchMessage, Context("message")]) -> None:
        messages: list[Message] = batch.raw_message  # type: ignore[assignment]  # see `BatchPull`

        async def extend() -> None:
            pulled[0].extend(messages)

        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        under_way.add(acknowledged)
        acknowledged.add_done_callback(under_way.discard)

        def acknowledge(_: object) -> None:
            pulled[0].ack(messages)
            acknowledged.set_result(None)

        try:
            recorded = await process(messages, extend)
        except BaseException:
            acknowledged.cancel()
            raise
        recorded.add_done_callback(acknowledge)


async def _own_pull(broker: NatsBroker, pulled: list[NatsInbox]) -> None:
    client = await broker.connect()
    inbox = NatsInbox(client, RAW, PROCESS, REDELIVERED)
    pulled.append(inbox)
    jetstream: Any = broker.config.connection_state.stream
    jetstream.pull_subscribe = replacing_pull_subscribe(inbox.start)


async def _undecoded(_: StreamMessage[Any]) -> list[Any]:
    """The process step reads the bytes itself."""
    return []
