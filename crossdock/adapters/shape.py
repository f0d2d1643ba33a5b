"""What tells whether a stream is still the one that was read."""

from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Shape:
    """When a stream was made, how many messages are missing inside, and its first and last sequence."""

    made: str
    missing: int
    first: int
    last: int

    def follows(self, before: "Shape") -> bool:
        """Tell whether a stream that was so before still has what it had, but for what is past its retention."""
        return self.made == before.made and self.missing <= before.missing and self.last >= before.last


async def shape(client: Client, stream: str) -> Shape:
    """Return how a stream is; without such a stream all is 0."""
    try:
        info = await client.jetstream().stream_info(stream)
    except NotFoundError:
        return Shape("", 0, 0, 0)
    state = info.state
    return Shape(str(info.created), state.num_deleted or 0, state.first_seq, state.last_seq)
