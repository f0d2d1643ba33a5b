"""Streams on NATS JetStream: appending with an own reply inbox, pulling without fixed waits."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message, Record, Stored

log = logging.getLogger(__name__)

ACK_TIMEOUT = 5.0  # seconds until an append counts as not acknowledged; ambiguous, so the caller repeats with the same key
BATCH = 500  # messages of one atomic batch; the server takes 1,000
PULL_EXPIRES = 10.0
PULL_HEARTBEAT = 2.0


async def connect(url: str, name: str) -> Client:
    """Connect, and reconnect for ever.

    Raises:
        Unavailable: when the first connection fails.
    """

    async def on_error(error: Exception) -> None:
        log.warning("nats: %s", error)

    try:
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


class Acks:
    """One reply inbox for the acknowledgements of all appends of a connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._prefix = client.new_inbox() + "."
        self._waiting: dict[str, tuple[float, asyncio.Future[Stored]]] = {}
        self._number = 0
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Subscribe to the inbox."""
        await self.client.subscribe(self._prefix + "*", cb=self._on_reply)
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Stop waiting."""
        if self._sweeper:
            self._sweeper.cancel()

    async def send(self, subject: str, payload: bytes, headers: dict[str, str]) -> Stored:
        """Publish and wait for the stream's acknowledgement.

        Raises:
            Unavailable: not connected, refused by the server, or no answer in time.
            Repeated: an atomic batch held a message that is stored already.
        """
        self._number += 1
        token = str(self._number)
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting[token] = (time.monotonic() + ACK_TIMEOUT, future)
        try:
            if not self.client.is_connected:
                raise Unavailable("nats: not connected")
            await self.client.publish(subject, payload, reply=self._prefix + token, headers=headers)
            return await future
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        finally:
            self._waiting.pop(token, None)

    async def _on_reply(self, message: Msg) -> None:
        _, future = self._waiting.get(message.subject[len(self._prefix) :], (0.0, None))
        if future is None or future.done():
            return
        if not message.data:
            future.set_exception(Unavailable("nats: no stream answers"))
            return
        answer = json.loads(message.data)
        error = answer.get("error")
        if error:
            known = error.get("err_code") == _DUPLICATE_IN_BATCH
            future.set_exception(Repeated() if known else Unavailable(f"nats: {error.get('description')}"))
        else:
            future.set_result(Stored(answer["seq"], answer.get("duplicate", False)))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            for deadline, future in list(self._waiting.values()):
                if deadline < now and not future.done():
                    future.set_exception(Unavailable("nats: no acknowledgement in time"))


_DUPLICATE_IN_BATCH = 10201


class Repeated(Exception):
    """An atomic batch was refused because one of its messages is stored already."""


class NatsLog:
    """Appends to whatever stream listens on a record's subject."""

    def __init__(self, acks: Acks) -> None:
        self._acks = acks
        self._batches = 0

    async def append(self, record: Record) -> Stored:
        """See `Log.append`."""
        return await self._acks.send(record.subject, record.payload, {**record.headers, "Nats-Msg-Id": record.key})

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """See `Log.append_all`; an atomic batch is one fsync and one acknowledgement for all."""
        stored: list[Stored] = []
        for start in range(0, len(records), BATCH):
            stored += await self._append_batch(records[start : start + BATCH])
        return stored

    async def _append_batch(self, records: Sequence[Record]) -> list[Stored]:
        if len(records) > 1:
            try:
                return await self._append_atomically(records)
            except Repeated:
                pass  # a redelivered batch: the server says for each message whether it is a repeat
        return await asyncio.gather(*(self.append(record) for record in records))

    async def _append_atomically(self, records: Sequence[Record]) -> list[Stored]:
        self._batches += 1
        batch = f"{id(self):x}-{self._batches}-{time.time_ns():x}"
        for number, record in enumerate(records[:-1], 1):
            headers = {**record.headers, "Nats-Msg-Id": record.key, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            try:
                await self._acks.client.publish(record.subject, record.payload, headers=headers)
            except (NatsError, OSError) as error:
                raise Unavailable(f"nats: {type(error).__name__}") from error
        last = records[-1]
        commit = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(records)), "Nats-Batch-Commit": "1"}
        ack = await self._acks.send(last.subject, last.payload, {**last.headers, "Nats-Msg-Id": last.key, **commit})
        return [Stored(ack.seq - len(records) + number) for number in range(1, len(records) + 1)]


class NatsInbox:
    """A durable consumer, pulled with one standing request so that a message is handed over when it comes.

    nats-py's own `fetch` waits out its timeout for a full batch once it was idle, which is a fixed delay.
    """

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        self._client = client
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._consumer = consumer
        self._ready: deque[Message] = deque()
        self._event = asyncio.Event()
        self._asked = 0
        self._heard = 0.0
        self._lost = False
        self._subscription: Any = None

    async def start(self) -> "NatsInbox":
        """Subscribe to the inbox that messages are pushed to."""
        self._inbox = self._client.new_inbox()
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._on_message, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        return self

    async def close(self) -> None:
        """End the subscription; what was not acknowledged goes to the next consumer."""
        if self._subscription and self._client.is_connected:
            await self._subscription.unsubscribe()

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        """See `Inbox.fetch`.

        Raises:
            Unavailable: the consumer does not exist.
        """
        deadline = time.monotonic() + wait
        while not self._ready:
            await self._ask(limit)
            self._event.clear()
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
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    async def ack(self, messages: Iterable[Message]) -> None:
        """See `Inbox.ack`."""
        await self._reply(messages, b"+ACK")

    async def extend(self, messages: Iterable[Message]) -> None:
        """See `Inbox.extend`."""
        await self._reply(messages, b"+WPI")

    async def _reply(self, messages: Iterable[Message], word: bytes) -> None:
        if not self._client.is_connected:
            return  # the broker hands them out again after its wait
        for message in messages:
            await self._client.publish(message.handle, word)

    async def _ask(self, limit: int) -> None:
        silent = time.monotonic() - self._heard > PULL_HEARTBEAT * 2.5
        if (self._asked > 0 and not silent) or not self._client.is_connected:
            return
        ask = {"batch": limit, "expires": int(PULL_EXPIRES * 1e9), "idle_heartbeat": int(PULL_HEARTBEAT * 1e9)}
        self._asked, self._heard = limit, time.monotonic()
        await self._client.publish(self._request, json.dumps(ask).encode(), reply=self._inbox)

    async def _on_message(self, message: Msg) -> None:
        self._heard = time.monotonic()
        if message.reply.startswith("$JS.ACK."):
            self._asked -= 1
            self._ready.append(as_message(message))
        else:
            status = (message.headers or {}).get("Status", "")
            if status == "100":
                return
            self._asked = 0
            self._lost = status == "503" or "Deleted" in (message.headers or {}).get("Description", "")
        self._event.set()


def as_message(message: Msg) -> Message:
    """Read sequence, deliveries and time from the acknowledgement subject (both its versions)."""
    tokens = message.reply.split(".")
    deliveries, seq, nanoseconds = (tokens[4], tokens[5], tokens[7]) if len(tokens) == 9 else (tokens[6], tokens[7], tokens[9])
    headers: Mapping[str, str] = message.headers or {}
    return Message(
        int(seq), message.subject, message.data, headers, int(deliveries), int(nanoseconds) / 1e9, message.reply
    )


async def read(client: Client, stream: str, *, headers_only: bool = False, first: int = 1) -> AsyncIterator[list[Message]]:
    """Read a stream from `first` to its present end, in batches, leaving no consumer behind."""
    jetstream = client.jetstream()
    try:
        end = (await jetstream.stream_info(stream)).state.last_seq
    except NotFoundError:
        return
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=max(1, first),
        ack_policy=AckPolicy.NONE,
        headers_only=headers_only,
        inactive_threshold=30,
        mem_storage=True,
    )
    info = await jetstream.add_consumer(stream, config)
    inbox = await NatsInbox(client, stream, info.name).start()
    left, last = info.num_pending or 0, 0
    try:
        while left > 0 and last < end:
            messages = await inbox.fetch(1000, 5)
            if not messages:
                raise Unavailable(f"reading {stream} stalled at {last} of {end}")
            left -= len(messages)
            last = messages[-1].seq
            yield messages
    finally:
        await inbox.close()
        await jetstream.delete_consumer(stream, info.name)
