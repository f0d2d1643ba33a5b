"""Appending to streams: one reply inbox for all acknowledgements, atomic batches."""

import asyncio
import json
import time
from collections.abc import Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record, Stored

ACK_TIMEOUT = (
    5.0  # seconds until an append counts as not acknowledged; ambiguous, so the caller repeats with the same key
)
BATCH = 500  # messages of one atomic batch; the server takes 1,000
_DUPLICATE_IN_BATCH = 10201


class Repeated(Exception):
    """An atomic batch was refused because one of its messages is stored already."""


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
        """Give up what waits too long, and at once what waits for a connection that is gone."""
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            for deadline, future in list(self._waiting.values()):
                if not future.done() and (deadline < now or not self.client.is_connected):
                    future.set_exception(Unavailable("nats: no acknowledgement"))


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
            headers = {
                **record.headers,
                "Nats-Msg-Id": record.key,
                "Nats-Batch-Id": batch,
                "Nats-Batch-Sequence": str(number),
            }
            try:
                await self._acks.client.publish(record.subject, record.payload, headers=headers)
            except (NatsError, OSError) as error:
                raise Unavailable(f"nats: {type(error).__name__}") from error
        last = records[-1]
        commit = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(records)), "Nats-Batch-Commit": "1"}
        ack = await self._acks.send(last.subject, last.payload, {**last.headers, "Nats-Msg-Id": last.key, **commit})
        return [Stored(ack.seq - len(records) + number) for number in range(1, len(records) + 1)]
