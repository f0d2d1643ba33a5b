"""Pulling from streams without fixed waits."""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Collection, Iterable
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from crossdock.adapters import wire
from crossdock.adapters.claims import Bodies
from crossdock.adapters.consumers import filters
from crossdock.adapters.nats import as_message, hand_out
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message

log = logging.getLogger(__name__)

PULL_EXPIRES = 10.0
PULL_HEARTBEAT = 2.0
PULL_BYTES = 8 << 20  # of one request; the server cuts a client off that has more than 64 MiB waiting to be read


class NatsInbox:
    """A durable consumer, pulled with one standing request so that a message is handed over when it comes.

    nats-py's own `fetch` waits out its timeout for a full batch once it was idle, which is a fixed delay. With
    `patience`, when messages got lost on the way (the broker was killed) or are in the hands of a predecessor that was
    killed, later ones wait so many seconds for them: the broker hands them out again, but not in the stream's order.
    Large bodies come back, if `whole`; while many of them are in hand further ones wait.
    """

    def __init__(self, client: Client, stream: str, consumer: str, patience: float = 0, *, whole: bool = True) -> None:
        self._client = client
        self._stream = stream
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._consumer = consumer
        self._ready: deque[Message] = deque()
        self._event = asyncio.Event()
        self._asked = 0
        self._heard = 0.0
        self._lost = False
        self._patience = patience
        self._last = 0
        self._hold = 0.0
        self._subscription: Any = None
        self.bodies = Bodies(client, whole)

    async def start(self) -> "NatsInbox":
        """Subscribe to the inbox that messages are pushed to.

        Raises:
            Unavailable: the broker does not answer.
        """
        if self._patience and (await self._info()).num_ack_pending:
            self._hold = time.monotonic() + self._patience
        self._inbox = self._client.new_inbox()
        self._subscription = await wire.subscribe(self._client, self._inbox, self._on_message)
        return self

    async def close(self) -> None:
        """End the subscription; what was not acknowledged goes to the next consumer."""
        subscription, self._subscription = self._subscription, None  # FastStream closes what we have closed before
        if subscription:
            await wire.unsubscribe(self._client, subscription)

    async def remove(self) -> None:
        """End the subscription and the consumer; where the broker is away it forgets what is idle by itself."""
        await self.close()
        with contextlib.suppress(NatsError, OSError):  # over a cancellation this would be heard as a lost broker
            await self._client.jetstream().delete_consumer(self._stream, self._consumer)

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        """See `Inbox.fetch`.

        Raises:
            Unavailable: the consumer does not exist, or the broker does not answer.
        """
        deadline = time.monotonic() + wait
        while not self._ready or not self._whole() or self.bodies.full(self._ready[0]):
            self._event.clear()  # before asking: an answer may come while that waits
            self._ask(limit)
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            try:
                async with asyncio.timeout(min(left, PULL_HEARTBEAT * 2)):
                    await self._event.wait()
            except TimeoutError:
                continue
            if self._lost:
                self._lost = False
                raise Unavailable(f"consumer {self._consumer} does not answer")
        return await self.bodies.take(self._ready, limit)

    def ack(self, messages: Iterable[Message]) -> None:
        """See `Inbox.ack`."""
        self._reply(messages, b"+ACK")
        if self.bodies.give_up(messages):
            self._event.set()

    def extend(self, messages: Iterable[Message]) -> None:
        """See `Inbox.extend`."""
        self._reply(messages, b"+WPI")

    async def position(self) -> int:
        """Return the sequence of the stream up to which messages were handed out, by whoever read here before too.

        Raises:
            Unavailable: the broker does not answer.
        """
        info = await self._info()
        return (info.delivered.stream_seq or 0) if info.delivered else 0

    async def drained(self, in_hand: int) -> bool:
        """See `Inbox.drained`."""
        if self._ready or time.monotonic() < self._hold:
            return False
        info = await self._info()
        if info.num_pending or (info.num_ack_pending or 0) > in_hand:
            return False
        seq = info.delivered.stream_seq if info.delivered else 0
        # In a cluster the consumer's leader may not have heard yet of what the stream's leader has stored.
        return all([await self._last_of(subject) <= (seq or 0) for subject in filters(info)])

    async def floor(self) -> int:
        """See `Inbox.floor`."""
        info = await self._info()
        return (info.ack_floor.stream_seq or 0) if info.ack_floor else 0

    async def done(self, seq: int, in_hand: Collection[int]) -> bool:
        """See `Inbox.done`.

        The broker's floor stays at the last message of this consumer, which may be far before `seq` in the stream. Then
        it counts: what it handed out and nobody acknowledged is all here, and after `seq`. What it had handed out when
        it answered came before the answer.
        """
        info = await self._info()
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        if (floor or 0) >= seq or not (info.num_pending or info.num_ack_pending):
            return True
        last = (info.delivered.stream_seq or 0) if info.delivered else 0
        here = {message.seq for message in self._ready}.union(in_hand)
        after = sum(seq < held <= last for held in here)
        return last >= seq and min(here, default=last) > seq and (info.num_ack_pending or 0) <= after

    async def _last_of(self, subject: str) -> int:
        try:
            return (await self._client.jetstream().get_last_msg(self._stream, subject)).seq or 0
        except NotFoundError:
            return 0
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def _info(self) -> ConsumerInfo:
        try:
            info: ConsumerInfo = await self._client.jetstream().consumer_info(self._stream, self._consumer)
            return info
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    def _reply(self, messages: Iterable[Message], word: bytes) -> None:
        frames = [b"PUB %b 4\r\n%b\r\n" % (message.handle, word) for message in messages]
        try:
            if frames:
                wire.write(self._client, frames)
        except (NatsError, OSError) as error:  # the broker hands them out again after its wait
            log.info("consumer %s: %s", self._consumer, type(error).__name__)

    def _ask(self, limit: int) -> None:
        silent = time.monotonic() - self._heard > PULL_HEARTBEAT * 2.5
        if (self._asked > 0 and not silent) or not self._client.is_connected:
            return
        ask = {
            "batch": limit,
            "max_bytes": PULL_BYTES,
            "expires": int(PULL_EXPIRES * 1e9),
            "idle_heartbeat": int(PULL_HEARTBEAT * 1e9),
        }
        self._asked, self._heard = limit, time.monotonic()
        with contextlib.suppress(NatsError, OSError):  # asked again when the broker has been silent
            wire.write(self._client, [wire.frame(self._request, self._inbox, json.dumps(ask).encode())])

    def _on_message(self, subject: bytes, reply: bytes, header: bytes, payload: bytes) -> None:
        self._heard = time.monotonic()
        if reply.startswith(b"$JS.ACK."):
            self._asked -= 1
            self._ready.append(as_message(subject, reply, header, payload))
            self._note(hand_out(reply))
        else:
            status, _, description = wire.read_headers(header)[0].partition(" ")
            if status == "100":
                return
            self._asked = 0
            self._lost = status == "503" or "Deleted" in description
        self._event.set()

    def _note(self, number: int) -> None:
        """Note the number of a hand-out; the broker counts them without gaps, and a lost one comes again later."""
        if self._patience and self._last and number != self._last + 1:
            log.warning("consumer %s: messages got lost on the way, waiting for them", self._consumer)
            self._hold = time.monotonic() + self._patience
        self._last = number

    def _whole(self) -> bool:
        """Tell whether nothing is missing before what is ready; after a wait for it, bring both into one order."""
        if time.monotonic() < self._hold:
            return False
        if self._hold:
            self._hold = 0.0
            latest = {message.seq: message for message in self._ready}
            self._ready = deque(latest[seq] for seq in sorted(latest))
        return True
