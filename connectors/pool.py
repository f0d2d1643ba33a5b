"""The connections of the delivery client to one origin; the last one used is the first one taken."""

import asyncio
import ssl
from collections import deque

from connectors.addresses import Address
from connectors.connection import Connection, Limits
from connectors.target import SendFailed, Target

TICK = 0.05  # seconds between looks at the deadlines; one timer a pool costs a fifth less than one a request


class Pool:
    """Whoever holds a slot takes an idle connection or opens one, so there are never more than `size` open."""

    def __init__(self, size: int, max_idle: float, limits: Limits) -> None:
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._max_idle = max_idle
        self._limits = limits
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def acquire(self, deadline: float) -> None:
        """Take a slot.

        Raises:
            SendFailed: `timeout`, when none is free before the deadline (loop time).
        """
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.release()  # its turn came at the same moment
            if isinstance(error, TimeoutError):
                raise SendFailed("timeout", "no connection became free in time", sent=False) from None
            raise

    def release(self) -> None:
        """Give the slot to whoever waits longest, or back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def take(self) -> Connection | None:
        """Return the idle connection that was used last, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:  # else it is closing, and the loop has not said so yet
                return connection
        return None

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request, if it can carry one."""
        if self._closed:
            connection.close()
        elif connection.usable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    async def connect(self, target: Target, address: Address, tls: ssl.SSLContext | None) -> Connection:
        """Open a connection to exactly this address; the name only serves to check the certificate."""
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._limits, self._lost),
            str(address),
            target.port,
            ssl=tls,
            server_hostname=target.host if tls else None,
        )
        self._open.add(connection)
        if self._timer is None:
            self._sweep()
        return connection

    def close(self) -> None:
        """End all connections; exchanges under way fail."""
        self._closed = True
        for connection in tuple(self._open):
            connection.fail("closed", "the client was closed")

    def _sweep(self) -> None:
        """Fail exchanges past their deadline and drop old idle connections, while any connection is open."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._open):
            if not connection.usable and now >= connection.deadline:
                connection.fail("timeout", "no complete answer in time")
        while self._idle and now - self._idle[0].idle_since > self._max_idle:
            self._idle.popleft().close()
        self._timer = loop.call_later(TICK, self._sweep) if self._open else None

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
