"""Some of the events of RAW, read past all others: one request a source, and no consumer that would get each event."""

import asyncio
import json
from datetime import datetime

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from crossdock.adapters import wire
from crossdock.adapters.watch import told
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import RAW, Message

PATIENCE = 5.0
MOST_BYTES = 2 << 20  # of one answer


class RawSample:
    """See `crossdock.pipeline.drifting.Sample`; batched direct gets (NATS ADR-31)."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def last(self) -> int:
        """See `Sample.last`."""
        with told():
            try:
                return (await self._client.jetstream().stream_info(RAW)).state.last_seq
            except NotFoundError:
                return 0

    async def some(self, subject: str, after: int, limit: int) -> tuple[list[Message], int]:
        """See `Sample.some`; large bodies are not read."""
        answer = _Answer()
        with told():
            inbox = self._client.new_inbox()
            subscription = await wire.subscribe(self._client, inbox, answer.take)
            ask = {"seq": after + 1, "next_by_subj": subject, "batch": limit, "max_bytes": MOST_BYTES}
            try:
                wire.write(self._client, [wire.frame(f"$JS.API.DIRECT.GET.{RAW}", inbox, json.dumps(ask).encode())])
                async with asyncio.timeout(PATIENCE):
                    await answer.ended.wait()
            except (NatsError, TimeoutError) as error:
                raise Unavailable(f"nats: {type(error).__name__}") from error
            finally:
                await wire.unsubscribe(self._client, subscription)
        return answer.messages, answer.left


class _Answer:
    """The messages of one answer as they come; `left` is how many more there are."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.left = 0
        self.ended = asyncio.Event()

    def take(self, _: bytes, __: bytes, header: bytes, payload: bytes) -> None:
        status, headers = wire.read_headers(header)
        if status:  # 204 ends a batch, 404 is one without a message, 503 is nobody there
            self.left = int(headers.get("Nats-Num-Pending", 0))
            self.ended.set()
            return
        at = datetime.fromisoformat(headers["Nats-Time-Stamp"]).timestamp()
        self.messages.append(Message(int(headers["Nats-Sequence"]), headers["Nats-Subject"], payload, headers, 1, at))
