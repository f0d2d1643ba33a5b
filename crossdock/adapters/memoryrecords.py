"""Small documents in memory; see `dlq.ports.Records`."""

from crossdock.kernel.problems import Unavailable

LARGEST = (1 << 20) - 1024  # bytes; as a broker takes 1 MiB with its headers


class MemoryRecords:
    """Documents in a dict."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[bytes, int]] = {}
        self._given = 0

    async def all(self, under: str = "") -> dict[str, tuple[bytes, int]]:
        """See `Records.all`."""
        return {name: found for name, found in self._stored.items() if not under or name.startswith(f"{under}.")}

    async def get(self, name: str) -> tuple[bytes, int] | None:
        """See `Records.get`."""
        return self._stored.get(name)

    async def put(self, name: str, stored: bytes, version: int) -> int | None:
        """See `Records.put`."""
        if len(stored) > LARGEST:
            raise Unavailable("memory: the record is too large")
        if version != self._stored.get(name, (b"", 0))[1]:
            return None
        self._given += 1
        self._stored[name] = stored, self._given
        return self._given

    async def remove(self, name: str) -> None:
        """See `Records.remove`."""
        self._stored.pop(name, None)
