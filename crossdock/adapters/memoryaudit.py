"""The audit log in memory; see `dlq.audit`."""


class MemoryAudit:
    """See `dlq.audit.AuditStore`; `stored` may be changed, as whoever holds the disk of a broker could."""

    def __init__(self) -> None:
        self.stored: dict[int, bytes] = {}
        self.given = 0

    async def last(self) -> tuple[int, bytes | None]:
        """See `AuditStore.last`."""
        return self.given, self.stored.get(self.given)

    async def append(self, stored: bytes, after: int) -> bool:
        """See `AuditStore.append`."""
        if after != self.given:
            return False
        self.given += 1
        self.stored[self.given] = stored
        return True

    async def page(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """See `AuditStore.page`."""
        return [(seq, self.stored[seq]) for seq in sorted(self.stored) if seq > after][:limit]
