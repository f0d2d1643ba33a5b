"""What the streams say of replays, in memory; see `crossdock.pipeline.outbox.Sends`."""

from collections.abc import Mapping, Sequence

from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.stream import ACT, EVENTS, RAW, Message
from crossdock.pipeline.again import places
from dlq.record import DeadLetter, Place, place_of


class MemorySends:
    """One log stands for all streams; everything there is read at once, and up to `done` it is done with."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.done = 0

    async def newest(self) -> dict[str, int]:
        """See `Sends.newest`."""
        return dict.fromkeys((RAW, EVENTS), len(self._log.records))

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[tuple[str, str]]:
        """See `Sends.since`."""
        later = [record for record, _ in self._log.records[mark.get(EVENTS, 0) :]]
        return {(record.key, record.headers.get(ACT, "")) for record in later if record.subject in subjects}

    async def waiting(self, letters: Sequence[DeadLetter]) -> Mapping[Place, str]:
        """See `Sent.waiting`."""
        wanted = {place_of(letter) for letter in letters}
        later = [self._log.message(seq) for seq in range(self.done + 1, len(self._log.records) + 1)]
        later.sort(key=lambda message: message.subject.startswith("replay."))  # what is further on its way counts
        found = {place: message.headers.get(ACT, "") for message in later for place in places(message)}
        return {place: act for place, act in found.items() if place in wanted}

    async def recorded(self) -> int:
        """See `Sends.recorded`."""
        return len(self._log.records)

    async def unread(self, _: str) -> int:
        """See `Sends.unread`."""
        return 0

    async def message(self, _: str, seq: int) -> Message | None:
        """See `Sends.message`."""
        return self._log.message(seq) if 0 < seq <= len(self._log.records) else None
