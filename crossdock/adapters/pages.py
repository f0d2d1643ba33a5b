"""Reading some messages of a stream from a place on, through a consumer that is gone afterwards."""

from collections.abc import Sequence

from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.watch import told
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message

READING = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=30, mem_storage=True)
_BATCH = 1000
_PATIENCE = 5.0  # seconds for a batch that must come


async def page(client: Client, stream: str, after: int, limit: int, subjects: Sequence[str] = (">",)) -> list[Message]:
    """Return at most `limit` messages of some subjects after a sequence, oldest first; none without such a stream.

    Large bodies are not read.

    Raises:
        Unavailable: the broker does not answer.
    """
    config = READING.evolve(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1, filter_subjects=list(subjects)
    )
    return await read(client, stream, config, limit, whole=False)


async def read(client: Client, stream: str, config: ConsumerConfig, limit: int, *, whole: bool = True) -> list[Message]:
    """Return at most `limit` messages of a consumer, made of `READING`; fewer where bodies that are read are large.

    Raises:
        Unavailable: the broker does not answer.
    """
    messages: list[Message] = []
    with told():
        try:
            info = await client.jetstream().add_consumer(stream, config)
        except NotFoundError:
            return []
        inbox = await NatsInbox(client, stream, info.name, whole=whole).start()
        try:
            wanted = min(limit, info.num_pending or 0)
            while len(messages) < wanted and not inbox.bodies.many:
                batch = await inbox.fetch(min(_BATCH, wanted - len(messages)), _PATIENCE)
                if not batch:
                    raise Unavailable(f"reading {stream} stalled")
                messages += batch
        finally:
            await inbox.remove()
    return messages
