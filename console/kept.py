"""Records of who may work here, read again every two seconds at most, as every request asks for them."""

import time
from collections.abc import Callable

from dlq.ports import Records

FRESH = 2.0  # seconds in which what another process changed may not be seen yet
MOST = 4096  # records in memory, wrong names among them


class Kept:
    """See `dlq.ports.Records`; what was written here is seen here at once."""

    def __init__(self, records: Records, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._clock = clock
        self._known: dict[str, tuple[float, tuple[bytes, int] | None]] = {}

    async def all(self, under: str = "") -> dict[str, tuple[bytes, int]]:
        """See `Records.all`."""
        return await self._records.all(under)

    async def get(self, name: str) -> tuple[bytes, int] | None:
        """See `Records.get`."""
        now = self._clock()
        at, found = self._known.get(name, (now - FRESH, None))
        if now - at < FRESH:
            return found
        if len(self._known) >= MOST:
            self._known.clear()
        found = await self._records.get(name)
        self._known[name] = now, found
        return found

    async def put(self, name: str, stored: bytes, version: int) -> int | None:
        """See `Records.put`."""
        try:
            return await self._records.put(name, stored, version)
        finally:
            self._known.pop(name, None)

    async def remove(self, name: str) -> None:
        """See `Records.remove`."""
        try:
            await self._records.remove(name)
        finally:
            self._known.pop(name, None)
