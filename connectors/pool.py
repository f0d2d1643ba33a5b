"""The connections of the delivery client to one origin; the last one used is the first one taken."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from connectors.addresses import Address
from connectors.connection import Connection, Limits
from connectors.singleflight import SingleFlight
from connectors.target import SendFailed, Target

TICK = 0.05  # seconds between looks at the deadlines; one timer a pool costs a fifth less than one a request
MOST_DIALS = 8  # under way at a time; whoever else waits takes what these open, as soon as it is idle


class Pool:
    """Whoever holds a slot has an idle connection or dials, so there are never more than `size` open.

    `resolve` returns the addresses to dial; all who dial at the same time share one look-up.
    """

    def __init__(
        self, size: int, max_idle: float, limits: Limits, resolve: Callable[[], Coroutine[Any, Any, list[Address]]]
    ) -> None:
        self.addresses = SingleFlight(resolve)
        self._free = size
        self._dials = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._max_idle = max_idle
        self._limits = limits
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def acquire(self, deadline: float) -> Connection | None:
        """Take a slot with the idle connection that was used last; who gets none dials and says when that is over.

        Raises:
            SendFailed: `timeout`, when there is none before the deadline (loop time).
        """
        if self._free and (connection := self._take()) is not None:  # nobody waits while one is idle
            self._free -= 1
            return connection
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._serve()
        if turn.done():
            return turn.result()
        try:
            async with asyncio.timeout_at(deadline):
                return await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # its turn came at the same moment
                connection = turn.result()
                self.dialled() if connection is None else self.give(connection)
                self.release()
            if isinstance(error, TimeoutError):
                raise SendFailed("timeout", "no connection became free in time", sent=False) from None
            raise

    def release(self) -> None:
        """Give the slot back."""
        self._free += 1
        self._serve()

    def dial(self) -> None:
        """Begin a dial whose turn nobody waited for: a slot's connection has gone."""
        self._dials += 1

    def dialled(self) -> None:
        """Take note that a dial is over."""
        self._dials -= 1
        self._serve()

    def _serve(self) -> None:
        """Let those who wait longest go on, each with an idle connection or with a dial."""
        while self._waiting and self._free:
            if self._waiting[0].done():
                self._waiting.popleft()
                continue
            connection = self._take()
            if connection is None:
                if self._dials >= MOST_DIALS:
                    return
                self._dials += 1
            self._free -= 1
            self._waiting.popleft().set_result(connection)

    def _take(self) -> Connection | None:
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
