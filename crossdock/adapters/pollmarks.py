"""How far polled sources are, in a NATS bucket."""

from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError

from crossdock.adapters.topology import POSITIONS
from crossdock.adapters.watch import told


class NatsMarks:
    """See `crossdock.supervisor.polling.Marks`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, name: str) -> str:
        """See `Marks.get`."""
        with told():
            try:
                bucket = await self._client.jetstream().key_value(POSITIONS)
                return ((await bucket.get(f"poll.{name}")).value or b"").decode()
            except KeyNotFoundError:
                return ""

    async def put(self, name: str, position: str) -> None:
        """See `Marks.put`."""
        with told():
            bucket = await self._client.jetstream().key_value(POSITIONS)
            await bucket.put(f"poll.{name}", position.encode())
