"""Some of the events of a stream in memory; see `crossdock.pipeline.drifting.Sample`."""

from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.stream import Message


class MemorySample:
    """Reads a stream from a place on."""

    def __init__(self, stream: MemoryLog) -> None:
        self._stream = stream

    async def last(self) -> int:
        """See `Sample.last`."""
        return len(self._stream.records)

    async def some(self, subject: str, after: int, limit: int) -> tuple[list[Message], int]:
        """See `Sample.some`."""
        messages = [self._stream.message(seq) for seq in range(after + 1, len(self._stream.records) + 1)]
        fitting = [message for message in messages if message.subject == subject]
        return fitting[:limit], len(fitting[limit:])
