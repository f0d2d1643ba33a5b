"""Dead letters in the DLQ stream, and positions of consumers, for the operations side."""

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from crossdock.adapters.claims import brought
from crossdock.adapters.consumers import PROCESS, consumers, feed_of
from crossdock.adapters.watch import consumer_of
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import CLAIM, DLQ, RAW, Lag, Message
from crossdock.project import Project
from dlq.record import DeadLetter, parse


class NatsLetters:
    """Reads dead letters by sequence."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, seq: int) -> DeadLetter | None:
        """Return the dead letter stored under a sequence, or None when it is past its retention or lost."""
        try:
            message = await self._client.jetstream().get_msg(DLQ, seq, direct=True)
        except NotFoundError:
            return None
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        stored = Message(seq, message.subject or "", message.data or b"", message.headers or {}, 1, 0.0)
        letter = await brought(self._client, stored)
        return None if CLAIM in letter.headers else parse(letter.payload)


async def lags(client: Client, project: Project) -> dict[str, Lag]:
    """Return for each route, and for `process`, how far behind its consumer is.

    For a route that keeps up these are the events of its feed, of which it wants a part.

    Raises:
        Unavailable: the broker does not answer.
    """
    found = {}
    try:
        infos = {info.name: info for info in await consumers(client)}
        process = await client.jetstream().consumer_info(RAW, PROCESS)
    except NotFoundError:
        return {}
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
    found["process"] = _lag(process)
    for route in project.routes.values():
        reading = infos.get(consumer_of(route).name) or feed_of(route, infos.values())
        if reading:
            found[route.name] = _lag(reading)
    return found


def _lag(info: ConsumerInfo) -> Lag:
    return Lag(info.name, (info.num_pending or 0) + (info.num_ack_pending or 0))
