"""Our own pull under FastStream's batch subscriber.

FastStream's loop asks nats-py until its timeout for a fuller batch, so each batch waits that long; it spins when the
consumer is gone; and a built-in TimeoutError that nats-py raises kills it with a batch in hand.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from faststream.nats.message import NatsBatchMessage
from nats.errors import TimeoutError as NothingCame

from crossdock.adapters.inbox import NatsInbox
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message

BATCH = 500
WAIT = 1.0  # seconds an idle loop waits for a first message


class BatchPull:
    """What the loop needs of a subscription; hands over what is there as soon as something is."""

    def __init__(self, inbox: NatsInbox) -> None:
        self._inbox = inbox

    async def fetch(self, batch: int, timeout: float | None = None) -> list[Message]:
        """Return up to `batch` messages.

        Raises:
            nats.errors.TimeoutError: none came; the loop then works on what it has.
        """
        begun = batch < BATCH  # the loop has some and asks for the rest of the batch: nobody waits for that
        try:
            messages = await self._inbox.fetch(batch, 0 if begun else timeout or WAIT)
        except Unavailable:
            await asyncio.sleep(WAIT)  # the worker's watch makes the consumer again
            messages = []
        if not messages:
            raise NothingCame
        return messages

    async def unsubscribe(self) -> None:
        """End the pull; what is not acknowledged goes to the next worker."""
        await self._inbox.close()


def replacing_pull_subscribe(make: Callable[[], Awaitable[NatsInbox]]) -> Callable[..., Awaitable[BatchPull]]:
    """Return what FastStream calls instead of nats-py's `pull_subscribe`."""

    async def pull_subscribe(**_: Any) -> BatchPull:
        return BatchPull(await make())

    return pull_subscribe


async def as_batch(messages: list[Message]) -> NatsBatchMessage:
    """Wrap a batch for FastStream; the process step reads the messages themselves."""
    return NatsBatchMessage(raw_message=messages, body=[], headers={}, batch_headers=[])  # type: ignore[arg-type]
