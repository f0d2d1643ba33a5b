"""Reads a stream, or a part of it, to its present end; called by whoever needs all of it."""

from collections.abc import AsyncIterator, Sequence

from nats.aio.client import Client
from nats.js.api import DeliverPolicy
from nats.js.errors import NotFoundError

from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.nats import hand_out
from crossdock.adapters.pages import READING
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message


async def read(
    client: Client, stream: str, *, headers_only: bool = False, subjects: Sequence[str] = (">",), after: int = 0
) -> AsyncIterator[list[Message]]:
    """Read a stream, or some subjects of it, from what is `after` a sequence to its present end, in batches.

    Large bodies are not read. No consumer is left.
    """
    jetstream = client.jetstream()
    try:
        end = (await jetstream.stream_info(stream)).state.last_seq
    except NotFoundError:
        return
    config = READING.evolve(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        filter_subjects=list(subjects),
        headers_only=headers_only,
    )
    info = await jetstream.add_consumer(stream, config)
    inbox = await NatsInbox(client, stream, info.name, whole=False).start()
    left, last, taken = info.num_pending or 0, 0, 0
    try:
        while left > 0 and last < end:
            messages = await inbox.fetch(1000, 5)
            if not messages:
                raise Unavailable(f"reading {stream} stalled at {last} of {end}")
            if hand_out(messages[-1].handle) != taken + len(messages):  # as it counts them; none comes a second time
                raise Unavailable(f"reading {stream}: messages got lost on the way")
            taken += len(messages)
            left -= len(messages)
            last = messages[-1].seq
            yield messages
    finally:
        await inbox.remove()
