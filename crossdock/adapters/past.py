"""Events of RAW as they were stored, for the operations side to show and to try a change of content with."""

from datetime import UTC, datetime

from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from crossdock.adapters.pages import READING, read
from crossdock.adapters.watch import told
from crossdock.kernel.stream import RAW, Message


async def past(client: Client, since: int, after: int, limit: int) -> list[Message]:
    """Return at most `limit` messages, oldest first: those after a sequence, or since a time, or else the newest.

    `since` is in Unix milliseconds; 0 of either stands for none. There are fewer where bodies are large.

    Raises:
        Unavailable: the broker does not answer.
    """
    with told():
        try:
            config = await _from(client, since, after, limit)
        except NotFoundError:
            return []
    return await read(client, RAW, config, limit)


async def _from(client: Client, since: int, after: int, limit: int) -> ConsumerConfig:
    if since and not after:
        moment = datetime.fromtimestamp(since / 1000, UTC)
        return READING.evolve(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=moment)
    first = after + 1 if after else (await client.jetstream().stream_info(RAW)).state.last_seq - limit + 1
    return READING.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(1, first))
