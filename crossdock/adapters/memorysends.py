"""What the streams say of replays, in memory; see `crossdock.pipeline.replayer.Sends`."""

from collections.abc import Mapping, Sequence

from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.stream import EVENTS, RAW


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
