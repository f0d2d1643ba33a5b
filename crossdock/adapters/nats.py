"""The connection to NATS, and its messages in our form."""

import asyncio
import logging

from crossdock.adapters import leanclient  # isort: skip  it must come before the client
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from crossdock.adapters import wire
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message

log = logging.getLogger(__name__)

_OLD = 9  # words of an acknowledgement subject without domain and account (ADR-15)
PATIENCE = 5.0  # seconds for the first connection, which the client would try for ever


async def connect(url: str, name: str) -> Client:
    """Connect, and reconnect for ever.

    Raises:
        Unavailable: when the first connection fails.
    """

    made: list[Client] = []

    async def on_error(error: Exception) -> None:
        if made:  # before, it comes five times a second, and whoever calls says that there is no connection
            log.warning("nats: %s", error)

    if url.startswith("ws"):
        leanclient.load_websockets()
    try:
        async with asyncio.timeout(PATIENCE):
            client = await nats.connect(
                url,
                name=name,
                error_cb=on_error,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,
                connect_timeout=2,
                pending_size=8 << 20,
                ping_interval=5,
                max_outstanding_pings=2,
            )
        made.append(client)
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
    return client


def as_message(subject: bytes, reply: bytes, header: bytes, payload: bytes) -> Message:
    """Read sequence, deliveries and time from the acknowledgement subject (both its versions)."""
    tokens = reply.split(b".")
    first = 4 if len(tokens) == _OLD else 6
    headers = wire.read_headers(header)[1] if header else {}
    return Message(
        int(tokens[first + 1]),
        subject.decode(),
        payload,
        headers,
        int(tokens[first]),
        int(tokens[first + 3]) / 1e9,
        reply,
    )


def hand_out(reply: bytes) -> int:
    """Return the number that the broker gave this hand-out; it counts all of a consumer, repeated ones too."""
    tokens = reply.split(b".")
    return int(tokens[6] if len(tokens) == _OLD else tokens[8])
