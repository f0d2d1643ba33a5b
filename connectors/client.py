"""The HTTP/1.1 client of the delivery hot path: small, bounded, and dialling only addresses it has checked."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from ipaddress import ip_address

from connectors.addresses import Address, Network, allowed
from connectors.connection import MAX_READ, Connection, Limits, Response
from connectors.pool import Pool
from connectors.target import SendFailed, Target, start_line, write_head
from connectors.tlsfiles import of_the_system


async def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of a host, each once, in the order to try them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class Client:
    """Keeps connections per origin; follows no redirect, uses no proxy, verifies TLS.

    `tls` gives the context of a new connection, `max_connections` bounds the connections of one origin, `max_idle` is
    the seconds an unused one is kept, `max_body` and `max_headers` are bytes of an answer.
    """

    def __init__(
        self,
        networks: Sequence[Network] = (),
        tls: Callable[[], ssl.SSLContext] = of_the_system,
        *,
        max_connections: int = 64,
        max_idle: float = 60.0,
        max_body: int = 64 << 10,
        max_headers: int = 64 << 10,
        resolve: Callable[[str, int], Awaitable[list[Address]]] = resolve,
    ) -> None:
        self._networks = tuple(networks)
        self._tls = tls
        self._max_connections = max_connections
        self._max_idle = max_idle
        self._limits = Limits(max_body, max_headers, max(MAX_READ, max_body + max_headers))
        self._pools: dict[tuple[str, str, int], Pool] = {}
        self._resolve = resolve
        self._closed = False

    async def request(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Response:
        """Send one request and return its answer within `timeout` seconds, waiting for a connection included.

        Raises:
            SendFailed: when there is no answer.
        """
        return await self.send(target, write_head(start_line(method, target), headers, len(body)) + body, timeout)

    async def send(self, target: Target, data: bytes, timeout: float) -> Response:
        """Send the bytes of one whole request; see `request`.

        A kept connection that the target had closed is not a failure. That it acted and closed without a byte is
        possible too; the idempotency key makes the repeat safe.
        """
        pool = self._pool(target)
        deadline = asyncio.get_running_loop().time() + timeout
        connection = await pool.acquire(deadline)
        tried = connection is not None
        try:
            if connection is not None:
                try:
                    response = await connection.exchange(data, deadline)
                except SendFailed as failure:
                    if failure.code != "reset" or connection.answered:
                        raise
                    connection = None
                    pool.dial()
            if connection is None:
                connection = await self._dial(pool, target, deadline)
                response = await connection.exchange(data, deadline)
            pool.give(connection)
            return response
        except SendFailed as failure:
            failure.sent = failure.sent or tried
            raise
        finally:
            pool.release()

    async def close(self) -> None:
        """Close all connections; requests under way fail with `closed`."""
        self._closed = True
        for pool in self._pools.values():
            pool.close()

    def _pool(self, target: Target) -> Pool:
        if self._closed:
            raise SendFailed("closed", "the client is closed", sent=False)
        pool = self._pools.get(target.origin)
        if pool is None:
            resolve = partial(self._addresses, target)
            pool = self._pools[target.origin] = Pool(self._max_connections, self._max_idle, self._limits, resolve)
        return pool

    async def _dial(self, pool: Pool, target: Target, deadline: float) -> Connection:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._first(pool, target, await pool.addresses.get(), deadline)
        except SendFailed as failure:  # it may be that of all who wait for the same look-up
            raise SendFailed(failure.code, failure.detail, failure.sent) from None
        except TimeoutError:
            raise SendFailed("timeout", f"no connection to {target.authority} in time", sent=False) from None
        finally:
            pool.dialled()

    async def _first(self, pool: Pool, target: Target, addresses: list[Address], deadline: float) -> Connection:
        tls = self._context(target) if target.scheme == "https" else None
        share = (deadline - asyncio.get_running_loop().time()) / len(addresses)
        failure = SendFailed("connect", f"{target.host} has no address", sent=False)
        for address in addresses:
            try:
                # A silent address must not eat the time of those after it; the last may use all that is left.
                async with asyncio.timeout(None if address is addresses[-1] else share):
                    return await pool.connect(target, address, tls)
            except ssl.SSLError as error:
                failure = SendFailed("tls", f"{target.authority}: {error}", sent=False)
            except OSError as error:
                failure = SendFailed("connect", f"{target.authority} ({address}): {error or 'timed out'}", sent=False)
        raise failure

    async def _addresses(self, target: Target) -> list[Address]:
        """Resolve the name anew; only the returned addresses may be dialled, as a second look-up may differ."""
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise SendFailed("connect", f"{target.host} cannot be resolved: {error}", sent=False) from None
        passed = [address for address in addresses if allowed(address, self._networks)]
        if not passed:
            shown = ", ".join(map(str, addresses))
            detail = f"{target.host} is {shown}: not public, and not named in the connector's networks"
            raise SendFailed("private_address", detail, sent=False)
        return passed

    def _context(self, target: Target) -> ssl.SSLContext:
        try:
            return self._tls()
        except OSError as error:  # its files are read again when they have changed
            detail = f"{target.authority}: the files under tls cannot be used: {error.strerror or error}"
            raise SendFailed("tls", detail, sent=False) from None
