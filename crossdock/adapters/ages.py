"""How old the oldest message is that waits for a consumer, or is in its hands."""

import time

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from crossdock.adapters.consumers import PROCESS, consumers, feed_of, filters
from crossdock.adapters.positions import floor, start
from crossdock.adapters.watch import consumer_of
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS, RAW
from crossdock.project import Project


async def ages(client: Client, project: Project) -> dict[str, float]:
    """Return for each route, and for `process`, how many seconds the oldest has been stored; 0 when nothing waits.

    Raises:
        Unavailable: the broker does not answer.
    """
    try:
        infos = {info.name: info for info in await consumers(client)}
        found = {"process": await _age(client, RAW, await client.jetstream().consumer_info(RAW, PROCESS))}
        of_consumer: dict[str, float] = {}
        for route in project.routes.values():
            info = infos.get(consumer_of(route).name) or feed_of(route, infos.values())
            if info is not None and info.name not in of_consumer:
                of_consumer[info.name] = await _age(client, EVENTS, info)
            if info is not None:
                found[route.name] = of_consumer[info.name]
    except NotFoundError:
        return {}
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
    return found


async def _age(client: Client, stream: str, info: ConsumerInfo) -> float:
    if not (info.num_pending or info.num_ack_pending):
        return 0.0
    first, times = max(floor(info) + 1, start(info)), []
    for subject in filters(info):
        try:
            message = await client.jetstream().get_msg(stream, first, subject=subject, next=True, direct=True)
        except NotFoundError:
            continue
        if message.time is not None:
            times.append(message.time.timestamp())
    return max(0.0, time.time() - min(times)) if times else 0.0
