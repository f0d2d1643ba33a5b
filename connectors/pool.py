"""The connections of the delivery client to one origin; the last one used is the first one taken."""

import asyncio
import ssl
from collections import deque

from connectors.addresses import Address
from connectors.connection import Connection, Limits
from connectors.target import Target


class Pool:
    """Whoever holds a slot takes an idle connection or opens one, so there are never more than `size` open."""

    def __init__(self, size: int, max_idle: float) -> None:
        self.slots = asyncio.Semaphore(size)
        self._max_idle = max_idle
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._closed = False

    def take(self) -> Connection | None:
        """Return the idle connection that was used last, if there is one."""
        self._drop_old()
        return self._idle.pop() if self._idle else None

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request, if it can carry one."""
        if self._closed:
            connection.close()
        elif connection.usable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
            self._drop_old()

    async def connect(self, limits: Limits, target: Target, address: Address, tls: ssl.SSLContext | None) -> Connection:
        """Open a connection to exactly this address; the name only serves to check the certificate."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(limits, self._lost),
            str(address),
            target.port,
            ssl=tls,
            server_hostname=target.host if tls else None,
        )
        self._open.add(connection)
        return connection

    def close(self) -> None:
        """End all connections; exchanges under way fail."""
        self._closed = True
        for connection in tuple(self._open):
            connection.fail("closed", "the client was closed")

    def _drop_old(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._max_idle
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.popleft().close()

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
