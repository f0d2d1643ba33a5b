"""What the streams say of replays, in memory; see `crossdock.pipeline.outbox.Sends`."""

from collections.abc import Mapping, Sequence

from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.stream import EVENTS, RAW, Message


class MemorySends:
    """One log stands for all streams; everything there is read at once."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def newest(self) -> dict[str, int]:
        """See `Sends.newest`."""
        return dict.fromkeys((RAW, EVENTS), len(self._log.records))

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[str]:
        """See `Sends.since`."""
        later = [record for record, _ in self._log.records[mark.get(EVENTS, 0) :]]
        return {record.key for record in later if record.subject in subjects}

    async def recorded(self) -> int:
        """See `Sends.recorded`."""
        return len(self._log.records)

    async def unread(self, _: str) -> int:
        """See `Sends.unread`."""
        return 0

    async def message(self, _: str, seq: int) -> Message | None:
        """See `Sends.message`."""
        return self._log.message(seq) if 0 < seq <= len(self._log.records) else None
