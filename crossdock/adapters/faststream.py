"""The worker as a FastStream application: lifecycle, the batch subscription of the process step, control messages."""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from faststream import AckPolicy, Context, FastStream
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsBatchMessage
from faststream.nats.subscriber.usecases import stream_pull_subscriber
from faststream.specification import AsyncAPI
from nats.aio.client import Client

from crossdock import VERSION
from crossdock.adapters.nats import as_message
from crossdock.adapters.topology import PROCESS
from crossdock.kernel.stream import RAW, Message

log = logging.getLogger(__name__)

CONTROL_SUBJECT = "crossdock.control"
BATCH = 500
FETCH_WAIT = 0.02  # FastStream's batch pull always waits this long for a fuller batch, so it is the latency of the step

Handler = Callable[[list[Message], Callable[[], Awaitable[None]]], Awaitable[list[Message]]]  # returns what is done


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
    app = FastStream(broker, on_startup=[start], on_shutdown=[stop], logger=None, specification=_document())

    @broker.subscriber(CONTROL_SUBJECT, title="Control", description="A pause, a resume: look at the control bucket")
    async def on_control(_: dict[str, Any]) -> None:
        await control()

    if process is not None:
        _catch_all_timeouts()
        _subscribe(broker, process)
    return app


def document(url: str) -> dict[str, Any]:
    """Return the AsyncAPI document of the worker."""

    async def nothing(*_: Any) -> Any:
        """The document is made of an application that never runs."""

    app = make_app(url, nothing, nothing, nothing, nothing)
    specification: dict[str, Any] = app.schema.to_specification().to_jsonable()
    return specification


def _document() -> AsyncAPI:
    return AsyncAPI(title="Crossdock worker", version=VERSION, description="Raw events in, canonical events out.")


def _subscribe(broker: NatsBroker, process: Handler) -> None:
    @broker.subscriber(
        "raw.>",
        stream=JStream(RAW, declare=False),
        durable=PROCESS,
        pull_sub=PullSub(batch_size=BATCH, timeout=FETCH_WAIT, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
        title="Raw events",
        description="CloudEvents as partners sent them",
    )
    async def on_batch(_: list[Any], batch: Annotated[NatsBatchMessage, Context("message")]) -> None:
        client: Client = broker.connection
        messages = [as_message(message) for message in batch.raw_message]
        done = await process(messages, lambda: _answer(client, messages, b"+WPI"))
        await _answer(client, done, b"+ACK")


def _catch_all_timeouts() -> None:
    """Let FastStream's pull loop catch the built-in TimeoutError, not only nats-py's own, which is one.

    nats-py raises the built-in one when nothing is left of a wait. The loop's task would die of it, restart, and the
    batch in hand come again only when the broker's patience is over: seconds late and out of order.
    """
    stream_pull_subscriber.TimeoutError = TimeoutError  # type: ignore[assignment,attr-defined]


async def _answer(client: Client, messages: list[Message], word: bytes) -> None:
    if client.is_connected:
        for message in messages:
            await client.publish(message.handle, word)


async def _undecoded(_: StreamMessage[Any]) -> list[Any]:
    """The process step reads the bytes itself."""
    return []
