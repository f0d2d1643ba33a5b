"""The connection to NATS, and its messages in our form."""

import asyncio
import logging
from collections.abc import Mapping

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds for the first connection, which the client would try for ever


async def connect(url: str, name: str) -> Client:
    """Connect, and reconnect for ever.

    Raises:
        Unavailable: when the first connection fails.
    """

    async def on_error(error: Exception) -> None:
        log.warning("nats: %s", error)

    try:
        async with asyncio.timeout(PATIENCE):
            return await nats.connect(
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
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error


def as_message(message: Msg) -> Message:
    """Read sequence, deliveries and time from the acknowledgement subject (both its versions)."""
    tokens = message.reply.split(".")
    deliveries, seq, nanoseconds = (
        (tokens[4], tokens[5], tokens[7]) if len(tokens) == 9 else (tokens[6], tokens[7], tokens[9])
    )
    headers: Mapping[str, str] = message.headers or {}
    return Message(
        int(seq), message.subject, message.data, headers, int(deliveries), int(nanoseconds) / 1e9, message.reply
    )


def hand_out(message: Msg) -> int:
    """Return the number that the broker gave this hand-out; it counts all of a consumer, repeated ones too."""
    tokens = message.reply.split(".")
    return int(tokens[6] if len(tokens) == 9 else tokens[8])
