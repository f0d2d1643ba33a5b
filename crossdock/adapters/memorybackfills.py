"""Backfills in memory; see `crossdock.pipeline.backfill`."""

from dataclasses import replace
from datetime import datetime

from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.stream import Message
from crossdock.pipeline.backfill import LOT, Backfill
from routes.spec import Route


class MemoryBackfills:
    """Their records in a dict, and what one log has of the past; everything there is read at once."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._stored: dict[str, Backfill] = {}

    async def get(self, route: str) -> Backfill | None:
        """See `Backfills.get`."""
        return self._stored.get(route)

    async def put(self, backfill: Backfill) -> Backfill | None:
        """See `Backfills.put`."""
        present = self._stored.get(backfill.route)
        if backfill.version != (present.version if present else 0):
            return None
        stored = self._stored[backfill.route] = replace(backfill, version=backfill.version + 1)
        return stored

    async def page(self, route: Route, after: int, last: int) -> list[Message]:
        """See `Past.page`."""
        subjects = [f"event.{type_}" for type_ in route.types]
        found = [self._log.message(seq) for seq in range(after + 1, min(last, len(self._log.records)) + 1)]
        return [message for message in found if message.subject in subjects][:LOT]

    async def unread(self, _: Route) -> int:
        """See `Past.unread`."""
        return 0

    async def since(self, moment: datetime) -> int:
        """See `Past.since`."""
        before = [at for _, at in self._log.records if at < moment.timestamp()]
        return len(before) + 1

    async def newest(self) -> int:
        """See `Past.newest`."""
        return len(self._log.records)
