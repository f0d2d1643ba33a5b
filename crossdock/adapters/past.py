"""Events of RAW as they were stored, for the operations side to show and to try a change of content with."""

from datetime import UTC, datetime

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from crossdock.adapters.inbox import NatsInbox
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import RAW, Message

_PATIENCE = 5.0  # seconds for a next batch


async def past(client: Client, since: int, after: int, limit: int) -> list[Message]:
    """Return at most `limit` messages, oldest first: those after a sequence, or since a time, or else the newest.

    `since` is in Unix milliseconds; 0 of either stands for none. There are fewer where bodies are large.

    Raises:
        Unavailable: the broker does not answer.
    """
    try:
        return await _read(client, await _from(client, since, after, limit), limit)
    except NotFoundError:
        return []
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error


async def _from(client: Client, since: int, after: int, limit: int) -> ConsumerConfig:
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=30, mem_storage=True)
    if since and not after:
        moment = datetime.fromtimestamp(since / 1000, UTC)
        return config.evolve(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=moment)
    first = after + 1 if after else (await client.jetstream().stream_info(RAW)).state.last_seq - limit + 1
    return config.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(1, first))


async def _read(client: Client, config: ConsumerConfig, limit: int) -> list[Message]:
    jetstream = client.jetstream()
    info = await jetstream.add_consumer(RAW, config)
    inbox = await NatsInbox(client, RAW, info.name).start()
    messages: list[Message] = []
    try:
        wanted = min(limit, info.num_pending or 0)
        while len(messages) < wanted and not inbox.bodies.many:
            batch = await inbox.fetch(min(1000, wanted - len(messages)), _PATIENCE)
            if not batch:
                raise Unavailable(f"reading {RAW} stalled")
            messages += batch
    finally:
        await inbox.close()
        await jetstream.delete_consumer(RAW, info.name)
    return messages
