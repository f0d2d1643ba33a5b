"""One message of a stream by its sequence, for the operations side to show."""

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from crossdock.adapters.watch import told
from crossdock.kernel.stream import Message


async def stored(client: Client, stream: str, seq: int) -> Message | None:
    """Return a message, or None when it is past its retention; a large body is not read.

    Raises:
        Unavailable: the broker does not answer.
    """
    with told():
        try:
            found = await client.jetstream().get_msg(stream, seq)
        except NotFoundError:
            return None
    at = found.time.timestamp() if found.time else 0.0
    return Message(seq, found.subject or "", found.data or b"", found.headers or {}, 1, at)
